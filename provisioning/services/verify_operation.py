"""Read back until it is true for each person, or until it is certain that it is not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.errors import GraphError
from provisioning.domain.events import Event
from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import GROUP_STEPS, Operation, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.execution.backoff import growing
from provisioning.execution.executor import Executor
from provisioning.execution.group_verification import rule_empty_handed, rule_gone, rule_group
from provisioning.execution.leases import KeepAlive, kept_alive
from provisioning.execution.outcome import Direction, Ruling, attempt_event, subject_event
from provisioning.execution.verification import (
    found_membership,
    rule_early,
    rule_observed,
    rule_still_member,
    rule_unread,
)
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, PlanRecord, SubjectUpdate, UnitOfWork
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.observe_steps import Seen, observe_steps
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.transitions import move, wait

_OPEN = frozenset({StepState.APPLIED, StepState.UNKNOWN})
_UNDER_WAY = _OPEN | {StepState.IN_FLIGHT}


@dataclass(frozen=True, kw_only=True)
class VerifyOperation:
    """Work for operations in verifying."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits
    executor: Executor
    trouble: TenantTrouble
    finish: FinishOperation
    keep_alive: KeepAlive = kept_alive

    def __call__(self, operation: Operation, lease: Lease) -> bool:
        self.executor.recover(operation, lease)
        now = self.clock.now()
        with self.open_uow() as uow:
            records = uow.journal.steps_in(operation.operation_id, _OPEN)
            own = self._own_work(uow, operation, records, now)
            others = _done_by_others(uow, operation, records)
        due = [record for record in records if record.not_before is None or record.not_before <= now]
        try:
            with self.keep_alive(self.open_uow, lease, self.clock, self.limits.lease_duration):
                seen = observe_steps(self.gateway, operation.tenant_id, due)
        except GraphError as error:
            return self.trouble.met(operation, error)
        if seen.through:
            seen = self._with_receipts(operation, seen, now)
        early = {record.step_id: rule_early(record, own[record.step.subject_id], now, self.limits) for record in due}
        judged = [
            (record, ruling)
            for record in due
            if (ruling := early[record.step_id] or self._rule(operation, record, seen, others, now))
        ]
        self._write(operation, lease, judged, seen, now)
        return self._conclude(operation, records, judged)

    def _own_work(
        self, uow: UnitOfWork, operation: Operation, records: Iterable[StepRecord], now: datetime
    ) -> Mapping[SubjectId, Sequence[StepRecord]]:
        """What we wrote to these people so lately that a replica may not show it, or Microsoft has it still to do."""
        found: defaultdict[SubjectId, list[StepRecord]] = defaultdict(list)
        joining = [record.step.subject_id for record in records if record.step.change.group_id is not None]
        unknown = [record.step.subject_id for record in records if record.state is StepState.UNKNOWN]
        for people, lately in ((joining, self.limits.group_deadline), (unknown, self.limits.lag_horizon)):
            receipts = uow.journal.applied_since(operation.tenant_id, now - lately, people) if people else ()
            for receipt in receipts:
                found[receipt.step.subject_id].append(receipt)
        return found

    def _with_receipts(self, operation: Operation, seen: Seen, now: datetime) -> Seen:
        """The groups as we left them, or are about to: a replica may be behind, and a licence still to be written."""
        with self.open_uow() as uow:
            steps = uow.journal.groups_written_since(operation.tenant_id, now - self.limits.lag_horizon)
            plan = uow.plans.current(operation.operation_id)
            asked = uow.journal.steps_of_kind(operation.operation_id, StepKind.LICENSE_GROUP)
        is_new = any(record.step.kind is StepKind.CREATE_GROUP for record in steps)
        steps += [one for one in asked if one.state in _UNDER_WAY or _is_to_come(one, plan)]
        return seen.with_groups((record.step for record in steps), is_new=is_new)

    def _rule(
        self, operation: Operation, record: StepRecord, seen: Seen, others: Mapping[SubjectId, datetime], now: datetime
    ) -> Ruling | None:
        subject, change = record.step.subject_id, record.step.change
        if change.group_id in seen.gone and change.add_sku:  # leaving a group that is no more is done
            return rule_gone(record, now)
        if seen.is_empty_handed(record):
            return rule_empty_handed(record)
        if subject in seen.groups:
            group, done_at = seen.groups[subject], others.get(subject)
            return rule_group(record, group, now, self.limits, operation.waits, done_at)
        if subject not in seen.people:
            return rule_unread(record, now, self.limits)
        if seen.shows_done(record):
            return found_membership(record, now)
        if seen.people[subject] is not None and seen.shows_member(record):
            return rule_still_member(record, now, self.limits, operation.waits)
        return rule_observed(record, seen.people[subject], now, self.limits, operation.waits)

    def _write(
        self,
        operation: Operation,
        lease: Lease,
        judged: Sequence[tuple[StepRecord, Ruling]],
        seen: Seen,
        now: datetime,
    ) -> None:
        if not judged:
            return
        told = [(record, update) for record, ruling in judged if (update := _told(record, ruling))]
        going_on = [
            record.step.subject_id
            for record, ruling in judged
            if ruling.step.state is StepState.VERIFIED and not record.step.is_last
        ]
        with self.open_uow() as uow:
            served = [update.subject_id for _, update in told if update.state is SubjectState.VERIFIED]
            uow.journal.close(
                operation.operation_id,
                lease,
                [ruling.step for _, ruling in judged],
                list({update.subject_id: update for _, update in told}.values()),
            )
            uow.seats.served(operation.tenant_id, operation.wish.sku_id, served, now)
            uow.audit.record([*_found(operation, judged, now), *(_event(operation, *each, now) for each in told)])
            if going_on:
                uow.journal.put_off_removals(operation.operation_id, going_on, now + self.limits.removal_gap)
            self._register(uow, operation, judged, seen)
            uow.commit()

    def _register(
        self, uow: UnitOfWork, operation: Operation, judged: Sequence[tuple[StepRecord, Ruling]], seen: Seen
    ) -> None:
        """A group of ours that was read back is known from now on, and so is its licence."""
        wish = operation.wish
        ours = uow.groups.find(operation.tenant_id, wish.sku_id, wish.holder_id) if seen.groups else None
        for record, ruling in judged:
            group = seen.groups.get(record.step.subject_id)
            if ours is None or group is None or ruling.step.state is not StepState.VERIFIED:
                continue
            is_licensed = group.licence(wish.sku_id) is not None
            uow.groups.save(msgspec.structs.replace(ours, group_id=group.group_id, is_licensed=is_licensed))

    def _conclude(
        self, operation: Operation, records: Sequence[StepRecord], judged: Sequence[tuple[StepRecord, Ruling]]
    ) -> bool:
        with self.open_uow() as uow:
            more = self._next(uow, operation, records, judged)
            uow.commit()
        return more

    def _next(
        self,
        uow: UnitOfWork,
        operation: Operation,
        records: Sequence[StepRecord],
        judged: Sequence[tuple[StepRecord, Ruling]],
    ) -> bool:
        now = self.clock.now()
        self._prove(uow, operation, now)
        stopped = next((ruling for _, ruling in judged if ruling.direction is Direction.STOP_GROUP), None)
        if stopped:
            move(uow, operation, OperationState.HELD, now, reason=stopped.step.reason)
            return False
        if any(ruling.direction is Direction.REPLAN for _, ruling in judged):
            move(uow, operation, OperationState.PLANNING, now, reason=Reason.CHANGED_MEANWHILE)
            return True
        counts = uow.journal.step_counts(operation.operation_id)
        is_open = bool(counts.get(StepState.APPLIED) or counts.get(StepState.UNKNOWN))
        if counts.get(StepState.PENDING) and (not is_open or self._may_write_on(uow, operation, now)):
            move(uow, operation, OperationState.APPLYING, now)
            return True
        if is_open:
            wait(uow, operation, self._next_look(uow, operation, records, judged, now))
            return False
        if uow.journal.subject_counts(operation.operation_id).get(SubjectState.PENDING):
            # a plan was drawn while their usage location was in doubt: their licence is in none
            move(uow, operation, OperationState.PLANNING, now, reason=Reason.CHANGED_MEANWHILE)
            return True
        self.finish(uow, operation)
        return False

    def _may_write_on(self, uow: UnitOfWork, operation: Operation, now: datetime) -> bool:
        """Whether a write can leave now: in an unproven tenant not before the first people have been read back.

        Unless it is the group's, without which nobody in it ever will be.
        """
        tenant = uow.tenants.find(operation.tenant_id)
        is_proven = tenant is None or tenant.proven_at is not None
        following = uow.journal.next_steps(operation.operation_id, now, 1)
        return any(is_proven or record.step.kind in GROUP_STEPS for record in following)

    def _prove(self, uow: UnitOfWork, operation: Operation, now: datetime) -> None:
        tenant = uow.tenants.find(operation.tenant_id)
        if tenant is None or tenant.proven_at is not None:
            return
        if uow.journal.subject_counts(operation.operation_id).get(SubjectState.VERIFIED):
            uow.tenants.note_proven(operation.tenant_id, now)

    def _next_look(
        self,
        uow: UnitOfWork,
        operation: Operation,
        records: Sequence[StepRecord],
        judged: Sequence[tuple[StepRecord, Ruling]],
        now: datetime,
    ) -> datetime:
        """When a person may be read again, or a pending step may be written, whichever comes first."""
        later = {record.step_id: record.not_before for record in records}
        later |= {ruling.step.step_id: ruling.step.not_before for _, ruling in judged}
        moments = [*later.values(), uow.journal.next_due(operation.operation_id)]
        unread = now + growing(self.limits.verify_waits, operation.waits)
        return min((moment for moment in moments if moment is not None and moment > now), default=unread)


def _done_by_others(uow: UnitOfWork, operation: Operation, records: Iterable[StepRecord]) -> dict[SubjectId, datetime]:
    """When other operations wrote to groups of which this one had no answer: what is there may be theirs."""
    unanswered = [one for one in records if one.step.kind in GROUP_STEPS and one.state is StepState.UNKNOWN]
    sent = [one.sent_at for one in unanswered if one.sent_at is not None]
    receipts = uow.journal.groups_written_since(operation.tenant_id, min(sent)) if sent else []
    theirs = [one for one in receipts if one.operation_id != operation.operation_id]
    return {one.step.subject_id: one.applied_at for one in theirs if one.applied_at is not None}


def _is_to_come(record: StepRecord, plan: PlanRecord | None) -> bool:
    """What a plan that is over would have written never will be."""
    return record.state is StepState.PENDING and plan is not None and record.plan_id == plan.plan_id


def _told(record: StepRecord, ruling: Ruling) -> SubjectUpdate | None:
    """What the look means for the person: with their last step they have what they should, not before.

    A usage location is only on the way: the licence tells how it ended.
    """
    if ruling.step.state is StepState.VERIFIED:
        done = SubjectUpdate(subject_id=record.step.subject_id, state=SubjectState.VERIFIED)
        return done if record.step.is_last else None
    is_accepted_location = record.step.kind is StepKind.SET_USAGE_LOCATION and record.state is StepState.APPLIED
    is_gone = ruling.step.reason is Reason.NOT_FOUND
    return None if is_accepted_location and not is_gone else ruling.subject


def _found(operation: Operation, judged: Iterable[tuple[StepRecord, Ruling]], now: datetime) -> list[Event]:
    """The one line of each attempt whose answer was lost."""
    return [
        attempt_event(operation.tenant_id, record, ruling.step.receipt, now)
        for record, ruling in judged
        if ruling.step.receipt
    ]


def _event(operation: Operation, record: StepRecord, told: SubjectUpdate, now: datetime) -> Event:
    after = record.step.change.add_sku if told.state is SubjectState.VERIFIED else None
    return subject_event(
        operation, record, told.state, now, after=after, reason=told.reason, correlation=record.last_attempt
    )
