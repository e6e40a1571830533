"""An organisation uses a tenant from a day on: said by one person, in force once a second one confirmed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import BindingId
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import Binding
from provisioning.planning.selectors import parse_selector
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.lookup import get_organisation, get_tenant


@dataclass(frozen=True, kw_only=True)
class BindTenant:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(
        self,
        identity: Identity,
        organisation: str,
        tenant: str,
        *,
        valid_from: date | None = None,
        valid_until: date | None = None,
        is_transition: bool = False,
        selectors: Mapping[Audience, str] | None = None,
    ) -> Binding:
        """Raises InputError, or ConflictError when another binding overlaps and neither is a transition."""
        require(identity, Action.BIND_TENANT)
        for selector in (selectors or {}).values():
            parse_selector(selector)
        now = self.clock.now()
        begin = valid_from or dutch_day(now)
        if valid_until is not None and valid_until < begin:
            raise InputError(f"The binding would end on {valid_until}, before it begins on {begin}.")
        with self.open_uow() as uow:
            binding = Binding(
                binding_id=BindingId(str(uuid4())),
                organisation_id=get_organisation(uow, organisation).organisation_id,
                tenant_id=get_tenant(uow, tenant).tenant_id,
                valid_from=begin,
                valid_until=valid_until,
                is_transition=is_transition,
                selectors=dict(selectors or {}),
                created_by=identity.actor,
            )
            uow.tenants.add_binding(binding)
            uow.audit.record([_made(binding, now)])
            uow.commit()
        return binding


def _made(binding: Binding, now: datetime) -> Event:
    return Event(
        at=now,
        actor=binding.created_by,
        kind="binding.made",
        organisation=binding.organisation_id,
        tenant=binding.tenant_id,
        after=f"{binding.valid_from} to {binding.valid_until or 'further notice'}",
        details={"binding": binding.binding_id},
    )
