"""What a look at a tenant told about it, kept for those who do not look themselves."""

import msgspec

from provisioning.domain.observation import TenantProfile
from provisioning.domain.tenancy import ConsentState
from provisioning.ports import UnitOfWork


def remember_tenant(uow: UnitOfWork, profile: TenantProfile, *, is_enough: bool) -> None:
    """In the caller's transaction; `is_enough`: whether the permissions suffice for what was to be done."""
    tenant = uow.tenants.find(profile.tenant_id)
    if tenant is None:
        return
    seen = msgspec.structs.replace(
        tenant,
        verified_domains=profile.verified_domains,
        country=profile.country,
        consent=ConsentState.GRANTED if is_enough else ConsentState.INSUFFICIENT,
        permissions=profile.permissions,
    )
    if seen != tenant:
        uow.tenants.save(seen)
