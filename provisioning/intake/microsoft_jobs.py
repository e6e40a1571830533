"""Exports of Microsoft's cross-tenant mailbox migration, in the three forms that administrators can make.

- CSV of `Get-MigrationUser -BatchId … | Export-Csv`: columns Identity and Status, others passed over;
- JSON of the same through `ConvertTo-Json`: objects with Identity and Status;
- JSON of Graph's `crossTenantMigrationJobs/{id}/users`: tasks with id and currentStatus, one status for each service.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.domain.errors import InputError
from provisioning.intake.evidence_rows import EvidenceRow, evidence_row, report_rows
from provisioning.intake.problems import Problem
from provisioning.intake.trees import parse_json

_TITLES = {"person": "Identity", "status": "Status"}
_TASK_TITLES = {"person": "id", "status": "currentStatus", "completed_at": "lastUpdatedDateTime"}
_MAILBOX_SERVICE = "exchange"
_TYPE_LINE = "#TYPE"  # what Windows PowerShell 5 writes above the header


def job_rows(name: str, text: str, problems: list[Problem]) -> Iterator[EvidenceRow]:
    """One row for each migration user or task; a task without a mailbox among its services is none."""
    if not text.lstrip().startswith(("{", "[")):
        yield from report_rows(name, _without_type_line(text), _TITLES, problems)
        return
    for number, entry in enumerate(_entries(name, text), start=1):
        if row := _row(f"entry {number}", entry, problems):
            yield row


def _without_type_line(text: str) -> str:
    """The line stays as an empty one, so that the numbers of the others are right."""
    return text.replace(text.split("\n", 1)[0], "", 1) if text.startswith(_TYPE_LINE) else text


def _entries(name: str, text: str) -> list[Any]:
    tree = parse_json(name, text)
    if isinstance(tree, dict) and tree.get("@odata.nextLink"):
        raise InputError(f"{name} is one page of several (@odata.nextLink); fetch all pages into one file.")
    entries = tree.get("value", [tree]) if isinstance(tree, dict) else tree
    if not isinstance(entries, list):
        raise InputError(f'{name}: "value" must be a list of tasks.')
    return entries


def _row(place: str, entry: Any, problems: list[Problem]) -> EvidenceRow | None:
    if isinstance(entry, dict) and {"Identity", "Status"} <= entry.keys():
        cells = {"person": _word(entry["Identity"]), "status": _word(entry["Status"])}
        return evidence_row(place, cells, _TITLES, problems)
    if isinstance(entry, dict) and isinstance(entry.get("currentStatus"), list):
        return _task(place, entry, problems)
    told = "is neither a migration user (Identity, Status) nor a task (id, currentStatus); export it again."
    problems.append(Problem(place, "", told))
    return None


def _task(place: str, entry: Mapping[str, Any], problems: list[Problem]) -> EvidenceRow | None:
    services = [one for one in entry["currentStatus"] if isinstance(one, dict)]
    mailbox = [one for one in services if _word(one.get("service")).lower().startswith(_MAILBOX_SERVICE)]
    if not mailbox:
        told = "names no status of Exchange, so it says nothing about a mailbox; export a job that moves mailboxes."
        problems.append(Problem(place, _TASK_TITLES["status"], told))
        return None
    waiting = [one for one in mailbox if _word(one.get("status")).lower() != "completed"]
    cells = {
        "person": _word(entry.get("id")),
        "status": _word((waiting or mailbox)[0].get("status")),
        "completed_at": _word(entry.get("lastUpdatedDateTime")),
    }
    return evidence_row(place, cells, _TASK_TITLES, problems)


def _word(value: Any) -> str:
    """A text; PowerShell may write a word of an enumeration as {"value": 5, "Value": "Completed"}."""
    if isinstance(value, dict):
        value = value.get("Value")
    return value if isinstance(value, str) else ""
