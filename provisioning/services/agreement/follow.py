"""Looks at both tenants while Microsoft moves agreements, for days: reads with no transaction open, then stores.

Each look is a row of its own, so a restart goes on from the last one; two workers that look at once store one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import structlog

from provisioning.domain.agreement_move import AgreementMove, Inventory, Look
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.errors import GraphError, RetryableError
from provisioning.domain.ids import SkuId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Census, Person, Seats
from provisioning.domain.operation import Operation
from provisioning.domain.order import LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding, Policy
from provisioning.domain.ticket import Ticket
from provisioning.domain.worklist import Intent, Topic
from provisioning.execution.backoff import growing
from provisioning.planning.agreement_inventory import Sides, entitled, moving_seats, take_inventory
from provisioning.planning.agreement_watch import Sighting, gone_along, next_vanished_at, sighting_of, worry
from provisioning.planning.selection import select
from provisioning.ports import Clock, Dispatcher, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.agreement.carry import begin_release, carry_over
from provisioning.services.agreement.parties import Parties, find_parties, held_by
from provisioning.services.agreement.search import SearchElsewhere
from provisioning.services.application_incident import OURSELVES
from provisioning.services.observe_scene import Observed, observe_scene

_log = structlog.get_logger(__name__)


class _Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says before the tenants are read."""

    parties: Parties
    held: tuple[LedgerEntry, ...]
    here: tuple[Binding, ...]
    here_strangers: tuple[Binding, ...]
    there: tuple[Binding, ...]
    there_strangers: tuple[Binding, ...]
    policy: Policy


@dataclass(frozen=True, kw_only=True)
class FollowAgreement:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits
    mappings: Mappings
    dispatcher: Dispatcher

    def __call__(self, ticket: Ticket) -> None:
        """One look, when it is time for one; what can be begun in our part is begun."""
        now = self.clock.now()
        with self.open_uow() as uow:
            move = uow.agreement_moves.find(ticket.ticket_id)
            parties = find_parties(uow, ticket, move, dutch_day(now))
        if parties is None or (move is not None and move.next_look_at > now and move.moved_on is None):
            return
        if ticket.approved_by is None:
            self._take_inventory(ticket, move, now)
        elif move is not None and move.moved_on is None:
            self._look(ticket, move, now)
        elif move is not None and not move.is_released:
            self._release(ticket, now)

    # ── before it is approved ────────────────────────────────────────────────────────────────────────────

    def _take_inventory(self, ticket: Ticket, move: AgreementMove | None, now: datetime) -> None:
        with self.open_uow() as uow:
            basis = self._basis(uow, ticket, move, dutch_day(now))
        if basis is None:
            return
        source, target = basis.parties.source.tenant_id, basis.parties.target.tenant_id
        try:
            here = self._scene(source, basis.here, basis.here_strangers)
            there = self._scene(target, basis.there, basis.there_strangers)
        except GraphError as error:
            self._store(ticket, move, self._troubled(basis.parties, move, error, now), now)
            return
        with self.open_uow() as uow:
            look, inventory = self._counted(uow, basis, here, there, now)
        again = self.limits.approval_validity  # what a person cures is looked at sooner
        if not (inventory.moving and inventory.present):
            again = growing(self.limits.agreement_looks, 0)
        taken = AgreementMove(
            source=source,
            target=target,
            inventory=inventory,
            inventoried_at=now,
            before=look,
            latest=look,
            next_look_at=now + again,
            alarms=move.alarms if move else (),
            is_withheld=basis.parties.is_withheld,
        )
        self._store(ticket, move, taken, now)

    def _basis(self, uow: UnitOfWork, ticket: Ticket, move: AgreementMove | None, today: date) -> _Basis | None:
        parties = find_parties(uow, ticket, move, today)
        if parties is None:
            return None
        source, target = parties.source.tenant_id, parties.target.tenant_id
        return _Basis(
            parties=parties,
            held=tuple(held_by(uow, parties.holders)),
            here=tuple(parties.bindings_in(uow, source, today)),
            here_strangers=tuple(parties.strangers_in(uow, source, today)),
            there=tuple(parties.bindings_in(uow, target, today)),
            there_strangers=tuple(parties.strangers_in(uow, target, today)),
            policy=uow.tenants.policy_on(target, today),
        )

    def _scene(self, tenant: TenantId, own: Sequence[Binding], strangers: Sequence[Binding]) -> Observed:
        """Where nobody of theirs is, nobody is looked at; half a look says nothing. Raises GraphError."""
        if not own:
            nobody = Census(tenant_id=tenant, observed_at=self.clock.now(), is_complete=True, people=())
            return Observed(census=nobody, memberships={}, seats=self.gateway.observe_seats(tenant))
        seen = observe_scene(self.gateway, tenant, [*own, *strangers])
        memberships = seen.memberships.values()
        if not seen.census.is_complete or not all(one.is_complete for one in memberships):
            raise RetryableError("Not everybody could be read.", Reason.SELECTION_INCOMPLETE)
        return seen

    def _counted(
        self, uow: UnitOfWork, basis: _Basis, here: Observed, there: Observed, now: datetime
    ) -> tuple[Look, Inventory]:
        source, target = basis.parties.source.tenant_id, basis.parties.target.tenant_id
        today = dutch_day(now)
        skus = [*(one.sku_id for one in here.seats.subscriptions), *entitled(basis.held, target, today)]
        sides = Sides(
            source=here.seats.subscriptions,
            target=there.seats.subscriptions,
            bought_in_source=_bought(uow, source, skus, today),
            bought_in_target=_bought(uow, target, skus, today),
            people_in_source=_people(here, basis.here, basis.here_strangers),
            people_in_target=_people(there, basis.there, basis.there_strangers),
        )
        moving = moving_seats(basis.held, source, target, sides, today)
        look = Look(at=now, source=sides.source, target=sides.target, bought=sides.bought_in_target)
        return look, take_inventory(moving, sides, basis.policy.usage_location)

    # ── while Microsoft is at it ─────────────────────────────────────────────────────────────────────────

    def _look(self, ticket: Ticket, move: AgreementMove, now: datetime) -> None:
        try:
            here, there = self.gateway.observe_seats(move.source), self.gateway.observe_seats(move.target)
        except GraphError as error:
            self._store(ticket, move, self._later(move, now, trouble=_reason_of(error)), now)
            return
        with self.open_uow() as uow:
            looked = self._looked(uow, move, here, there, now)
        if looked.vanished_at is not None and looked.seen_in is None:
            looked = self._searched(looked)
        self._store(ticket, move, looked, now)

    def _looked(self, uow: UnitOfWork, move: AgreementMove, here: Seats, there: Seats, now: datetime) -> AgreementMove:
        bought = _bought(uow, move.target, list(move.before.bought), dutch_day(now))
        latest = Look(at=now, source=here.subscriptions, target=there.subscriptions, bought=bought)
        was = sighting_of(move.inventory.moving, move.before, move.latest)
        sighting = sighting_of(move.inventory.moving, move.before, latest)
        if sighting is not was:
            _log.info("agreement.seen", source=move.source, target=move.target, sighting=sighting)
        vanished = next_vanished_at(sighting, move.vanished_at, now)
        looked = msgspec.structs.replace(
            move,
            latest=latest,
            looks=move.looks + 1 if sighting is was else 1,
            vanished_at=vanished,
            seen_in=move.seen_in if vanished else None,
            searched_to=move.searched_to if vanished else None,
            trouble=None,
        )
        if sighting is Sighting.MOVED:  # not on one look alone: a replica may know less
            return msgspec.structs.replace(looked, next_look_at=now + self.limits.removal_gap)
        return self._later(looked, now)

    def _searched(self, move: AgreementMove) -> AgreementMove:
        search = SearchElsewhere(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock, limits=self.limits)
        return search(move)

    def _later(self, move: AgreementMove, now: datetime, trouble: Reason | None = None) -> AgreementMove:
        """The interval grows while nothing changes."""
        due = now + growing(self.limits.agreement_looks, move.looks - 1)
        return msgspec.structs.replace(move, next_look_at=due, trouble=trouble)

    def _troubled(
        self, parties: Parties, move: AgreementMove | None, error: GraphError, now: datetime
    ) -> AgreementMove:
        nothing = Look(at=now)
        fresh = AgreementMove(
            source=parties.source.tenant_id,
            target=parties.target.tenant_id,
            before=nothing,
            latest=nothing,
            next_look_at=now,
            is_withheld=parties.is_withheld,
        )
        due = now + growing(self.limits.seats_poll, 0)
        return msgspec.structs.replace(move or fresh, next_look_at=due, trouble=_reason_of(error))

    # ── what is stored, and what follows from it ─────────────────────────────────────────────────────────

    def _store(self, ticket: Ticket, seen: AgreementMove | None, move: AgreementMove, now: datetime) -> None:
        begun: list[Operation] = []
        with self.open_uow() as uow:
            if uow.agreement_moves.find_for_work(ticket.ticket_id) != seen:
                return  # somebody looked, or decided, in between: theirs counts
            if ticket.approved_by is not None and move.trouble is None:
                move = self._alarmed(uow, ticket, move, now)
                if seen is not None and _has_moved(seen) and _has_moved(move):
                    move, begun = carry_over(uow, ticket, move, self.mappings, self.clock)
            uow.agreement_moves.save(ticket.ticket_id, move, now)
            uow.commit()
        self._send(begun)

    def _alarmed(self, uow: UnitOfWork, ticket: Ticket, move: AgreementMove, now: datetime) -> AgreementMove:
        """Operators are told each thing once, the moment it is seen."""
        found = [worry(move, now, self.limits)]
        if gone_along(move.inventory.moving, move.before, move.latest):
            found.append(Reason.OTHERS_MOVED_ALONG)
        news = [one for one in found if one is not None and one not in move.alarms]
        uow.outbox.add(
            [
                Intent(
                    topic=Topic.AGREEMENT_ALARM,
                    organisation_id=OURSELVES,
                    reference=ticket.key,
                    at=now,
                    details={"reason": one.value},
                )
                for one in news
            ]
        )
        return msgspec.structs.replace(move, alarms=(*move.alarms, *news))

    def _release(self, ticket: Ticket, now: datetime) -> None:
        """Once everybody in the target was looked after: what is left in the source is taken, if anything."""
        with self.open_uow() as uow:
            move = uow.agreement_moves.find_for_work(ticket.ticket_id)
            if move is None or move.moved_on is None or move.is_released:
                return
            released, begun = begin_release(uow, ticket, move, self.mappings, now)
            if released == move:
                return
            uow.agreement_moves.save(ticket.ticket_id, released, now)
            uow.commit()
        self._send(begun)

    def _send(self, begun: Sequence[Operation]) -> None:
        for operation in begun:
            self.dispatcher.advance(operation.operation_id, operation.lane)


def _has_moved(move: AgreementMove) -> bool:
    return sighting_of(move.inventory.moving, move.before, move.latest) is Sighting.MOVED


def _bought(uow: UnitOfWork, tenant: TenantId, skus: Sequence[SkuId], on: date) -> dict[SkuId, int]:
    totals = {sku: uow.ledger.tenant_total(tenant, sku, on) for sku in dict.fromkeys(skus)}
    return {sku: seats for sku, seats in sorted(totals.items()) if seats}


def _people(seen: Observed, own: Sequence[Binding], strangers: Sequence[Binding]) -> tuple[Person, ...]:
    """Theirs, once each; whom two would claim is nobody's to count."""
    if not own:
        return ()
    found = select(seen.census, seen.memberships, own, strangers, Audience.ANY)
    return tuple(person for person, _ in found.chosen)


def _reason_of(error: GraphError) -> Reason | None:
    """What passes by itself is nobody's work."""
    return None if isinstance(error, RetryableError) else error.reason
