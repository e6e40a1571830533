"""What each kind of ticket comes to. Adding a kind is one file here and one line where bootstrap lists them."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.planning.ticket_turn import Standing
from provisioning.ports import UnitOfWork


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """Why the work does not begin: fields to be asked back, or a reason; `is_final` when it never will.

    `instead`: codes of what a board can ask instead.
    """

    reason: Reason | None = None
    missing: tuple[str, ...] = ()
    is_final: bool = False
    instead: tuple[str, ...] = ()


class TicketWork(Protocol):
    """Every method reads and writes in the caller's transaction, except `follow_up`. Each may be called again.

    `followed_in`: states in which it looks at what needs Microsoft. `once_approved`: where it goes then.
    """

    followed_in: ClassVar[frozenset[TicketState]]
    once_approved: ClassVar[TicketState]

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None: ...
    def begin(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[Operation]:
        """The operations that draw its plans, new or as they were begun before. Raises InputError: it is held."""

    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing: ...
    def authors(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[tuple[str, str]]:
        """Whoever made what it rests on, beside the ticket itself and its records."""

    def approve(self, uow: UnitOfWork, identity: Identity, ticket: Ticket, now: datetime) -> list[Operation]:
        """What was assessed goes on, in the approver's name; returns what a worker should look at."""

    def follow_up(self, ticket: Ticket) -> Reason | None:
        """Outside of any transaction, while it runs: what needs Microsoft. Returns what a person must see to."""

    def look_before_end(self, ticket: Ticket) -> None:
        """Outside of any transaction: whether it is too late to end it may have shown since the last look."""

    def close(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> None:
        """It was rejected or withdrawn before anything was done: what was begun is called off.

        Raises ConflictError when it is too late for that.
        """

    def due_at(self, uow: UnitOfWork, ticket: Ticket) -> datetime | None:
        """When it makes sense to look again; None: as for any ticket in its state."""


Works = Mapping[TicketKind, TicketWork]


class WithoutOperations:
    """Of kinds that begin no operation and ask Microsoft nothing."""

    followed_in: ClassVar[frozenset[TicketState]] = frozenset({TicketState.RUNNING})
    once_approved: ClassVar[TicketState] = TicketState.RUNNING

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None:  # noqa: ARG002
        return None

    def begin(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[Operation]:  # noqa: ARG002
        return []

    def authors(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[tuple[str, str]]:  # noqa: ARG002
        return []

    def approve(
        self,
        uow: UnitOfWork,  # noqa: ARG002
        identity: Identity,  # noqa: ARG002
        ticket: Ticket,
        now: datetime,  # noqa: ARG002
    ) -> list[Operation]:
        """Of kinds whose parts are approved by themselves, where they are carried out."""
        raise ConflictError(f"Ticket {ticket.key} has nothing in it to be approved as one.")

    def follow_up(self, ticket: Ticket) -> Reason | None:  # noqa: ARG002
        return None

    def look_before_end(self, ticket: Ticket) -> None:
        """All there is to know is in the database."""

    def close(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> None:
        """Nothing was begun."""

    def due_at(self, uow: UnitOfWork, ticket: Ticket) -> datetime | None:  # noqa: ARG002
        return None
