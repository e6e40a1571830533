"""Another organisation holds the licences: in the ledger alone, the people notice nothing (S29)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import cast

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError
from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.order import LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Agreement, Declaration, Participant, RecordKind
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import RemapHolder, wish_of
from provisioning.planning.holder_transfer import transfer
from provisioning.planning.order_context import OrderRecords
from provisioning.planning.order_customer import participants_on
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.ports import Clock, UnitOfWork
from provisioning.services.customer_turn import await_customer_turn
from provisioning.services.ticket_work import Objection, WithoutOperations

_OPEN = frozenset(set(OperationState) - OPERATION_ENDS)


class _Transfer(msgspec.Struct, frozen=True, kw_only=True):
    entries: tuple[LedgerEntry, ...]
    participants: tuple[Participant, ...]

    @property
    def digest(self) -> str:
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    @property
    def seats(self) -> int:
        return sum(entry.delta for entry in self.entries if entry.delta > 0)


@dataclass(frozen=True, kw_only=True)
class RemapHolderWork(WithoutOperations):
    clock: Clock

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None:  # noqa: ARG002
        """The new holder is known and has one agreement that they come under; the others hold something."""
        wish = _wish(ticket)
        if uow.organisations.find(wish.to_holder) is None:
            return Objection(reason=Reason.ORGANISATION_UNKNOWN)
        running = _agreements(uow, ticket)
        if wish.agreement_id is None and len(running) > 1:
            return Objection(reason=Reason.TICKET_INCOMPLETE, missing=("agreement_id",))
        if not running:
            return Objection(reason=Reason.AGREEMENT_UNKNOWN)
        if not _draw(uow, ticket).entries:
            return Objection(reason=Reason.NOTHING_TO_CHANGE, is_final=True)
        return None

    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:  # noqa: ARG002
        done = [one for one in uow.ledger.list_by(_wish(ticket).to_holder) if one.cause_ref == ticket.cause]
        if done:
            return Standing(progress=Progress.ENDED, counts={"seats": str(sum(max(one.delta, 0) for one in done))})
        if self._is_under_way(uow, ticket):
            return Standing(progress=Progress.STUCK, reason=Reason.WORK_UNDER_WAY)
        drawn = _draw(uow, ticket)
        if not drawn.entries:
            return Standing(progress=Progress.ENDED)
        return Standing(progress=Progress.DRAWN, digest=drawn.digest, counts={"seats": str(drawn.seats)})

    def authors(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[tuple[str, str]]:  # noqa: ARG002
        authors = (uow.records.author(RecordKind.AGREEMENT, one.record_id) for one in _agreements(uow, ticket))
        return [(author, "imported the agreement that they come under") for author in authors if author]

    def approve(self, uow: UnitOfWork, identity: Identity, ticket: Ticket, now: datetime) -> list[Operation]:
        """Both sides of every entry, and who takes part, at once. Drawn again behind whoever judges their orders.

        Raises ConflictError when it is not what was approved any more, or work began that rests on what would go.
        """
        wish = _wish(ticket)
        await_customer_turn(uow, (*wish.from_holders, wish.to_holder), self.clock.wall())
        drawn = _draw(uow, ticket)
        if drawn.digest != ticket.digest or self._is_under_way(uow, ticket):
            raise ConflictError(
                f"What would go for ticket {ticket.key} changed while it was approved; look at it again and approve "
                "what is shown then."
            )
        uow.ledger.append(drawn.entries)
        uow.records.save(drawn.participants, now, ticket.last_person)
        event = Event(
            at=now,
            actor=identity.actor,
            kind="entitlement.transferred",
            organisation=wish.to_holder,
            after=str(drawn.seats),
            details={"ticket": ticket.ticket_id, "from": " ".join(wish.from_holders)},
        )
        uow.audit.record([event])
        return []

    def _is_under_way(self, uow: UnitOfWork, ticket: Ticket) -> bool:
        """Work that takes its seats from an entitlement which is about to go elsewhere would find none."""
        wish = _wish(ticket)
        tenants = {entry.tenant_id for holder in wish.from_holders for entry in uow.ledger.list_by(holder)}
        return any(
            operation.wish.holder_id in wish.from_holders and wish.sku_id in {None, operation.wish.sku_id}
            for tenant in tenants
            if tenant is not None
            for operation in uow.operations.list_by(states=_OPEN, tenant=tenant)
        )


def _wish(ticket: Ticket) -> RemapHolder:
    return cast("RemapHolder", wish_of(ticket.kind, ticket.given))


def _day(ticket: Ticket) -> date:
    return _wish(ticket).effective_on or dutch_day(ticket.created_at)


def _draw(uow: UnitOfWork, ticket: Ticket) -> _Transfer:
    wish, day = _wish(ticket), _day(ticket)
    held = [entry for holder in dict.fromkeys(wish.from_holders) for entry in uow.ledger.list_by(holder)]
    entries = transfer(held, wish.to_holder, day, ticket.cause, wish.sku_id)
    agreements = _agreements(uow, ticket)
    participants = _participants(uow, ticket, agreements[0]) if len(agreements) == 1 else ()
    return _Transfer(entries=tuple(entries), participants=participants)


def _agreements(uow: UnitOfWork, ticket: Ticket) -> list[Agreement]:
    """Of the new holder, running on the day; the named one alone when one is named."""
    wish, day = _wish(ticket), _day(ticket)
    return [
        one
        for one in cast("list[Agreement]", uow.records.list_by(RecordKind.AGREEMENT, wish.to_holder))
        if wish.agreement_id in {None, one.record_id} and one.starts_on <= day and (one.ends_on or day) >= day
    ]


def _participants(uow: UnitOfWork, ticket: Ticket, agreement: Agreement) -> tuple[Participant, ...]:
    """Who was taking part still does, and so does whoever comes under the agreement now.

    The first participant of an agreement takes the place of the declaration's list: so everybody there is written too.
    """
    wish, day = _wish(ticket), _day(ticket)
    present = _present(uow, wish.to_holder, day)
    if set(wish.from_holders) <= set(present):
        return ()
    coming = dict.fromkeys([*present, *(one for one in wish.from_holders if one != wish.to_holder)])
    return tuple(
        Participant(
            record_id=f"{ticket.ticket_id}-{organisation}",
            organisation_id=organisation,
            agreement_id=agreement.record_id,
            valid_from=day,
            valid_until=agreement.ends_on,
        )
        for organisation in _not_written(uow, coming, agreement, day)
    )


def _present(uow: UnitOfWork, board: OrganisationId, day: date) -> tuple[OrganisationId, ...]:
    records = OrderRecords(
        declarations=tuple(cast("list[Declaration]", uow.records.list_by(RecordKind.DECLARATION, board))),
        agreements=tuple(cast("list[Agreement]", uow.records.list_by(RecordKind.AGREEMENT, board))),
        participants=tuple(cast("list[Participant]", uow.records.list_by(RecordKind.PARTICIPANT))),
    )
    return participants_on(board, records, uow.organisations.relations_of(board, day), day)


def _not_written(
    uow: UnitOfWork, organisations: Iterable[OrganisationId], agreement: Agreement, day: date
) -> list[OrganisationId]:
    written = {
        one.organisation_id
        for one in cast("list[Participant]", uow.records.list_by(RecordKind.PARTICIPANT))
        if one.agreement_id == agreement.record_id and one.valid_from <= day and (one.valid_until or day) >= day
    }
    return [one for one in organisations if one not in written]
