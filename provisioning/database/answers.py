"""Answers kept under the key that their request came with."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.store import Store
from provisioning.database.tables.access import kept_answers
from provisioning.domain.ids import Actor
from provisioning.ports import KeptAnswer


class SqlAnswers(Store):
    def claim(self, actor: Actor, key: str, digest: str, at: datetime) -> KeptAnswer | None:
        """Of two at once the second waits for the first to commit its claim, which takes no longer than that."""
        row = {"actor": actor, "key": key, "digest": digest, "claimed_at": at, "body": b""}
        if self._changed(insert(kept_answers).values(row).on_conflict_do_nothing()):
            return None
        columns = (kept_answers.c[name] for name in KeptAnswer.__struct_fields__)
        return self._find(select(*columns).where(_is(actor, key)), KeptAnswer)

    def keep(self, actor: Actor, key: str, status: int, body: bytes) -> None:
        self._connection.execute(update(kept_answers).where(_is(actor, key)).values(status=status, body=body))

    def release(self, actor: Actor, key: str) -> None:
        self._connection.execute(delete(kept_answers).where(_is(actor, key), kept_answers.c.status.is_(None)))

    def purge(self, before: datetime) -> int:
        return self._changed(delete(kept_answers).where(kept_answers.c.claimed_at < before))


def _is(actor: Actor, key: str) -> ColumnElement[bool]:
    return (kept_answers.c.actor == actor) & (kept_answers.c.key == key)
