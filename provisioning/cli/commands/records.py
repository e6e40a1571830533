"""Facts that only people know."""

from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.command import command, noun
from provisioning.cli.session import Session

group = noun("Facts that only people know, such as memberships.")


@command(group, "import", examples=("provisioning records import records.jsonl",))
def import_file(session: Session, file: Annotated[Path, typer.Argument(help="JSON Lines, one record each.")]) -> None:
    """Take in a file of records. The same file twice has no second effect."""
    from provisioning.intake.record_files import read_records

    records = read_records(file)
    done = session.services.import_records(session.identity, records)
    told = f"{len(records):,} records read, {done.changed:,} are new; {done.lines:,} order lines judged again." + (
        f" {done.tickets:,} tickets go on." if done.tickets else ""
    )
    session.tell(done, told)
