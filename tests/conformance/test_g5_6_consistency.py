"""Replica lag: reads may be old, never forever, and writes are decided on the truth."""

import httpx
import pytest

from tests.conformance.actions import change, consumed, skus_of
from tests.conformance.school import A1, A3, A5, INHERITING, TENANT, WITH_A1, WITH_NOTHING
from tests.sandbox_process import SandboxControl

LAG = 300.0


@pytest.fixture
def lagging(control: SandboxControl) -> SandboxControl:
    control.set_lag(LAG)
    return control


class TestLag:
    def test_g5_6_without_lag_every_read_sees_every_write(self, graph: httpx.Client) -> None:
        change(graph, WITH_A1, [A3], [A1])
        assert all(skus_of(graph, WITH_A1) == {A3} for _ in range(10))

    def test_g5_6_just_after_a_write_reads_are_old(self, graph: httpx.Client, lagging: SandboxControl) -> None:
        change(graph, WITH_A1, [A3], [A1])
        assert all(skus_of(graph, WITH_A1) == {A1} for _ in range(10))

    def test_g5_6_copies_disagree_for_a_while(self, graph: httpx.Client, lagging: SandboxControl) -> None:
        change(graph, WITH_A1, [A3], [A1])
        seen = set()
        for _ in range(int(LAG) // 10):
            lagging.set_clock(advance=10)
            seen |= {frozenset(skus_of(graph, WITH_A1)) for _ in range(4)}
        assert seen == {frozenset({A1}), frozenset({A3})}

    def test_g5_6_after_the_lag_all_agree(self, graph: httpx.Client, lagging: SandboxControl) -> None:
        change(graph, WITH_A1, [A3], [A1])
        lagging.set_clock(advance=LAG + 1)
        assert all(skus_of(graph, WITH_A1) == {A3} for _ in range(10))

    def test_g5_6_listings_and_counts_lag_as_well(self, graph: httpx.Client, lagging: SandboxControl) -> None:
        change(graph, WITH_A1, [A3], [A1])
        listed = graph.get("/users", params={"$select": "id,assignedLicenses"}).json()["value"]
        assert next(row for row in listed if row["id"] == WITH_A1)["assignedLicenses"][0]["skuId"] == A1
        assert consumed(graph, A3) == 2
        lagging.set_clock(advance=LAG + 1)
        assert consumed(graph, A3) == 3

    def test_g5_6_consumed_units_may_be_exempt(self, graph: httpx.Client, lagging: SandboxControl) -> None:
        lagging.set_switches(consumed_units="immediate")
        change(graph, WITH_A1, [A3], [A1])
        assert consumed(graph, A3) == 3

    def test_g5_6_a_new_user_is_404_until_the_copy_knows(self, graph: httpx.Client, lagging: SandboxControl) -> None:
        person = lagging.add_user(TENANT, userPrincipalName="new@school.example", usageLocation="NL")["id"]
        assert graph.get(f"/users/{person}").status_code == 404
        assert change(graph, person, [A1]).status_code == 404
        lagging.set_clock(advance=LAG + 1)
        assert change(graph, person, [A1]).status_code == 200

    def test_g5_6_a_deleted_user_can_be_read_for_a_while_but_not_written(
        self, graph: httpx.Client, lagging: SandboxControl
    ) -> None:
        lagging.delete_user(TENANT, WITH_A1)
        assert graph.get(f"/users/{WITH_A1}").status_code == 200
        assert change(graph, WITH_A1, [A1]).status_code == 404

    def test_g5_6_seats_are_counted_on_the_truth(self, graph: httpx.Client, lagging: SandboxControl) -> None:
        assert change(graph, WITH_NOTHING, [A5]).status_code == 200
        assert change(graph, INHERITING, [A5]).status_code == 400

    def test_g5_6_one_tenant_can_lag_alone(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_lag(LAG, tenant="neighbour.example")
        change(graph, WITH_A1, [A3], [A1])
        assert skus_of(graph, WITH_A1) == {A3}

    def test_g5_6_time_that_runs_faster_brings_reads_up_to_date_sooner(
        self, graph: httpx.Client, lagging: SandboxControl
    ) -> None:
        change(graph, WITH_A1, [A3], [A1])
        lagging.set_clock(factor=10_000_000)
        assert skus_of(graph, WITH_A1) == {A3}
