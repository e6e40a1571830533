"""The audit log as services see it: append in their transaction, look up, and the words that stand for people."""

import os
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, delete, literal, select, text

from provisioning.audit.events import AuditEvent, decode_event, encode_event
from provisioning.audit.pseudonyms import ENTROPY_BYTES, draw_pseudonym
from provisioning.database.jsonb import as_rows
from provisioning.database.store import Store, inserted
from provisioning.database.tables.audit import audit_events, pseudonyms
from provisioning.domain.events import Event
from provisioning.domain.ids import OperationId, OrganisationId, Pseudonym, SubjectId, TenantId

# Written out, because it runs more often than any other statement.
_APPEND = text("""
    INSERT INTO audit_events (body, organisation_id, tenant_id, operation_id)
    SELECT body, organisation_id, tenant_id, operation_id FROM json_to_recordset(CAST(:rows AS json))
    AS given (body text, organisation_id text, tenant_id text, operation_id text)""")


class SqlAuditLog(Store):
    def record(self, events: Sequence[Event]) -> None:
        if events:
            self._connection.execute(_APPEND, {"rows": as_rows(map(_row_of, events))})

    def list_by(
        self,
        operation: OperationId | None = None,
        organisation: OrganisationId | None = None,
        limit: int = 1000,
    ) -> list[Event]:
        """The latest ones, in the order in which they were recorded."""
        query = select(audit_events.c.body).order_by(audit_events.c.event_id.desc()).limit(limit)
        if operation is not None:
            query = query.where(audit_events.c.operation_id == operation)
        if organisation is not None:
            query = query.where(audit_events.c.organisation_id == organisation)
        return [event_of(body) for body in self._connection.scalars(query)][::-1]

    def pseudonyms(self, tenant: TenantId, subjects: Collection[SubjectId]) -> dict[SubjectId, Pseudonym]:
        known = self._known(tenant, subjects)
        if missing := sorted(set(subjects) - known.keys()):
            rows = [{"tenant_id": tenant, "subject_id": each, "pseudonym": _draw()} for each in missing]
            self._connection.execute(inserted(pseudonyms, rows).on_conflict_do_nothing())
            known |= self._known(tenant, missing)  # read back: another worker may have been first
        return known

    def forget(self, tenant: TenantId, subjects: Collection[SubjectId]) -> int:
        """Their pseudonyms stand for nobody from now on; the log verifies as before."""
        return self._changed(delete(pseudonyms).where(pseudonyms.c.tenant_id == tenant, _is_one_of(subjects)))

    def _known(self, tenant: TenantId, subjects: Collection[SubjectId]) -> dict[SubjectId, Pseudonym]:
        query = select(pseudonyms.c.subject_id, pseudonyms.c.pseudonym)
        rows = self._connection.execute(query.where(pseudonyms.c.tenant_id == tenant, _is_one_of(subjects)))
        return {SubjectId(subject): Pseudonym(pseudonym) for subject, pseudonym in rows}


def _is_one_of(subjects: Collection[SubjectId]) -> Any:
    return pseudonyms.c.subject_id == any_(literal(list(subjects), ARRAY(Text)))


def _draw() -> Pseudonym:
    return draw_pseudonym(os.urandom(ENTROPY_BYTES))


def _row_of(event: Event) -> dict[str, Any]:
    body = encode_event(AuditEvent(id=str(UUID(bytes=os.urandom(16), version=4)), **_fields_of(event)))
    return {
        "body": body.decode(),
        "organisation_id": event.organisation,
        "tenant_id": event.tenant,
        "operation_id": event.operation,
    }


def _fields_of(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in Event.__struct_fields__}


def event_of(body: str) -> Event:
    written = decode_event(body)
    return Event(**{name: getattr(written, name) for name in Event.__struct_fields__})
