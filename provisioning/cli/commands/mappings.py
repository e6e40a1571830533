"""The mappings: what can be ordered and what it is at Microsoft."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.command import command, noun
from provisioning.cli.output import Column, paragraph, table
from provisioning.cli.session import Session
from provisioning.domain.errors import ConfigurationError, InputError, UnavailableError

if TYPE_CHECKING:
    from mappings.diff import Difference
    from provisioning.bootstrap import Services
    from provisioning.domain.catalogue import Mappings
    from provisioning.planning.mappings_impact import Impact

group = noun("What can be ordered, and what it is at Microsoft.")

_Folder = Annotated[Path | None, typer.Argument(help="A folder with mapping files; default: the ones shipped here.")]

_FINDING_COLUMNS = (
    Column("", lambda x: x.severity, fixed=True),
    Column("Place", lambda x: x.place),
    Column("What", lambda x: x.sentence),
)
_IMPACT_COLUMNS = (
    Column("Organisation", lambda x: x.organisation_id),
    Column("Lines", lambda x: f"{x.lines_accepted + x.lines_held:,}", fixed=True),
    Column("Held", lambda x: f"{x.lines_held:,}", fixed=True),
    Column("Work", lambda x: f"{x.operations:,}", fixed=True),
    Column("Approvals", lambda x: f"{x.approvals:,}", fixed=True),
    Column("People", lambda x: f"{x.people:,}", fixed=True),
    Column("Seats", lambda x: f"{x.seats:,}", fixed=True),
)
_DIFFERENCE_COLUMNS = (
    Column("File", lambda x: x.file, fixed=True),
    Column("Row", lambda x: x.row),
    Column("", lambda x: x.kind, fixed=True),
    Column("Columns", lambda x: ", ".join(x.columns)),
)


@command(group, "check", examples=("provisioning mappings check", "provisioning mappings check ./next-year"))
def check(session: Session, folder: _Folder = None) -> int:
    """Look for contradictions in the mapping files. Exit code 1 when there is an error."""
    from datetime import UTC, datetime

    from mappings.checks import Severity, check_mappings
    from mappings.loader import OURS, load_mappings
    from provisioning.domain.calendar import dutch_day

    mappings = load_mappings(folder or OURS)
    findings = check_mappings(mappings, dutch_day(datetime.now(UTC)))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    counted = f"{len(mappings.articles)} articles, {len(mappings.skus)} products"
    told = f"{counted}: {errors} errors, {len(findings) - errors} remarks."
    listed = f"{table(findings, _FINDING_COLUMNS)}\n\n" if findings else ""
    session.show({"digest": mappings.digest, "findings": findings}, listed + told)
    return int(errors > 0)


@command(
    group, "diff", examples=("provisioning mappings diff ./next-year", "provisioning mappings diff --proposal 9c1f22ab")
)
def diff(
    session: Session,
    after: Annotated[Path | None, typer.Argument(help="The folder that would come.")] = None,
    *,
    before: Annotated[
        Path | None, typer.Option(help="The folder to compare with; default: the mappings in force here.")
    ] = None,
    proposal: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="A version on record, in place of AFTER.")
    ] = None,
) -> None:
    """Which rows differ, and what that touches here.

    Open order lines, work that is not finished, approvals that would become void,
    people who have a product. Without a database only the rows are shown.
    """
    from mappings.diff import diff_mappings
    from mappings.loader import OURS, load_mappings

    if (after is None) is (proposal is None):
        raise InputError("Name the folder that would come, or --proposal DIGEST.")
    coming = load_mappings(after) if after is not None else None
    unseen, services = _open(session)
    if services is not None and coming is None:
        coming = services.mappings_impact.kept(proposal or "")
    if coming is None:
        raise ConfigurationError(unseen)
    there = services.mappings if services is not None and before is None else load_mappings(before or OURS)
    differences = diff_mappings(there, coming)
    impact, unseen = _looked(services, there, coming) if services is not None else (None, unseen)
    value = {"before": there.digest, "after": coming.digest, "rows": differences, "impact": impact, "unseen": unseen}
    session.show(value, _told(differences, impact, unseen))


def _open(session: Session) -> "tuple[str, Services | None]":
    """The services, or why there are none here: rows can be compared anywhere."""
    try:
        services = session.services
        _ = services.mappings
        session.require_ours()
    except (ConfigurationError, UnavailableError) as error:
        return str(error), None
    return "", services


def _looked(services: "Services", there: "Mappings", coming: "Mappings") -> "tuple[Impact | None, str]":
    """What it touches, or why that cannot be told just now."""
    try:
        return services.mappings_impact(there, coming), ""
    except UnavailableError as error:
        return None, str(error)


def _told(differences: "Sequence[Difference]", impact: "Impact | None", unseen: str) -> str:
    if not differences:
        return "They say the same."
    blocks = [table(differences, _DIFFERENCE_COLUMNS)]
    if impact is None:
        blocks.append(paragraph(f"Orders, plans and people were not looked at: {unseen}"))
    else:
        blocks.append(paragraph(touches(impact)))
        blocks += [table(impact.organisations, _IMPACT_COLUMNS)] if impact.organisations else []
    return "\n\n".join(blocks)


def touches(impact: "Impact") -> str:
    """What a person who approves has to know, in a few sentences."""
    total = impact.total
    stops = f" {impact.campaigns:,} approved campaigns stop until they are approved again." if impact.campaigns else ""
    return (
        f"It touches {total.lines_accepted + total.lines_held:,} open order lines ({total.lines_held:,} held), "
        f"{total.operations:,} unfinished operations and {total.approvals:,} approvals, which become void. "
        f"Of the products that differ {total.people:,} people were given one by us; {total.seats:,} seats are bought."
        f"{stops}"
    )
