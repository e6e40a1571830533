"""The numbers of the write quota as one value: who uses it, who waits for it, and when all of it will be done."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.ids import TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Lane
from provisioning.domain.reasons import Reason
from provisioning.planning.forecast import Work, forecast
from provisioning.planning.quota import Sizes
from provisioning.planning.quota_reading import BucketReading
from provisioning.ports import Clock, OpenUnitOfWork, QuotaGauge
from provisioning.services.foretell_work import pace_of


class TenantMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant in which work is under way. `bucket` None: nobody wrote there within the last window.

    `rate`: writes a second that we allow ourselves there.
    """

    tenant_id: TenantId
    operations: int
    writes: int  # still to be sent
    done_at: datetime
    rate: float
    bucket: BucketReading | None = None


class QueueMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """Operations whose moment has come, and for how long the oldest of them has been waiting, in seconds."""

    due: int = 0
    oldest: float = 0.0


class QuotaMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """`granted` and `refused`: writes since Redis began. `reserve`: writes that bulk work leaves to orders.

    `tenants`: those with writes to come, the last to be done first.
    """

    at: datetime
    rate: float
    reserve: float
    app: BucketReading | None
    granted: int
    refused: int
    writes: int
    done_at: datetime | None
    tenants: tuple[TenantMeasure, ...]
    queues: dict[Lane, QueueMeasure]
    held: dict[Reason, int]


@dataclass(frozen=True, kw_only=True)
class MeasureQuota:
    open_uow: OpenUnitOfWork
    gauge: QuotaGauge
    clock: Clock
    limits: Limits

    def __call__(self) -> QuotaMeasure:
        """Raises UnavailableError when the buckets cannot be read."""
        now, sizes = self.clock.now(), Sizes.of(self.limits)
        with self.open_uow() as uow:
            work = uow.journal.pending_writes()
            due, held = uow.operations.due_by_lane(now), uow.operations.held_by_reason()
        reading = self.gauge.read({one.tenant_id for one in work})
        tenants = _tenants(work, sizes, reading.tenants, pace_of(reading), now)
        return QuotaMeasure(
            at=now,
            rate=sizes.app.rate,
            reserve=sizes.app.reserve,
            app=reading.app,
            granted=reading.granted,
            refused=reading.refused,
            writes=sum(each.writes for each in tenants),
            done_at=tenants[0].done_at if tenants else None,
            tenants=tenants,
            queues={lane: _queue(due.get(lane), now) for lane in Lane},
            held=held,
        )


def _tenants(
    work: Collection[Work],
    sizes: Sizes,
    buckets: dict[TenantId, BucketReading],
    pace: dict[TenantId, float],
    now: datetime,
) -> tuple[TenantMeasure, ...]:
    """The last to be done first."""
    by_tenant: dict[TenantId, list[int]] = {}
    for one in work:
        by_tenant.setdefault(one.tenant_id, []).append(one.writes)
    left = forecast({tenant: sum(writes) for tenant, writes in by_tenant.items()}, sizes, pace)
    measured = [
        TenantMeasure(
            tenant_id=tenant,
            operations=len(writes),
            writes=sum(writes),
            done_at=now + left[tenant],
            rate=sizes.tenant.rate,
            bucket=buckets.get(tenant),
        )
        for tenant, writes in by_tenant.items()
    ]
    return tuple(sorted(measured, key=lambda each: (each.done_at, each.tenant_id), reverse=True))


def _queue(due: tuple[int, datetime] | None, now: datetime) -> QueueMeasure:
    if due is None:
        return QueueMeasure()
    number, since = due
    return QueueMeasure(due=number, oldest=max(now - since, timedelta(0)).total_seconds())
