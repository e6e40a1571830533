"""One tenant of a campaign looked at: would its remap succeed, if it were planned now? Reads, and writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.campaign import Campaign, CampaignMember, MemberKey
from provisioning.domain.catalogue import Mappings, Sku
from provisioning.domain.errors import GraphError
from provisioning.domain.ids import PlanId, SubjectId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, MigrationState
from provisioning.domain.observation import SeatCount, Seats, TenantProfile
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Agreement, RecordKind
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.campaign_readiness import MemberFacts, Readiness, Seen, first_end, readiness_of
from provisioning.planning.carry import KnownPlans, as_offered, undecided
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.deliver_scene import DeliverScene
from provisioning.planning.guards import Usage
from provisioning.planning.plan import Grounds
from provisioning.planning.seats import situation
from provisioning.planning.selection import Selection, has_shrunk, select
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.begin_member import operation_of
from provisioning.services.observe_groups import ObservedGroups, observe_groups
from provisioning.services.observe_scene import Observed, observe_scene
from provisioning.services.plan_basis import PlanBasis, plan_basis
from provisioning.services.remap_grounds import seats_along

_OPEN = frozenset(set(OperationState) - OPERATION_ENDS)
_MIGRATING = frozenset(set(MigrationState) - MIGRATION_ENDS)
_SHORT = 8


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says of one member before its tenant is read."""

    member: CampaignMember
    operation: Operation
    basis: PlanBasis
    facts: MemberFacts  # without what is observed
    reserved: frozenset[SubjectId]
    migrating: frozenset[SubjectId]

    @property
    def may_be_planned(self) -> bool:
        return self.basis.hold is None and self.basis.policy.assignment_mode is not AssignmentMode.NONE


@dataclass(frozen=True, kw_only=True)
class LookAtTenant:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    mappings: Mappings
    limits: Limits

    def __call__(self, campaign: Campaign, members: Sequence[CampaignMember]) -> dict[MemberKey, Readiness]:
        """`members` of one tenant. A tenant that cannot be read is a finding, and no error."""
        now = self.clock.now()
        with self.open_uow() as uow:
            known = [self._known(uow, campaign, member, now) for member in members]
        try:
            seen = self._seen(known[0].member.tenant_id, known, now)
        except GraphError as error:
            return {one.member.key: readiness_of(_unread(one.facts, error.reason)) for one in known}
        return {
            one.member.key: readiness_of(msgspec.structs.replace(one.facts, seen=seen.get(one.member.key)))
            for one in known
        }

    # ── what the database says ───────────────────────────────────────────────────────────────────────────

    def _known(self, uow: UnitOfWork, campaign: Campaign, member: CampaignMember, now: datetime) -> Known:
        operation = operation_of(uow, self.mappings, campaign, member, now)
        basis = plan_basis(uow, operation, now, self.limits)
        wish, tenant = operation.wish, member.tenant_id
        facts = MemberFacts(
            now=now,
            policy=basis.policy,
            hold=basis.hold,
            entitlement=uow.ledger.entitlement(wish.holder_id, tenant, wish.sku_id, dutch_day(now)),
            processing=_processing(uow, member),
            is_stopped=uow.stops.blocking(tenant, operation.kind) is not None,
            in_the_way=tuple(_in_the_way(uow, operation)),
            migrations=tuple(_migrations(uow, tenant)),
            begins_at=campaign.definition.begins_at,
            end_warning=self.limits.campaign_end_warning,
        )
        return Known(
            member=member,
            operation=operation,
            basis=basis,
            facts=facts,
            reserved=frozenset(uow.seats.reserved(tenant, wish.sku_id)),
            migrating=uow.migrations.awaiting_exchange(tenant),
        )

    # ── what the tenant shows ────────────────────────────────────────────────────────────────────────────

    def _seen(self, tenant: TenantId, known: Sequence[Known], now: datetime) -> Mapping[MemberKey, Seen]:
        """Of members for whom a plan could be drawn. Consent is asked about for all: it takes a school weeks."""
        profile, seats = self.gateway.observe_readiness(tenant)
        plannable = [one for one in known if one.may_be_planned]
        if not plannable:
            return {}
        bindings = [binding for one in plannable for binding in (*one.basis.own, *one.basis.strangers)]
        observed = observe_scene(self.gateway, tenant, list({one.binding_id: one for one in bindings}.values()))
        return {one.member.key: self._drawn(one, profile, seats, observed, now) for one in plannable}

    def _drawn(self, known: Known, profile: TenantProfile, seats: Seats, observed: Observed, now: datetime) -> Seen:
        operation, basis = known.operation, known.basis
        groups = observe_groups(self.gateway, operation, basis.policy, basis.groups, observed.census, self.mappings)
        count = seats.counts.get(operation.wish.sku_id)
        selection = _selection(known, observed)
        return Seen(
            permissions=profile.permissions,
            seats=situation(count, observed.census, known.reserved, known.facts.entitlement),
            plan=plan_deliver(self._scene(known, profile, count, observed, groups, selection, now)),
            undecided=self._undecided(operation, basis, count),
            trouble=groups.trouble or self._about(selection),
            ends_at=first_end(seats.subscriptions, known.member.from_sku),
        )

    def _about(self, selection: Selection) -> Reason | None:
        """Why nobody may be planned for, by what the selectors match now; as the planning of an operation has it."""
        if selection.is_empty:
            return Reason.SELECTOR_EMPTY
        with self.open_uow() as uow:
            shrank = any(
                has_shrunk(uow.tenants.selection_size(binding, audience), size, self.limits)
                for (binding, audience), size in selection.sizes.items()
            )
        return Reason.SELECTOR_SHRANK if shrank else None

    def _scene(
        self,
        known: Known,
        profile: TenantProfile,
        count: SeatCount | None,
        observed: Observed,
        groups: ObservedGroups,
        selection: Selection,
        now: datetime,
    ) -> DeliverScene:
        operation, basis = known.operation, known.basis
        with self.open_uow() as uow:
            along = seats_along(uow, operation, observed, selection, dutch_day(now))
        return DeliverScene(
            plan_id=PlanId("readiness"),
            operation_id=operation.operation_id,
            tenant_id=operation.tenant_id,
            now=now,
            wish=operation.wish,
            policy=basis.policy,
            mappings=self.mappings,
            grounds=Grounds(mapping="", policy="", bindings="", authority=""),
            census=observed.census,
            selection=_holding(selection, operation),
            seats=count,
            reserved=known.reserved,
            entitlement=known.facts.entitlement,
            waiting=(),
            permissions=profile.permissions,
            usage=Usage(),
            limits=self.limits,
            groups=groups.scene,
            along=along,
        )

    def _undecided(self, operation: Operation, basis: PlanBasis, count: SeatCount | None) -> tuple[str, ...]:
        plans = KnownPlans.named_in(self.mappings.skus)
        product: Sku = self.mappings.skus[operation.wish.sku_id]
        offered = as_offered(product, count.plan_ids, plans) if count else product
        return tuple(sorted(map(plans.name, undecided(offered, operation.wish.audience, basis.policy))))


def _selection(known: Known, observed: Observed) -> Selection:
    basis, audience = known.basis, known.operation.wish.audience
    selection = select(observed.census, observed.memberships, basis.own, basis.strangers, audience)
    return selection.leaving_to_migrations(known.migrating)


def _holding(selection: Selection, operation: Operation) -> Selection:
    """Of whoever is selected those who hold the product that goes: a remap speaks of nobody else."""
    going = operation.wish.replaces
    chosen = tuple(one for one in selection.chosen if any(map(one[0].holds, going)))
    return msgspec.structs.replace(selection, chosen=chosen, undecidable={})


def _unread(facts: MemberFacts, reason: Reason) -> MemberFacts:
    return msgspec.structs.replace(facts, unread=reason)


def _processing(uow: UnitOfWork, member: CampaignMember) -> frozenset[str]:
    """Of the holder, or of the board above it."""
    records = [
        record
        for holder in dict.fromkeys((member.holder_id, member.board_id))
        for record in uow.records.list_by(RecordKind.AGREEMENT, holder)
    ]
    return frozenset(record.processing for record in records if isinstance(record, Agreement))


def _in_the_way(uow: UnitOfWork, operation: Operation) -> Iterator[str]:
    for one in uow.operations.list_by(states=_OPEN, tenant=operation.tenant_id):
        if one.operation_id != operation.operation_id:
            yield f"{one.kind} {one.operation_id[:_SHORT]} {one.state}"


def _migrations(uow: UnitOfWork, tenant: TenantId) -> Iterator[str]:
    for one in uow.migrations.list_by(_MIGRATING):
        if tenant in {one.definition.source_tenant, one.definition.target_tenant}:
            yield f"{one.definition.name} ({one.state})"
