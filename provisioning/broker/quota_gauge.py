"""Looks at the shared quota in Redis: what `quota.lua` keeps, read in one go and changed by nobody."""

import struct
from collections.abc import Collection
from datetime import UTC, datetime
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from provisioning.broker.quota import APP_KEY, TENANT_KEY
from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import TenantId
from provisioning.planning.quota import Bucket, Quota, Sizes, Watch
from provisioning.planning.quota_reading import QuotaReading, read_app, read_tenant

_RECORD = struct.Struct(">9d")  # as in the script: level, at, slow, turn, born, since, seconds, granted, refused
_EPOCH = datetime.fromtimestamp(0, UTC)


class RedisQuotaGauge:
    """The buckets as `RedisQuota` of the same clock keeps them."""

    def __init__(self, redis: Redis, sizes: Sizes, *, factor: float = 1.0, origin: datetime = _EPOCH) -> None:
        self._redis = redis
        self._sizes = sizes
        self._factor = factor
        self._origin = origin.timestamp()

    def read(self, tenants: Collection[TenantId]) -> QuotaReading:
        """The application's bucket and those of these tenants. Raises UnavailableError without Redis."""
        asked = list(tenants)
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.time()
                pipe.mget([APP_KEY, *(TENANT_KEY + tenant for tenant in asked)])
                (seconds, micros), kept = pipe.execute()
        except RedisError as error:
            raise UnavailableError(f"Redis does not answer ({type(error).__name__}).") from error
        now = (seconds - self._origin + micros / 1e6) * self._factor
        app, *others = [quota_of(cast("bytes | None", packed)) for packed in kept]
        if app is None:
            return QuotaReading()
        return QuotaReading(
            app=read_app(app, self._sizes, now),
            tenants={
                tenant: read_tenant(found, self._sizes, now)
                for tenant, found in zip(asked, others, strict=True)
                if found is not None
            },
            granted=round(app.granted),
            refused=round(app.refused),
        )


def quota_of(packed: bytes | None) -> Quota | None:
    """A record as the quota of which it is one half; None when there is none that we can read."""
    if packed is None or len(packed) != _RECORD.size:
        return None
    level, at, slow, turn, _born, since, seconds, granted, refused = _RECORD.unpack(packed)
    bucket = Bucket(level, at, slow)
    watch = Watch(since, seconds, granted, refused)
    return Quota(bucket, bucket, line_at=turn, turn_at=turn, watch=watch, granted=granted, refused=refused)
