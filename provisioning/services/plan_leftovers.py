"""Draw the plan that takes what a moved agreement left behind: observe, let the pure planner decide, store it."""

from uuid import uuid4

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import GraphError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, PlanId
from provisioning.domain.lifecycle import STEP_ENDS, OperationState, StepState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding
from provisioning.domain.worklist import Intent, Lease, Topic
from provisioning.execution.leases import kept_alive
from provisioning.planning.guards import Usage
from provisioning.planning.leftovers import LeftoverScene, is_left_behind, plan_leftovers
from provisioning.planning.plan import Plan
from provisioning.planning.selection import Selection, select
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.advance_operation import Work, hold
from provisioning.services.application_incident import OURSELVES
from provisioning.services.doubt_absence import doubt_absence_first
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.grounds import grounds_of
from provisioning.services.observe_scene import Observed, laid_over, observe_scene
from provisioning.services.plan_basis import PlanBasis, plan_basis
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.transitions import move

_WRITTEN_NOT_READ = frozenset({StepState.IN_FLIGHT, StepState.UNKNOWN, StepState.APPLIED})


def is_leftover(operation: Operation) -> bool:
    """Whether it takes what a moved agreement left behind: a release that is no part of a migration."""
    return operation.kind is OperationKind.RELEASE and operation.wish.part is None


def or_leftover(ordinary: Work, leftover: Work) -> Work:
    """The one for leftovers, the other for all else."""

    def do(operation: Operation, lease: Lease) -> bool:
        return (leftover if is_leftover(operation) else ordinary)(operation, lease)

    return do


class PlanLeftovers:
    """Work for such releases in planning."""

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
    ) -> None:
        self._open_uow = open_uow
        self._gateway = gateway
        self._clock = clock
        self._limits = limits
        self._mappings = mappings
        self._trouble = trouble
        self._finish = finish

    def __call__(self, operation: Operation, lease: Lease) -> bool:
        doubt_absence_first(self._open_uow, operation, lease, self._clock, self._limits.lag_horizon)
        with self._open_uow() as uow:
            basis = plan_basis(uow, operation, self._clock.now(), self._limits)
            basis = msgspec.structs.replace(basis, strangers=self._others(uow, operation))
        if basis.hold:
            return hold(self._open_uow, operation, self._clock, basis.hold)
        try:
            with kept_alive(self._open_uow, lease, self._clock, self._limits.lease_duration):
                observed = observe_scene(self._gateway, operation.tenant_id, [*basis.own, *basis.strangers])
        except GraphError as error:
            return self._trouble.met(operation, error)
        with self._open_uow() as uow:
            uow.leases.check(lease)
            goes_on = self._store(uow, operation, basis, observed)
            uow.commit()
        return goes_on

    def _others(self, uow: UnitOfWork, operation: Operation) -> tuple[Binding, ...]:
        """Also those of the same board: what is taken is not taken from whom a sister school speaks of too."""
        bound = uow.tenants.bindings_in(operation.tenant_id, dutch_day(self._clock.now()))
        return tuple(one for one in bound if one.organisation_id not in operation.wish.organisations)

    def _store(self, uow: UnitOfWork, operation: Operation, basis: PlanBasis, observed: Observed) -> bool:
        now, wish, tenant = self._clock.now(), operation.wish, operation.tenant_id
        horizon = now - self._limits.lag_horizon
        census = laid_over(observed.census, uow.journal.applied_since(tenant, horizon))
        selection = select(census, observed.memberships, basis.own, basis.strangers, wish.audience)
        selection = selection.leaving_to_migrations(uow.migrations.awaiting_exchange(tenant))
        reason = self._reason_to_hold(uow, operation, observed, selection)
        if reason is not None:
            move(uow, operation, OperationState.HELD, now, reason=reason)
            return False
        plan = plan_leftovers(self._scene(uow, operation, basis, observed, selection))
        pseudonyms = uow.audit.pseudonyms(tenant, [one.subject_id for one in plan.subjects])
        valid_until = plan.drawn_at + self._limits.approval_validity
        uow.plans.add(plan, pseudonyms, sku=wish.sku_id, valid_until=valid_until)
        uow.audit.record([_drawn(operation, plan)])
        return self._go_on(uow, operation, plan)

    def _reason_to_hold(
        self, uow: UnitOfWork, operation: Operation, observed: Observed, selection: Selection
    ) -> Reason | None:
        if not selection.is_complete:
            return Reason.SELECTION_INCOMPLETE
        wish, tenant, today = operation.wish, operation.tenant_id, dutch_day(self._clock.now())
        bought = uow.ledger.tenant_total(tenant, wish.sku_id, today)
        own = uow.ledger.entitlement(wish.holder_id, tenant, wish.sku_id, today)
        count = observed.seats.counts.get(wish.sku_id)
        return None if is_left_behind(count, bought, own) else Reason.SEATS_BACK

    def _scene(
        self, uow: UnitOfWork, operation: Operation, basis: PlanBasis, observed: Observed, selection: Selection
    ) -> LeftoverScene:
        now, tenant_id = self._clock.now(), operation.tenant_id
        tenant = uow.tenants.find(tenant_id)
        open_steps = uow.journal.steps_in(operation.operation_id, _WRITTEN_NOT_READ)
        return LeftoverScene(
            plan_id=PlanId(str(uuid4())),
            operation_id=operation.operation_id,
            tenant_id=tenant_id,
            now=now,
            observed_at=observed.census.observed_at,
            sku_id=operation.wish.sku_id,
            selection=selection,
            in_doubt=frozenset(record.step.subject_id for record in open_steps),
            policy=basis.policy,
            mappings=self._mappings,
            grounds=grounds_of(uow, operation, basis.own, basis.policy, self._mappings),
            usage=Usage.from_kinds(
                uow.journal.kinds_since(tenant_id, now - self._limits.guard_window),
                is_proven=tenant is not None and tenant.proven_at is not None,
            ),
            limits=self._limits,
        )

    def _go_on(self, uow: UnitOfWork, operation: Operation, plan: Plan) -> bool:
        now = self._clock.now()
        if plan.writes:
            due = now + self._limits.approval_validity
            move(uow, operation, OperationState.AWAITING_APPROVAL, now, reason=Reason.APPROVAL_NEEDED, due_at=due)
            wanted = Intent(
                topic=Topic.APPROVAL_NEEDED, organisation_id=OURSELVES, reference=operation.operation_id, at=now
            )
            uow.outbox.add([wanted])
            return False
        counts = uow.journal.step_counts(operation.operation_id)
        if any(people for state, people in counts.items() if state not in STEP_ENDS):
            move(uow, operation, OperationState.APPLYING, now)
            return True
        self._finish(uow, operation)
        return False


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
