"""The mappings and limits in force: who proposed them, who approved them, and what would come."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.output import Column, moment, paragraph, sheet, short, table
from provisioning.cli.session import Session
from provisioning.domain.configuration import Configuration, ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import InputError, UnavailableError

if TYPE_CHECKING:
    from provisioning.domain.catalogue import Mappings
    from provisioning.services.show_configuration import ConfigurationSheet

group = noun("Mappings and limits in force; a change takes two persons.")

_Digest = Annotated[str, typer.Argument(help="At least the first 8 characters, as `show` shows them.")]

_VERSION_COLUMNS = (
    Column("Kind", lambda x: x.kind, fixed=True),
    Column("Digest", lambda x: short(x.digest), fixed=True),
    Column("In force (UTC)", lambda x: moment(x.since), fixed=True),
    Column("Until", lambda x: moment(x.retired_at), fixed=True),
    Column(
        "Proposed, approved",
        lambda x: f"{x.proposed_by}, {'brought back alone' if x.is_rollback else x.approved_by or '-'}",
    ),
)
_DIFFERENCE_COLUMNS = (
    Column("What", lambda x: x[0]),
    Column("In force", lambda x: x[1]),
    Column("Other", lambda x: x[2]),
)

_WHAT_HAPPENS = {
    ConfigurationKind.MAPPINGS: "Workers take them up within seconds.",
    ConfigurationKind.LIMITS: "Processes that loaded others stop drawing plans.",
}


@command(group, "show", ours=True)
def show(session: Session) -> None:
    """What is in force, what waits, and what is loaded here."""
    sheets = session.services.show_configuration()
    session.show(sheets, "\n\n".join(_sheet(session, one) for one in sheets))


@command(group, "versions", ours=True)
def versions(session: Session) -> None:
    """Every version, the newest first."""
    every = session.services.show_configuration.versions()
    session.show_rows(every, _VERSION_COLUMNS, "Nothing is on record yet: the first worker that decides records it.")


@command(
    group,
    "propose",
    examples=(
        "provisioning configuration propose mappings --folder ./new --reason t-14",
        'provisioning configuration propose limits --reason "the start of year"',
        "provisioning configuration propose --earlier 9c1f22ab --reason mistake",
    ),
)
def propose(
    session: Session,
    kind: Annotated[ConfigurationKind | None, typer.Argument(metavar="KIND", help=one_of(ConfigurationKind))] = None,
    *,
    reason: Annotated[str, typer.Option(help="Why; no name.")],
    folder: Annotated[Path | None, typer.Option(help="Mapping files; default: those of this process.")] = None,
    earlier: Annotated[str | None, typer.Option(metavar="DIGEST", help="A version that was there before.")] = None,
) -> None:
    """Propose other mappings or limits, or earlier ones.

    Without more they are the mapping files or the settings of this process. Nothing changes until a second person
    approves it.
    """
    if (earlier is None) is (kind is None):
        raise InputError(f"Say what to propose: {', '.join(ConfigurationKind)}, or --earlier DIGEST.")
    if folder is not None and kind is not ConfigurationKind.MAPPINGS:
        raise InputError("--folder goes with mappings: limits are numbers of this process's settings.")
    service = session.services.propose_configuration
    if kind is None:
        proposed = service.again(session.identity, earlier or "", reason)
    else:
        wanted, packed = _wanted(session, kind, folder)
        proposed = service(session.identity, wanted, reason, packed)
    [ours] = [one for one in session.services.show_configuration() if one.kind is proposed.kind]
    session.show(proposed, _proposal(session, ours, proposed))


@command(group, "approve", examples=("provisioning configuration approve 9c1f22ab",))
def approve(session: Session, digest: _Digest) -> None:
    """Put a proposal in force. It takes an approver who did not propose it."""
    approved = session.services.approve_configuration(session.identity, digest)
    told = f"In force: the {approved.kind} {short(approved.digest)}. {_WHAT_HAPPENS[approved.kind]}"
    session.tell(approved, told)


@command(group, "rollback", examples=('provisioning configuration rollback mappings --reason "A3 was lost"',))
def rollback(
    session: Session,
    kind: Annotated[ConfigurationKind, typer.Argument(metavar="KIND", help="mappings.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; no name.")],
) -> None:
    """Bring back the mappings of before, at once and alone.

    Two persons had approved them, so one is enough. We are told, and another
    person reviews it. Workers take them up by themselves, within seconds.
    """
    if kind is not ConfigurationKind.MAPPINGS:
        raise InputError("Limits are settings of each process: put the earlier ones back and propose them.")
    restored = session.services.roll_back_configuration(session.identity, reason)
    told = (
        f"In force again: the mappings {short(restored.digest)}. Workers take them up within seconds.\n"
        "Another person reviews this:\n"
        f"  provisioning configuration review {short(restored.digest)}"
    )
    session.tell(restored, told)


@command(group, "review", examples=("provisioning configuration review 9c1f22ab",))
def review(session: Session, digest: _Digest) -> None:
    """Say that you looked at what somebody brought back alone."""
    reviewed = session.services.review_configuration(session.identity, digest)
    session.tell(reviewed, f"Reviewed: the rollback to the {reviewed.kind} {short(reviewed.digest)}.")


@command(group, "reject", examples=("provisioning configuration reject 9c1f22ab",))
def reject(session: Session, digest: _Digest) -> None:
    """Take a proposal off the list. What is in force stays."""
    rejected = session.services.reject_configuration(session.identity, digest)
    session.tell(rejected, f"Rejected: the {rejected.kind} {short(rejected.digest)} do not come into force.")


def _wanted(session: Session, kind: ConfigurationKind, folder: Path | None) -> tuple[Configuration, bytes | None]:
    """What to propose, and of mappings what is kept of it: limits are settings of each process."""
    from provisioning.planning.configuration import describe_mappings, pack_mappings

    if kind is ConfigurationKind.MAPPINGS:
        mappings = _read(folder or session.services.mappings_folder)
        return describe_mappings(mappings), pack_mappings(mappings)
    return next(one.loaded for one in session.services.show_configuration() if one.kind is kind), None


def _read(folder: Path) -> "Mappings":
    """Raises InputError when the files contradict each other: nobody should have to find that out afterwards."""
    from datetime import UTC, datetime

    from mappings.checks import Severity, check_mappings
    from mappings.loader import load_mappings
    from provisioning.domain.calendar import dutch_day

    mappings = load_mappings(folder)
    findings = check_mappings(mappings, dutch_day(datetime.now(UTC)))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise InputError(f"{errors[0].place}: {errors[0].sentence} See `provisioning mappings check {folder}`.")
    return mappings


def _sheet(session: Session, one: "ConfigurationSheet") -> str:
    in_force = one.in_force
    facts = [(one.kind.capitalize(), short(in_force.digest) if in_force else "none yet: the first worker records them")]
    if in_force:
        facts.append(("In force since", f"{moment(in_force.since)} UTC"))
        facts.append(("Proposed by", f"{in_force.proposed_by}: {in_force.reason}"))
        facts.append(("Approved by", _approved_by(in_force)))
    facts.append(("Loaded here", short(one.loaded.digest)))
    blocks = [sheet(facts), *(_proposal(session, one, proposal) for proposal in one.proposals)]
    if in_force and in_force.digest != one.loaded.digest and one.loaded.digest not in {x.digest for x in one.proposals}:
        blocks.append(_differences(in_force, one.loaded, "This process loaded others; nobody proposed them."))
    return "\n\n".join(blocks)


def _approved_by(in_force: ConfigurationVersion) -> str:
    if in_force.is_rollback:
        reviewed = f"reviewed by {in_force.reviewed_by}" if in_force.reviewed_by else "not reviewed yet"
        return f"two persons, before; brought back by one, {reviewed}"
    return in_force.approved_by or "nobody: they were the first"


def _proposal(session: Session, one: "ConfigurationSheet", version: ConfigurationVersion) -> str:
    told = (
        f"Proposed by {version.proposed_by}: {version.kind} {short(version.digest)} ({version.reason}).\n"
        "A second person puts them in force:\n"
        f"  provisioning configuration approve {short(version.digest)}"
    )
    told += _touched(session, version)
    return _differences(one.in_force, version, told) if one.in_force else paragraph(told)


def _touched(session: Session, version: ConfigurationVersion) -> str:
    """What whoever approves mappings should know; the rows are a command away."""
    from provisioning.cli.commands.mappings import touches

    services = session.services
    if version.kind is not ConfigurationKind.MAPPINGS:
        return ""
    try:
        impact = services.mappings_impact(services.mappings, services.mappings_impact.kept(version.digest))
    except (InputError, UnavailableError) as error:
        return f"\nWhat they touch was not looked at: {error}"
    return f"\n{touches(impact)}\nRow by row:\n  provisioning mappings diff --proposal {short(version.digest)}"


def _differences(in_force: Configuration, other: Configuration, told: str) -> str:
    return f"{paragraph(told)}\n\n{table(in_force.differences(other), _DIFFERENCE_COLUMNS)}"
