"""A person lets a ticket be carried out: in one act the ticket and every plan that was drawn for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import TicketId
from provisioning.domain.operation import Operation
from provisioning.domain.rights import Action, require, require_other
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.planning.authority import Finding
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, UnitOfWork
from provisioning.services.decisions import decide
from provisioning.services.find_ticket import get_ticket
from provisioning.services.refusals import refusals_on_record
from provisioning.services.ticket_authority import find_authority
from provisioning.services.ticket_deeds import TicketDeeds
from provisioning.services.ticket_hands import grounded, hands_in
from provisioning.services.ticket_work import Works

_MIN_DIGEST = 8


@dataclass(frozen=True, kw_only=True)
class ApproveTicket:
    open_uow: OpenUnitOfWork
    clock: Clock
    dispatcher: Dispatcher
    deeds: TicketDeeds
    works: Works
    advance: Callable[[TicketId], Ticket]

    def __call__(self, identity: Identity, named: str, digest: str) -> Ticket:
        """`digest`: at least the first 8 characters of the assessment's, as shown.

        Raises NotAllowedError for whoever had a hand in it, which is put on record; ConflictError when the assessment
        is another by now, or whoever asked may not ask it any more.
        """
        now = self.clock.now()
        with refusals_on_record(self.open_uow, self.clock, identity, Action.APPROVE_TICKET, named, digest):
            require(identity, Action.APPROVE_TICKET)
            ticket, begun = decide(self.open_uow, lambda uow: self._approve(uow, identity, named, digest, now))
        for operation in begun:
            self.dispatcher.advance(operation.operation_id, operation.lane)
        return self.advance(ticket.ticket_id)

    def _approve(
        self, uow: UnitOfWork, identity: Identity, named: str, digest: str, now: datetime
    ) -> tuple[Ticket, list[Operation]]:
        ticket = get_ticket(uow, named, identity, dutch_day(now))
        work = self.works[ticket.kind]
        _require_waiting(ticket)
        finding = _require_authority(uow, ticket, now)
        for author, did in hands_in(uow, ticket, finding, work, now):
            require_other(identity, author, did)
        standing = _require_same(ticket, work.standing(uow, ticket, now), digest)
        approved = msgspec.structs.replace(
            grounded(uow, ticket, work, now), approved_by=identity.actor, approved_at=now
        )
        uow.audit.record([_event("ticket.approved", identity, ticket, now)])
        # Moved first: of two who approve at once the second waits for this row, and then finds it changed.
        moved = self.deeds.move(uow, approved, work.once_approved, now, actor=identity.actor, standing=standing)
        return moved, work.approve(uow, identity, ticket, now)


def _require_waiting(ticket: Ticket) -> None:
    if ticket.state is not TicketState.AWAITING_APPROVAL:
        raise ConflictError(
            f"Ticket {ticket.key} is {ticket.state.replace('_', ' ')} and waits for no approval; look at it again "
            "with `provisioning tickets show`."
        )


def _require_authority(uow: UnitOfWork, ticket: Ticket, now: datetime) -> Finding:
    finding = find_authority(uow, ticket, dutch_day(now))
    if finding.reason is not None:
        raise ConflictError(
            f"Whoever asked for ticket {ticket.key} may not ask it any more ({', '.join(finding.unspoken_for)}); "
            "the signatory is asked."
        )
    return finding


def _require_same(ticket: Ticket, standing: Standing, named: str) -> Standing:
    digest = named.strip().lower()
    if len(digest) < _MIN_DIGEST:
        raise InputError(f"Name the assessment by at least the first {_MIN_DIGEST} characters of its digest.")
    is_shown = standing.progress is Progress.DRAWN and standing.digest == ticket.digest
    if not is_shown or ticket.digest is None or not ticket.digest.startswith(digest):
        raise ConflictError(
            f"What ticket {ticket.key} comes to is not what you saw. Look at it again with `provisioning tickets show`."
        )
    return standing


def _event(kind: str, identity: Identity, ticket: Ticket, now: datetime) -> Event:
    return Event(
        at=now,
        actor=identity.actor,
        kind=kind,
        organisation=ticket.organisation_id,
        after=ticket.digest,
        details={"ticket": ticket.ticket_id},
    )
