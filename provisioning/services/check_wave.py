"""Both tenants looked at before the first write of a wave: what is in the way, and what is worth knowing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ActionRequiredError, InputError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, MigrationId, OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.migration import Migration, MigrationDefinition, Traveller
from provisioning.domain.observation import Census, TenantProfile
from provisioning.domain.tenancy import Policy
from provisioning.planning.groups import GroupScene, groups_that_bring
from provisioning.planning.preflight import Finding, Preflight, PreflightFacts, TenantFacts, still_to_prepare
from provisioning.planning.preflight_checks import preflight
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.boards import Neighbours, neighbours_in, of_board_in
from provisioning.services.migration_deeds import get_migration, get_wave
from provisioning.services.observe_scene import laid_over


class WaveNotReadyError(InputError):
    """Something is in the way of a wave; `preflight` says all that was found."""

    def __init__(self, number: int, found: Preflight) -> None:
        self.preflight = found
        blocking = "; ".join(_told(one) for one in found.findings if one.is_blocking)
        super().__init__(
            f"Wave {number} cannot begin: {blocking}. `provisioning migrations check` says more, and what to do."
        )


def _told(finding: Finding) -> str:
    people = f", {finding.people} people" if finding.people else ""
    details = f" ({', '.join(finding.details)})" if finding.details else ""
    return f"{finding.check.replace('_', ' ')}{people}{details}"


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says, before the tenants are read."""

    migration: Migration
    travellers: tuple[Traveller, ...]
    policies: Mapping[TenantId, Policy]
    bound: frozenset[TenantId]
    ours: Mapping[TenantId, frozenset[GroupId]]
    entitlements: dict[SkuId, int]
    reserved: dict[SkuId, frozenset[SubjectId]]
    neighbours: Neighbours
    coming: frozenset[SubjectId]


@dataclass(frozen=True, kw_only=True)
class CheckWave:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    mappings: Mappings
    limits: Limits

    def __call__(self, named: str, number: int, *, again: bool = False) -> Preflight:
        """Reads, and changes nothing: about everybody of the wave who is still to be prepared.

        `again`: about those too who failed at that, and are tried again. Raises GraphError when a tenant is unreadable.
        """
        with self.open_uow() as uow:
            migration = get_migration(uow, named)
            get_wave(uow, migration, number)
            known = self._known(uow, migration, number, again=again)
        definition = migration.definition
        target = self._facts(definition.target_tenant, known)
        return preflight(
            PreflightFacts(
                now=self.clock.now(),
                definition=definition,
                wave=number,
                travellers=known.travellers,
                source=self._facts(definition.source_tenant, known),
                target=target,
                mappings=self.mappings,
                limits=self.limits,
                entitlements=known.entitlements,
                reserved=known.reserved,
                own=self._counting_for_us(target.census, known),
            )
        )

    def require(self, migration_id: MigrationId, number: int) -> datetime:
        """The oldest observation that says so; raises WaveNotReadyError when something is in the way."""
        found = self(migration_id, number)
        if not found.is_clear:
            raise WaveNotReadyError(number, found)
        return found.checked_at

    def _known(self, uow: UnitOfWork, migration: Migration, number: int, *, again: bool) -> _Known:
        definition, today = migration.definition, dutch_day(self.clock.now())
        tenants = definition.source_tenant, definition.target_tenant
        wanted = {pair.target_sku for pair in definition.products}
        target, holder = definition.target_tenant, definition.target_holder
        everybody = uow.migrations.travellers(migration.migration_id)
        going = still_to_prepare((one for one in everybody if one.wave == number), again=again)
        own = {one.target_id for one in going}
        return _Known(
            migration=migration,
            travellers=going,
            bound=_bound(uow, definition, max(today, _day_of(definition, number) or today)),
            policies={one: uow.tenants.policy_on(one, today) for one in tenants},
            ours={one: frozenset(x.group_id for x in uow.groups.list_in(one) if x.group_id) for one in tenants},
            entitlements={sku: uow.ledger.entitlement(holder, target, sku, today) for sku in wanted},
            reserved={sku: frozenset(uow.seats.reserved(target, sku) - own) for sku in wanted},
            neighbours=neighbours_in(uow, target, holder, today),
            coming=frozenset(one.target_id for one in everybody if one.target_id),
        )

    def _counting_for_us(self, census: Census, known: _Known) -> frozenset[SubjectId] | None:
        """Of half a census nothing follows: the preflight says that it is half."""
        return known.neighbours.counting_for_us(self.gateway, census, known.coming) if census.is_complete else None

    def _facts(self, tenant: TenantId, known: _Known) -> TenantFacts:
        census = self._census(tenant)
        return TenantFacts(
            profile=self._profile(tenant),
            seats=self.gateway.observe_seats(tenant),
            census=census,
            policy=known.policies[tenant],
            is_ours=tenant in known.bound,
            groups=GroupScene(
                others=self._groups(tenant, census, known.migration),
                ours=known.ours[tenant],
            ),
        )

    def _profile(self, tenant: TenantId) -> TenantProfile | None:
        """None where consent is missing or gone: that is a finding, and no reason to look no further."""
        try:
            return self.gateway.observe_tenant(tenant)
        except ActionRequiredError:
            return None

    def _census(self, tenant: TenantId) -> Census:
        census = self.gateway.observe_census(tenant)
        with self.open_uow() as uow:
            receipts = uow.journal.applied_since(tenant, self.clock.now() - self.limits.lag_horizon)
        return laid_over(census, receipts)

    def _groups(self, tenant: TenantId, census: Census, migration: Migration) -> Mapping[GroupId, ObservedGroup]:
        bringing = groups_that_bring(census.people, migration.definition.skus)
        if not bringing:
            return {}
        seen = self.gateway.observe_groups(tenant, sorted(bringing), with_members=False)
        return {group_id: group for group_id, group in seen.items() if group}


def _day_of(definition: MigrationDefinition, number: int) -> date | None:
    """The first on which the wave may begin, where the file says one."""
    moments = (wave.not_before for wave in definition.waves if wave.number == number)
    return next((dutch_day(moment) for moment in moments if moment), None)


def _bound(uow: UnitOfWork, definition: MigrationDefinition, on: date) -> frozenset[TenantId]:
    """The tenants to which the holder there is bound on that day, with all confirmed: else nothing is written."""
    sides = (
        (definition.source_tenant, definition.source_holder),
        (definition.target_tenant, definition.target_holder),
    )
    return frozenset(tenant for tenant, holder in sides if _is_bound(uow, tenant, holder, on))


def _is_bound(uow: UnitOfWork, tenant: TenantId, holder: OrganisationId, on: date) -> bool:
    own = of_board_in(uow, tenant, holder, on)
    bindings = [one for one in uow.tenants.bindings_in(tenant, on) if one.organisation_id in own]
    return bool(bindings) and all(one.is_confirmed for one in bindings)
