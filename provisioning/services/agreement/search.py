"""Seats that left one tenant and came to no other: are they in another tenant of ours? (S32)

A part of the tenants at each look, the rest at the next: a task lasts seconds, and there are thousands.
"""

from dataclasses import dataclass

import msgspec

from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import GraphError
from provisioning.domain.ids import SkuId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Subscription
from provisioning.domain.tenancy import ConsentState
from provisioning.planning.agreement_watch import ACTIVE, is_arrival, looks_like
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork

_READABLE = frozenset({ConsentState.GRANTED, ConsentState.INSUFFICIENT})


@dataclass(frozen=True, kw_only=True)
class SearchElsewhere:
    """Says where they seem to be; only a person can know. Nothing is ever written there."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits

    def __call__(self, move: AgreementMove) -> AgreementMove:
        lost = _lost(move)
        searched = move.searched_to
        for tenant in self._next(move):
            if self._has_them(tenant, move, lost):
                return msgspec.structs.replace(move, seen_in=tenant, searched_to=None)
            searched = tenant
        return msgspec.structs.replace(move, searched_to=searched)

    def _next(self, move: AgreementMove) -> list[TenantId]:
        """Behind whom the last search ended; from the beginning when that was the end."""
        with self.open_uow() as uow:
            tenants = readable_tenants(uow)
        others = [one for one in tenants if one not in {move.source, move.target}]
        behind = [one for one in others if move.searched_to is None or one > move.searched_to]
        return (behind or others)[: self.limits.agreement_search]

    def _has_them(self, tenant: TenantId, move: AgreementMove, lost: list[Subscription]) -> bool:
        try:
            found = self.gateway.observe_seats(tenant).subscriptions
        except GraphError:
            return False  # its trouble shows on its own work; the search comes by again
        if not looks_like(lost, found):
            return False
        with self.open_uow() as uow:
            explained = {sku: self._explained(uow, tenant, sku, move) for sku in move.inventory.moving}
        return any(is_arrival(found, sku, seats, explained[sku]) for sku, seats in move.inventory.moving.items())

    def _explained(self, uow: UnitOfWork, tenant: TenantId, sku: SkuId, move: AgreementMove) -> int:
        """What belongs there, and what was there before without an order of ours."""
        bought = uow.ledger.tenant_total(tenant, sku, dutch_day(self.clock.now()))
        return bought + (uow.seats.unexplained_before(tenant, sku, move.before.at) or 0)


def readable_tenants(uow: UnitOfWork) -> list[TenantId]:
    """Tenants that let us look, in a lasting order."""
    return sorted(one.tenant_id for one in uow.tenants.list_all() if one.consent in _READABLE)


def _lost(move: AgreementMove) -> list[Subscription]:
    still = {one.subscription_id for one in move.latest.source if one.status == ACTIVE}
    return [
        one
        for one in move.before.source
        if one.sku_id in move.inventory.moving and one.status == ACTIVE and one.subscription_id not in still
    ]
