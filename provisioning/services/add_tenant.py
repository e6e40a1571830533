"""An Entra tenant becomes known to us: found by one of its domains, looked at when it lets us."""

from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import ActionRequiredError, InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import TenantId
from provisioning.domain.observation import TenantProfile
from provisioning.domain.permissions import missing_for
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import ConsentState, Tenant
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class AddTenant:
    """Adding a tenant again looks at it anew; nothing is ever written to it by this."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock

    def __call__(self, identity: Identity, domain: str) -> Tenant:
        """Raises InputError when no tenant owns the domain, GraphError when Microsoft does not answer."""
        require(identity, Action.ADD_TENANT)
        asked = domain.strip().lower()
        tenant_id = self.gateway.find_tenant(asked)
        if tenant_id is None:
            raise InputError(f"No Entra tenant owns the domain {asked}; check how it is spelled.")
        profile = self._look(tenant_id)
        with self.open_uow() as uow:
            known = uow.tenants.find(tenant_id)
            tenant = as_observed(known or Tenant(tenant_id=tenant_id, initial_domain=asked), profile)
            uow.tenants.save(tenant)
            uow.audit.record([self._event(identity, tenant, is_new=known is None)])
            uow.commit()
        return tenant

    def _look(self, tenant_id: TenantId) -> TenantProfile | None:
        try:
            return self.gateway.observe_tenant(tenant_id)
        except ActionRequiredError as error:
            if error.credential:
                raise  # perhaps our own fault, and then it says nothing about this tenant
            return None  # no consent, which is how every tenant begins

    def _event(self, identity: Identity, tenant: Tenant, *, is_new: bool) -> Event:
        return Event(
            at=self.clock.now(),
            actor=identity.actor,
            kind="tenant.added" if is_new else "tenant.observed",
            tenant=tenant.tenant_id,
            after=tenant.consent,
        )


def as_observed(tenant: Tenant, profile: TenantProfile | None) -> Tenant:
    """The tenant as its profile shows it. Without a profile it is as it was, save that consent may be gone."""
    if profile is None:
        is_gone = tenant.consent in {ConsentState.GRANTED, ConsentState.INSUFFICIENT}
        return msgspec.structs.replace(tenant, consent=ConsentState.REVOKED) if is_gone else tenant
    is_enough = not missing_for((), profile.permissions)
    return msgspec.structs.replace(
        tenant,
        initial_domain=profile.initial_domain or tenant.initial_domain,
        verified_domains=profile.verified_domains,
        country=profile.country,
        consent=ConsentState.GRANTED if is_enough else ConsentState.INSUFFICIENT,
        permissions=profile.permissions,
    )
