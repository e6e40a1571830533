"""People, steps, attempts and plans of operations that ended long ago go; what was done stays in the audit log."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OperationId
from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.purging import purge_all

_FOUND_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class PurgeOperations:
    """Returns of how many operations; each is a transaction of its own, however many people were in it."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def __call__(self) -> int:
        now = self.clock.now()
        return purge_all(lambda: self._expired(now - self.limits.operational_kept), lambda one: self._purge(one, now))

    def _expired(self, before: datetime) -> list[OperationId]:
        with self.open_uow() as uow:
            return uow.retention.expired(before, _FOUND_AT_ONCE)

    def _purge(self, operation_id: OperationId, now: datetime) -> None:
        with self.open_uow() as uow:
            operation = uow.operations.get(operation_id)
            purged = uow.retention.purge(operation_id)
            event = Event(
                at=now,
                actor=SYSTEM,
                kind="operation.purged",
                organisation=operation.wish.holder_id,
                tenant=operation.tenant_id,
                operation=operation_id,
                details={name: str(number) for name, number in msgspec.structs.asdict(purged).items()},
            )
            uow.audit.record([event])
            uow.commit()
