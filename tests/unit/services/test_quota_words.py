from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.operation import Lane
from provisioning.planning.quota_reading import BucketReading
from provisioning.services.measure_quota import QueueMeasure, QuotaMeasure, TenantMeasure
from provisioning.services.quota_words import is_crowded_out, quota_in_words, tenant_in_words
from tests.unit.services.fakes_access import NOW, TENANT

BUSY = TenantMeasure(tenant_id=TENANT, operations=1, writes=9_200, done_at=NOW + timedelta(minutes=8), rate=19.6)
QUIET = QuotaMeasure(
    at=NOW,
    rate=114.3,
    reserve=70.0,
    app=BucketReading(left=0.712),
    granted=12_400,
    refused=31,
    writes=0,
    done_at=None,
    tenants=(),
    queues={lane: QueueMeasure() for lane in Lane},
    held={},
)


def of(**bucket: Any) -> TenantMeasure:
    return msgspec.structs.replace(BUSY, bucket=BucketReading(**{"left": 0.5, **bucket}))


class TestQuotaInWords:
    def test_says_what_is_left_and_what_is_kept_for_orders(self) -> None:
        assert quota_in_words(QUIET) == (
            "71% of the write bucket is left, 70 writes are kept for orders. 12,400 writes granted, 31 refused."
        )

    def test_before_the_first_write_there_is_nothing_to_tell(self) -> None:
        assert quota_in_words(msgspec.structs.replace(QUIET, app=None)) == "Nobody wrote yet."

    def test_says_for_how_long_microsoft_wants_none_of_us(self) -> None:
        closed = msgspec.structs.replace(QUIET, app=BucketReading(left=0.0, closed_for=12.4))
        assert "Microsoft refused the application; nothing is written for 12 s." in quota_in_words(closed)

    @pytest.mark.parametrize(("tenants", "where"), [((BUSY,), "in one tenant"), ((BUSY, BUSY), "in 2 tenants")])
    def test_says_what_waits_and_until_when(self, tenants: tuple[TenantMeasure, ...], where: str) -> None:
        busy = msgspec.structs.replace(QUIET, tenants=tenants, writes=9_200, done_at=BUSY.done_at)
        assert f"9,200 writes wait {where}: sent by about 2026-08-03 09:08 UTC." in quota_in_words(busy)


class TestTenantInWords:
    def test_a_tenant_nobody_wrote_to_has_its_work_alone(self) -> None:
        assert tenant_in_words(BUSY) == "Tenant 11111111: 9,200 writes, sent by about 2026-08-03 09:08 UTC."

    @pytest.mark.parametrize(
        ("bucket", "told"),
        [
            pytest.param({}, "50% of its bucket is left", id="use"),
            pytest.param({"closed_for": 8.2}, "closed for 8 s", id="closed"),
            pytest.param({"slowed_for": 140.0}, "a tenth slower for 140 s", id="slowed"),
            pytest.param({"turn_in": 3.0}, "its turn is in 3 s", id="in line"),
            pytest.param({"pace": 9.81}, "it gets 9.8 of 19.6 writes a second", id="pace"),
            pytest.param({"pace": 21.0}, "it gets 19.6 of 19.6 writes a second", id="never more than its own"),
            pytest.param({"refused": 0.25}, "25% of them refused", id="refused"),
        ],
    )
    def test_says_what_holds_it_up(self, bucket: dict[str, float], told: str) -> None:
        assert told in tenant_in_words(of(**bucket))

    def test_what_does_not_apply_is_not_said(self) -> None:
        assert tenant_in_words(of()).endswith("UTC; 50% of its bucket is left.")


class TestIsCrowdedOut:
    @pytest.mark.parametrize(("pace", "expected"), [(None, False), (9.8, False), (9.79, True)])
    def test_below_half_of_our_own_rate(self, pace: float | None, expected: bool) -> None:
        assert is_crowded_out(of(pace=pace)) is expected

    def test_not_without_a_bucket(self) -> None:
        assert not is_crowded_out(BUSY)
