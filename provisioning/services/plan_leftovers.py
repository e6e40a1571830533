"""Draw the plan that takes what a moved agreement left behind: observe, let the pure planner decide, store it."""

from dataclasses import dataclass
from uuid import uuid4

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import GraphError
from provisioning.domain.ids import PlanId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding
from provisioning.domain.worklist import Lease
from provisioning.execution.leases import kept_alive
from provisioning.planning.leftovers import LeftoverScene, is_left_behind, plan_leftovers
from provisioning.planning.plan import Plan
from provisioning.planning.selection import Selection, select
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.advance_operation import Work, hold
from provisioning.services.doubt_absence import doubt_absence_first
from provisioning.services.drawn_plan import await_approval, has_open_steps, in_doubt, plan_drawn, usage_of
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.grounds import grounds_of
from provisioning.services.observe_scene import Observed, laid_over, observe_scene
from provisioning.services.plan_basis import PlanBasis, plan_basis
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.transitions import move


def is_leftover(operation: Operation) -> bool:
    """Whether it takes what a moved agreement left behind: a release that is no part of a migration."""
    return operation.kind is OperationKind.RELEASE and operation.wish.part is None


def or_leftover(ordinary: Work, leftover: Work) -> Work:
    """The one for leftovers, the other for all else."""

    def do(operation: Operation, lease: Lease) -> bool:
        return (leftover if is_leftover(operation) else ordinary)(operation, lease)

    return do


@dataclass(frozen=True, kw_only=True)
class PlanLeftovers:
    """Work for such releases in planning."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits
    mappings: Mappings
    trouble: TenantTrouble
    finish: FinishOperation

    def __call__(self, operation: Operation, lease: Lease) -> bool:
        doubt_absence_first(self.open_uow, operation, lease, self.clock, self.limits.lag_horizon)
        with self.open_uow() as uow:
            basis = plan_basis(uow, operation, self.clock.now(), self.limits)
            basis = msgspec.structs.replace(basis, strangers=self._others(uow, operation))
        if basis.hold:
            return hold(self.open_uow, operation, self.clock, basis.hold)
        try:
            with kept_alive(self.open_uow, lease, self.clock, self.limits.lease_duration):
                observed = observe_scene(self.gateway, operation.tenant_id, [*basis.own, *basis.strangers])
        except GraphError as error:
            return self.trouble.met(operation, error)
        with self.open_uow() as uow:
            uow.leases.check(lease)
            goes_on = self._store(uow, operation, basis, observed)
            uow.commit()
        return goes_on

    def _others(self, uow: UnitOfWork, operation: Operation) -> tuple[Binding, ...]:
        """Also those of the same board: what is taken is not taken from whom a sister school speaks of too."""
        bound = uow.tenants.bindings_in(operation.tenant_id, dutch_day(self.clock.now()))
        return tuple(one for one in bound if one.organisation_id not in operation.wish.organisations)

    def _store(self, uow: UnitOfWork, operation: Operation, basis: PlanBasis, observed: Observed) -> bool:
        now, wish, tenant = self.clock.now(), operation.wish, operation.tenant_id
        horizon = now - self.limits.lag_horizon
        census = laid_over(observed.census, uow.journal.applied_since(tenant, horizon))
        selection = select(census, observed.memberships, basis.own, basis.strangers, wish.audience)
        selection = selection.leaving_to_migrations(uow.migrations.awaiting_exchange(tenant))
        reason = self._reason_to_hold(uow, operation, observed, selection)
        if reason is not None:
            move(uow, operation, OperationState.HELD, now, reason=reason)
            return False
        plan = plan_leftovers(self._scene(uow, operation, basis, observed, selection))
        pseudonyms = uow.audit.pseudonyms(tenant, [one.subject_id for one in plan.subjects])
        valid_until = plan.drawn_at + self.limits.approval_validity
        uow.plans.add(plan, pseudonyms, sku=wish.sku_id, valid_until=valid_until)
        uow.audit.record([plan_drawn(operation, plan)])
        return self._go_on(uow, operation, plan)

    def _reason_to_hold(
        self, uow: UnitOfWork, operation: Operation, observed: Observed, selection: Selection
    ) -> Reason | None:
        if not selection.is_complete:
            return Reason.SELECTION_INCOMPLETE
        wish, tenant, today = operation.wish, operation.tenant_id, dutch_day(self.clock.now())
        bought = uow.ledger.tenant_total(tenant, wish.sku_id, today)
        own = uow.ledger.entitlement(wish.holder_id, tenant, wish.sku_id, today)
        count = observed.seats.counts.get(wish.sku_id)
        return None if is_left_behind(count, bought, own) else Reason.SEATS_BACK

    def _scene(
        self, uow: UnitOfWork, operation: Operation, basis: PlanBasis, observed: Observed, selection: Selection
    ) -> LeftoverScene:
        now, tenant_id = self.clock.now(), operation.tenant_id
        tenant = uow.tenants.find(tenant_id)
        return LeftoverScene(
            plan_id=PlanId(str(uuid4())),
            operation_id=operation.operation_id,
            tenant_id=tenant_id,
            now=now,
            observed_at=observed.census.observed_at,
            sku_id=operation.wish.sku_id,
            selection=selection,
            in_doubt=in_doubt(uow, operation.operation_id),
            policy=basis.policy,
            mappings=self.mappings,
            grounds=grounds_of(uow, operation, basis.own, basis.policy, self.mappings),
            usage=usage_of(uow, tenant_id, tenant, now - self.limits.guard_window),
            limits=self.limits,
        )

    def _go_on(self, uow: UnitOfWork, operation: Operation, plan: Plan) -> bool:
        now = self.clock.now()
        if plan.writes:
            await_approval(uow, operation, now, self.limits.approval_validity)
            return False
        if has_open_steps(uow, operation):
            move(uow, operation, OperationState.APPLYING, now)
            return True
        self.finish(uow, operation)
        return False
