"""The sealed log, streamed: an export is as long as the log, a worker's memory is not."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, Select, func, select, union_all

from provisioning.audit.export import StoredCheckpoint, StoredEvent
from provisioning.database.seals import SqlSeals
from provisioning.database.tables.audit import audit_events, audit_seals, audit_unsealed
from provisioning.domain.ids import OrganisationId

_ROWS_AT_ONCE = 2000


class SqlAuditArchive:
    """Each reading has a connection of its own, for as long as it lasts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def checkpoints(self) -> list[StoredCheckpoint]:
        with self._engine.connect() as connection:
            return SqlSeals(connection).checkpoints_after(-1)

    def events(self, organisation: OrganisationId | None = None) -> Iterator[StoredEvent]:
        has_place = audit_events.c.event_id == audit_seals.c.event_id
        columns = (audit_seals.c.sequence, audit_seals.c.leaf, audit_events.c.body)
        query = select(*columns).join_from(audit_seals, audit_events, has_place).order_by(audit_seals.c.sequence)
        if organisation is not None:
            query = query.where(audit_events.c.organisation_id == organisation)
        return (StoredEvent(sequence, leaf, text) for sequence, leaf, text in self._stream(query))

    def leaves(self, size: int) -> Iterator[bytes]:
        query = select(audit_seals.c.leaf).where(audit_seals.c.sequence < size).order_by(audit_seals.c.sequence)
        return (leaf for (leaf,) in self._stream(query))

    def uncovered(self, size: int, organisation: OrganisationId | None = None) -> int:
        late = union_all(
            select(audit_seals.c.event_id).where(audit_seals.c.sequence >= size), select(audit_unsealed.c.event_id)
        ).subquery()
        query = select(func.count()).select_from(late)
        if organisation is not None:
            is_that = audit_events.c.event_id == late.c.event_id
            query = query.join(audit_events, is_that).where(audit_events.c.organisation_id == organisation)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def _stream(self, query: Select[Any]) -> Iterator[Any]:
        with (
            self._engine.connect() as connection,
            connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query) as rows,  # a reader may stop halfway
        ):
            yield from rows
