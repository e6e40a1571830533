"""What a wave wrote before, for the plans that take it back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from provisioning.domain.ids import MigrationId, SubjectId
from provisioning.domain.lifecycle import StepState
from provisioning.domain.migration import Phase
from provisioning.domain.observation import Census, HeldLicence
from provisioning.domain.operation import Operation, StepRecord
from provisioning.planning.leaving import Taken
from provisioning.planning.our_writes import accepted, as_we_left
from provisioning.ports import UnitOfWork

_ANY = frozenset(StepState)
_GIVEN = (Phase.PREPARE, Phase.ENABLE)
_LOOKING_BACK = frozenset({Phase.ENABLE, Phase.UNDO_TARGET})


def left_by_wave(uow: UnitOfWork, operation: Operation, here: Census) -> Mapping[SubjectId, HeldLicence]:
    """The product as we left it, by person; asked for only where what was held back comes on, or all is taken back."""
    if operation.wish.part is None or operation.wish.part.phase not in _LOOKING_BACK:
        return {}
    sku, people = operation.wish.sku_id, {one.subject_id: one for one in here.people}
    wrote = _by_person(_records(uow, operation, _GIVEN))
    found = {person: as_we_left(records, sku, people.get(person)) for person, records in wrote.items()}
    return {person: left for person, left in found.items() if left}


def taken_by_wave(uow: UnitOfWork, operation: Operation) -> Mapping[SubjectId, Taken]:
    """How people looked before a release took something from them."""
    if operation.wish.part is None or operation.wish.part.phase is not Phase.UNDO_SOURCE:
        return {}
    wrote = _by_person(_records(uow, operation, (Phase.RELEASE,)))
    return {person: _taken(records) for person, records in wrote.items()}


def last_release(uow: UnitOfWork, migration: MigrationId, wave: int) -> datetime | None:
    """When the last of the wave's people left the source; None when nobody has."""
    records = _of_wave(uow, migration, wave, (Phase.RELEASE,))
    return max((one.applied_at for one in records if one.applied_at), default=None)


def _taken(records: Sequence[StepRecord]) -> Taken:
    return Taken(
        before=records[0].before.licences,
        changes=tuple(one.step.change for one in records),
        at=min(one.applied_at for one in records if one.applied_at),
    )


def _records(uow: UnitOfWork, operation: Operation, phases: tuple[Phase, ...]) -> list[StepRecord]:
    """What these phases of the wave wrote, the oldest first."""
    own = operation.wish.part
    return _of_wave(uow, own.migration_id, own.wave, phases) if own else []


def _of_wave(uow: UnitOfWork, migration: MigrationId, wave: int, phases: tuple[Phase, ...]) -> list[StepRecord]:
    parts = [(one.operation_id, one.wish.part) for one in uow.migrations.operations_of(migration)]
    earlier = [one for one, part in parts if part and part.wave == wave and part.phase in phases]
    return accepted(record for one in earlier for record in uow.journal.steps_in(one, _ANY))


def _by_person(records: Iterable[StepRecord]) -> Mapping[SubjectId, list[StepRecord]]:
    found: dict[SubjectId, list[StepRecord]] = {}
    for record in records:
        found.setdefault(record.step.subject_id, []).append(record)
    return found
