"""The sealer's end of the audit log: events get their places here, in one transaction with the tree's new edge."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.export import StoredCheckpoint
from provisioning.audit.note import SignatureState, VerifierKey
from provisioning.audit.sealing import SealedLog, Sealing
from provisioning.audit.tree import Frontier
from provisioning.database.store import Store, inserted
from provisioning.database.tables.audit import (
    audit_checkpoints,
    audit_events,
    audit_sealer,
    audit_seals,
    audit_unsealed,
)
from provisioning.domain.errors import ConflictError


class SqlSeals(Store):
    def load(self) -> SealedLog:
        """Waits for whoever holds it, and holds it until commit."""
        query = select(audit_sealer).with_for_update()
        row = self._connection.execute(query).first()
        if row is None:
            first = insert(audit_sealer).values(frontier=Frontier().to_bytes(), checkpointed=0)
            self._connection.execute(first.on_conflict_do_nothing())
            row = self._connection.execute(query).one()
        return SealedLog(Frontier.from_bytes(row.frontier), row.checkpointed, row.checkpointed_at)

    def unsealed(self, limit: int) -> list[tuple[int, bytes]]:
        is_queued = audit_unsealed.c.event_id == audit_events.c.event_id
        query = select(audit_events.c.event_id, audit_events.c.body).join_from(audit_unsealed, audit_events, is_queued)
        rows = self._connection.execute(query.order_by(audit_events.c.event_id).limit(limit))
        return [(number, body.encode()) for number, body in rows]

    def store(
        self, events: Sequence[int], sealing: Sealing, checkpoints: Sequence[StoredCheckpoint], at: datetime
    ) -> None:
        """Raises ConflictError when one of the events was sealed before."""
        self._give_places(events, sealing)
        log = sealing.log
        end = {
            "frontier": log.frontier.to_bytes(),
            "checkpointed": log.checkpointed,
            "checkpointed_at": log.checkpointed_at,
        }
        self._connection.execute(update(audit_sealer).values(end))
        for each in checkpoints:
            self._connection.execute(insert(audit_checkpoints).values(_row_of(each, at)))

    def checkpoints_after(self, size: int) -> list[StoredCheckpoint]:
        query = select(audit_checkpoints.c.note, audit_checkpoints.c.frontier).where(audit_checkpoints.c.size > size)
        rows = self._connection.execute(query.order_by(audit_checkpoints.c.size))
        return [StoredCheckpoint(Checkpoint.parse(note), Frontier.from_bytes(frontier)) for note, frontier in rows]

    def newest_checkpoint(self) -> Checkpoint | None:
        note = self._connection.scalar(
            select(audit_checkpoints.c.note).order_by(audit_checkpoints.c.size.desc()).limit(1)
        )
        return None if note is None else Checkpoint.parse(note)

    def checkpoint_of(self, size: int) -> Checkpoint | None:
        note = self._connection.scalar(select(audit_checkpoints.c.note).where(audit_checkpoints.c.size == size))
        return None if note is None else Checkpoint.parse(note)

    def has_signed(self, key: VerifierKey) -> bool:
        """Every checkpoint is read: asked only while keys change."""
        notes = self._connection.scalars(select(audit_checkpoints.c.note))
        return any(Checkpoint.parse(note).state_of(key) is not SignatureState.ABSENT for note in notes)

    def _give_places(self, events: Sequence[int], sealing: Sealing) -> None:
        if not events:
            return
        waited = audit_unsealed.c.event_id == any_(literal(list(events), ARRAY(BigInteger)))
        if self._changed(delete(audit_unsealed).where(waited)) != len(events):
            raise ConflictError("Some of these audit events were sealed already. Load the log again.")
        places = zip(sealing.sequences, events, sealing.leaves, strict=True)
        rows = [{"sequence": at, "event_id": event, "leaf": rf"\x{leaf.hex()}"} for at, event, leaf in places]
        self._connection.execute(inserted(audit_seals, rows))


def _row_of(stored: StoredCheckpoint, at: datetime) -> dict[str, Any]:
    frontier = stored.frontier
    return {"size": frontier.size, "note": str(stored.checkpoint), "frontier": frontier.to_bytes(), "signed_at": at}
