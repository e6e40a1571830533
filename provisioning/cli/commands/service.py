"""The service as a whole: is it well, stop it, let it go on, and what waits for people."""

import re
from typing import Annotated

import typer

from provisioning.cli.command import command, one_of
from provisioning.cli.output import SHORT, Column, moment, table
from provisioning.cli.session import Session
from provisioning.domain.errors import InputError
from provisioning.domain.operation import OperationKind
from provisioning.domain.worklist import Owner

# Without these nobody is known, and nothing of a customer can have been read; what is wrong with them has to be said.
_TOKENS_REST_IN = frozenset({"database", "schema"})

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")

_HEALTH_COLUMNS = (
    Column("", lambda x: x.health.upper(), fixed=True),
    Column("Part", lambda x: x.part, fixed=True),
    Column("Found", lambda x: f"{x.sentence} {x.advice}".strip()),
)

_All = Annotated[bool, typer.Option("--all", help="Everywhere.")]
_Tenant = Annotated[str | None, typer.Option(help="One tenant: a domain or the beginning of its id.")]
_Owner = Annotated[Owner | None, typer.Option(metavar="OWNER", help=f"Only theirs. {one_of(Owner)}")]
_Kind = Annotated[OperationKind | None, typer.Option(metavar="KIND", help=one_of(OperationKind))]


def register(app: typer.Typer) -> None:
    """These commands have no noun in front."""
    command(app, "doctor")(doctor)
    command(
        app,
        "stop",
        examples=(
            'provisioning stop --all --reason "odd receipts"',
            "provisioning stop --tenant school.nl",
            "provisioning stop --kind remap",
        ),
    )(stop)
    command(app, "metrics", examples=("provisioning metrics > provisioning.prom",), ours=True)(metrics)
    command(app, "resume", examples=("provisioning resume --all",))(resume)
    command(app, "worklist", examples=("provisioning worklist --owner operator",), ours=True)(worklist)


def doctor(session: Session) -> int:
    """Look at every part; say what is wrong and what to do. Exit code 1 when something is bad."""
    findings = session.services.diagnose()
    if not any(finding.health == "bad" for finding in findings if finding.part in _TOKENS_REST_IN):
        session.require_ours()
    session.show_rows(findings, _HEALTH_COLUMNS, "Nothing to look at.")
    return int(any(finding.health == "bad" for finding in findings))


def metrics(session: Session) -> None:
    """Print figures for a scraper: quota, queues, what is held. In Prometheus' text format."""
    from provisioning.web.exposition import exposition

    measure, service = session.services.measure_quota(), session.services.measure_service()
    session.show(measure, exposition(measure, service).rstrip("\n"))


def stop(
    session: Session,
    *,
    everywhere: _All = False,
    tenant: _Tenant = None,
    kind: _Kind = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever comes next.")] = "none given",
) -> None:
    """Let no new write begin. Reading goes on, and so does what was sent already."""
    made = session.services.stop_writes(session.identity, _scope(everywhere, tenant, kind), reason)
    session.tell(made, f"Stopped: {made.scope}. No new write begins after 5 seconds; `provisioning resume` lifts it.")


def resume(session: Session, *, everywhere: _All = False, tenant: _Tenant = None, kind: _Kind = None) -> None:
    """Lift a stop; what waited goes on by itself."""
    lifted = session.services.resume_writes(session.identity, _scope(everywhere, tenant, kind))
    session.tell(lifted, f"Resumed: {lifted.scope}.")


def worklist(
    session: Session,
    owner: _Owner = None,
) -> None:
    """Everything that waits for a person, the oldest first."""
    items = session.services.show_worklist(owner)
    wording = session.wording
    columns = (
        Column("Since (UTC)", lambda x: moment(x.since), fixed=True),
        Column("Owner", lambda x: wording.name(x.owner), fixed=True),
        Column("What", lambda x: _shortened(x.subject)),
        Column("Why", lambda x: wording.why_and_how(x.reason)),
    )
    if session.speech.as_json or not items:
        session.show_rows(items, columns, "Nothing waits for a person.")
        return
    session.show(items, f"{table(items, columns)}\n\n{len(items)} on the list.")


def _scope(everywhere: bool, tenant: str | None, kind: OperationKind | None) -> str:
    named = ("all" if everywhere else None, tenant and f"tenant:{tenant}", kind and f"kind:{kind}")
    chosen = [scope for scope in named if scope]
    if len(chosen) != 1:
        raise InputError("Say exactly one of --all, --tenant TENANT or --kind KIND.")
    return chosen[0]


def _shortened(subject: str) -> str:
    """`operation 77aa1234-…` → `operation 77aa1234`: every command takes the beginning of an id."""
    return " ".join(word[:SHORT] if _ID.fullmatch(word) else word for word in subject.split(" "))
