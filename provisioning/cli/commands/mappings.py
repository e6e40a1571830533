"""The mappings: what can be ordered and what it is at Microsoft."""

from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.command import command, noun
from provisioning.cli.output import Column, table
from provisioning.cli.session import Session

group = noun("What can be ordered, and what it is at Microsoft.")

_Folder = Annotated[Path | None, typer.Argument(help="A folder with mapping files; default: the ones shipped here.")]

_FINDING_COLUMNS = (
    Column("", lambda x: x.severity, fixed=True),
    Column("Place", lambda x: x.place),
    Column("What", lambda x: x.sentence),
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


@command(group, "diff", examples=("provisioning mappings diff ./next-year",))
def diff(
    session: Session,
    after: Annotated[Path, typer.Argument(help="The folder that would come.")],
    before: Annotated[
        Path | None, typer.Option(help="The folder to compare with; default: the ones shipped here.")
    ] = None,
) -> None:
    """Which rows differ between two sets of mappings."""
    from mappings.diff import diff_mappings
    from mappings.loader import OURS, load_mappings

    differences = diff_mappings(load_mappings(before or OURS), load_mappings(after))
    session.show_rows(differences, _DIFFERENCE_COLUMNS, "They say the same.")
