"""Dossier 7.3: what the published limits mean for bulk licensing, measured on the twin's own quotas."""

import pytest

from provisioning.sandbox.quotas import Charge, Quotas, Shape

SHAPES: list[Shape] = ["bucket", "sliding", "fixed"]


def refused(shape: Shape, rate: float, seconds: int, apps: int = 1, tenants: int = 1) -> int:
    """How many are refused of a steady stream of writes, from drained limits, by apps and in tenants by turns."""
    quotas = Quotas(shape)
    quotas.drain(0.0)
    found = 0
    for number in range(int(rate * seconds)):
        who = Charge(f"app {number % apps}", f"tenant {number // apps % tenants}", users=400, units=1, writes=1)
        found += quotas.charge(who, 2.0 + (number + 1) / rate).wait > 0
    return found


class TestG73Rates:
    @pytest.mark.parametrize("shape", ["bucket", "sliding"])
    def test_g7_3_twenty_writes_a_second_in_one_tenant(self, shape: Shape) -> None:
        assert refused(shape, 19.9, 60) == 0
        assert refused(shape, 22, 60) > 0

    @pytest.mark.parametrize("shape", ["bucket", "sliding"])
    def test_g7_3_sixty_in_one_tenant_for_all_apps_together(self, shape: Shape) -> None:
        assert refused(shape, 59, 30, apps=4) == 0
        assert refused(shape, 66, 30, apps=4) > 0

    @pytest.mark.parametrize("shape", ["bucket", "sliding"])
    def test_g7_3_a_hundred_and_sixteen_for_one_app_in_all_tenants(self, shape: Shape) -> None:
        assert refused(shape, 116, 25, tenants=20) == 0
        assert refused(shape, 130, 25, tenants=20) > 0

    @pytest.mark.parametrize("shape", SHAPES)
    def test_g7_3_a_fresh_tenant_takes_a_whole_window_at_once(self, shape: Shape) -> None:
        quotas = Quotas(shape)
        write = Charge("app", "tenant", users=400, units=1, writes=1)
        assert [number for number in range(3_010) if quotas.charge(write, 0.0).wait > 0] == list(range(3_000, 3_010))

    def test_g7_3_reading_is_never_the_bottleneck(self) -> None:
        quotas = Quotas()
        page = Charge("app", "tenant", users=100_000, units=1)
        assert all(quotas.charge(page, number / 100).wait == 0 for number in range(1_000))
