"""The link on which a school's administrator grants us consent, carrying our signed state."""

from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.events import Event
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import ConsentState
from provisioning.planning.consent import VALIDITY, ConsentRequest, consent_link, sign_state
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.lookup import get_organisation, get_tenant


class ConsentApplication(msgspec.Struct, frozen=True, kw_only=True):
    """Our app registration as a consent link needs it. `key`: at least 32 secret bytes."""

    login_url: str
    client_id: str
    redirect_url: str
    key: bytes


@dataclass(frozen=True, kw_only=True)
class ConsentUrl:
    open_uow: OpenUnitOfWork
    clock: Clock
    application: ConsentApplication

    def __call__(self, identity: Identity, organisation: str, tenant: str) -> str:
        """The link; the tenant's consent is pending from now on when there was none."""
        require(identity, Action.ASK_CONSENT)
        now = self.clock.now()
        with self.open_uow() as uow:
            school, home = get_organisation(uow, organisation), get_tenant(uow, tenant)
            if home.consent is ConsentState.NONE:
                uow.tenants.save(msgspec.structs.replace(home, consent=ConsentState.PENDING))
            event = Event(
                at=now,
                actor=identity.actor,
                kind="consent.requested",
                organisation=school.organisation_id,
                tenant=home.tenant_id,
            )
            uow.audit.record([event])
            uow.commit()
        request = ConsentRequest(
            organisation_id=school.organisation_id, tenant_id=home.tenant_id, expires_at=now + VALIDITY
        )
        ours = self.application
        state = sign_state(request, ours.key)
        return consent_link(ours.login_url, home.tenant_id, ours.client_id, ours.redirect_url, state)
