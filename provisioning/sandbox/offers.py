"""What a tenant can give at a moment, whoever asks."""

from provisioning.sandbox.licensing import Offer
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.world import World


def offer_of(world: World, tenant: Tenant, now: float) -> Offer:
    skus = world.catalogue.skus
    owned = frozenset(sku for sku in tenant.owned_skus(now) if sku in skus and skus[sku].appliesTo == "User")
    return Offer(owned, skus, lambda sku_id: _free_seats(world, tenant, sku_id, now), tenant.rules)


def _free_seats(world: World, tenant: Tenant, sku_id: str, now: float) -> int:
    units = tenant.units_of(sku_id, now)
    assignable = units.enabled + (units.warning if world.switches.warning_units_assignable else 0)
    return assignable - tenant.directory.consumed[sku_id]
