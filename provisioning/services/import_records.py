"""Facts that only people know come in; whatever waited for them goes on. The same file twice has no second effect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Membership, Record, RecordKind, RelationRecord, VolumeLicence
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import Organisation, Relation, RelationKind
from provisioning.planning.order_cures import BY_RECORD
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.gather_order import concerned_by
from provisioning.services.judge_lines import JudgeLines
from provisioning.services.serve_parts import ServeParts


class ImportedRecords(msgspec.Struct, frozen=True, kw_only=True):
    changed: int
    lines: int  # judged again
    parts: int  # operations that a License ID set free
    tickets: int = 0  # that go on, now that whoever asked may ask it


_OF_AUTHORITY = frozenset({RecordKind.MANDATE, RecordKind.DECLARATION})


@dataclass(frozen=True, kw_only=True)
class ImportRecords:
    """Saves, applies memberships and relations to the organisations, and judges again what these may cure."""

    open_uow: OpenUnitOfWork
    judge: JudgeLines
    serve: ServeParts
    clock: Clock
    judge_tickets: Callable[[], int]

    def __call__(self, identity: Identity, records: Sequence[Record]) -> ImportedRecords:
        """Raises NotAllowedError."""
        require(identity, Action.IMPORT_RECORDS)
        now = self.clock.now()
        with self.open_uow() as uow:
            changed = uow.records.save(records, now, identity.actor)
            _apply_memberships(uow, records)
            uow.organisations.add_relations(_relation(r) for r in records if isinstance(r, RelationRecord))
            uow.audit.record([_event(identity, kind, records, now) for kind in sorted(_kinds(records))])
            concerned = concerned_by(uow, _named_in(records), dutch_day(now))
            uow.commit()
        lines = self.judge.replay(_cures(records), concerned)
        holders = {record.organisation_id for record in records if isinstance(record, VolumeLicence)}
        parts = self.serve(holders) if holders else 0
        tickets = self.judge_tickets() if _kinds(records) & _OF_AUTHORITY else 0
        return ImportedRecords(changed=changed, lines=lines, parts=parts, tickets=tickets)


def _apply_memberships(uow: UnitOfWork, records: Sequence[Record]) -> None:
    joined = [_member(uow, record) for record in records if isinstance(record, Membership)]
    uow.organisations.save(organisation for organisation in joined if organisation)


def _member(uow: UnitOfWork, record: Membership) -> Organisation | None:
    """The organisation as a member; one that the register did not bring yet is told by the record alone."""
    known = uow.organisations.find(record.organisation_id)
    return known and msgspec.structs.replace(known, membership=record.status, eligibility=record.eligibility)


def _relation(record: RelationRecord) -> Relation:
    return Relation(
        parent_id=record.parent_id,
        child_id=record.organisation_id,
        kind=RelationKind(record.relation),
        valid_from=record.valid_from,
        valid_until=record.valid_until,
    )


def _named_in(records: Sequence[Record]) -> set[OrganisationId]:
    parents = {record.parent_id for record in records if isinstance(record, RelationRecord)}
    return parents | {record.organisation_id for record in records}


def _kinds(records: Sequence[Record]) -> set[RecordKind]:
    return {RecordKind(str(record.__struct_config__.tag)) for record in records}


def _cures(records: Sequence[Record]) -> frozenset[Reason]:
    return frozenset[Reason]().union(*(BY_RECORD.get(kind, frozenset()) for kind in _kinds(records)))


def _event(identity: Identity, kind: RecordKind, records: Sequence[Record], now: datetime) -> Event:
    ids = [record.record_id for record in records if record.__struct_config__.tag == kind]
    return Event(at=now, actor=identity.actor, kind="records.imported", details={"kind": kind, "count": str(len(ids))})
