"""The gate: whose mailbox has moved, and of whom that was said by mistake."""

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.migration import EvidenceSource
from provisioning.domain.migration_file import EvidenceFile
from provisioning.intake.gate_evidence import ReportColumns, parse_evidence, typed_evidence
from provisioning.web.calls import Body, Named, Person, Reason, Text
from provisioning.web.routing import router as routes_about

router = routes_about("migrations")


class Evidence(Body):
    """`content`: the file as text; `name` is what the record calls it. The columns are those of a tool's report.

    Or `person`: ids or sign-in names, with the ground as `reason`; whoever sends that signs for it.
    """

    source: EvidenceSource
    name: Text = "evidence"
    content: str | None = None
    person: list[Text] = []
    person_column: Text = "person"
    status_column: Text = "status"
    completed_column: Text | None = None
    reason: Reason = ""


class Mistake(Evidence):
    """The same evidence again, or people; `reason` says why it is taken back."""

    source: EvidenceSource = EvidenceSource.LIST
    reason: Reason


class GateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`unknown`: nobody of this migration. `unready`: whom the evidence calls not moved, and its word.

    `unlicensed`: whom the migration gave no licence before it was called off; Exchange does not come on for them.

    By the moments in the evidence: `not_yet` has moved, or so `long_ago` that Microsoft may have deleted the mailbox.
    """

    ready: int
    known_before: int
    unknown: tuple[str, ...]
    unlicensed: tuple[str, ...]
    not_yet: tuple[str, ...]
    long_ago: tuple[str, ...]
    unready: dict[str, str]

    def to_keep(self) -> "GateAnswer":
        return msgspec.structs.replace(self, unknown=(), unlicensed=(), not_yet=(), long_ago=(), unready={})


class MistakeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`too_late`: of whom Exchange is on, or on its way; `without`: how many had no evidence."""

    withdrawn: int
    without: int
    too_late: tuple[str, ...]
    unknown: tuple[str, ...]

    def to_keep(self) -> "MistakeAnswer":
        return msgspec.structs.replace(self, too_late=(), unknown=())


@router.post("/{migration}/gate")
def gate(caller: Person, migration: Named, evidence: Evidence) -> GateAnswer:
    """Say whose mailbox has moved; Exchange goes on for them. A licence is never evidence."""
    read = _read(evidence)
    opened = caller.services.open_gate(
        caller.identity, migration, _people(read), evidence.source, read.reference, read.completed
    )
    return GateAnswer(
        ready=opened.ready,
        known_before=opened.known_before,
        unknown=opened.unknown,
        unlicensed=opened.unlicensed,
        not_yet=opened.not_yet,
        long_ago=opened.long_ago,
        unready={one.person: one.status for one in read.unready},
    )


@router.post("/{migration}/gate/withdraw")
def withdraw(caller: Person, migration: Named, mistake: Mistake) -> MistakeAnswer:
    """Take back what was said by mistake, until Exchange is on its way for the person."""
    people = _people(_read(mistake))
    closed = caller.services.withdraw_evidence(caller.identity, migration, people, mistake.reason)
    return MistakeAnswer(
        withdrawn=closed.withdrawn, without=closed.without, too_late=closed.too_late, unknown=closed.unknown
    )


def _people(read: EvidenceFile) -> list[str]:
    return [one.person for one in read.ready]


def _read(evidence: Evidence) -> EvidenceFile:
    if (evidence.content is None) == (not evidence.person):
        raise InputError("Send the content of a file, or people as `person`: one of the two.")
    if evidence.content is None:
        return typed_evidence(evidence.person, evidence.source, evidence.reason)
    columns = ReportColumns(
        person=evidence.person_column, status=evidence.status_column, completed_at=evidence.completed_column
    )
    return parse_evidence(evidence.name, evidence.content.encode(), evidence.source, columns)
