"""Brings one ticket as far as it goes by itself: complete, authorised, assessed, carried out, answered.

Every step is one transaction over what is found then: killed between any two, the sweep goes on from there.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import TicketId
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.planning.ticket_turn import Standing, Turn, looked_at_after, next_turn
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, UnitOfWork
from provisioning.services.ticket_authority import find_authority
from provisioning.services.ticket_deeds import TicketDeeds
from provisioning.services.ticket_hands import grounded
from provisioning.services.ticket_work import Objection, TicketWork, Works

_MOST_STEPS = 12  # far more than any ticket takes in one go: what goes in circles stops here, and waits for its turn
_BEFORE_WORK = frozenset({TicketState.ASSESSING, TicketState.AWAITING_APPROVAL})
_AT_WORK = _BEFORE_WORK | {TicketState.AWAITING_MICROSOFT, TicketState.RUNNING, TicketState.HELD}

_Begun = list[Operation]
_Step = Callable[[UnitOfWork, Ticket, datetime, Reason | None], _Begun | None]


@dataclass(frozen=True, kw_only=True)
class AdvanceTicket:
    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    dispatcher: Dispatcher
    deeds: TicketDeeds
    works: Works

    def __call__(self, ticket_id: TicketId) -> Ticket:
        """The ticket where it stands now. Raises InputError when there is none."""
        for _ in range(_MOST_STEPS):
            with suppress(ConflictError):  # somebody else moved it: it is looked at as it is now
                if not self._step(ticket_id):
                    break
        return self._rest(ticket_id)

    def _step(self, ticket_id: TicketId) -> bool:
        """Whether it moved."""
        found = self._follow_up(ticket_id)
        with self.open_uow() as uow:
            ticket = uow.tickets.get(ticket_id)
            step = self._steps.get(ticket.state)
            begun = None if step is None else step(uow, ticket, self.clock.now(), found)
            if begun is None:
                return False
            uow.commit()
        for operation in begun:
            self.dispatcher.advance(operation.operation_id, operation.lane)
        return True

    @property
    def _steps(self) -> Mapping[TicketState, _Step]:
        return {
            TicketState.RECEIVED: self._receive,
            TicketState.AWAITING_AUTHORITY: self._ask_again,
            **dict.fromkeys(_AT_WORK, self._turn),
        }

    def _receive(self, uow: UnitOfWork, ticket: Ticket, now: datetime, _: Reason | None) -> _Begun:
        if ticket.missing:
            return self._ask_back(uow, ticket, ticket.missing, now)
        finding = find_authority(uow, ticket, dutch_day(now))
        if finding.reason is not None:
            self._await_authority(uow, ticket, now)
            return []
        work = self._work(ticket)
        objection = work.objection(uow, ticket, now)
        return self._begin(uow, ticket, work, now) if objection is None else self._object(uow, ticket, objection, now)

    def _begin(self, uow: UnitOfWork, ticket: Ticket, work: TicketWork, now: datetime) -> _Begun:
        try:
            begun = work.begin(uow, ticket, now)
        except InputError:  # its words are for people of ours: the board gets the reason's, in its language
            return self._object(uow, ticket, Objection(reason=Reason.REMAP_REFUSED, is_final=True), now)
        self.deeds.move(uow, ticket, TicketState.ASSESSING, now)
        return begun

    def _object(self, uow: UnitOfWork, ticket: Ticket, objection: Objection, now: datetime) -> _Begun:
        if objection.missing:
            return self._ask_back(uow, ticket, objection.missing, now)
        state = TicketState.REJECTED if objection.is_final else TicketState.HELD
        self.deeds.move(uow, ticket, state, now, reason=objection.reason, notes=objection.instead)
        return []

    def _ask_back(self, uow: UnitOfWork, ticket: Ticket, missing: tuple[str, ...], now: datetime) -> _Begun:
        self.deeds.move(
            uow,
            msgspec.structs.replace(ticket, missing=missing),
            TicketState.INCOMPLETE,
            now,
            reason=Reason.TICKET_INCOMPLETE,
        )
        return []

    def _await_authority(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> None:
        finding = find_authority(uow, ticket, dutch_day(now))
        asked = [one for one in finding.unspoken_for if uow.organisations.find(one) is not None]
        self.deeds.move(
            uow,
            ticket,
            TicketState.AWAITING_AUTHORITY,
            now,
            reason=finding.reason,
            ask=[ticket.organisation_id] if ticket.organisation_id in asked else asked,
        )

    def _ask_again(self, uow: UnitOfWork, ticket: Ticket, now: datetime, _: Reason | None) -> _Begun | None:
        if find_authority(uow, ticket, dutch_day(now)).reason is not None:
            return None
        self.deeds.move(uow, ticket, TicketState.RECEIVED, now)
        return []

    def _turn(self, uow: UnitOfWork, ticket: Ticket, now: datetime, found: Reason | None) -> _Begun | None:
        if found is not None and ticket.state is TicketState.RUNNING:
            self.deeds.move(uow, ticket, TicketState.HELD, now, reason=found)
            return []
        if ticket.state in _BEFORE_WORK and find_authority(uow, ticket, dutch_day(now)).reason is not None:
            self._await_authority(uow, ticket, now)
            return []
        return self._go_on(uow, ticket, now)

    def _go_on(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> _Begun | None:
        work = self._work(ticket)
        if ticket.state is TicketState.HELD and ticket.approved_by is None:
            return self._reconsider(uow, ticket, work, now)
        standing = work.standing(uow, ticket, now)
        turn = next_turn(ticket, standing)
        if turn is None:
            return None
        self._move(uow, ticket, turn, standing, now)
        return []

    def _move(self, uow: UnitOfWork, ticket: Ticket, turn: Turn, standing: Standing, now: datetime) -> None:
        """What is shown to an approver bears the names of all who had a hand in it."""
        if turn.state is TicketState.AWAITING_APPROVAL:
            ticket = grounded(uow, ticket, self._work(ticket), now)
        self.deeds.move(uow, ticket, turn.state, now, reason=turn.reason, standing=standing)

    def _reconsider(self, uow: UnitOfWork, ticket: Ticket, work: TicketWork, now: datetime) -> _Begun | None:
        """What kept it from beginning may be gone: then it is as good as new. What was begun is looked at as it is."""
        objection = work.objection(uow, ticket, now)
        if objection is not None and not objection.is_final and not objection.missing:
            return None
        standing = work.standing(uow, ticket, now)
        turn = next_turn(ticket, standing)
        if turn is None:
            return None
        if turn.state in {TicketState.ASSESSING, TicketState.REJECTED}:
            self.deeds.move(uow, ticket, TicketState.RECEIVED, now)
        else:
            self._move(uow, ticket, turn, standing, now)
        return []

    def _follow_up(self, ticket_id: TicketId) -> Reason | None:
        with self.open_uow() as uow:
            ticket = uow.tickets.get(ticket_id)
        work = self._work(ticket)
        return work.follow_up(ticket) if ticket.state in work.followed_in else None

    def _work(self, ticket: Ticket) -> TicketWork:
        return self.works[ticket.kind]

    def _rest(self, ticket_id: TicketId) -> Ticket:
        with self.open_uow() as uow:
            ticket = uow.tickets.get(ticket_id)
            again = self.clock.now() + looked_at_after(ticket.state, self.limits.ticket_poll)
            uow.tickets.postpone(ticket_id, self._work(ticket).due_at(uow, ticket) or again)
            uow.commit()
            return uow.tickets.get(ticket_id)
