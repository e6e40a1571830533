"""Facts become messages once; messages wait here until they are taken, one after the other for each subject."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from provisioning.database.store import Store, columns_of, inserted, row_of
from provisioning.database.tables.webhooks import messages, receipts
from provisioning.domain.ids import OrganisationId
from provisioning.domain.webhook import Fact, Message

_ANSWERS = text("""
    SELECT intent_id, ticket_id, sequence, topic, organisation_id, reference, at, details FROM outbox_intents
    WHERE relayed_at IS NULL AND ticket_id IS NOT NULL
    ORDER BY intent_id LIMIT :limit FOR UPDATE SKIP LOCKED""")

# A digest is told when its day is over; what alarms ourselves at once, and once more with what came after.
_NOTICES = text("""
    SELECT organisation_id, topic, day, facts, references_made, last_at FROM notices
    WHERE facts_spread < facts AND (day < :today OR (organisation_id = :ourselves AND facts_spread = 0))
    ORDER BY last_at LIMIT :limit FOR UPDATE SKIP LOCKED""")

_ANSWER_TOLD = text("UPDATE outbox_intents SET relayed_at = :now WHERE intent_id = ANY (:answers)")
_NOTICE_TOLD = text("""
    UPDATE notices SET facts_spread = CAST(told.facts AS integer)
    FROM unnest(CAST(:organisations AS text[]), CAST(:topics AS text[]), CAST(:days AS date[]),
                CAST(:facts AS integer[])) AS told (organisation_id, topic, day, facts)
    WHERE (notices.organisation_id, notices.topic, notices.day) = (told.organisation_id, told.topic, told.day)""")


class SqlWebhooks(Store):
    def untold(self, today: date, ourselves: OrganisationId, limit: int) -> list[Fact]:
        answers = self._rows(_ANSWERS, {"limit": limit})
        notices = self._rows(_NOTICES, {"today": today, "ourselves": ourselves, "limit": limit})
        return [*map(_answer, answers), *map(_notice, notices)]

    def spread(self, facts: Sequence[Fact], made: Sequence[Message], now: datetime) -> None:
        if made:
            self._connection.execute(inserted(messages, [*map(row_of, made)]).on_conflict_do_nothing())
        answers = [int(fact.source.partition("/")[2]) for fact in facts if fact.source.startswith("answer/")]
        self._connection.execute(_ANSWER_TOLD, {"now": now, "answers": answers})
        keys = [fact.source.split("/") for fact in facts if fact.source.startswith("notice/")]
        self._connection.execute(
            _NOTICE_TOLD,
            {
                "organisations": [key[1] for key in keys],
                "topics": [key[2] for key in keys],
                "days": [date.fromisoformat(key[3]) for key in keys],
                "facts": [int(key[4]) for key in keys],
            },
        )

    def heads(self, now: datetime, endpoint: str, limit: int) -> list[Message]:
        oldest = (
            columns_of(messages, Message)
            .ext(distinct_on(messages.c.subject))
            .where(messages.c.endpoint == endpoint, messages.c.due_at.is_not(None))
            .order_by(messages.c.subject, messages.c.place)
            .subquery()
        )
        return self._list(select(oldest).where(oldest.c.due_at <= now).order_by(oldest.c.due_at).limit(limit), Message)

    def save(self, message: Message) -> None:
        names = ("due_at", "attempts", "answered", "delivered_at", "given_up_at")
        values = {name: getattr(message, name) for name in names}
        self._connection.execute(update(messages).where(messages.c.message_id == message.message_id).values(values))

    def resend(self, endpoint: str, now: datetime) -> int:
        return self._changed(
            update(messages)
            .where(messages.c.endpoint == endpoint, messages.c.given_up_at.is_not(None))
            .values(due_at=now, given_up_at=None, attempts=0)
        )

    def standing(self) -> dict[str, dict[str, int]]:
        count = func.count()
        query = select(
            messages.c.endpoint,
            count.filter(messages.c.delivered_at.is_not(None)).label("delivered"),
            count.filter(messages.c.due_at.is_not(None)).label("waiting"),
            count.filter(messages.c.given_up_at.is_not(None)).label("given_up"),
        ).group_by(messages.c.endpoint)
        return {row.pop("endpoint"): row for row in self._rows(query)}

    def list_open(self, limit: int) -> list[Message]:
        query = columns_of(messages, Message).where(messages.c.delivered_at.is_(None))
        return self._list(query.order_by(messages.c.place).limit(limit), Message)

    def receive(self, sender: str, message_id: str, at: datetime) -> bool:
        row = {"sender": sender, "message_id": message_id, "received_at": at}
        return self._changed(insert(receipts).values(row).on_conflict_do_nothing()) == 1

    def was_received(self, sender: str, message_id: str) -> bool:
        is_it = (receipts.c.sender == sender) & (receipts.c.message_id == message_id)
        return bool(self._rows(select(receipts.c.sender).where(is_it)))

    def purge(self, before: datetime) -> int:
        taken = self._changed(delete(messages).where(messages.c.delivered_at < before))
        return taken + self._changed(delete(receipts).where(receipts.c.received_at < before))


def _answer(row: dict[str, Any]) -> Fact:
    return Fact(
        source=f"answer/{row['intent_id']}",
        subject=f"ticket/{row['ticket_id']}",
        topic=row["topic"],
        organisation_id=row["organisation_id"],
        at=row["at"],
        content={
            "ticket_id": row["ticket_id"],
            "reference": row["reference"],
            "sequence": row["sequence"],
            "details": msgspec.json.decode(row["details"], type=dict[str, str]),
        },
    )


def _notice(row: dict[str, Any]) -> Fact:
    organisation, topic, day, facts = row["organisation_id"], row["topic"], row["day"], row["facts"]
    return Fact(
        source=f"notice/{organisation}/{topic}/{day}/{facts}",
        subject=f"notice/{organisation}/{topic}/{day}",
        topic=topic,
        organisation_id=organisation,
        at=row["last_at"],
        content={"day": str(day), "facts": facts, "references": list(row["references_made"])},
    )
