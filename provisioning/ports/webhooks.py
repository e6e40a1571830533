"""Webhooks: what is still to be told, what is on its way, what came in, and who carries it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from provisioning.domain.ids import OrganisationId
from provisioning.domain.webhook import Attempted, Endpoint, Fact, Message


class WebhookStore(Protocol):
    def untold(self, today: date, ourselves: OrganisationId, limit: int) -> list[Fact]:
        """Answers to tickets in their order, and notices of days that are over; locked until commit.

        What alarms `ourselves` does not wait for the day's end.
        """

    def spread(self, facts: Sequence[Fact], made: Sequence[Message], now: datetime) -> None:
        """Keep the messages, and remember that these facts have been made into messages."""

    def heads(self, now: datetime, endpoint: str, limit: int) -> list[Message]:
        """The oldest message of each subject that the endpoint has not taken, of those whose moment has come."""

    def save(self, message: Message) -> None:
        """What an attempt made of it."""

    def resend(self, endpoint: str, now: datetime) -> int:
        """What was given up is due again; returns how many."""

    def standing(self) -> dict[str, dict[str, int]]:
        """Per endpoint how many messages were delivered, are waiting, were given up."""

    def list_open(self, limit: int) -> list[Message]:
        """Those not taken, in their order."""

    def receive(self, sender: str, message_id: str, at: datetime) -> bool:
        """Remember that it came in; False when it did before."""

    def was_received(self, sender: str, message_id: str) -> bool: ...
    def purge(self, before: datetime) -> int:
        """Remove what was delivered, and the ids of what came in, before the moment."""


class MessageSender(Protocol):
    def send(self, endpoint: Endpoint, message: Message, at: datetime) -> Attempted:
        """Once, signed; whatever the other side does is an answer, not an error. `at`: real time."""

    def close(self) -> None: ...
