"""The gate: whose mailbox has moved, and of whom that was said by mistake."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from provisioning.cli.command import command, one_of
from provisioning.cli.commands.migrations import Named, some
from provisioning.cli.output import paragraph
from provisioning.cli.session import Session
from provisioning.domain.errors import InputError
from provisioning.domain.migration import KEPT_UNLICENSED, EvidenceSource
from provisioning.domain.migration_file import EvidenceFile
from provisioning.domain.migration_lifecycle import MigrationState

if TYPE_CHECKING:
    from provisioning.services.withdraw_evidence import GateClosed

_File = Annotated[Path | None, typer.Argument(help="A list, a report or an export of Microsoft's job.")]
_People = Annotated[
    list[str] | None, typer.Option("--person", help="Instead of a file: an id or sign-in name. Repeat for more.")
]
_Source = Annotated[
    EvidenceSource | None, typer.Option(metavar="SOURCE", help=f"What says so. {one_of(EvidenceSource)}")
]
_Reason = Annotated[str, typer.Option(help="On what ground, without a file; or why it is taken back. Names nobody.")]

_PAUSED = (
    "The migration is paused: Exchange comes on once it is resumed. Microsoft deletes a mailbox that moved and has no "
    "licence after 30 days."
)


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of evidence came to. `unready`: whom the file itself calls not moved, with its word for it.

    `unlicensed`: whom the migration gave no licence before it was called off. `not_yet` and `long_ago`: by the moment
    in the file.
    """

    ready: int
    known_before: int
    unknown: tuple[str, ...]
    unlicensed: tuple[str, ...]
    not_yet: tuple[str, ...]
    long_ago: tuple[str, ...]
    unready: dict[str, str]


def register(group: typer.Typer) -> None:
    """Add the gate to the commands about migrations."""
    examples = (
        "provisioning migrations gate 5f0c9a4e moved.csv --source list",
        "provisioning migrations gate 5f0c9a4e tool.csv --source tool_report",
        "provisioning migrations gate 5f0c --person 7d1e --source list --reason seen",
        "provisioning migrations gate 5f0c9a4e old.csv --withdraw --reason old",
    )
    command(group, "gate", examples=examples)(gate)


def gate(
    session: Session,
    migration: Named,
    file: _File = None,
    person: _People = None,
    source: _Source = None,
    person_column: Annotated[str, typer.Option(help="What a tool's report calls the person.")] = "person",
    status_column: Annotated[str, typer.Option(help="And their status.")] = "status",
    completed_column: Annotated[str | None, typer.Option(help="And when it was done, if it says so.")] = None,
    *,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="It was wrong: take it back.")] = False,
    reason: _Reason = "",
) -> None:
    """Say whose mailbox has moved; Exchange goes on for them.

    A licence or a service plan says nothing about a mailbox and is never evidence. The columns are those of a report.
    What was said by mistake can be withdrawn until Exchange is on its way for the person.
    """
    evidence = _evidence(
        file, person or (), source, (person_column, status_column, completed_column), reason, withdraw=withdraw
    )
    people = [one.person for one in evidence.ready]
    services = session.checked_services
    if withdraw:
        closed = services.withdraw_evidence(session.identity, migration, people, reason)
        session.tell(closed, "\n".join(map(paragraph, _told_of_closed(closed))))
        return
    opened = services.open_gate(
        session.identity, migration, people, evidence.source, evidence.reference, evidence.completed
    )
    answer = Gate(
        ready=opened.ready,
        known_before=opened.known_before,
        unknown=opened.unknown,
        unlicensed=opened.unlicensed,
        not_yet=opened.not_yet,
        long_ago=opened.long_ago,
        unready={one.person: one.status for one in evidence.unready},
    )
    told = [*_told(answer), *([paragraph(_PAUSED)] if opened.migration.state is MigrationState.PAUSED else [])]
    session.tell(answer, "\n".join(told))


def _evidence(
    file: Path | None,
    people: Sequence[str],
    source: EvidenceSource | None,
    columns: tuple[str, str, str | None],
    reason: str,
    *,
    withdraw: bool,
) -> EvidenceFile:
    """Out of a file or as typed; raises InputError for both or neither, or when nobody says what the ground is."""
    from provisioning.intake.gate_evidence import ReportColumns, read_evidence, typed_evidence

    if (file is None) == (not people):
        raise InputError("Name a file, or people with --person: one of the two.")
    if source is None and not withdraw:
        raise InputError("Say with --source what the evidence is: a list, a tool's report or Microsoft's job.")
    if file is None:
        return typed_evidence(people, source or EvidenceSource.LIST, reason)
    person, status, completed = columns
    titles = ReportColumns(person=person, status=status, completed_at=completed)
    return read_evidence(file, source or EvidenceSource.LIST, titles)


def _told(answer: Gate) -> list[str]:
    known = f" Known before: {answer.known_before:,}." if answer.known_before else ""
    told = [f"Newly ready for Exchange: {answer.ready:,}.{known}"]
    if answer.unready:
        unready = [f"{person} ({status})" for person, status in answer.unready.items()]
        told.append(f"Not moved, by the file itself: {len(unready):,}: {some(unready)}.")
    if answer.not_yet:
        told.append(
            f"Not moved yet, by the moment in the file: {len(answer.not_yet):,}: {some(answer.not_yet)}. Hand it in "
            "again after that."
        )
    if answer.long_ago:
        told.append(
            f"Moved more than {KEPT_UNLICENSED.days} days ago, by the file: {len(answer.long_ago):,}: "
            f"{some(answer.long_ago)}. Microsoft may have deleted the mailbox: look, then name them with --person."
        )
    if answer.unlicensed:
        told.append(
            f"Called off before they had a licence, so Exchange does not come on: {len(answer.unlicensed):,}: "
            f"{some(answer.unlicensed)}. The school gives it, or has the mailbox moved back."
        )
    if answer.unknown:
        told.append(f"Nobody of this migration: {len(answer.unknown):,}: {some(answer.unknown)}.")
    return told


def _told_of_closed(closed: "GateClosed") -> list[str]:
    without = f" Without any: {closed.without:,}." if closed.without else ""
    told = [f"Evidence withdrawn: {closed.withdrawn:,}.{without}"]
    if closed.too_late:
        told.append(
            f"Too late, because Exchange is on or on its way: {len(closed.too_late):,}: {some(closed.too_late)}. "
            "Pause the migration, and roll them back."
        )
    if closed.unknown:
        told.append(f"Nobody of this migration: {len(closed.unknown):,}: {some(closed.unknown)}.")
    return told
