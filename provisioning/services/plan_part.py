"""Draw the plan of a migration's part: observe both tenants, let the pure planner decide, store what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import GraphError, RetryableError, UnavailableError
from provisioning.domain.ids import PlanId, SubjectId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.migration import TARGET_PHASES, Migration, MigrationPart, Phase, Traveller
from provisioning.domain.observation import Census, HeldLicence, Seats
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Binding, Policy
from provisioning.domain.worklist import Lease
from provisioning.execution.leases import KeepAlive, kept_alive
from provisioning.planning.migrate import MigrateScene, plan_migrate
from provisioning.planning.migration_plan import MigrationScene
from provisioning.planning.plan import Plan
from provisioning.planning.release import ReleaseScene, plan_release
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.advance_operation import hold, look_again
from provisioning.services.boards import Neighbours, neighbours_in
from provisioning.services.doubt_absence import doubt_absence_first
from provisioning.services.drawn_plan import await_approval, has_open_steps, in_doubt, plan_drawn, usage_of
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.grounds import grounds_of, own_bindings
from provisioning.services.joined_since import Joined, groups_of, is_being_moved, is_unsettled, joined_since, still_in
from provisioning.services.observe_groups import GroupBasis, ObservedGroups, group_basis, observe_groups
from provisioning.services.observe_scene import laid_over
from provisioning.services.observe_some import observe_some
from provisioning.services.standing_approval import approve_within
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.transitions import move
from provisioning.services.written_by_wave import left_by_wave, taken_by_wave

_WHILE_MOVED = timedelta(seconds=30)  # joins of a group are read back for minutes
_SEATS_MATTER = frozenset({Phase.PREPARE, Phase.UNDO_SOURCE})


class _Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says before the tenants are read."""

    migration: Migration
    travellers: tuple[Traveller, ...]
    coming: frozenset[SubjectId]  # whoever the migration brings here, in whatever wave
    own: tuple[Binding, ...]
    neighbours: Neighbours
    policy: Policy
    other_policy: Policy
    groups: GroupBasis
    joined: Joined


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    here: Census
    there: Census
    seats: Seats
    groups: ObservedGroups
    counting_for_us: frozenset[SubjectId] | None
    joined: Mapping[SubjectId, HeldLicence]


@dataclass(frozen=True, kw_only=True)
class PlanPart:
    """Work for parts in planning."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits
    mappings: Mappings
    trouble: TenantTrouble
    finish: FinishOperation
    keep_alive: KeepAlive = kept_alive

    def __call__(self, operation: Operation, lease: Lease) -> bool:
        doubt_absence_first(self.open_uow, operation, lease, self.clock, self.limits.lag_horizon)
        with self.open_uow() as uow:
            basis = self._basis(uow, operation)
            must_wait = self._must_wait(uow, operation, basis)
        if must_wait:
            return look_again(self.open_uow, operation, self.clock, _WHILE_MOVED, Reason.CONCURRENT_WRITE)
        if not basis.own or not all(binding.is_confirmed for binding in basis.own):
            reason = Reason.BINDING_UNCONFIRMED if basis.own else Reason.TENANT_NOT_BOUND
            return hold(self.open_uow, operation, self.clock, reason)
        try:
            with self.keep_alive(self.open_uow, lease, self.clock, self.limits.lease_duration):
                seen = self._observe(operation, basis)
                _require_whole(seen)
        except UnavailableError as error:
            return self.trouble.met(operation, RetryableError(str(error), Reason.SELECTION_INCOMPLETE))
        except GraphError as error:
            return self.trouble.met(operation, error)
        if seen.groups.trouble:
            return hold(self.open_uow, operation, self.clock, seen.groups.trouble)
        with self.open_uow() as uow:
            uow.leases.check(lease)
            goes_on = self._store(uow, operation, basis, seen)
            uow.commit()
        return goes_on

    def _must_wait(self, uow: UnitOfWork, operation: Operation, basis: _Basis) -> bool:
        """Whether people whose licence is taken back are just being moved into a group, or were a moment ago."""
        if _part_of(operation).phase is not Phase.UNDO_TARGET:
            return False
        since = self.clock.now() - self.limits.lag_horizon
        return is_being_moved(uow, operation) or is_unsettled(basis.joined, since)

    # ── what it is drawn from ────────────────────────────────────────────────────────────────────────────

    def _basis(self, uow: UnitOfWork, operation: Operation) -> _Basis:
        part = _part_of(operation)
        now = self.clock.now()
        today = dutch_day(now)
        migration = uow.migrations.get(part.migration_id)
        everybody = uow.migrations.travellers(part.migration_id)
        people = [one for one in everybody if one.wave == part.wave]
        here = [one.target_id if part.phase in TARGET_PHASES else one.source_id for one in everybody]
        return _Basis(
            migration=migration,
            travellers=tuple(one for one in people if one.operation_id == operation.operation_id),
            coming=frozenset(one for one in here if one),
            own=tuple(own_bindings(uow, operation, today)),
            neighbours=neighbours_in(uow, operation.tenant_id, operation.wish.holder_id, today),
            policy=uow.tenants.policy_on(operation.tenant_id, today),
            other_policy=uow.tenants.policy_on(_other_tenant(operation, migration), today),
            groups=group_basis(uow, operation, now, self.limits, is_asked=False),
            joined=joined_since(uow, operation),
        )

    def _observe(self, operation: Operation, basis: _Basis) -> _Seen:
        """Seats that are given out are counted against everybody who holds one; else the wave's people suffice."""
        phase, tenant = _part_of(operation).phase, operation.tenant_id
        is_target = phase in TARGET_PHASES
        here = [one.target_id if is_target else one.source_id for one in basis.travellers]
        there = [one.source_id if is_target else one.target_id for one in basis.travellers]
        other = _other_tenant(operation, basis.migration)
        census = (
            self.gateway.observe_census(tenant)
            if phase in _SEATS_MATTER
            else observe_some(self.gateway, self.clock, tenant, [one for one in here if one])
        )
        gives_seats = phase in _SEATS_MATTER and census.is_complete
        return _Seen(
            here=census,
            counting_for_us=(
                basis.neighbours.counting_for_us(self.gateway, census, basis.coming) if gives_seats else None
            ),
            there=observe_some(self.gateway, self.clock, other, [one for one in there if one]),
            seats=self.gateway.observe_seats(tenant),
            groups=observe_groups(
                self.gateway,
                operation,
                _directly(basis.policy),
                basis.groups,
                census,
                self.mappings,
                # all may have left it, or nobody shows it yet
                also=basis.groups.ids if phase is Phase.UNDO_SOURCE else groups_of(basis.joined),
            ),
            joined=still_in(self.gateway, tenant, basis.joined, self.clock.now(), self.limits.lag_horizon),
        )

    def _store(self, uow: UnitOfWork, operation: Operation, basis: _Basis, seen: _Seen) -> bool:
        plan = self._drawn(uow, operation, basis, seen)
        pseudonyms = uow.audit.pseudonyms(plan.tenant_id, [subject.subject_id for subject in plan.subjects])
        valid_until = plan.drawn_at + self.limits.migration_approval_validity
        uow.plans.add(plan, pseudonyms, sku=operation.wish.sku_id, valid_until=valid_until)
        uow.audit.record([plan_drawn(operation, plan)])
        return self._go_on(uow, operation, plan)

    def _drawn(self, uow: UnitOfWork, operation: Operation, basis: _Basis, seen: _Seen) -> Plan:
        scene = self._scene(uow, operation, basis, seen)
        fields = {name: getattr(scene, name) for name in MigrationScene.__struct_fields__}
        if _part_of(operation).phase in TARGET_PHASES:
            mailboxes = {one.target_id: one.has_mailbox for one in basis.travellers if one.target_id}
            left = left_by_wave(uow, operation, seen.here)
            return plan_migrate(MigrateScene(**fields, left=left, joined=seen.joined, mailboxes=mailboxes))
        return plan_release(
            ReleaseScene(**fields, target_policy=basis.other_policy, taken=taken_by_wave(uow, operation))
        )

    def _scene(self, uow: UnitOfWork, operation: Operation, basis: _Basis, seen: _Seen) -> MigrationScene:
        wish, tenant_id, now = operation.wish, operation.tenant_id, self.clock.now()
        tenant = uow.tenants.find(tenant_id)
        horizon = now - self.limits.lag_horizon
        other = seen.there.tenant_id
        return MigrationScene(
            plan_id=PlanId(str(uuid4())),
            operation_id=operation.operation_id,
            tenant_id=tenant_id,
            now=now,
            wish=wish,
            definition=basis.migration.definition,
            travellers=basis.travellers,
            policy=basis.policy,
            mappings=self.mappings,
            grounds=grounds_of(uow, operation, basis.own, basis.policy, self.mappings),
            census=laid_over(seen.here, uow.journal.applied_since(tenant_id, horizon)),
            other=laid_over(seen.there, uow.journal.applied_since(other, horizon)),
            seats=seen.seats.counts.get(wish.sku_id),
            entitlement=uow.ledger.entitlement(wish.holder_id, tenant_id, wish.sku_id, dutch_day(now)),
            reserved=frozenset(uow.seats.reserved(tenant_id, wish.sku_id, apart_from=operation.operation_id)),
            in_doubt=in_doubt(uow, operation.operation_id),
            own=seen.counting_for_us,
            waiting=tuple(uow.seats.waiting(tenant_id, wish.sku_id)),
            permissions=tenant.permissions if tenant else frozenset(),
            usage=usage_of(uow, tenant_id, tenant, now - self.limits.guard_window),
            limits=self.limits,
            groups=seen.groups.scene,
        )

    # ── what follows ─────────────────────────────────────────────────────────────────────────────────────

    def _go_on(self, uow: UnitOfWork, operation: Operation, plan: Plan) -> bool:
        now = self.clock.now()
        if plan.needs_approval and plan.writes and not approve_within(uow, operation, plan, now):
            await_approval(uow, operation, now, self.limits.migration_approval_validity)
            return False
        if has_open_steps(uow, operation):
            move(uow, operation, OperationState.APPLYING, now)
            return True
        self.finish(uow, operation)
        return False


def _require_whole(seen: _Seen) -> None:
    """Half a look says nothing about anybody: it is no plan that they all failed. Raises RetryableError."""
    if not (seen.here.is_complete and seen.there.is_complete):
        raise RetryableError("Not everybody could be read.", Reason.SELECTION_INCOMPLETE)


def _part_of(operation: Operation) -> MigrationPart:
    if operation.wish.part is None:
        raise ValueError(f"operation {operation.operation_id} is no part of a migration")
    return operation.wish.part


def _other_tenant(operation: Operation, migration: Migration) -> TenantId:
    definition = migration.definition
    is_target = _part_of(operation).phase in TARGET_PHASES
    return definition.source_tenant if is_target else definition.target_tenant


def _directly(policy: Policy) -> Policy:
    """Wherever people are on their way, licences go to them by name: a group cannot have Exchange off for some."""
    return msgspec.structs.replace(policy, assignment_mode=AssignmentMode.DIRECT, group_id=None)
