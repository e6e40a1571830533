"""The write quota as an observer finds it: how full the buckets are, what is closed, and what each tenant gets."""

import msgspec

from provisioning.domain.ids import TenantId
from provisioning.planning.quota import LONGEST_CLOSING, Bucket, Quota, Size, Sizes


class BucketReading(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket at the moment of looking. `left`: the share of its savings; durations: seconds of the service's clock.

    Of a tenant also its `pace` (accepted writes a second while it waited for its own quota; None: nothing to tell by),
    and the share of its writes that was `refused` meanwhile.
    """

    left: float
    closed_for: float = 0.0
    slowed_for: float = 0.0
    turn_in: float = 0.0
    pace: float | None = None
    refused: float = 0.0


class QuotaReading(msgspec.Struct, frozen=True, kw_only=True):
    """All buckets that were asked for; the app's is None before the first write ever.

    `granted` and `refused`: writes of all tenants since the store began.
    """

    app: BucketReading | None = None
    tenants: dict[TenantId, BucketReading] = {}
    granted: int = 0
    refused: int = 0


def read_app(quota: Quota, sizes: Sizes, now: float) -> BucketReading:
    """The application's bucket, and how long the line of tenants in front of it is."""
    return _read(quota.app, sizes.app, quota.line_at, now)


def read_tenant(quota: Quota, sizes: Sizes, now: float) -> BucketReading:
    """The tenant's bucket, when its turn is, and what it was seen to get."""
    watch = quota.watched(sizes.tenant.window, now)
    lost = min(1.0, watch.refused / watch.granted) if watch.granted else 0.0
    seen = _read(quota.tenant, sizes.tenant, quota.turn_at, now)
    return msgspec.structs.replace(seen, pace=watch.pace, refused=lost)


def _read(bucket: Bucket, size: Size, turn_at: float, now: float) -> BucketReading:
    closed = min(max(0.0, bucket.at - now), LONGEST_CLOSING.total_seconds())
    return BucketReading(
        left=0.0 if closed else bucket.refilled(size, now).level / size.burst,
        closed_for=closed,
        slowed_for=max(0.0, bucket.slow_until - now),
        turn_in=max(0.0, turn_at - now),
    )
