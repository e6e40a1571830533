"""Reports of rehearsals as files: where they are kept, and reading them again."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from provisioning.cli.output import SHORT, paragraph
from provisioning.cli.text_files import read_text
from provisioning.domain.errors import InputError

if TYPE_CHECKING:
    from provisioning.bootstrap import Services
    from provisioning.planning.rehearsal import Rehearsal

REPORTS = Path(".provisioning/rehearsals")
_PATTERN = "rehearsal-*.json"


def read_report(file: Path) -> "Rehearsal":
    """Raises InputError for a file that is none."""
    from provisioning.planning.rehearsal import Rehearsal

    try:
        return msgspec.json.decode(read_text(file), type=Rehearsal)
    except msgspec.DecodeError as error:
        raise InputError(f"{file} is not the report of a rehearsal: {error}.") from None


def reports_in(folder: Path) -> Iterator["Rehearsal"]:
    """Whatever is kept there, in no order. Raises InputError for a file that only looks like a report."""
    return map(read_report, folder.glob(_PATTERN))


def hint(services: "Services", operation: str) -> str:
    """Where a report of it is kept here, how its plan is held against that; nothing when none is, or none fits."""
    try:
        played = services.compare_rehearsal.choose(operation, list(reports_in(REPORTS)))
    except InputError:  # an operation that nobody rehearses, or a file that is no report: that command says which
        return ""
    compare = f"provisioning migrations rehearse --compare {operation[:SHORT]}"
    return paragraph(f"Rehearsed at {played.taken_at:%Y-%m-%d %H:%M} UTC. Before you approve: {compare}")
