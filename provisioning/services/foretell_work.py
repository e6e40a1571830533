"""When the writes of operations will be done: by what is still to be sent, and the pace that tenants show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import OperationId, TenantId
from provisioning.domain.limits import Limits
from provisioning.planning.forecast import Work, foretell
from provisioning.planning.quota import Sizes
from provisioning.planning.quota_reading import QuotaReading
from provisioning.ports import Clock, OpenUnitOfWork, QuotaGauge


@dataclass(frozen=True, kw_only=True)
class ForetellWork:
    open_uow: OpenUnitOfWork
    gauge: QuotaGauge
    clock: Clock
    limits: Limits

    def __call__(self, also: Work | None = None) -> Mapping[OperationId, datetime]:
        """The moment of the last write of each operation under way; of `also` as if it began now, beside the others.

        Reading back follows it. Without Redis nobody's pace is known, and what Microsoft allows is all there is.
        """
        with self.open_uow() as uow:
            work = uow.journal.pending_writes()
        if also is not None:
            work = [*(one for one in work if one.operation_id != also.operation_id), also]
        if not work:
            return {}
        now, pace = self.clock.now(), pace_of(self._read({one.tenant_id for one in work}))
        return {operation: now + left for operation, left in foretell(work, Sizes.of(self.limits), pace).items()}

    def _read(self, tenants: set[TenantId]) -> QuotaReading:
        try:
            return self.gauge.read(tenants)
        except UnavailableError:
            return QuotaReading()


def pace_of(reading: QuotaReading) -> dict[TenantId, float]:
    """Writes a second, where there is evidence of them."""
    return {tenant: seen.pace for tenant, seen in reading.tenants.items() if seen.pace is not None}
