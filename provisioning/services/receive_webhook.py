"""A desk tells us of tickets by a signed webhook. The same message again has no effect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import NotAllowedError
from provisioning.domain.ids import Actor, TicketId
from provisioning.domain.ticket import TicketForm
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.submit_tickets import SubmitTickets


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """`tickets`: those that the message is about; none when it came before."""

    tickets: tuple[TicketId, ...] = ()
    is_new: bool = False


@dataclass(frozen=True, kw_only=True)
class ReceiveWebhook:
    """Its signature was checked before."""

    open_uow: OpenUnitOfWork
    clock: Clock
    submit: SubmitTickets

    def identity_of(self, client: Actor) -> Identity:
        """Whom the message counts as: whoever revokes the client shuts this door, too. Raises NotAllowedError."""
        with self.open_uow() as uow:
            known = next((one for one in uow.actors.list_all() if one.actor == client), None)
        if known is None:
            raise NotAllowedError(f"{client} is nobody here, or was revoked; `provisioning actors add` makes a client.")
        return known

    def __call__(
        self, identity: Identity, sender: str, message_id: str, read: Callable[[], Sequence[TicketForm]]
    ) -> Received:
        """Tickets are known by their reference, so a message that breaks off between the two is harmless when repeated.

        Raises InputError for a message that cannot be read, and what `SubmitTickets` raises; then it is not received.
        """
        with self.open_uow() as uow:
            if uow.webhooks.was_received(sender, message_id):
                return Received()
        submitted = self.submit(identity, read())
        with self.open_uow() as uow:
            is_new = uow.webhooks.receive(sender, message_id, self.clock.now())
            uow.commit()
        return Received(tickets=tuple(one.ticket.ticket_id for one in submitted), is_new=is_new)
