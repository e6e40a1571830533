"""Who of a tenant belongs to an organisation. It decides who gets seats, so the binding is confirmed anew."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience
from provisioning.domain.events import Event
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import Binding
from provisioning.planning.selectors import parse_selector
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.lookup import get_binding


@dataclass(frozen=True, kw_only=True)
class SetSelector:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(
        self,
        identity: Identity,
        organisation: str,
        tenant: str,
        audience: Audience,
        selector: str,
        on: date | None = None,
    ) -> Binding:
        """The binding as it is afterwards, unconfirmed; raises InputError when the selector cannot be read."""
        require(identity, Action.SET_SELECTOR)
        parse_selector(selector)
        now = self.clock.now()
        with self.open_uow() as uow:
            binding = get_binding(uow, organisation, tenant, on or dutch_day(now))
            uow.tenants.set_selector(binding.binding_id, audience, selector, identity.actor, now)
            # Selectors can list people, so the log keeps their digests.
            event = Event(
                at=now,
                actor=identity.actor,
                kind="selector.set",
                organisation=binding.organisation_id,
                tenant=binding.tenant_id,
                before=_digest(binding.selectors.get(audience)),
                after=_digest(selector),
                details={"binding": binding.binding_id, "audience": audience},
            )
            uow.audit.record([event])
            uow.commit()
        return msgspec.structs.replace(
            binding,
            selectors={**binding.selectors, audience: selector},
            created_by=identity.actor,
            authors=() if binding.is_confirmed else binding.hands,
            confirmed_by=None,
            confirmed_at=None,
            evidence=frozenset(),
        )


def _digest(selector: str | None) -> str | None:
    return sha256(selector.encode()).hexdigest() if selector is not None else None
