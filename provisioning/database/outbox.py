"""Intents to tell, and the notices they become."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, text

from provisioning.database.store import Store, inserted, row_of
from provisioning.database.tables.outbox import intents, notices
from provisioning.domain.ids import OrganisationId, TicketId
from provisioning.domain.ticket import Answer
from provisioning.domain.worklist import APPROVED_TOPICS, Intent, Notice

# A topic that has its notice of the day grows freely, and so do lists that somebody approved; other new notices only up
# to the burst, the oldest news first.
_RELAY = text("""
    WITH ripe AS MATERIALIZED (
        SELECT intent_id, organisation_id, topic, reference, at,
               CAST(timezone('Europe/Amsterdam', at) AS date) AS day
        FROM outbox_intents WHERE relayed_at IS NULL AND ticket_id IS NULL AND at <= :ripe FOR UPDATE SKIP LOCKED),
    gathered AS (
        SELECT organisation_id, topic, day, count(*) AS facts, min(at) AS first_at, max(at) AS last_at,
               array_agg(reference ORDER BY at, intent_id) AS references_made
        FROM ripe GROUP BY organisation_id, topic, day),
    ranked AS (
        SELECT *, row_number() OVER (PARTITION BY is_free ORDER BY first_at) AS place FROM (
            SELECT gathered.*, present.day IS NOT NULL OR gathered.topic = ANY (:approved) AS is_free
            FROM gathered LEFT JOIN notices AS present USING (organisation_id, topic, day)) AS known),
    chosen AS (
        SELECT * FROM ranked WHERE is_free OR place <= :burst - (
            SELECT count(*) FROM notices WHERE made_at > :window_start AND topic <> ALL (:approved))),
    told AS (
        INSERT INTO notices AS present
            (organisation_id, topic, day, facts, first_at, last_at, references_made, made_at)
        SELECT organisation_id, topic, day, facts, first_at, last_at, references_made, :now FROM chosen
        ON CONFLICT (organisation_id, topic, day) DO UPDATE SET
            facts = present.facts + excluded.facts, last_at = greatest(present.last_at, excluded.last_at),
            first_at = least(present.first_at, excluded.first_at),
            references_made = present.references_made || excluded.references_made)
    UPDATE outbox_intents SET relayed_at = :now FROM ripe JOIN chosen USING (organisation_id, topic, day)
    WHERE outbox_intents.intent_id = ripe.intent_id""")


_ANSWERS = select(
    *(intents.c[name] for name in Answer.__struct_fields__ if name != "sent_at"), intents.c.relayed_at.label("sent_at")
)


class SqlOutbox(Store):
    def add(self, intents_: Iterable[Intent]) -> None:
        rows = [row_of(intent) for intent in intents_]
        if rows:
            self._connection.execute(inserted(intents, rows))

    def relay(self, now: datetime, older_than: timedelta, burst: int, window: timedelta) -> int:
        """Returns how many intents became part of a notice; the rest waits for the window to pass."""
        bound = {"now": now, "ripe": now - older_than, "burst": burst, "window_start": now - window}
        return self._changed(_RELAY, bound | {"approved": sorted(APPROVED_TOPICS)})

    def notices(self, organisation: OrganisationId | None = None, limit: int = 200) -> list[Notice]:
        columns = (notices.c[name] for name in Notice.__struct_fields__ if name != "references")
        query = select(*columns, notices.c.references_made.label("references"))
        if organisation is not None:
            query = query.where(notices.c.organisation_id == organisation)
        return self._list(query.order_by(notices.c.last_at.desc()).limit(limit), Notice)

    def answers(self, ticket: TicketId) -> list[Answer]:
        return self._list(_ANSWERS.where(intents.c.ticket_id == ticket).order_by(intents.c.sequence), Answer)
