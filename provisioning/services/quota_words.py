"""The figures of the quota as sentences for whoever looks after the service."""

from collections.abc import Iterator
from datetime import datetime

from provisioning.planning.quota_reading import BucketReading
from provisioning.services.measure_quota import QuotaMeasure, TenantMeasure

_HALF = 0.5  # of the rate that we allow ourselves: below it a tenant's work takes twice as long as an operator expects
_SHORT = 8  # characters of an id


def quota_in_words(measure: QuotaMeasure) -> str:
    """One sentence or two about the application's bucket and all that waits for it."""
    return " ".join((*_app(measure), *_waiting(measure)))


def _app(measure: QuotaMeasure) -> Iterator[str]:
    bucket = measure.app
    if bucket is None:
        yield "Nobody wrote yet."
        return
    if bucket.closed_for:
        yield f"Microsoft refused the application; nothing is written for {bucket.closed_for:.0f} s."
    else:
        yield f"{bucket.left:.0%} of the write bucket is left, {measure.reserve:.0f} writes are kept for orders."
    yield f"{measure.granted:,} writes granted, {measure.refused:,} refused."


def _waiting(measure: QuotaMeasure) -> Iterator[str]:
    if measure.done_at is None:
        return
    number = len(measure.tenants)
    where = f"{number:,} tenants" if number != 1 else "one tenant"
    yield f"{measure.writes:,} writes wait in {where}: sent by about {_moment(measure.done_at)}."


def tenant_in_words(tenant: TenantMeasure) -> str:
    """What waits in one tenant, until when, and what holds it up."""
    told = f"Tenant {tenant.tenant_id[:_SHORT]}: {tenant.writes:,} writes, sent by about {_moment(tenant.done_at)}"
    held_up = "; ".join(_holding_up(tenant.bucket, tenant.rate)) if tenant.bucket else ""
    return f"{told}; {held_up}." if held_up else f"{told}."


def _holding_up(bucket: BucketReading, rate: float) -> Iterator[str]:
    if bucket.closed_for:
        yield f"closed for {bucket.closed_for:.0f} s"
    else:
        yield f"{bucket.left:.0%} of its bucket is left"
    if bucket.slowed_for:
        yield f"a tenth slower for {bucket.slowed_for:.0f} s"
    if bucket.turn_in:
        yield f"its turn is in {bucket.turn_in:.0f} s"
    if bucket.pace is not None:
        yield f"it gets {min(bucket.pace, rate):.1f} of {rate:.1f} writes a second"
    if bucket.refused:
        yield f"{bucket.refused:.0%} of them refused"


def is_crowded_out(tenant: TenantMeasure) -> bool:
    """Whether it gets less than half of what we would allow ourselves there."""
    bucket = tenant.bucket
    return bucket is not None and bucket.pace is not None and bucket.pace < _HALF * tenant.rate


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
