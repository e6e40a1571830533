"""Messages that leave this service as signed webhooks: to a shop, a desk, or to ourselves.

The form is that of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, specification 1.0): an id that
stays the same however often it is sent, so that who receives it twice can tell, a moment, and a signature over both
and the body.
"""

from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec

from provisioning.domain.ids import OrganisationId


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages go. `topics` are topics of the outbox or patterns of them (`ticket_*`); no organisations: all."""

    name: str
    url: str
    topics: tuple[str, ...]
    organisations: frozenset[OrganisationId] = frozenset()

    def wants(self, topic: str, organisation: OrganisationId) -> bool:
        """Whether a message of this topic about this organisation is for it."""
        is_addressed = not self.organisations or organisation in self.organisations
        return is_addressed and any(fnmatchcase(topic, pattern) for pattern in self.topics)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told, whoever may want to hear it. Facts about one `subject` are told in their order."""

    source: str  # "answer/41", "notice/41234/order_completed/2026-08-03/3": the same fact has the same name for ever
    subject: str
    topic: str
    organisation_id: OrganisationId
    at: datetime
    content: dict[str, str | int | list[str] | dict[str, str]]  # codes, ids and numbers; no names


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One fact on its way to one endpoint. `due_at`: None once it was taken, or given up."""

    message_id: str
    endpoint: str
    subject: str
    topic: str
    organisation_id: OrganisationId
    body: str
    made_at: datetime
    due_at: datetime | None
    attempts: int = 0
    answered: int | None = None  # the status of the latest answer
    delivered_at: datetime | None = None
    given_up_at: datetime | None = None


class Answer(StrEnum):
    """What came of one attempt."""

    TAKEN = "taken"  # any 2xx
    REFUSED = "refused"  # it answered, and did not take it
    GONE = "gone"  # 410: the receiver wants no more of these
    SILENT = "silent"  # no connection, or no answer in time


class Attempted(msgspec.Struct, frozen=True, kw_only=True):
    answer: Answer
    status: int | None = None
