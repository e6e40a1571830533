"""How a fact becomes messages, and when one that was not taken is sent again. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import msgspec

from provisioning.domain.webhook import Answer, Attempted, Endpoint, Fact, Message

_IDS = UUID("c8d4f3a6-1a0e-5d67-9b5e-6f5a7a0c2d11")  # of our messages, apart from all other ids that are made of names


def messages_of(fact: Fact, endpoints: Iterable[Endpoint]) -> list[Message]:
    """One for each endpoint that wants it; the same again for the same fact, with the same ids."""
    return [_message(fact, one) for one in endpoints if one.wants(fact.topic, fact.organisation_id)]


def after_attempt(message: Message, attempted: Attempted, now: datetime, waits: tuple[timedelta, ...]) -> Message:
    """The message as it stands now: taken, to be sent again after its next wait, or given up."""
    tried = msgspec.structs.replace(message, attempts=message.attempts + 1, answered=attempted.status)
    if attempted.answer is Answer.TAKEN:
        return msgspec.structs.replace(tried, due_at=None, delivered_at=now)
    if attempted.answer is Answer.GONE or tried.attempts > len(waits):
        return msgspec.structs.replace(tried, due_at=None, given_up_at=now)
    return msgspec.structs.replace(tried, due_at=now + waits[tried.attempts - 1])


def _message(fact: Fact, endpoint: Endpoint) -> Message:
    return Message(
        message_id=f"msg_{uuid5(_IDS, f'{endpoint.name}/{fact.source}').hex}",
        endpoint=endpoint.name,
        subject=fact.subject,
        topic=fact.topic,
        organisation_id=fact.organisation_id,
        body=_body(fact),
        made_at=fact.at,
        due_at=fact.at,
    )


def _body(fact: Fact) -> str:
    """Standard Webhooks: `type` in dotted words, `timestamp` of the fact, `data`."""
    noun, _, deed = fact.topic.partition("_")
    told = {
        "type": f"{noun}.{deed}" if deed else noun,
        "timestamp": fact.at.astimezone(UTC).isoformat(),
        "data": {"organisation_id": fact.organisation_id, **fact.content},
    }
    return msgspec.json.encode(told).decode()
