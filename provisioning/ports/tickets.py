"""The store of tickets: what boards ask, where each stands, and what they wrote beside the fields."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.ids import TicketId
from provisioning.domain.operation import Operation
from provisioning.domain.rebind_look import RebindLook
from provisioning.domain.ticket import Ticket, TicketState


class TicketStore(Protocol):
    """Tickets move along the table of `domain.ticket`, and only along that; what would break it raises TransitionError.

    Saving one where it is, with another reason for instance, is allowed.
    """

    def add(self, ticket: Ticket) -> bool:
        """False when there is one with this source and reference already (another process was first)."""

    def find(self, ticket: TicketId) -> Ticket | None: ...
    def get(self, ticket: TicketId) -> Ticket: ...
    def find_by_reference(self, source: str, reference: str) -> Ticket | None: ...
    def list_by(self, states: Collection[TicketState] = (), limit: int = 1000) -> list[Ticket]:
        """In these states, or all of them, newest first, whoever brought them in."""

    def save(self, ticket: Ticket) -> Ticket:
        """Write where it stands if `version` is still ours, return it with the next version; else raise ConflictError.

        Source, reference, kind, organisation and who brought it in stay as they were added, whatever is handed in.
        """

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[TicketId]:
        """Tickets whose `due_at` has come, longest due first; it is moved to `again_at` for the next sweep."""

    def postpone(self, ticket: TicketId, until: datetime) -> None:
        """Move `due_at` alone, without a new version. What has none gets none."""

    def operations_of(self, ticket: TicketId) -> list[Operation]:
        """Remaps that work, or worked, for it; oldest first."""

    def behind(self, operation: Operation) -> list[Ticket]:
        """Those that the operation works for, or whose work it goes on with: seats that came later, a release retried.

        Of a moved agreement: all that served or released the same product of the same holder there. Of a migration, and
        of what follows it: the ticket of a school that moves.
        """

    def keep_text(self, ticket: TicketId, text: str, at: datetime) -> None:
        """Beside the ticket; the same text again is kept once."""

    def texts(self, ticket: TicketId) -> list[str]:
        """What is still kept, in the order it came in."""

    def purge_texts(self, before: datetime) -> int: ...
    def purge_people(self, before: datetime) -> int:
        """Of tickets that ended before: who asked at the board, and which people are meant."""


class AgreementMoveStore(Protocol):
    """How far agreements are on their way to another tenant, for the ticket that asks for it."""

    def find(self, ticket: TicketId) -> AgreementMove | None: ...
    def find_for_work(self, ticket: TicketId) -> AgreementMove | None:
        """As `find`, and nobody else decides about it until this transaction ends."""

    def save(self, ticket: TicketId, move: AgreementMove, at: datetime) -> None:
        """What was seen stays: each look has a row of its own."""

    def looks(self, ticket: TicketId) -> list[AgreementMove]:
        """How it stood after each look and each decision, oldest first."""


class RebindLookStore(Protocol):
    """What was seen of a tenant before a rebind is approved, for the ticket that asks for it."""

    def find(self, ticket: TicketId) -> RebindLook | None:
        """The last one."""

    def find_for_work(self, ticket: TicketId) -> RebindLook | None:
        """As `find`, and nobody else decides about it until this transaction ends."""

    def save(self, ticket: TicketId, look: RebindLook, at: datetime) -> None:
        """Each look has a row of its own."""

    def purge(self, before: datetime) -> int:
        """Of tickets that ended before."""
