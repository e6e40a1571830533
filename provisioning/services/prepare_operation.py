"""Is it time, may we, and are the seats there? Until then the operation waits, and says for what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.calendar import dutch_day, start_of
from provisioning.domain.errors import GraphError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Seats, TenantProfile
from provisioning.domain.operation import Operation, StepKind
from provisioning.domain.permissions import missing_for
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.domain.worklist import Intent, Lease, Topic
from provisioning.execution.backoff import growing
from provisioning.planning.waiting import waits_since
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.grounds import own_bindings
from provisioning.services.look_for_seats import look_for_seats, note_baseline
from provisioning.services.remap_grounds import against_remap
from provisioning.services.remember_tenant import remember_tenant
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.transitions import move, wait


@dataclass(frozen=True, kw_only=True)
class PrepareOperation:
    """Work for new operations and those that wait for a date, consent or seats."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits
    trouble: TenantTrouble
    validate_again: Callable[[UnitOfWork, Operation], Reason | None]

    def __call__(self, operation: Operation, _lease: Lease) -> bool:
        policy = self._policy_or_hold(operation)
        if policy is None:
            return False
        try:
            profile, seats = self.gateway.observe_readiness(operation.tenant_id)
        except GraphError as error:
            return self.trouble.met(operation, error)
        with self.open_uow() as uow:
            goes_on = self._judge(uow, operation, policy, profile, seats)
            uow.commit()
        return goes_on

    def _policy_or_hold(self, operation: Operation) -> Policy | None:
        """The policy, unless the operation must wait for a date or a person before Graph is even asked."""
        now = self.clock.now()
        today = dutch_day(now)
        starts_on = operation.wish.starts_on
        is_early = starts_on is not None and starts_on > today
        with self.open_uow() as uow:
            policy = uow.tenants.policy_on(operation.tenant_id, today)
            reason = self._reason_to_hold(uow, operation)
            if reason is None and operation.state is OperationState.AWAITING_DATE and not is_early:
                reason = self._reason_after_long_wait(uow, operation)  # whatever it waits for next
            if reason:
                move(uow, operation, OperationState.HELD, now, reason=reason)
            elif starts_on and is_early:
                self._await_date(uow, operation, start_of(starts_on))
            elif reason := against_remap(uow, operation, policy, today):
                move(uow, operation, OperationState.HELD, now, reason=reason)
            else:
                return policy
            uow.commit()
        return None

    def _reason_to_hold(self, uow: UnitOfWork, operation: Operation) -> Reason | None:
        bindings = own_bindings(uow, operation, dutch_day(self.clock.now()))
        if not bindings:
            return Reason.TENANT_NOT_BOUND
        if not all(binding.is_confirmed for binding in bindings):
            return Reason.BINDING_UNCONFIRMED
        if self.clock.now() - waits_since(operation) > self.limits.ask_person_after:
            return Reason.VALIDATION_AGED  # a person who lets it go on starts the count anew
        return None

    def _await_date(self, uow: UnitOfWork, operation: Operation, moment: datetime) -> None:
        if operation.state is OperationState.AWAITING_DATE:
            wait(uow, operation, moment, Reason.DATE_NOT_REACHED)
        else:
            now = self.clock.now()
            move(uow, operation, OperationState.AWAITING_DATE, now, reason=Reason.DATE_NOT_REACHED, due_at=moment)

    def _judge(
        self, uow: UnitOfWork, operation: Operation, policy: Policy, profile: TenantProfile, seats: Seats
    ) -> bool:
        missing = missing_for(_kinds(policy), profile.permissions)
        remember_tenant(uow, profile, is_enough=not missing)
        if missing:
            self.trouble.ask_consent(uow, operation, Reason.CONSENT_INSUFFICIENT)
            return False
        operation, goes_on = look_for_seats(uow, operation, policy.assignment_mode, seats, self.clock, self.limits)
        leaves_wait = goes_on or operation.state is not OperationState.AWAITING_SEATS
        reason = self._reason_after_long_wait(uow, operation) if leaves_wait else None
        if reason:
            move(uow, operation, OperationState.HELD, self.clock.now(), reason=reason)
        elif goes_on:
            move(uow, operation, OperationState.PLANNING, self.clock.now())
            note_baseline(uow, operation.tenant_id, operation.wish.sku_id, seats, self.clock.now())
        else:
            self._await_seats(uow, operation, seats)
        return goes_on and reason is None

    def _reason_after_long_wait(self, uow: UnitOfWork, operation: Operation) -> Reason | None:
        has_waited = self.clock.now() - operation.entered_at > self.limits.revalidate_after
        return self.validate_again(uow, operation) if has_waited else None

    def _await_seats(self, uow: UnitOfWork, operation: Operation, seats: Seats) -> None:
        now = self.clock.now()
        enabled = seats.enabled(operation.wish.sku_id)
        if operation.seats_seen != enabled:
            operation = msgspec.structs.replace(operation, seats_seen=enabled, seats_seen_since=now)
        if operation.state is not OperationState.AWAITING_SEATS:
            due = now + growing(self.limits.seats_poll, 0)
            move(uow, operation, OperationState.AWAITING_SEATS, now, reason=Reason.SEATS_NOT_VISIBLE, due_at=due)
            return
        if now - operation.entered_at > self.limits.seats_notice:
            reference = operation.operation_id
            uow.outbox.add(
                [Intent(topic=Topic.SEATS_LATE, organisation_id=operation.wish.holder_id, reference=reference, at=now)]
            )
        wait(uow, operation, now + growing(self.limits.seats_poll, operation.waits + 1), Reason.SEATS_NOT_VISIBLE)


def _kinds(policy: Policy) -> tuple[StepKind, ...]:
    """What will have to be written at least; a missing usage location is refused per person, not per tenant."""
    match policy.assignment_mode:
        case AssignmentMode.NONE:
            return ()
        case AssignmentMode.DIRECT:
            return (StepKind.ASSIGN,)
        case AssignmentMode.GROUP if policy.group_id:
            return (StepKind.ASSIGN, StepKind.LICENSE_GROUP)  # others fill the school's own group
        case AssignmentMode.GROUP:
            return (StepKind.ASSIGN, StepKind.CREATE_GROUP, StepKind.LICENSE_GROUP, StepKind.ADD_MEMBERS)
