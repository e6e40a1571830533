"""Observe, draw the plan, store it; apply by itself only when no guard objects."""

from datetime import datetime
from uuid import uuid4

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import GraphError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OperationId, PlanId, Pseudonym, SubjectId
from provisioning.domain.lifecycle import STEP_ENDS, OperationState, StepState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.worklist import Intent, Lease, Topic
from provisioning.execution.backoff import growing
from provisioning.execution.leases import KeepAlive, kept_alive
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.deliver_scene import DeliverScene
from provisioning.planning.guards import Usage
from provisioning.planning.plan import Plan, SubjectPlan
from provisioning.planning.selection import Selection, has_shrunk, select
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.advance_operation import hold, look_again
from provisioning.services.application_incident import OURSELVES
from provisioning.services.doubt_absence import doubt_absence_first
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
_WRITTEN_NOT_READ = frozenset({StepState.IN_FLIGHT, StepState.UNKNOWN, StepState.APPLIED})


class PlanOperation:
    """Work for operations in planning."""

    def __init__(
        self,
        *,
        open_uow: OpenUnitOfWork,
        gateway: LicenceGateway,
        clock: Clock,
        limits: Limits,
        mappings: Mappings,
        trouble: TenantTrouble,
        finish: FinishOperation,
        campaign_approval: CampaignApprovals,
        keep_alive: KeepAlive = kept_alive,
    ) -> None:
        self._open_uow = open_uow
        self._gateway = gateway
        self._clock = clock
        self._limits = limits
        self._mappings = mappings
        self._trouble = trouble
        self._finish = finish
        self._campaign_approval = campaign_approval
        self._keep_alive = keep_alive

    def __call__(self, operation: Operation, lease: Lease) -> bool:
        doubt_absence_first(self._open_uow, operation, lease, self._clock, self._limits.lag_horizon)
        with self._open_uow() as uow:
            basis = plan_basis(uow, operation, self._clock.now(), self._limits)
        if basis.hold:
            return hold(self._open_uow, operation, self._clock, basis.hold)
        if basis.policy.assignment_mode is AssignmentMode.NONE:
            return self._leave_to_school(operation, lease)
        try:
            with self._keep_alive(self._open_uow, lease, self._clock, self._limits.lease_duration):
                observed = observe_scene(self._gateway, operation.tenant_id, [*basis.own, *basis.strangers])
                named = self._gateway.resolve_subjects(operation.tenant_id, basis.unresolved)
                groups = observe_groups(
                    self._gateway, operation, basis.policy, basis.groups, observed.census, self._mappings
                )
        except GraphError as error:
            return self._trouble.met(operation, error)
        if groups.is_busy:
            return look_again(
                self._open_uow, operation, self._clock, growing(self._limits.verify_waits, operation.waits)
            )
        with self._open_uow() as uow:
            uow.leases.check(lease)
            goes_on = self._store(uow, operation, basis, observed, groups, named)
            uow.commit()
        return goes_on

    def _leave_to_school(self, operation: Operation, lease: Lease) -> bool:
        now = self._clock.now()
        with self._open_uow() as uow:
            await_policy_turn(uow, operation.tenant_id, self._clock.wall())
            policy = uow.tenants.policy_on(operation.tenant_id, dutch_day(now))
            if policy.assignment_mode is not AssignmentMode.NONE:
                return True  # changed since we looked: what it says now is planned
            more = leave_to_school(uow, operation, lease, self._finish, now, self._limits.lag_horizon)
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
        now = self._clock.now()
        receipts = uow.journal.applied_since(operation.tenant_id, now - self._limits.lag_horizon)
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
            has_shrunk(uow.tenants.selection_size(binding, audience), size, self._limits)
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
        wish, tenant_id, now = operation.wish, operation.tenant_id, self._clock.now()
        tenant = uow.tenants.find(tenant_id)
        return DeliverScene(
            plan_id=PlanId(str(uuid4())),
            operation_id=operation.operation_id,
            tenant_id=tenant_id,
            now=now,
            wish=wish,
            policy=basis.policy,
            mappings=self._mappings,
            grounds=grounds_of(uow, operation, basis.own, basis.policy, self._mappings),
            census=observed.census,
            selection=selection,
            seats=observed.seats.counts.get(wish.sku_id),
            reserved=frozenset(uow.seats.reserved(tenant_id, wish.sku_id, apart_from=operation.operation_id)),
            in_doubt=_in_doubt(uow, operation.operation_id),
            elsewhere=_elsewhere(uow, operation),
            entitlement=uow.ledger.entitlement(wish.holder_id, tenant_id, wish.sku_id, dutch_day(now)),
            waiting=tuple(uow.seats.waiting(tenant_id, wish.sku_id)),
            permissions=tenant.permissions if tenant else frozenset(),
            usage=Usage.from_kinds(
                uow.journal.kinds_since(tenant_id, now - self._limits.guard_window),
                is_proven=tenant is not None and tenant.proven_at is not None,
            ),
            limits=self._limits,
            groups=groups.scene,
            along=seats_along(uow, operation, observed, selection, dutch_day(now)),
            may_move=operation.kind is OperationKind.CHANGE,
        )

    def _record(self, uow: UnitOfWork, operation: Operation, plan: Plan, groups: ObservedGroups) -> None:
        people = [subject.subject_id for subject in plan.subjects]
        pseudonyms = uow.audit.pseudonyms(plan.tenant_id, people)
        valid_until = plan.drawn_at + validity_of(operation, self._limits)
        uow.plans.add(plan, pseudonyms, sku=operation.wish.sku_id, valid_until=valid_until)
        if groups.row and any(subject.is_group for subject in plan.subjects):
            uow.groups.save(groups.row)
        served = [one for one in plan.subjects if one.state is SubjectState.VERIFIED]
        uow.seats.served(plan.tenant_id, operation.wish.sku_id, [one.subject_id for one in served], plan.drawn_at)
        seen = [_seen_through_group(operation, plan, one, pseudonyms[one.subject_id]) for one in served]
        uow.audit.record([_drawn(operation, plan), *seen])

    def _go_on(self, uow: UnitOfWork, operation: Operation, plan: Plan) -> bool:
        now = self._clock.now()
        if plan.needs_approval and plan.writes and not self._is_within_campaign(uow, operation):
            due = now + validity_of(operation, self._limits)
            move(uow, operation, OperationState.AWAITING_APPROVAL, now, reason=Reason.APPROVAL_NEEDED, due_at=due)
            uow.outbox.add([_approval_wanted(operation, now)])
            return False
        if not _has_open_steps(uow, operation):
            return self._end_or_await_group(uow, operation, plan)
        move(uow, operation, OperationState.APPLYING, now)
        return True

    def _is_within_campaign(self, uow: UnitOfWork, operation: Operation) -> bool:
        part, now = operation.wish.remap, self._clock.now()
        given = self._campaign_approval(uow, part.campaign_id) if part and part.campaign_id else None
        return given is not None and approve_in_campaign(uow, operation, given, self._mappings, now)

    def _end_or_await_group(self, uow: UnitOfWork, operation: Operation, plan: Plan) -> bool:
        """Nothing is left to write; whom a group is still to serve is looked at again until Microsoft has done so."""
        now = self._clock.now()
        if not plan.awaits_group:
            self._finish(uow, operation)
        elif now - operation.entered_at > self._limits.group_deadline:
            move(uow, operation, OperationState.HELD, now, reason=Reason.NOT_VERIFIED_IN_TIME)
        else:
            wait(uow, operation, now + growing(self._limits.verify_waits, operation.waits))
        return False


def _in_doubt(uow: UnitOfWork, operation: OperationId) -> frozenset[SubjectId]:
    open_steps = uow.journal.steps_in(operation, _WRITTEN_NOT_READ)
    return frozenset(record.step.subject_id for record in open_steps)


def _elsewhere(uow: UnitOfWork, operation: Operation) -> frozenset[SubjectId]:
    """Of operations that go on by themselves: what a held one left in doubt may stay so for days."""
    at_work = uow.operations.list_by(states=_AT_WORK, tenant=operation.tenant_id)
    others = (one.operation_id for one in at_work if one.operation_id != operation.operation_id)
    return frozenset().union(*(_in_doubt(uow, other) for other in others))


def _has_open_steps(uow: UnitOfWork, operation: Operation) -> bool:
    counts = uow.journal.step_counts(operation.operation_id)
    return any(people for state, people in counts.items() if state not in STEP_ENDS)


def _drawn(operation: Operation, plan: Plan) -> Event:
    return Event(
        at=plan.drawn_at,
        actor=SYSTEM,
        kind="plan.drawn",
        organisation=operation.wish.holder_id,
        tenant=plan.tenant_id,
        operation=plan.operation_id,
        after=plan.envelope.digest,
        details={kind: str(number) for kind, number in plan.counts.items()},
    )


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


def _approval_wanted(operation: Operation, now: datetime) -> Intent:
    """To ourselves: approvers are ours, and the school has nothing to decide."""
    return Intent(topic=Topic.APPROVAL_NEEDED, organisation_id=OURSELVES, reference=operation.operation_id, at=now)
