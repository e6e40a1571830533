"""UPNs and ids from orders: the one place where they rest, until resolved or too old."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Table, case, delete, select, update

from provisioning.database.store import Store, inserted
from provisioning.database.tables.orders import references
from provisioning.domain.ids import LineKey, SubjectId


class SqlReferences(Store):
    def keep(self, key: LineKey, references_: Sequence[str], at: datetime) -> None:
        """Keeping the same line again changes nothing."""
        line = {"source": key.source, "order_number": key.order_number, "line_number": key.line_number}
        rows = [line | {"ordinal": i, "reference": each, "kept_at": at} for i, each in enumerate(references_)]
        if rows:
            self._connection.execute(inserted(references, rows).on_conflict_do_nothing())

    def replace(self, key: LineKey, references_: Sequence[str], at: datetime) -> None:
        """The shop corrected the line: what it named before is forgotten."""
        self._connection.execute(delete(references).where(is_of(references, key)))
        self.keep(key, references_, at)

    def unresolved(self, key: LineKey) -> list[str]:
        query = select(references.c.reference).where(is_of(references, key), references.c.reference.is_not(None))
        return list(self._connection.scalars(query.order_by(references.c.ordinal)))

    def resolve(self, key: LineKey, resolved: Mapping[str, SubjectId]) -> None:
        """The person takes the place of the reference, which is gone with that."""
        if not resolved:
            return
        subject = case(dict(resolved), value=references.c.reference)
        is_theirs = is_of(references, key) & references.c.reference.in_(resolved)
        self._connection.execute(update(references).where(is_theirs).values(subject_id=subject, reference=None))

    def resolved(self, key: LineKey) -> list[SubjectId]:
        query = select(references.c.subject_id).where(is_of(references, key), references.c.subject_id.is_not(None))
        return list(self._connection.scalars(query.order_by(references.c.ordinal)))

    def purge(self, before: datetime) -> int:
        return self._changed(delete(references).where(references.c.kept_at < before))


def is_of(table: Table, key: LineKey) -> ColumnElement[bool]:
    """Whether a row belongs to this order line."""
    return (
        (table.c.source == key.source)
        & (table.c.order_number == key.order_number)
        & (table.c.line_number == key.line_number)
    )
