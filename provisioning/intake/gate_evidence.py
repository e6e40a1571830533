"""Files that say whose mailbox has moved: a list, a migration tool's report, or the export of Microsoft's own job.

What counts as moved is said here and nowhere else. In a list, whoever is in it: the one who hands it in signs for it.
In a tool's report, the statuses in REPORT_COUNTS. At Microsoft, `Completed` of a migration user (Get-MigrationUser:
learn.microsoft.com, "MigrationUserStatus enumeration") or `completed` of the Exchange workload of a task (Graph:
"crossTenantMigrationServiceStatusDetails"); Synced means that the first copy is there and the mailbox has not moved,
CompletedWithWarnings that something of it stayed behind, and a person looks at that. A licence or a service plan says
nothing about a mailbox, so a column about those is refused.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.migration import EvidenceSource
from provisioning.domain.migration_file import EvidenceFile, ReadyPerson, UnreadyPerson
from provisioning.intake.evidence_rows import EvidenceRow, list_rows, report_rows
from provisioning.intake.microsoft_jobs import job_rows
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import as_text, read_bytes

REPORT_COUNTS = ("Completed", "Synced+Completed")
MICROSOFT_COUNTS = ("Completed",)

_DIGEST_SHOWN = 12


class ReportColumns(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool calls its columns; capitals and blanks around do not matter."""

    person: str = "person"
    status: str = "status"
    completed_at: str | None = None


def read_evidence(path: Path, source: EvidenceSource, columns: ReportColumns | None = None) -> EvidenceFile:
    """Everybody in the file, those who have moved apart from the others. Raises InputError; nothing is taken then."""
    return parse_evidence(path.name, read_bytes(path), source, columns)


def parse_evidence(
    name: str, content: bytes, source: EvidenceSource, columns: ReportColumns | None = None
) -> EvidenceFile:
    """As `read_evidence`, from bytes. A person with several rows has moved when every one of them says so."""
    problems: list[Problem] = []
    rows = list(_rows(name, as_text(name, content), source, columns or ReportColumns(), problems))
    if not rows and not problems:
        problems.append(Problem("the file", "", "there is nobody in it; add a row for each person."))
    refuse_if_any(name, problems)
    reference = f"{name} sha256:{sha256(content).hexdigest()[:_DIGEST_SHOWN]}"
    return _sorted_out(rows, source, reference)


def typed_evidence(people: Sequence[str], source: EvidenceSource, ground: str) -> EvidenceFile:
    """As a list that somebody types and signs for. Raises InputError without a ground, or for another source."""
    if source is not EvidenceSource.LIST:
        raise InputError(f"A {source.replace('_', ' ')} is a file; whom you name yourself is a list.")
    if not ground.strip():
        raise InputError("Without a file the evidence needs a reason: on what ground has the mailbox moved?")
    reference = f"typed: {ground.strip()}"
    ready = (
        ReadyPerson(person=one, source=source, reference=reference)
        for one in dict.fromkeys(each.strip().lower() for each in people)
    )
    return EvidenceFile(source=source, reference=reference, ready=tuple(ready))


def has_moved(source: EvidenceSource, status: str | None) -> bool:
    """Whether the status, as the file writes it, says that the mailbox has moved; in a list, being there does."""
    if source is EvidenceSource.LIST:
        return status is None
    counts = REPORT_COUNTS if source is EvidenceSource.TOOL_REPORT else MICROSOFT_COUNTS
    return _bare(status or "") in {_bare(one) for one in counts}


def _bare(status: str) -> str:
    """Synced + completed is synced+completed; a word more or less is another status."""
    return "".join(status.split()).casefold()


def _rows(
    name: str, text: str, source: EvidenceSource, columns: ReportColumns, problems: list[Problem]
) -> Iterator[EvidenceRow]:
    if source is EvidenceSource.LIST:
        return list_rows(name, text, problems)
    if source is EvidenceSource.TOOL_REPORT:
        titles = {"person": columns.person, "status": columns.status}
        if columns.completed_at:
            titles["completed_at"] = columns.completed_at
        return report_rows(name, text, titles, problems)
    return job_rows(name, text, problems)


def _sorted_out(rows: list[EvidenceRow], source: EvidenceSource, reference: str) -> EvidenceFile:
    by_person: dict[str, list[EvidenceRow]] = defaultdict(list)
    for row in rows:
        by_person[row.person].append(row)
    ready, unready = [], []
    for person, own in by_person.items():
        waiting = next((row for row in own if not has_moved(source, row.status)), None)
        if waiting:
            unready.append(UnreadyPerson(person=person, status=waiting.status or "(empty)"))
            continue
        latest = max((row.completed_at for row in own if row.completed_at), default=None)
        ready.append(ReadyPerson(person=person, source=source, reference=reference, completed_at=latest))
    return EvidenceFile(source=source, reference=reference, ready=tuple(ready), unready=tuple(unready))
