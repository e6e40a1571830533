from datetime import timedelta

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import OperationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane
from provisioning.domain.reasons import Reason
from provisioning.planning.quota_reading import BucketReading, QuotaReading
from provisioning.services.measure_quota import MeasureQuota, QueueMeasure, QuotaMeasure
from tests.unit.services.fakes_access import NOW, OPERATION, TENANT, FakeClock, FakeGauge, World, an_operation

ELSEWHERE = TenantId("22222222-2222-4222-8222-222222222222")
ANOTHER = OperationId("88aa1234-0000-4000-8000-000000000000")
CLOSED = BucketReading(left=0.0, closed_for=8.0, pace=9.8, refused=0.5)


def measure(world: World, reading: QuotaReading | None = QuotaReading()) -> QuotaMeasure:  # noqa: B008  frozen
    return MeasureQuota(open_uow=world.open, gauge=FakeGauge(reading), clock=FakeClock(), limits=default_limits())()


@pytest.fixture
def world() -> World:
    """Two operations are being written in one tenant, one in another."""
    world = World()
    an_operation(world, OperationState.APPLYING)
    an_operation(world, OperationState.APPLYING, operation_id=ANOTHER)
    an_operation(world, OperationState.VERIFYING, operation_id=OperationId("elsewhere"), tenant_id=ELSEWHERE)
    world.writes = {OPERATION: 147, ANOTHER: 49, OperationId("elsewhere"): 98}
    return world


class TestMeasureQuota:
    def test_tells_of_each_busy_tenant_the_last_to_be_done_first(self, world: World) -> None:
        found = measure(world)
        assert [(one.tenant_id, one.operations, one.writes) for one in found.tenants] == [
            (TENANT, 2, 196),
            (ELSEWHERE, 1, 98),
        ]
        assert [one.done_at - NOW for one in found.tenants] == [timedelta(seconds=10), timedelta(seconds=5)]
        assert (found.writes, found.done_at) == (294, NOW + timedelta(seconds=10))

    def test_adds_what_the_buckets_say(self, world: World) -> None:
        app = BucketReading(left=0.7)
        found = measure(world, QuotaReading(app=app, tenants={TENANT: CLOSED}, granted=1_000, refused=40))
        assert (found.app, found.granted, found.refused, found.reserve) == (app, 1_000, 40, 70.0)
        assert [one.bucket for one in found.tenants] == [CLOSED, None]
        assert found.done_at == NOW + timedelta(seconds=20)  # at the pace that the tenant shows

    def test_tells_how_long_operations_wait_by_lane(self) -> None:
        world = World()
        an_operation(world, OperationState.PLANNING, due_at=NOW - timedelta(seconds=30))
        an_operation(world, OperationState.NEW, operation_id=ANOTHER, due_at=NOW - timedelta(seconds=90))
        found = measure(world)
        assert found.queues == {Lane.ORDER: QueueMeasure(due=2, oldest=90.0), Lane.BULK: QueueMeasure()}

    def test_counts_what_is_held_by_reason(self) -> None:
        world = World()
        for number, reason in enumerate((Reason.POISON, Reason.POISON, Reason.GROUP_CHANGED)):
            an_operation(world, OperationState.HELD, operation_id=OperationId(str(number)), reason=reason)
        assert measure(world).held == {Reason.POISON: 2, Reason.GROUP_CHANGED: 1}

    def test_is_a_value_for_programs(self, world: World) -> None:
        written = msgspec.json.decode(msgspec.json.encode(measure(world, QuotaReading(tenants={TENANT: CLOSED}))))
        assert written["tenants"][0]["bucket"]["closed_for"] == 8.0
        assert written["queues"]["bulk"] == {"due": 0, "oldest": 0.0}

    def test_without_redis_there_is_nothing_to_measure(self, world: World) -> None:
        with pytest.raises(UnavailableError, match="Redis"):
            measure(world, None)
