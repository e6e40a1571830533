"""Facts that only people know."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from provisioning.database.store import Store, inserted
from provisioning.database.tables.organisations import records as table
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.domain.records import Record, RecordKind


class SqlRecords(Store):
    def save(self, records: Iterable[Record], at: datetime, by: Actor | None = None) -> int:
        by_key = {(row["kind"], row["record_id"]): row for row in (_row_of(record, at, by) for record in records)}
        if not by_key:
            return 0
        statement = inserted(table, list(by_key.values()))
        news = {name: statement.excluded[name] for name in ("organisation_id", "body", "saved_at", "saved_by")}
        differs = table.c.body != statement.excluded.body
        return self._changed(
            statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=news, where=differs)
        )

    def author(self, kind: str, record_id: str) -> Actor | None:
        found = (table.c.kind == kind) & (table.c.record_id == record_id)
        return self._connection.scalar(select(table.c.saved_by).where(found))

    def list_by(self, kind: RecordKind, organisation: OrganisationId | None = None) -> list[Record]:
        query = select(table.c.body).where(table.c.kind == kind).order_by(table.c.record_id)
        if organisation is not None:
            query = query.where(table.c.organisation_id == organisation)
        return list(self._connection.scalars(query))


def _row_of(record: Record, at: datetime, by: Actor | None) -> dict[str, object]:
    return {
        "kind": record.__struct_config__.tag,
        "record_id": record.record_id,
        "organisation_id": record.organisation_id,
        "body": record,
        "saved_at": at,
        "saved_by": by,
    }
