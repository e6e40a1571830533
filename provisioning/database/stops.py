"""Stops, and the failures that may call for one."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.store import Store, row_of
from provisioning.database.tables.access import credential_failures, stops
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import FailedAlike, Stop


class SqlStops(Store):
    def add(self, stop: Stop) -> None:
        """A scope that is stopped already stays stopped, for the reason it had."""
        self._connection.execute(insert(stops).values(row_of(stop)).on_conflict_do_nothing())

    def lift(self, scope: str) -> bool:
        return self._changed(delete(stops).where(stops.c.scope == scope)) == 1

    def list_all(self) -> list[Stop]:
        return self._list(select(stops).order_by(stops.c.stopped_at, stops.c.scope), Stop)

    def blocking(self, tenant: TenantId, kind: str) -> Stop | None:
        scopes = ["all", f"tenant:{tenant}", f"kind:{kind}"]
        query = select(stops).where(stops.c.scope.in_(scopes)).order_by(stops.c.stopped_at).limit(1)
        return self._find(query, Stop)

    def note_credential_failure(self, tenant: TenantId, reason: Reason, at: datetime, since: datetime) -> FailedAlike:
        noted = {"failed_at": at, "is_answered": False}
        failed = insert(credential_failures).values(tenant_id=tenant, reason=reason, **noted)
        key = list(credential_failures.primary_key)
        self._connection.execute(failed.on_conflict_do_update(index_elements=key, set_=noted))
        failures = credential_failures.c
        unanswered = func.count().filter(~failures.is_answered)
        query = select(func.count(), unanswered).where(failures.reason == reason, failures.failed_at >= since)
        return FailedAlike(*self._connection.execute(query).one())

    def answer_credential_failures(self) -> None:
        self._connection.execute(update(credential_failures).values(is_answered=True))
