"""Foreign load: deterministic on the clock, whoever looks and when."""

import pytest

from provisioning.sandbox.foreign_load import ForeignLoad
from provisioning.sandbox.quotas import Charge, Limit, Quotas, Shape

SHAPES: list[Shape] = ["bucket", "sliding", "fixed"]
WRITE = Charge("app", "tenant", users=100, units=1, writes=1)
OWN, TENANT = "app_tenant_writes", "tenant_writes"


def quotas(shape: Shape = "bucket", **loads: float) -> Quotas:
    """Ten writes a second for the app in the tenant, twenty for the tenant; loads by the limit that they eat from."""
    limits = {OWN: Limit("Tenant_Application", "Write", 100, 10), TENANT: Limit("Tenant", "Write", 200, 10)}
    made = Quotas(shape, limits)
    for limit, rate in loads.items():
        made.foreign.add(ForeignLoad(id=limit, tenant="tenant", writes_per_second=rate, since=1_000.0, limits=(limit,)))
    return made


def refused(made: Quotas, rate: float, tenant: str = "tenant") -> int:
    """How many of the writes at this rate are refused in two minutes, from drained buckets and after a while."""
    made.drain(1_000.0)
    charge = Charge("app", tenant, users=100, units=1, writes=1)
    return sum(made.charge(charge, 1_010.0 + number / rate).wait > 0 for number in range(int(120 * rate)))


class TestPace:
    @pytest.mark.parametrize(
        ("loads", "left"),
        [
            pytest.param({}, 10, id="none: it is Microsoft's own"),
            pytest.param({TENANT: 9}, 10, id="what the tenant can spare is not felt"),
            pytest.param({TENANT: 16}, 4, id="more than it can spare is"),
            pytest.param({OWN: 5}, 5, id="taken from our own rate it is felt at once"),
            pytest.param({TENANT: 15, OWN: 2}, 5, id="the narrower of two decides"),
        ],
    )
    def test_what_is_left_is_exactly_the_rest(self, loads: dict[str, float], left: float) -> None:
        assert refused(quotas(**loads), left * 0.99) == 0
        assert refused(quotas(**loads), left * 1.2) > 0

    def test_another_tenant_feels_nothing(self) -> None:
        assert refused(quotas(tenant_writes=1_000), 9.9, "another") == 0


class TestDeterminism:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_looking_on_the_way_changes_nothing(self, shape: Shape) -> None:
        watched, alone = quotas(shape, tenant_writes=25), quotas(shape, tenant_writes=25)
        for moment in (1_000.3, 1_002.1, 1_004.9):
            watched.load("tenant", 0.0, moment)
        assert watched.charge(WRITE, 1_009.0) == alone.charge(WRITE, 1_009.0)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_a_meter_opened_late_knows_what_was_before(self, shape: Shape) -> None:
        made = quotas(shape, tenant_writes=1_000)
        assert made.charge(WRITE, 1_009.6).limit == made.limits[TENANT]

    def test_several_loads_add_up(self) -> None:
        made = quotas(tenant_writes=10)
        made.foreign.add(ForeignLoad(id="2", tenant="tenant", writes_per_second=6, since=1_000.0))
        assert refused(made, 4.8) > 0


class TestEnd:
    def test_it_ends_when_told(self) -> None:
        made = quotas()
        made.foreign.add(ForeignLoad(id="1", tenant="tenant", writes_per_second=1_000, since=1_000.0, until=1_100.0))
        assert made.charge(WRITE, 1_099.9).wait > 0
        assert made.charge(WRITE, 1_111.0).wait == 0

    def test_cleared_it_takes_no_more(self) -> None:
        made = quotas(tenant_writes=1_000)
        made.charge(WRITE, 1_050.0)
        made.foreign.clear()
        assert made.charge(WRITE, 1_061.0).wait == 0

    def test_one_can_be_cleared_by_itself(self) -> None:
        made = quotas(tenant_writes=1, app_tenant_writes=1)
        made.foreign.clear(OWN)
        assert [load.id for load in made.foreign] == [TENANT]

    def test_filled_buckets_start_again_under_the_same_load(self) -> None:
        made = quotas(tenant_writes=1_000)
        made.reset(1_050.0)
        assert made.charge(WRITE, 1_050.0).wait == 0
        assert made.charge(WRITE, 1_055.0).wait > 0

    def test_microsofts_limits_come_back_without_it(self) -> None:
        made = quotas(tenant_writes=1_000)
        made.restore()
        assert list(made.foreign) == []

    def test_after_long_silence_a_full_tenant_is_still_full(self) -> None:
        assert quotas(tenant_writes=1_000).charge(WRITE, 500_000.0).wait > 0
