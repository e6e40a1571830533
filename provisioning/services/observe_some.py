"""Some people of a tenant as a census of them alone: one by one when they are few, by the whole list when many."""

from collections.abc import Collection

import msgspec

from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.observation import Census
from provisioning.ports import Clock, LicenceGateway

_FEW = 100  # up to five batches of single people are cheaper than listing a tenant


def observe_some(gateway: LicenceGateway, clock: Clock, tenant: TenantId, subjects: Collection[SubjectId]) -> Census:
    """Whoever Graph does not know is not in it; incomplete when somebody could not be read. Raises GraphError."""
    if len(subjects) > _FEW:
        census = gateway.observe_census(tenant)
        wanted = frozenset(subjects)
        return msgspec.structs.replace(census, people=tuple(one for one in census.people if one.subject_id in wanted))
    observed_at = clock.now()
    seen = gateway.observe_people(tenant, sorted(subjects)) if subjects else {}
    return Census(
        tenant_id=tenant,
        observed_at=observed_at,
        is_complete=len(seen) == len(frozenset(subjects)),
        people=tuple(person for person in seen.values() if person),
    )
