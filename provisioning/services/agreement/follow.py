"""Looks at both tenants while Microsoft moves agreements, for days: reads with no transaction open, then stores.

Each look is a row of its own, so a restart goes on from the last one; two workers that look at once store one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from provisioning.domain.agreement_move import AgreementMove, Look
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ActionRequiredError, GraphError, RetryableError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Seats, Subscription
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket
from provisioning.domain.worklist import Intent, Topic
from provisioning.execution.backoff import growing
from provisioning.planning.agreement_inventory import are_too_few
from provisioning.planning.agreement_watch import (
    gone_along,
    has_moved,
    next_vanished_at,
    sighting_of,
    worry,
)
from provisioning.ports import Clock, Dispatcher, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.agreement.carry import begin_release, carry_over
from provisioning.services.agreement.parties import Parties, wish_in
from provisioning.services.agreement.search import SearchElsewhere
from provisioning.services.agreement.survey import SurveyAgreement, bought_in
from provisioning.services.application_incident import OURSELVES

Purchases = tuple[Subscription, ...]

_log = structlog.get_logger(__name__)


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
        if move is not None and move.moved_on is not None:
            if not move.is_released:
                self._release(ticket, now)
        elif move is None or move.next_look_at <= now:
            if ticket.approved_by is None:
                self._take_inventory(ticket, move, now)
            elif move is not None:
                self._look(ticket, move, now)

    def at_once(self, ticket: Ticket) -> None:
        """A look out of turn, before somebody decides by what the last one showed: nothing follows from it."""
        with self.open_uow() as uow:
            move = uow.agreement_moves.find(ticket.ticket_id)
        if move is not None and ticket.approved_by is not None and move.moved_on is None:
            self._look(ticket, move, self.clock.now(), goes_on=False)

    # ── before it is approved ────────────────────────────────────────────────────────────────────────────

    def _take_inventory(self, ticket: Ticket, move: AgreementMove | None, now: datetime) -> None:
        survey = SurveyAgreement(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock, mappings=self.mappings)
        with self.open_uow() as uow:
            basis = survey.basis(uow, ticket, move)
        if basis is None:
            return
        try:
            look, inventory = survey(basis)
        except GraphError as error:
            self._store(ticket, move, self._troubled(basis.parties, move, error, now), now)
            return
        behind, is_withheld = wish_in(ticket).staying_behind, basis.parties.is_withheld
        # what a person has to cure is looked at sooner
        is_possible = inventory.moving and not are_too_few(inventory, behind, is_withheld=is_withheld)
        again = self.limits.approval_validity if is_possible else growing(self.limits.agreement_looks, 0)
        taken = AgreementMove(
            source=basis.parties.source.tenant_id,
            target=basis.parties.target.tenant_id,
            inventory=inventory,
            inventoried_at=now,
            before=look,
            latest=look,
            next_look_at=now + again,
            alarms=move.alarms if move else (),
            is_withheld=is_withheld,
        )
        self._store(ticket, move, taken, now)

    # ── while Microsoft is at it ─────────────────────────────────────────────────────────────────────────

    def _look(self, ticket: Ticket, move: AgreementMove, now: datetime, *, goes_on: bool = True) -> None:
        try:
            there = self.gateway.observe_seats(move.target)
            left = self._left(move)
        except GraphError as error:
            self._store(ticket, move, self._later(move, now, trouble=_reason_of(error)), now)
            return
        with self.open_uow() as uow:
            looked = self._looked(uow, move, left, there, now)
        if looked.vanished_at is not None and looked.seen_in is None:
            looked = self._searched(looked)
        self._store(ticket, move, looked, now, goes_on=goes_on)

    def _left(self, move: AgreementMove) -> Purchases:
        """In the source. What was seen to go stays gone: whoever leaves a tenant may take back its consent at once."""
        try:
            return self.gateway.observe_seats(move.source).subscriptions
        except ActionRequiredError:
            if not has_moved(move):
                raise
            return move.latest.source

    def _looked(
        self, uow: UnitOfWork, move: AgreementMove, left: Purchases, there: Seats, now: datetime
    ) -> AgreementMove:
        skus = [*move.inventory.moving, *move.before.bought]
        bought = bought_in(uow, move.target, skus, dutch_day(now))
        latest = Look(at=now, source=left, target=there.subscriptions, bought=bought)
        was = sighting_of(move.inventory.moving, move.before, move.latest)
        sighting = sighting_of(move.inventory.moving, move.before, latest)
        if sighting is not was:
            _log.info("agreement.seen", source=move.source, target=move.target, sighting=sighting)
        vanished = next_vanished_at(sighting, move.vanished_at, now)
        looked = msgspec.structs.replace(
            move,
            latest=latest,
            looks=move.looks + 1 if sighting is was else 1,
            seen_since=move.seen_since if sighting is was else now,
            vanished_at=vanished,
            seen_in=move.seen_in if vanished else None,
            searched_to=move.searched_to if vanished else None,
            trouble=None,
        )
        if has_moved(looked):  # not on one look alone: a replica may know less
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

    def _store(
        self, ticket: Ticket, seen: AgreementMove | None, move: AgreementMove, now: datetime, *, goes_on: bool = True
    ) -> None:
        begun: list[Operation] = []
        with self.open_uow() as uow:
            if uow.agreement_moves.find_for_work(ticket.ticket_id) != seen:
                return  # somebody looked, or decided, in between: theirs counts
            if uow.tickets.get(ticket.ticket_id).has_ended:
                return  # taken back, or refused, while we looked
            if ticket.approved_by is not None and move.trouble is None:
                uow.audit.record(_seen_change(ticket, seen, move, now))
                move = self._alarmed(uow, ticket, move, now)
                if goes_on and seen is not None and _is_confirmed(seen, move):
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
        uow.audit.record([_alarm(ticket, move, one, now) for one in news])
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


def _is_confirmed(seen: AgreementMove, move: AgreementMove) -> bool:
    """Two looks say that all of it has moved; one that failed is none."""
    return move.latest.at > seen.latest.at and has_moved(seen) and has_moved(move)


def _seen_change(ticket: Ticket, seen: AgreementMove | None, move: AgreementMove, now: datetime) -> list[Event]:
    """Seats that were seen to leave or arrive are shown to a board years later."""
    before = None if seen is None else sighting_of(seen.inventory.moving, seen.before, seen.latest)
    after = sighting_of(move.inventory.moving, move.before, move.latest)
    if before is after:
        return []
    return [
        Event(
            at=now,
            actor=SYSTEM,
            kind="agreement.seen",
            organisation=ticket.organisation_id,
            tenant=move.target,
            before=before,
            after=after,
            details={"ticket": ticket.ticket_id},
        )
    ]


def _alarm(ticket: Ticket, move: AgreementMove, reason: Reason, now: datetime) -> Event:
    return Event(
        at=now,
        actor=SYSTEM,
        kind="agreement.alarm",
        organisation=ticket.organisation_id,
        tenant=move.target,
        reason=reason,
        details={"ticket": ticket.ticket_id},
    )


def _reason_of(error: GraphError) -> Reason | None:
    """What passes by itself is nobody's work."""
    return None if isinstance(error, RetryableError) else error.reason
