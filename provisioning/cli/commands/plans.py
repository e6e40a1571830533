"""Plans, and people's decisions about them."""

from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.command import command, noun
from provisioning.cli.commands.operations import Named
from provisioning.cli.output import short
from provisioning.cli.rehearsal_reports import hint
from provisioning.cli.session import Session
from provisioning.cli.text_files import new_private_file
from provisioning.planning.render import render_plan

group = noun("What would be done, and who lets it be done.")


@command(group, "show", examples=("provisioning plans show 77aa1234",), ours=True)
def show(session: Session, operation: Named) -> None:
    """An operation's plan: steps, people, losses, why it waits."""
    plan = session.services.show_plan(operation)
    text = render_plan(plan, session.wording.why, session.wording.name)
    rehearsed = hint(session.services, plan.envelope.operation_id) if plan.awaits_approval else ""
    session.show(plan, "\n".join(filter(None, (text, rehearsed))))


@command(
    group,
    "assess",
    examples=(
        "provisioning plans assess 77aa1234",
        "provisioning plans assess 77aa1234 58425ae4 --html beoordeling.html",
    ),
    ours=True,
)
def assess(
    session: Session,
    operations: Annotated[list[str], typer.Argument(help="The operations, each by the beginning of its id.")],
    html: Annotated[Path | None, typer.Option(help="A new file: one page to print or to send.")] = None,
    language: Annotated[str | None, typer.Option(help="nl or en; by default that of PROVISIONING_LANGUAGE.")] = None,
) -> None:
    """What operations would do together, in plain words.

    Licences per school before and after, seats, services, who is held and why, how long it takes. A board reads its own
    part in the assessment of its ticket.
    """
    from provisioning.cli.wording import language_of
    from provisioning.words.assessments import Form, render_assessment

    speaks = session.wording.language if language is None else language_of(language, "--language")
    made = session.services.assess(session.identity, operations)
    if html is None:
        session.show(made, render_assessment(made, speaks, Form.TEXT))
        return
    with new_private_file(html, "an assessment is never written over another file") as file:
        file.write(render_assessment(made, speaks, Form.PAGE).encode())
    session.tell({"written": [str(html)]}, f"Written: {html}.")


@command(
    group,
    "approve",
    examples=(
        "provisioning plans approve 77aa1234 9c1f22ab",
        'provisioning plans approve 77aa1234 9c1f22ab --break-glass "exams today"',
    ),
)
def approve(
    session: Session,
    operation: Named,
    digest: Annotated[str, typer.Argument(help="At least the first 8 characters, as `plans show` shows them.")],
    break_glass: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Only an administrator, alone, in an emergency; another reviews it."),
    ] = None,
) -> None:
    """Let exactly the plan that you saw be applied. Needs a person with the role approver who had no hand in it."""
    going = session.services.approve_plan(session.identity, operation, digest, break_glass=break_glass)
    session.tell(going, f"Approved: operation {short(going.operation_id)} is being applied.")


@command(group, "review", examples=("provisioning plans review 77aa1234",))
def review(session: Session, operation: Named) -> None:
    """Say that you looked at a plan that somebody else approved alone."""
    seen = session.services.review_plan(session.identity, operation)
    session.tell(seen, f"Reviewed: the plan of operation {short(seen.operation_id)}.")


@command(group, "reject", examples=('provisioning plans reject 77aa1234 --reason "wrong school"',))
def reject(
    session: Session, operation: Named, reason: Annotated[str, typer.Option(help="What should be different.")]
) -> None:
    """Refuse the plan; the operation is held."""
    held = session.services.reject_plan(session.identity, operation, reason)
    session.tell(held, f"Rejected: operation {short(held.operation_id)} is held.")
