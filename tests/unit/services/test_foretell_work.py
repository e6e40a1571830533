from datetime import timedelta

import pytest

from config.limits import default_limits
from provisioning.domain.ids import OperationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.planning.forecast import Work
from provisioning.planning.quota_reading import BucketReading, QuotaReading
from provisioning.services.foretell_work import ForetellWork
from tests.unit.services.fakes_access import NOW, OPERATION, TENANT, FakeClock, FakeGauge, World, an_operation

ELSEWHERE = TenantId("22222222-2222-4222-8222-222222222222")
LATER = OperationId("88aa1234-0000-4000-8000-000000000000")


@pytest.fixture
def world() -> World:
    world = World()
    an_operation(world, OperationState.APPLYING)
    world.writes = {OPERATION: 196}
    return world


def foretell(world: World, reading: QuotaReading | None = QuotaReading()) -> ForetellWork:  # noqa: B008  frozen
    return ForetellWork(open_uow=world.open, gauge=FakeGauge(reading), clock=FakeClock(), limits=default_limits())


class TestForetellWork:
    def test_alone_it_takes_what_microsoft_allows(self, world: World) -> None:
        assert foretell(world)() == {OPERATION: NOW + timedelta(seconds=10)}

    def test_a_tenant_that_was_seen_to_get_less_takes_longer(self, world: World) -> None:
        seen = QuotaReading(tenants={TENANT: BucketReading(left=0.0, pace=4.9)})
        assert foretell(world, seen)() == {OPERATION: NOW + timedelta(seconds=40)}

    def test_without_redis_nobodys_pace_is_known(self, world: World) -> None:
        assert foretell(world, None)() == {OPERATION: NOW + timedelta(seconds=10)}

    def test_nothing_under_way_is_nothing_to_foretell(self) -> None:
        assert foretell(World(), None)() == {}

    def test_what_waits_for_approval_goes_beside_the_others(self, world: World) -> None:
        """Both have 98 when the smaller one is done: 196 in all, at 19.6 a second."""
        assert foretell(world)(Work(LATER, TENANT, 98))[LATER] == NOW + timedelta(seconds=10)
        assert foretell(world)(Work(LATER, ELSEWHERE, 98))[LATER] == NOW + timedelta(seconds=5)

    def test_what_is_named_twice_counts_once(self, world: World) -> None:
        assert foretell(world)(Work(OPERATION, TENANT, 98)) == {OPERATION: NOW + timedelta(seconds=5)}
