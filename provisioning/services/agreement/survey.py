"""Looks at both tenants before anybody asks Microsoft: who holds what there, who is ready, what is not ours (S28)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

from provisioning.domain.agreement_move import AgreementMove, Inventory, Look
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.errors import RetryableError
from provisioning.domain.ids import SkuId, SubjectId, TenantId
from provisioning.domain.observation import Census
from provisioning.domain.order import LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding, Policy
from provisioning.domain.ticket import Ticket
from provisioning.planning.agreement_inventory import AtSchool, Sides, moving_seats, take_inventory
from provisioning.planning.agreement_watch import is_there_already
from provisioning.planning.selection import select
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.agreement.parties import Parties, find_parties, held_by
from provisioning.services.observe_scene import Observed, observe_scene


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Whose people are looked for in a tenant, and who else speaks for people there."""

    tenant_id: TenantId
    own: tuple[Binding, ...]
    strangers: tuple[Binding, ...]


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says before the tenants are read. `policy`: of the target."""

    parties: Parties
    held: tuple[LedgerEntry, ...]
    source: Side
    target: Side
    policy: Policy


@dataclass(frozen=True, kw_only=True)
class SurveyAgreement:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    mappings: Mappings

    def basis(self, uow: UnitOfWork, ticket: Ticket, move: AgreementMove | None) -> Basis | None:
        """In the caller's transaction; None while one of the tenants is not known to us."""
        today = dutch_day(self.clock.now())
        parties = find_parties(uow, ticket, move, today)
        if parties is None:
            return None
        source, target = parties.source.tenant_id, parties.target.tenant_id
        return Basis(
            parties=parties,
            held=tuple(held_by(uow, parties.holders)),
            source=_side(uow, parties, source, today),
            target=_side(uow, parties, target, today),
            policy=uow.tenants.policy_on(target, today),
        )

    def __call__(self, basis: Basis) -> tuple[Look, Inventory]:
        """Reads with no transaction open. Raises GraphError when a tenant cannot be read as a whole."""
        here, there = self._scene(basis.source), self._scene(basis.target)
        with self.open_uow() as uow:
            return self._counted(uow, basis, here, there)

    def _scene(self, side: Side) -> Observed:
        """Where nobody of theirs is, nobody is looked at; half a look says nothing."""
        if not side.own:
            nobody = Census(tenant_id=side.tenant_id, observed_at=self.clock.now(), is_complete=True, people=())
            return Observed(census=nobody, memberships={}, seats=self.gateway.observe_seats(side.tenant_id))
        seen = observe_scene(self.gateway, side.tenant_id, [*side.own, *side.strangers])
        if not seen.census.is_complete or not all(one.is_complete for one in seen.memberships.values()):
            raise RetryableError("Not everybody could be read.", Reason.SELECTION_INCOMPLETE)
        return seen

    def _counted(self, uow: UnitOfWork, basis: Basis, here: Observed, there: Observed) -> tuple[Look, Inventory]:
        now = self.clock.now()
        today = dutch_day(now)
        source, target = basis.source.tenant_id, basis.target.tenant_id
        shown = [one.sku_id for seen in (here, there) for one in seen.seats.subscriptions]
        skus = [*shown, *(one.sku_id for one in basis.held if one.sku_id is not None)]
        sides = Sides(
            source=here.seats.subscriptions,
            target=there.seats.subscriptions,
            bought_in_source=bought_in(uow, source, skus, today),
            bought_in_target=bought_in(uow, target, skus, today),
            people_in_source=_people(here, basis.source),
            people_in_target=_people(there, basis.target),
            chosen=self._chosen(basis, there),
        )
        moving = moving_seats(basis.held, source, target, sides, today)
        look = Look(at=now, source=sides.source, target=sides.target, bought=sides.bought_in_target)
        inventory = take_inventory(moving, sides, basis.policy.usage_location)
        is_there = is_there_already(moving, inventory.staying, look)
        return look, msgspec.structs.replace(inventory, is_there_already=is_there)

    def _chosen(self, basis: Basis, there: Observed) -> dict[SkuId, frozenset[SubjectId]]:
        """Of each product, the people whom it is for: by the audience of the articles that brought it."""
        audiences = {one.code: one.audience for one in self.mappings.articles}
        wanted = {(one.sku_id, audiences[one.article_code]) for one in basis.held if one.article_code in audiences}
        chosen: dict[SkuId, frozenset[SubjectId]] = {}
        for sku, audience in wanted:
            if sku is not None:
                found = frozenset(person.subject_id for person, _ in _people(there, basis.target, audience))
                chosen[sku] = chosen.get(sku, frozenset()) | found
        return chosen


def bought_in(uow: UnitOfWork, tenant: TenantId, skus: Sequence[SkuId], on: date) -> dict[SkuId, int]:
    """By everybody together, of each product of which there is any."""
    totals = {sku: uow.ledger.tenant_total(tenant, sku, on) for sku in dict.fromkeys(skus)}
    return {sku: seats for sku, seats in sorted(totals.items()) if seats}


def _side(uow: UnitOfWork, parties: Parties, tenant: TenantId, on: date) -> Side:
    return Side(
        tenant_id=tenant,
        own=tuple(parties.bindings_in(uow, tenant, on)),
        strangers=tuple(parties.strangers_in(uow, tenant, on)),
    )


def _people(seen: Observed, side: Side, audience: Audience = Audience.ANY) -> tuple[AtSchool, ...]:
    """Theirs, once each; whom two would claim is nobody's to count."""
    if not side.own:
        return ()
    return select(seen.census, seen.memberships, side.own, side.strangers, audience).chosen
