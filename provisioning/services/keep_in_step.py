"""Parts of a migration or campaign go on while it does: not paused, not at other hours, not once it was called off.

This is the one door for both: what a person or an error budget stops is stopped here, before the next chunk.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.lifecycle import OPERATION_WAITS, OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.migration import FORWARD, Migration, MigrationPart, Phase, Window
from provisioning.domain.migration_lifecycle import MigrationState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.advance_operation import Work
from provisioning.services.cancel_part import cancel_part, is_in_doubt
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.leave_rest import leave_rest
from provisioning.services.transitions import move, wait

# when a window opens next, from a moment on: the moment itself while it is open, None when nobody knows
Opening = Callable[[Window, datetime], datetime | None]

_PAUSE = timedelta(seconds=5)  # as long as a stop may take to be noticed, it takes to be lifted
_UNPROVEN = timedelta(hours=1)  # a new proof wakes it at once; this is for whoever misses that
_UNKNOWN_OPENING = timedelta(days=1)  # the holidays of that school year are not published yet
_ASKS = OperationState.AWAITING_APPROVAL  # writes nothing; its plan may be decided about, or become too old, meanwhile
_NEEDS_PROOF = frozenset({OperationState.PLANNING, OperationState.APPLYING})
_NOT_BEGUN = OPERATION_WAITS | {OperationState.NEW, OperationState.PLANNING, OperationState.AWAITING_APPROVAL}


class Word(NamedTuple):
    """What the whole says to its part: to end, to wait, and at which hours to write."""

    off: Reason | None
    pause: Reason | None
    window: Window


@dataclass(frozen=True, kw_only=True)
class KeepInStep:
    """Wraps the work of a state; operations that are part of nothing larger, and follow nothing, pass."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    finish: FinishOperation
    opening: Opening

    def __call__(self, work: Work) -> Work:
        """The same work, for as long as what it is part of goes on."""

        def do(operation: Operation, lease: Lease) -> bool:
            if not _is_part(operation):
                return work(operation, lease)
            answer = self._instead(operation, lease)
            return work(operation, lease) if answer is None else answer

        return do

    def _instead(self, operation: Operation, lease: Lease) -> bool | None:
        """What was done instead of the work (whether there is more to do); None when the work may be done."""
        now = self.clock.now()
        with self.open_uow() as uow:
            word = _of_migration(uow, operation) or _of_campaign(uow, operation)
            if word is None:
                return None
            if word.off:
                more = self._call_off(uow, operation, lease, word.off, now)
            elif word.pause and operation.state is not _ASKS:
                more = _wait(uow, operation, now + _PAUSE, word.pause)
            elif operation.state in _NEEDS_PROOF and self._is_unproven(uow, operation, now):
                more = _wait(uow, operation, now + _UNPROVEN, Reason.PREFLIGHT_EXPIRED)
            elif _keeps_hours(operation) and (shut := self._shut(word.window, now)):
                more = _wait(uow, operation, shut, Reason.OUTSIDE_WINDOW)
            else:
                return None
            uow.commit()
        return more

    def _is_unproven(self, uow: UnitOfWork, operation: Operation, now: datetime) -> bool:
        """Whether what the preflight saw is too old to give the wave's people licences on the ground of it.

        The first write is the boundary: what is writing goes on, unless it stood still for as long as a proof lasts.
        """
        part = _part_of(operation)
        if part is None or part.phase is not Phase.PREPARE:
            return False
        since = now - self.limits.preflight_validity
        wave = next(one for one in uow.migrations.waves(part.migration_id) if one.number == part.wave)
        if wave.proven_at is not None and wave.proven_at >= since:
            return False
        written = uow.journal.applied_since(operation.tenant_id, since)
        return all(one.operation_id != operation.operation_id for one in written)

    def _shut(self, window: Window, now: datetime) -> datetime | None:
        """When to look again; None while the window is open."""
        opening = self.opening(window, now)
        if opening is None:
            return now + _UNKNOWN_OPENING
        return opening if opening > now else None

    def _call_off(self, uow: UnitOfWork, operation: Operation, lease: Lease, reason: Reason, now: datetime) -> bool:
        """A plan drawn anew, or a wait for consent, may come after writes that nobody has read back yet."""
        if operation.state in _NOT_BEGUN and not is_in_doubt(uow, operation):
            cancel_part(uow, operation, reason, now)
            return False
        uow.seats.stop_waiting(operation.operation_id, now)
        must_read = leave_rest(uow, operation, lease, reason, now, self.limits.lag_horizon)
        reading = _read_back(uow, operation, reason, now)
        if not must_read:
            self.finish(uow, reading)
        return must_read


def _keeps_hours(operation: Operation) -> bool:
    """Whether it would write, and may do so at certain hours only. A mailbox that has moved waits for no holiday."""
    return operation.state is OperationState.APPLYING and not operation.wish.is_for_mailboxes


def _part_of(operation: Operation) -> MigrationPart | None:
    return operation.wish.part or operation.wish.follows


def _is_part(operation: Operation) -> bool:
    """Of a migration or of a campaign."""
    remap = operation.wish.remap
    return _part_of(operation) is not None or (remap is not None and remap.campaign_id is not None)


def _of_migration(uow: UnitOfWork, operation: Operation) -> Word | None:
    part = _part_of(operation)
    migration = uow.migrations.get(part.migration_id) if part else None
    if migration is None or part is None or migration.state is MigrationState.COMPLETED:
        return None
    is_paused = migration.state is MigrationState.PAUSED
    return Word(
        off=_called_off(uow, migration, operation, part),
        pause=Reason.MIGRATION_PAUSED if is_paused else None,
        window=migration.definition.window,
    )


_BACK = frozenset({WaveState.ROLLING_BACK, WaveState.ROLLED_BACK})


def _called_off(uow: UnitOfWork, migration: Migration, operation: Operation, part: MigrationPart) -> Reason | None:
    """Why this part does not go on, for good; what a wave that is rolled back undoes goes on."""
    if migration.state is MigrationState.ABORTED:
        return None if operation.wish.is_for_mailboxes else Reason.MIGRATION_ABORTED
    waves = {wave.number: wave.state for wave in uow.migrations.waves(migration.migration_id)}
    is_rolled_back = part.phase in FORWARD and waves.get(part.wave) in _BACK
    return Reason.WAVE_ROLLED_BACK if is_rolled_back else None


_STANDS_STILL: Mapping[CampaignState, Reason] = {
    CampaignState.PAUSED: Reason.CAMPAIGN_PAUSED,
    CampaignState.STOPPED: Reason.CAMPAIGN_STOPPED,
}


def _of_campaign(uow: UnitOfWork, operation: Operation) -> Word | None:
    """Who serves a tenant's leftovers after its campaign is over goes on by itself."""
    remap = operation.wish.remap
    campaign = uow.campaigns.find(remap.campaign_id) if remap and remap.campaign_id else None
    if campaign is None or campaign.state is CampaignState.COMPLETED:
        return None
    off = Reason.CAMPAIGN_CALLED_OFF if campaign.state is CampaignState.CALLED_OFF else None
    member = uow.campaigns.member_of(operation.operation_id)
    if member is not None and member.state is MemberState.EXCLUDED:
        off = off or Reason.EXCLUDED_FROM_CAMPAIGN
    return Word(off=off, pause=_STANDS_STILL.get(campaign.state), window=campaign.definition.window)


def _read_back(uow: UnitOfWork, operation: Operation, reason: Reason, now: datetime) -> Operation:
    """An operation ends after reading back, also when nothing was left to read."""
    if operation.state in _NOT_BEGUN - {OperationState.PLANNING}:
        operation = move(uow, operation, OperationState.PLANNING, now, reason=reason)
    return move(uow, operation, OperationState.VERIFYING, now, reason=reason)


def _wait(uow: UnitOfWork, operation: Operation, until: datetime, reason: Reason) -> bool:
    """To stand still is no look in vain: whoever goes on after an hour looks as soon as before it."""
    as_before = msgspec.structs.replace(operation, waits=operation.waits - 1)
    wait(uow, as_before, until, reason, unreadable_since=operation.unreadable_since)
    return False


def either(ordinary: Work, part: Work) -> Work:
    """The one for parts of a migration, the other for all else."""

    def do(operation: Operation, lease: Lease) -> bool:
        return (ordinary if operation.wish.part is None else part)(operation, lease)

    return do
