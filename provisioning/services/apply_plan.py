"""One chunk of a plan: whoever is due, still as the plan saw them, and within the quota."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.errors import ActionRequiredError, GraphError
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import STEP_ENDS, OperationState, StepState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import GROUP_STEPS, Lane, Operation, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.execution.backoff import growing
from provisioning.execution.calls import in_calls
from provisioning.execution.executor import Executor
from provisioning.execution.outcome import ChunkOutcome, Direction
from provisioning.planning.plan import Envelope
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, PlanRecord, Quota, UnitOfWork
from provisioning.services.advance_operation import look_again
from provisioning.services.doubt_absence import doubt_absence
from provisioning.services.grounds import grounds_of, own_bindings
from provisioning.services.only_in_force import LOOK_AGAIN, needs_rules_in_force
from provisioning.services.still_as_planned import LookAtPeople, StillAsPlanned
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.transitions import move

_O = OperationState
_STOP_WAIT = timedelta(seconds=5)
_YIELD = timedelta(seconds=1)
_YOUNG = timedelta(seconds=15)  # not every replica knows what was done to a group a moment ago
_COUNT_SETTLES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))  # the horizon of replicas
_TOUCHED = frozenset(set(StepState) - {StepState.PENDING})


class _Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What the database offers for this chunk, or the state to go to instead."""

    plan: PlanRecord | None = None
    records: tuple[StepRecord, ...] = ()
    instead: OperationState | None = None
    reason: Reason | None = None
    after: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class ApplyPlan:
    """Work for operations in applying.

    `unapproved`: the kinds of rules of which this process has others than those in force, and since when those are.
    """

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    quota: Quota
    clock: Clock
    limits: Limits
    mappings: Mappings
    executor: Executor
    trouble: TenantTrouble
    unapproved: Callable[[], Mapping[ConfigurationKind, datetime]]

    @cached_property
    def _still(self) -> StillAsPlanned:
        return StillAsPlanned(self.open_uow, self.gateway, self.clock, self.limits, self.mappings)

    def __call__(self, operation: Operation, lease: Lease) -> bool:
        self.executor.recover(operation, lease)
        turn = self._turn(operation, lease, self.unapproved())
        if turn.instead:
            return self._go_to(operation, turn.instead, turn.reason)
        if turn.plan is None or turn.after is not None:
            return look_again(self.open_uow, operation, self.clock, turn.after or _YIELD, turn.reason)
        asked_at = self.clock.now()
        calls = in_calls(turn.records)
        grant = self.quota.take(operation.tenant_id, len(calls), operation.lane)
        if not grant.writes:
            return look_again(self.open_uow, operation, self.clock, grant.after, Reason.THROTTLED)
        granted = [record for call in calls[: grant.writes] for record in call]
        more = self._apply(operation, lease, turn.plan, granted)
        return more and self._goes_on_at_once(operation.operation_id, asked_at + grant.after)

    # ── whose turn it is ─────────────────────────────────────────────────────────────────────────────────

    def _turn(self, operation: Operation, lease: Lease, unapproved: Mapping[ConfigurationKind, datetime]) -> _Turn:
        now = self.clock.now()
        with self.open_uow() as uow:
            if uow.stops.blocking(operation.tenant_id, operation.kind):
                return _Turn(after=_STOP_WAIT, reason=Reason.STOPPED)
            if operation.lane is Lane.BULK and uow.operations.order_is_due(operation.tenant_id, now):
                return _Turn(after=_YIELD)
            plan = uow.plans.current(operation.operation_id)
            if plan is None:
                return _Turn(instead=_O.PLANNING, reason=Reason.APPROVAL_NEEDED)
            if not plan.may_apply and not _has_pending(uow, operation):
                return _Turn(instead=_O.VERIFYING)  # nobody is asked to let nothing be done
            void = self._void_reason(uow, operation, plan)
            if unapproved and needs_rules_in_force(plan, void, unapproved):
                return _Turn(after=LOOK_AGAIN, reason=Reason.CONFIGURATION_UNAPPROVED)
            if void:
                doubt_absence(uow, operation, lease, now, self.limits.lag_horizon)
                uow.plans.void(plan.plan_id, void, now)
                uow.commit()
                return _Turn(instead=_O.PLANNING, reason=void)
            records = uow.journal.next_steps(operation.operation_id, now, self.limits.chunk_people)
            if allowed := self._allowed(uow, operation, plan, records):
                return _Turn(plan=plan, records=tuple(allowed))
            return self._nothing_due(uow, operation, now)

    def _void_reason(self, uow: UnitOfWork, operation: Operation, plan: PlanRecord) -> Reason | None:
        """An approval ends with its time, and with anything it rested on."""
        now = self.clock.now()
        if not plan.may_apply:
            return Reason.APPROVAL_NEEDED
        if plan.valid_until <= now:
            return Reason.APPROVAL_EXPIRED
        policy = uow.tenants.policy_on(operation.tenant_id, dutch_day(now))
        bindings = own_bindings(uow, operation, dutch_day(now))
        drawn = msgspec.json.decode(plan.envelope, type=Envelope).grounds
        is_standing = grounds_of(uow, operation, bindings, policy, self.mappings) == drawn
        return None if is_standing else Reason.APPROVAL_EXPIRED

    def _allowed(
        self, uow: UnitOfWork, operation: Operation, plan: PlanRecord, records: Sequence[StepRecord]
    ) -> list[StepRecord]:
        """In a tenant that never proved itself: five people of one plan, and no more until they are verified."""
        tenant = uow.tenants.find(operation.tenant_id)
        if tenant is None or tenant.proven_at is not None:
            return list(records)
        if operation.operation_id not in uow.operations.writers_in(operation.tenant_id)[:1]:
            return []
        tried = uow.journal.steps_in(operation.operation_id, _TOUCHED)
        touched = {
            one.step.subject_id
            for one in tried
            if one.step.kind not in GROUP_STEPS and (one.plan_id == plan.plan_id or one.state not in STEP_ENDS)
        }
        allowed: list[StepRecord] = []
        for record in records:
            if record.step.kind in GROUP_STEPS:
                allowed.append(record)
            elif record.step.subject_id in touched or len(touched) < self.limits.first_people:
                touched.add(record.step.subject_id)
                allowed.append(record)
        return allowed

    def _nothing_due(self, uow: UnitOfWork, operation: Operation, now: datetime) -> _Turn:
        """`now` is the moment at which nothing was due: a later one would find what has become due since."""
        counts = uow.journal.step_counts(operation.operation_id)
        if counts.get(StepState.APPLIED) or counts.get(StepState.UNKNOWN) or not counts.get(StepState.PENDING):
            return _Turn(instead=_O.VERIFYING)
        due = uow.journal.next_due(operation.operation_id)
        if due is None:  # an earlier step of these people failed: theirs will never come, a new plan looks at them anew
            return _Turn(instead=_O.PLANNING, reason=Reason.CHANGED_MEANWHILE)
        if due > now:
            return _Turn(after=due - now)
        if (later := self._first_go_on_at(uow, operation, now)) is not None:
            return _Turn(after=later - now)
        if self._all_first_failed(uow, operation):
            return _Turn(instead=_O.HELD, reason=Reason.FIRST_FIVE_FAILED)
        return _Turn(after=_YIELD)  # another operation is proving this tenant

    def _first_go_on_at(self, uow: UnitOfWork, operation: Operation, now: datetime) -> datetime | None:
        """When a further step of the first people may be taken: they are not done before it is."""
        pending = uow.journal.steps_in(operation.operation_id, {StepState.PENDING})
        later = (record.not_before for record in pending if record.step.sequence and record.not_before)
        return min((moment for moment in later if moment > now), default=None)

    def _all_first_failed(self, uow: UnitOfWork, operation: Operation) -> bool:
        tenant = uow.tenants.find(operation.tenant_id)
        is_proven = tenant is None or tenant.proven_at is not None
        is_first = operation.operation_id in uow.operations.writers_in(operation.tenant_id)[:1]
        verified = uow.journal.subject_counts(operation.operation_id).get(SubjectState.VERIFIED, 0)
        return is_first and not is_proven and not verified

    # ── the chunk ────────────────────────────────────────────────────────────────────────────────────────

    def _apply(self, operation: Operation, lease: Lease, plan: PlanRecord, records: Sequence[StepRecord]) -> bool:
        try:
            trouble = self._still.trouble_with_group(operation, plan, records)
            look = LookAtPeople() if trouble else self._still.look_at_people(operation, plan, records)
        except GraphError as error:
            return self.trouble.met(operation, error)
        if trouble:
            is_ours = trouble is Reason.CHANGED_MEANWHILE
            return self._end_plan(operation, lease, plan, _O.PLANNING if is_ours else _O.HELD, trouble)
        if look.changed and self._too_many(operation, len(look.changed)):
            return self._end_plan(operation, lease, plan, _O.PLANNING, Reason.TOO_MANY_CHANGED)
        if look.changed:
            self.executor.leave_alone(operation, lease, look.changed)
        if look.unsure:
            self._put_off(operation, look.unsure)
        if not (unchanged := [record for record in records if record not in (*look.changed, *look.unsure)]):
            return self._carry_on(operation)
        outcome = self.executor.run_chunk(operation, lease, unchanged)
        if outcome is None:
            return look_again(self.open_uow, operation, self.clock, _STOP_WAIT, Reason.STOPPED)
        return self._follow(operation, lease, plan, outcome)

    def _too_many(self, operation: Operation, changed: int) -> bool:
        with self.open_uow() as uow:
            counts = uow.journal.subject_counts(operation.operation_id)
        changed += counts.get(SubjectState.CHANGED_MEANWHILE, 0)
        return changed > self.limits.changed_share * sum(counts.values())

    def _put_off(self, operation: Operation, records: Sequence[StepRecord]) -> None:
        """What would be taken from these people is theirs until the group shows them as its members."""
        subjects = [record.step.subject_id for record in records]
        with self.open_uow() as uow:
            uow.journal.put_off_removals(operation.operation_id, subjects, self.clock.now() + _YOUNG)
            uow.commit()

    def _end_plan(
        self, operation: Operation, lease: Lease, plan: PlanRecord, state: OperationState, reason: Reason
    ) -> bool:
        """It was about people or a group that are otherwise by now: a person looks at that, or a new one is drawn."""
        now = self.clock.now()
        with self.open_uow() as uow:
            doubt_absence(uow, operation, lease, now, self.limits.lag_horizon)
            uow.plans.void(plan.plan_id, reason, now)
            move(uow, operation, state, now, reason=reason)
            uow.commit()
        return state is not _O.HELD

    # ── afterwards ───────────────────────────────────────────────────────────────────────────────────────

    def _follow(self, operation: Operation, lease: Lease, plan: PlanRecord, outcome: ChunkOutcome) -> bool:
        if outcome.direction is Direction.STOP_TENANT:
            reason = outcome.reason or Reason.FORBIDDEN
            sentence = f"Microsoft refused tenant {operation.tenant_id}: {reason}."
            return self.trouble.met(operation, ActionRequiredError(sentence, reason, credential=outcome.is_credential))
        if outcome.direction is Direction.STOP_GROUP and self._still.may_lag(operation):
            return look_again(self.open_uow, operation, self.clock, _YOUNG, outcome.reason)
        if outcome.direction is Direction.STOP_GROUP:
            return self._end_plan(operation, lease, plan, _O.HELD, outcome.reason or Reason.GROUP_UNUSABLE)
        if outcome.direction is Direction.REPLAN and self._was_full(operation) <= len(_COUNT_SETTLES):
            return self._replan_later(operation)
        return self._carry_on(operation)  # plan after plan met the same: the count is wrong, who was refused waits

    def _was_full(self, operation: Operation) -> int:
        """How many plans of the operation ran out of seats that seemed free."""
        with self.open_uow() as uow:
            failed = uow.journal.steps_in(operation.operation_id, {StepState.FAILED})
        return len({record.plan_id for record in failed if record.reason is Reason.COUNT_VIOLATION})

    def _replan_later(self, operation: Operation) -> bool:
        """Seats ran out although they seemed free: the count lags, and asking again at once would refuse again."""
        now = self.clock.now()
        due = now + growing(_COUNT_SETTLES, self._was_full(operation) - 1)
        with self.open_uow() as uow:
            move(uow, operation, _O.PLANNING, now, reason=Reason.SEATS_INSUFFICIENT, due_at=due)
            uow.commit()
        return False

    def _goes_on_at_once(self, operation_id: OperationId, rest_at: datetime) -> bool:
        """Not before the quota has the rest: to look at everything else only to hear that would be in vain."""
        if rest_at <= self.clock.now():
            return True
        with self.open_uow() as uow:
            uow.operations.postpone(operation_id, rest_at)
            uow.commit()
        return False

    def _carry_on(self, operation: Operation) -> bool:
        """With the next chunk; after the last one the reading back begins, without another turn to find that out."""
        with self.open_uow() as uow:
            if _has_pending(uow, operation):
                uow.operations.save(
                    msgspec.structs.replace(operation, lost_attempts=0, waits=0, reason=None, unreadable_since=None)
                )
            else:
                move(uow, operation, _O.VERIFYING, self.clock.now())
            uow.commit()
        return True

    def _go_to(self, operation: Operation, state: OperationState, reason: Reason | None) -> bool:
        with self.open_uow() as uow:
            move(uow, operation, state, self.clock.now(), reason=reason)
            uow.commit()
        return state is not _O.HELD


def _has_pending(uow: UnitOfWork, operation: Operation) -> bool:
    return bool(uow.journal.step_counts(operation.operation_id).get(StepState.PENDING))
