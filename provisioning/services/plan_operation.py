"""Observe, draw the plan, store it; apply by itself only when no guard objects."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import GraphError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, PlanId, Pseudonym, SubjectId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.worklist import Lease
from provisioning.execution.backoff import growing
from provisioning.execution.leases import KeepAlive, kept_alive
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.deliver_scene import DeliverScene
from provisioning.planning.plan import Plan, SubjectPlan
from provisioning.planning.selection import Selection, has_shrunk, select
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.advance_operation import hold, look_again
from provisioning.services.doubt_absence import doubt_absence_first
from provisioning.services.drawn_plan import await_approval, has_open_steps, in_doubt, plan_drawn, usage_of
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.grounds import grounds_of
from provisioning.services.leave_to_school import leave_to_school
from provisioning.services.observe_groups import ObservedGroups, observe_groups, with_our_members
from provisioning.services.observe_scene import Observed, laid_over, observe_scene
from provisioning.services.plan_basis import PlanBasis, plan_basis
from provisioning.services.policy_turn import await_policy_turn
from provisioning.services.remap_grounds import seats_along
from provisioning.services.standing_approval import CampaignApprovals, approve_in_campaign, validity_of
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.transitions import move, wait

_AT_WORK = frozenset({OperationState.PLANNING, OperationState.APPLYING, OperationState.VERIFYING})


@dataclass(frozen=True, kw_only=True)
class PlanOperation:
    """Work for operations in planning."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits
    mappings: Mappings
    trouble: TenantTrouble
    finish: FinishOperation
    campaign_approval: CampaignApprovals
    keep_alive: KeepAlive = kept_alive

    def __call__(self, operation: Operation, lease: Lease) -> bool:
        doubt_absence_first(self.open_uow, operation, lease, self.clock, self.limits.lag_horizon)
        with self.open_uow() as uow:
            basis = plan_basis(uow, operation, self.clock.now(), self.limits)
        if basis.hold:
            return hold(self.open_uow, operation, self.clock, basis.hold)
        if basis.policy.assignment_mode is AssignmentMode.NONE:
            return self._leave_to_school(operation, lease)
        try:
            with self.keep_alive(self.open_uow, lease, self.clock, self.limits.lease_duration):
                observed = observe_scene(self.gateway, operation.tenant_id, [*basis.own, *basis.strangers])
                named = self.gateway.resolve_subjects(operation.tenant_id, basis.unresolved)
                groups = observe_groups(
                    self.gateway, operation, basis.policy, basis.groups, observed.census, self.mappings
                )
        except GraphError as error:
            return self.trouble.met(operation, error)
        if groups.is_busy:
            return look_again(self.open_uow, operation, self.clock, growing(self.limits.verify_waits, operation.waits))
        with self.open_uow() as uow:
            uow.leases.check(lease)
            goes_on = self._store(uow, operation, basis, observed, groups, named)
            uow.commit()
        return goes_on

    def _leave_to_school(self, operation: Operation, lease: Lease) -> bool:
        now = self.clock.now()
        with self.open_uow() as uow:
            await_policy_turn(uow, operation.tenant_id, self.clock.wall())
            policy = uow.tenants.policy_on(operation.tenant_id, dutch_day(now))
            if policy.assignment_mode is not AssignmentMode.NONE:
                return True  # changed since we looked: what it says now is planned
            more = leave_to_school(uow, operation, lease, self.finish, now, self.limits.lag_horizon)
            uow.commit()
        return more

    def _store(
        self,
        uow: UnitOfWork,
        operation: Operation,
        basis: PlanBasis,
        observed: Observed,
        groups: ObservedGroups,
        named: dict[str, SubjectId | None],
    ) -> bool:
        now = self.clock.now()
        receipts = uow.journal.applied_since(operation.tenant_id, now - self.limits.lag_horizon)
        census = laid_over(observed.census, receipts)
        wish = operation.wish
        groups = with_our_members(groups, [*receipts, *basis.groups.empty_handed])
        selection = select(census, observed.memberships, basis.own, basis.strangers, wish.audience)
        selection = selection.leaving_to_migrations(uow.migrations.awaiting_exchange(operation.tenant_id))
        reason = groups.trouble or self._reason_to_hold(uow, operation, selection, now)
        if reason:
            move(uow, operation, OperationState.HELD, now, reason=reason)
            return False
        seen = observed.seats.enabled(wish.sku_id)
        operation = msgspec.structs.replace(self._with_names(uow, operation, named), seats_seen=seen)
        observed = msgspec.structs.replace(observed, census=census)
        plan = plan_deliver(self._scene(uow, operation, basis, observed, groups, selection))
        self._record(uow, operation, plan, groups)
        return self._go_on(uow, operation, plan)

    def _reason_to_hold(
        self, uow: UnitOfWork, operation: Operation, selection: Selection, now: datetime
    ) -> Reason | None:
        """A shrunken size is noted only when a person let the operation go on: no other one slips through before."""
        if not selection.is_complete:
            return Reason.SELECTION_INCOMPLETE
        if selection.is_empty:
            return Reason.SELECTOR_EMPTY
        if operation.reason is not Reason.SELECTOR_SHRANK and self._has_shrunk(uow, selection):
            return Reason.SELECTOR_SHRANK
        for (binding, audience), size in selection.sizes.items():
            uow.tenants.note_selection(binding, audience, size, now)
        return None

    def _has_shrunk(self, uow: UnitOfWork, selection: Selection) -> bool:
        return any(
            has_shrunk(uow.tenants.selection_size(binding, audience), size, self.limits)
            for (binding, audience), size in selection.sizes.items()
        )

    def _with_names(self, uow: UnitOfWork, operation: Operation, named: dict[str, SubjectId | None]) -> Operation:
        """The people whom the order names, as object ids; a name that nobody has stays unresolved and visible."""
        line = operation.wish.line
        if line is None or (not named and not operation.wish.named):
            return operation
        uow.references.resolve(line, {reference: found for reference, found in named.items() if found})
        people = tuple(dict.fromkeys([*operation.wish.named, *uow.references.resolved(line)]))
        return uow.operations.save(
            msgspec.structs.replace(operation, wish=msgspec.structs.replace(operation.wish, named=people))
        )

    def _scene(
        self,
        uow: UnitOfWork,
        operation: Operation,
        basis: PlanBasis,
        observed: Observed,
        groups: ObservedGroups,
        selection: Selection,
    ) -> DeliverScene:
        wish, tenant_id, now = operation.wish, operation.tenant_id, self.clock.now()
        tenant = uow.tenants.find(tenant_id)
        return DeliverScene(
            plan_id=PlanId(str(uuid4())),
            operation_id=operation.operation_id,
            tenant_id=tenant_id,
            now=now,
            wish=wish,
            policy=basis.policy,
            mappings=self.mappings,
            grounds=grounds_of(uow, operation, basis.own, basis.policy, self.mappings),
            census=observed.census,
            selection=selection,
            seats=observed.seats.counts.get(wish.sku_id),
            reserved=frozenset(uow.seats.reserved(tenant_id, wish.sku_id, apart_from=operation.operation_id)),
            in_doubt=in_doubt(uow, operation.operation_id),
            elsewhere=_elsewhere(uow, operation),
            entitlement=uow.ledger.entitlement(wish.holder_id, tenant_id, wish.sku_id, dutch_day(now)),
            waiting=tuple(uow.seats.waiting(tenant_id, wish.sku_id)),
            permissions=tenant.permissions if tenant else frozenset(),
            usage=usage_of(uow, tenant_id, tenant, now - self.limits.guard_window),
            limits=self.limits,
            groups=groups.scene,
            along=seats_along(uow, operation, observed, selection, dutch_day(now)),
            may_move=operation.kind is OperationKind.CHANGE,
        )

    def _record(self, uow: UnitOfWork, operation: Operation, plan: Plan, groups: ObservedGroups) -> None:
        people = [subject.subject_id for subject in plan.subjects]
        pseudonyms = uow.audit.pseudonyms(plan.tenant_id, people)
        valid_until = plan.drawn_at + validity_of(operation, self.limits)
        uow.plans.add(plan, pseudonyms, sku=operation.wish.sku_id, valid_until=valid_until)
        if groups.row and any(subject.is_group for subject in plan.subjects):
            uow.groups.save(groups.row)
        served = [one for one in plan.subjects if one.state is SubjectState.VERIFIED]
        uow.seats.served(plan.tenant_id, operation.wish.sku_id, [one.subject_id for one in served], plan.drawn_at)
        seen = [_seen_through_group(operation, plan, one, pseudonyms[one.subject_id]) for one in served]
        uow.audit.record([plan_drawn(operation, plan), *seen])

    def _go_on(self, uow: UnitOfWork, operation: Operation, plan: Plan) -> bool:
        now = self.clock.now()
        if plan.needs_approval and plan.writes and not self._is_within_campaign(uow, operation):
            await_approval(uow, operation, now, validity_of(operation, self.limits))
            return False
        if not has_open_steps(uow, operation):
            return self._end_or_await_group(uow, operation, plan)
        move(uow, operation, OperationState.APPLYING, now)
        return True

    def _is_within_campaign(self, uow: UnitOfWork, operation: Operation) -> bool:
        part, now = operation.wish.remap, self.clock.now()
        given = self.campaign_approval(uow, part.campaign_id) if part and part.campaign_id else None
        return given is not None and approve_in_campaign(uow, operation, given, self.mappings, now)

    def _end_or_await_group(self, uow: UnitOfWork, operation: Operation, plan: Plan) -> bool:
        """Nothing is left to write; whom a group is still to serve is looked at again until Microsoft has done so."""
        now = self.clock.now()
        if not plan.awaits_group:
            self.finish(uow, operation)
        elif now - operation.entered_at > self.limits.group_deadline:
            move(uow, operation, OperationState.HELD, now, reason=Reason.NOT_VERIFIED_IN_TIME)
        else:
            wait(uow, operation, now + growing(self.limits.verify_waits, operation.waits))
        return False


def _elsewhere(uow: UnitOfWork, operation: Operation) -> frozenset[SubjectId]:
    """Of operations that go on by themselves: what a held one left in doubt may stay so for days."""
    at_work = uow.operations.list_by(states=_AT_WORK, tenant=operation.tenant_id)
    others = (one.operation_id for one in at_work if one.operation_id != operation.operation_id)
    return frozenset().union(*(in_doubt(uow, other) for other in others))


def _seen_through_group(operation: Operation, plan: Plan, served: SubjectPlan, pseudonym: Pseudonym) -> Event:
    return Event(
        at=plan.drawn_at,
        actor=SYSTEM,
        kind=f"subject.{served.state}",
        organisation=served.organisation_id,
        tenant=plan.tenant_id,
        operation=plan.operation_id,
        subject=pseudonym,
        after=operation.wish.sku_id,
    )
