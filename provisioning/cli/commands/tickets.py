"""Tickets: what boards ask, from the desk's number to the answer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.output import paragraph, short
from provisioning.cli.session import Session
from provisioning.cli.text_files import new_private_file
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.words.assessments import Form, render_assessment
from provisioning.words.catalogue import Language

if TYPE_CHECKING:
    from provisioning.services.submit_tickets import Submitted

group = noun("What boards ask, and what came of it.")

Named = Annotated[
    str, typer.Argument(metavar="TICKET", help="Its id, at least the first 4 characters, or SOURCE/REFERENCE.")
]
_STATES = typer.Option(metavar="STATE", help=f"{one_of(TicketState)} Repeat for more.")
_MAPPING = typer.Option(
    "--mapping", metavar="FILE", help="TOML that says which field of a desk is which of ours; FILE is then JSON of it."
)
_SHEET = typer.Option(
    metavar="FILE",
    help="Write what Microsoft's support asks for: a page to print when it ends in .html, else text. Not there yet.",
)
_REASON = typer.Option(help="Goes to the board: what it can do instead. It must not name anybody.")


@command(
    group,
    "submit",
    examples=("provisioning tickets submit ticket.yaml", "provisioning tickets submit export.json --mapping desk.toml"),
)
def submit(
    session: Session,
    file: Annotated[Path, typer.Argument(help="YAML or JSON: one ticket or a list.")],
    mapping: Annotated[Path | None, _MAPPING] = None,
) -> None:
    """Bring in tickets from a file.

    All of the file, or nothing. What a board forgot is asked back; the same file again changes nothing.
    """
    from provisioning.intake.desk_exports import read_desk_export
    from provisioning.intake.ticket_files import read_tickets

    known = session.services.mappings
    forms = read_tickets(file, known) if mapping is None else read_desk_export(file, mapping, known)
    taken = session.checked_services.submit_tickets(session.identity, forms)
    told = [_told(session, one.ticket, "" if one.is_new or one.is_continued else "Nothing new: ") for one in taken]
    session.show([_value(session, one) for one in taken], "\n".join(told))


@command(group, "complete", examples=("provisioning tickets complete 5f0c9a4e missing.yaml",))
def complete(
    session: Session, ticket: Named, file: Annotated[Path, typer.Argument(help="YAML or JSON: what was missing.")]
) -> None:
    """Fill in what was asked back; the ticket then goes on."""
    from provisioning.intake.reading import read_bytes
    from provisioning.intake.ticket_files import parse_completion

    present = session.services.show_tickets.plain(session.identity, ticket)
    form = parse_completion(file.name, read_bytes(file), present, session.services.mappings)
    taken = session.checked_services.submit_tickets.complete(session.identity, ticket, form)
    session.show(_value(session, taken), _told(session, taken.ticket, "" if taken.is_continued else "Nothing new: "))


@command(group, "list", examples=("provisioning tickets list --state awaiting_approval",))
def list_all(
    session: Session,
    state: Annotated[list[TicketState] | None, _STATES] = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
) -> None:
    """Tickets and where they stand, newest first. A client's token sees its own, in short."""
    from provisioning.cli.ticket_screen import ticket_columns

    rows = session.services.show_to.tickets(session.identity, state or (), limit)
    session.show_rows(rows, ticket_columns(session.wording), "There is no such ticket.")


@command(
    group,
    "show",
    examples=(
        "provisioning tickets show desk/2027-0142",
        "provisioning tickets show 5f0c9a4e --html beoordeling.html --language nl",
        "provisioning tickets show 5f0c9a4e --sheet case.html",
    ),
)
def show(
    session: Session,
    ticket: Named,
    html: Annotated[Path | None, typer.Option(help="A new file: its assessment as a page to print or send.")] = None,
    language: Annotated[str | None, typer.Option(help="nl or en; by default that of PROVISIONING_LANGUAGE.")] = None,
    sheet: Annotated[Path | None, _SHEET] = None,
) -> None:
    """One ticket: what it asks, comes to, and was answered.

    When all of it lies ready for whoever decides, its assessment follows. A board reads its own part, in Dutch.
    """
    from provisioning.cli.ticket_screen import render_ticket
    from provisioning.cli.wording import language_of

    speaks = session.wording.language if language is None else language_of(language, "--language")
    if html is not None:
        _write_page(session, ticket, html, speaks)
        return
    if sheet is not None:
        _write_sheet(session, ticket, sheet)
        return
    found = session.services.show_to.ticket(session.identity, ticket)
    told = [render_ticket(found, session.wording)]
    if found.standing is not None and found.standing.lies_ready:
        told.append(_assessment(session, ticket, speaks, Form.TEXT))
    session.show(found, "\n\n".join(told))


def _write_page(session: Session, ticket: str, html: Path, speaks: Language) -> None:
    page = _assessment(session, ticket, speaks, Form.PAGE)
    with new_private_file(html, "an assessment is never written over another file") as file:
        file.write(page.encode())
    session.tell({"written": [str(html)]}, f"Written: {html}.")


def _assessment(session: Session, ticket: str, speaks: Language, form: Form) -> str:
    return render_assessment(session.services.assess_ticket(session.identity, ticket), speaks, form)


@command(group, "draft", examples=("provisioning tickets draft 5f0c9a4e school.yaml",), ours=True)
def draft(
    session: Session, ticket: Named, file: Annotated[Path, typer.Argument(help="Where to write it; not there yet.")]
) -> None:
    """Write the migration file of a school that moves.

    As far as the ticket says it; an operator completes it.
    """
    text = session.services.show_tickets.draft(session.identity, ticket)
    with new_private_file(file, "a draft never takes the place of a file") as written:
        written.write(text.encode())
    session.tell(
        {"file": str(file)},
        f"{file} is written. Decide what is marked in it, then: provisioning migrations create {file}",
    )


@command(group, "approve", examples=("provisioning tickets approve 5f0c9a4e 9c1f22ab",))
def approve(
    session: Session,
    ticket: Named,
    digest: Annotated[str, typer.Argument(help="At least the first 8 characters, as `tickets show` shows them.")],
) -> None:
    """Let exactly what you saw be carried out.

    The ticket and every plan of it, in one act. Needs a person with the role approver who had no hand in it.
    """
    approved = session.checked_services.approve_ticket(session.identity, ticket, digest)
    session.show(approved, _told(session, approved, "Approved: "))


@command(group, "reject", examples=('provisioning tickets reject 5f0c9a4e --reason "order new licences instead"',))
def reject(session: Session, ticket: Named, reason: Annotated[str, _REASON]) -> None:
    """Refuse a ticket that was not approved yet.

    What was begun for it is called off.
    """
    closed = session.services.close_ticket.reject(session.identity, ticket, reason)
    session.show(closed, _told(session, closed))


@command(group, "withdraw", examples=('provisioning tickets withdraw 5f0c9a4e --reason "asked twice"',))
def withdraw(session: Session, ticket: Named, reason: Annotated[str, _REASON]) -> None:
    """Take back a ticket that was not approved yet.

    What was begun for it is called off. A client takes back what it brought in.
    """
    closed = session.services.close_ticket.withdraw(session.identity, ticket, reason)
    session.show(session.services.show_to.changed_ticket(session.identity, closed), _told(session, closed))


@command(group, "filed", examples=("provisioning tickets filed 5f0c9a4e --case 2612040050001234",))
def filed(
    session: Session, ticket: Named, case: Annotated[str, typer.Option(help="Microsoft's number of the case.")]
) -> None:
    """Say that the case lies with Microsoft.

    For agreements that it has to move: the board hears that it was asked. Needs an operator.
    """
    noted = session.services.note_case(session.identity, ticket, case)
    session.show(noted, _told(session, noted, "Filed: "))


def _write_sheet(session: Session, ticket: str, file: Path) -> None:
    from provisioning.planning.agreement_sheet import to_html, to_text

    drawn = session.services.draw_sheet(session.identity, ticket)
    render = to_html if file.suffix == ".html" else to_text
    with new_private_file(file, "a sheet never takes the place of a file") as written:
        written.write(render(drawn, session.wording.case).encode())
    told = f"{file} is written. Once the case is filed: provisioning tickets filed {ticket} --case NUMBER"
    session.tell({"file": str(file)}, told)


def _value(session: Session, taken: "Submitted") -> dict[str, object]:
    ticket = session.services.show_to.changed_ticket(session.identity, taken.ticket)
    return msgspec.structs.asdict(taken) | {"ticket": ticket}


def _told(session: Session, ticket: Ticket, before: str = "") -> str:
    wording = session.wording
    why = f" {wording.why_and_how(ticket.reason)}" if ticket.reason else ""
    missing = "".join(f"\n  {one}: {wording.of_field(one)}" for one in ticket.missing)
    name = f"ticket {ticket.key} ({short(ticket.ticket_id)})"
    sentence = f"{before}{name} is {wording.of_ticket(ticket.state)}.{why}"
    return paragraph(sentence[0].upper() + sentence[1:] + missing)
