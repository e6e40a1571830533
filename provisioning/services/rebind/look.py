"""Looks at the tenant of a rebind before anybody approves it: reads with no transaction open, then stores counts.

Each look is a row of its own, so a restart goes on from the last one; two workers that look at once store one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.errors import ActionRequiredError, GraphError, PermanentError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Seats
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import Formerly, RebindLook
from provisioning.domain.tenancy import Binding
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.execution.backoff import growing
from provisioning.planning.rebinding import (
    Choice,
    Choices,
    Place,
    choices_in,
    count_audiences,
    count_people,
    count_products,
    reason_against,
)
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork
from provisioning.services.observe_scene import observe_scene
from provisioning.services.rebind.proposal import Basis, draw_basis, propose, wish_in

LOOKED_IN = frozenset({TicketState.ASSESSING, TicketState.AWAITING_APPROVAL, TicketState.HELD})


@dataclass(frozen=True, kw_only=True)
class LookBeforeRebind:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits

    def __call__(self, ticket: Ticket) -> None:
        """One look, when it is time for one, or when another binding would come of the ticket than was looked at."""
        now = self.clock.now()
        with self.open_uow() as uow:
            last = uow.rebind_looks.find(ticket.ticket_id)
            proposal = propose(uow, ticket, now)
            if proposal is None or proposal.is_made or uow.organisations.find(wish_in(ticket).organisation) is None:
                return
            basis = draw_basis(uow, ticket, proposal, now)
        if last is None or last.basis != basis.digest or last.next_look_at <= now:
            self._store(ticket, last, self._look(basis, last, now), now)

    # ── what the tenants show ────────────────────────────────────────────────────────────────────────────

    def _look(self, basis: Basis, last: RebindLook | None, now: datetime) -> RebindLook:
        tries = last.tries if last is not None and last.basis == basis.digest else 0
        try:
            look = self._counted(basis, now)
        except GraphError as error:
            return _troubled(basis, last, error, now + self._wait(tries), tries + 1)
        if reason_against(look) is None:
            return look
        # what a person has to cure is looked at sooner
        return msgspec.structs.replace(look, next_look_at=now + self._wait(tries), tries=tries + 1)

    def _wait(self, tries: int) -> timedelta:
        return growing(self.limits.seats_poll, tries)

    def _counted(self, basis: Basis, now: datetime) -> RebindLook:
        """Raises GraphError when the tenant cannot be read as a whole."""
        former = basis.former if basis.proposal.stays_in_tenant else None
        here, seats = self._read(basis.binding.tenant_id, [basis.binding, *_some(former)], basis.strangers)
        new = choices_in(here, basis.binding)
        if new is None:
            raise PermanentError("Not everybody could be read.", Reason.SELECTION_INCOMPLETE)
        old = choices_in(here, former) if former is not None else self._left(basis)
        formerly, bought = _formerly(basis, old), {*basis.bought, *basis.left}
        return RebindLook(
            basis=basis.digest,
            next_look_at=now + self.limits.approval_validity,
            asked=tuple(sorted(basis.proposal.in_question)),
            seen_at=now,
            audiences=count_audiences(new, old, formerly, bought),
            total=count_people(Choice.together(new.values()), _everybody(old), formerly, bought),
            products=count_products(basis.bought, basis.left, seats),
            formerly=formerly,
            is_theirs=basis.is_theirs,
            is_shared=bool(basis.strangers),
        )

    def _left(self, basis: Basis) -> Choices | None:
        """Of the tenant that is left, as far as it still lets us in."""
        former = basis.former
        if former is None:
            return None
        try:
            place, _ = self._read(former.tenant_id, [former], basis.strangers_left)
        except (ActionRequiredError, PermanentError):
            return None
        return choices_in(place, former)

    def _read(self, tenant: TenantId, own: Sequence[Binding], strangers: tuple[Binding, ...]) -> tuple[Place, Seats]:
        seen = observe_scene(self.gateway, tenant, [*own, *strangers])
        return Place(census=seen.census, memberships=seen.memberships, strangers=strangers), seen.seats

    # ── what is stored ───────────────────────────────────────────────────────────────────────────────────

    def _store(self, ticket: Ticket, last: RebindLook | None, look: RebindLook, now: datetime) -> None:
        with self.open_uow() as uow:
            if uow.rebind_looks.find_for_work(ticket.ticket_id) != last:
                return  # somebody looked in between: theirs counts
            if uow.tickets.get(ticket.ticket_id).state not in LOOKED_IN:
                return  # decided, or taken back, while we looked
            uow.rebind_looks.save(ticket.ticket_id, look, now)
            uow.commit()


def _troubled(basis: Basis, last: RebindLook | None, error: GraphError, due: datetime, tries: int) -> RebindLook:
    """What passes by itself is nobody's work; what was counted before by the same binding still stands."""
    trouble = None if isinstance(error, RetryableError) else error.reason
    is_same = last is not None and last.basis == basis.digest
    known = last if last is not None and is_same else RebindLook(basis=basis.digest, next_look_at=due)
    return msgspec.structs.replace(known, next_look_at=due, trouble=trouble, tries=tries)


def _formerly(basis: Basis, old: Choices | None) -> Formerly:
    if basis.proposal.present is None:
        return Formerly.NOWHERE
    if old is None:
        return Formerly.UNREAD
    return Formerly.HERE if basis.proposal.stays_in_tenant else Formerly.ELSEWHERE


def _everybody(old: Choices | None) -> Choice | None:
    return None if old is None else Choice.together(old.values())


def _some(one: Binding | None) -> list[Binding]:
    return [] if one is None else [one]
