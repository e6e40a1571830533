"""A second person confirms that a tenant is the organisation's own, on the ground of two independent facts."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ConflictError, NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId, SkuId
from provisioning.domain.order import OrderLine
from provisioning.domain.rights import Action, require, require_other
from provisioning.domain.tenancy import Binding, BindingEvidence, Organisation, RelationKind
from provisioning.planning.consent import ReturnedConsent, read_returned
from provisioning.planning.evidence import FACTS_NEEDED, gather_evidence, missing_evidence
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.add_tenant import as_observed
from provisioning.services.look_for_seats import note_baseline
from provisioning.services.lookup import get_binding, get_organisation
from provisioning.services.refusals import refusals_on_record


class _Case(msgspec.Struct, frozen=True):
    binding: Binding
    organisation: Organisation
    ordered: dict[SkuId, list[int]]


@dataclass(frozen=True, kw_only=True)
class ConfirmBinding:
    """`consent_key` gives what signs our consent links, asked for only when one came back.

    `release_held` judges again what waited for this binding.
    """

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    mappings: Mappings
    consent_key: Callable[[], bytes]
    release_held: Callable[[OrganisationId], object]

    def __call__(
        self,
        identity: Identity,
        organisation: str,
        tenant: str,
        *,
        returned_address: str | None = None,
        on: date | None = None,
    ) -> Binding:
        """Raises NotAllowedError saying which facts are missing, GraphError when the tenant cannot be read."""
        of = f"{organisation}/{tenant}"
        with refusals_on_record(self.open_uow, self.clock, identity, Action.CONFIRM_BINDING, of):
            return self._confirm(identity, organisation, tenant, returned_address, on)

    def _confirm(
        self, identity: Identity, organisation: str, tenant: str, returned_address: str | None, on: date | None
    ) -> Binding:
        require(identity, Action.CONFIRM_BINDING)
        now = self.clock.now()
        returned = read_returned(returned_address, self.consent_key(), now) if returned_address else None
        case = self._read(identity, organisation, tenant, on or dutch_day(now))
        evidence = self._observe(case, returned)
        if len(evidence) < FACTS_NEEDED:
            raise NotAllowedError(
                f"The binding of {case.organisation.organisation_id} is not confirmed: it takes {FACTS_NEEDED} "
                f"independent facts, and there is {len(evidence)}. Missing: {missing_evidence(evidence)}."
            )
        self._write(identity, case.binding, evidence, now)
        self.release_held(case.binding.organisation_id)
        return msgspec.structs.replace(case.binding, confirmed_by=identity.actor, confirmed_at=now, evidence=evidence)

    def _read(self, identity: Identity, organisation: str, tenant: str, on: date) -> _Case:
        with self.open_uow() as uow:
            binding = get_binding(uow, organisation, tenant, on)
            if binding.is_confirmed:
                raise ConflictError(f"This binding was confirmed by {binding.confirmed_by} already.")
            for author in binding.hands:
                require_other(identity, author, "made this binding or changed its selector")
            found = get_organisation(uow, organisation)
            return _Case(binding, found, self._ordered(uow, binding, on))

    def _ordered(self, uow: UnitOfWork, binding: Binding, on: date) -> dict[SkuId, list[int]]:
        """Numbers per SKU that were bought for this tenant, or that held lines still ask for."""
        ordered = defaultdict[SkuId, list[int]](list)
        for buyer in _buyers_for(uow, binding.organisation_id, on):
            for entry in uow.ledger.list_by(buyer):
                if entry.sku_id is not None and entry.tenant_id in {None, binding.tenant_id}:
                    ordered[entry.sku_id].append(entry.delta)
            for line in uow.orders.list_held(buyer):
                for sku_id in self._skus_of(line, on):
                    ordered[sku_id].append(int(line.shop.quantity))
        return dict(ordered)

    def _skus_of(self, line: OrderLine, on: date) -> set[SkuId]:
        if not isinstance(line.shop.quantity, int):
            return set()
        articles = self.mappings.articles_coded(line.shop.article_code, line.shop.starts_on or on)
        return {article.sku_id for article in articles if article.sku_id is not None}

    def _observe(self, case: _Case, returned: ReturnedConsent | None) -> frozenset[BindingEvidence]:
        tenant_id = case.binding.tenant_id
        profile, seats = self.gateway.observe_tenant(tenant_id), self.gateway.observe_seats(tenant_id)
        with self.open_uow() as uow:
            tenant = uow.tenants.find(tenant_id)
            if tenant is not None:
                uow.tenants.save(as_observed(tenant, profile))
                for sku in seats.counts:  # before the first order: what is here now is no delivery of ours
                    note_baseline(uow, tenant_id, sku, seats, self.clock.now())
                uow.commit()
        return gather_evidence(case.organisation, profile, seats, case.ordered, returned)

    def _write(self, identity: Identity, binding: Binding, evidence: frozenset[BindingEvidence], now: datetime) -> None:
        with self.open_uow() as uow:
            uow.tenants.confirm_binding(binding.binding_id, identity.actor, now, evidence)
            event = Event(
                at=now,
                actor=identity.actor,
                kind="binding.confirmed",
                organisation=binding.organisation_id,
                tenant=binding.tenant_id,
                reason=" ".join(sorted(evidence)),
                details={"binding": binding.binding_id},
            )
            uow.audit.record([event])
            uow.commit()


def _buyers_for(uow: UnitOfWork, organisation: OrganisationId, on: date) -> list[OrganisationId]:
    """The organisation, and the boards above it: a board buys for its schools."""
    relations = uow.organisations.relations_of(organisation, on)
    boards = [x for x in relations if x.child_id == organisation and x.kind is RelationKind.HIERARCHICAL]
    return [organisation, *(relation.parent_id for relation in boards)]
