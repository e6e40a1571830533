"""Dossier 8 (lifecycles): subscriptions on the sandbox's clock, and what becomes of those who hold their licences."""

from typing import Any

import httpx
import pytest

from tests.conformance.actions import change, message, skus_of
from tests.conformance.school import (
    A1,
    A3,
    A5,
    EXCHANGE_OF_A3,
    NEIGHBOUR,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
    YAMMER,
)
from tests.sandbox_process import SandboxControl

DAY = 86_400.0
NO_SEATS = f"Subscription with SKU {A5} does not have any available licenses."
MAIL = [EXCHANGE_OF_A3]  # a plan of A3 and A5 alike


def units(graph: httpx.Client, sku_id: str) -> dict[str, int]:
    """prepaidUnits that are not zero, and consumedUnits."""
    row = next(row for row in graph.get("/subscribedSkus").json()["value"] if row["skuId"] == sku_id)
    return {name: number for name, number in row["prepaidUnits"].items() if number} | {"used": row["consumedUnits"]}


def rows(graph: httpx.Client, sku_id: str) -> list[dict[str, Any]]:
    return [row for row in graph.get("/directory/subscriptions").json()["value"] if row["skuId"] == sku_id]


@pytest.fixture
def a5(control: SandboxControl) -> str:
    """The subscription of the only A5 seat."""
    return next(held["id"] for held in control.subscriptions(TENANT) if held["skuId"] == A5)


@pytest.fixture
def holder(graph: httpx.Client) -> str:
    """The one who holds it."""
    assert change(graph, WITH_NOTHING, [A5]).status_code == 200
    return WITH_NOTHING


class TestG81States:
    def test_g8_1_an_end_is_followed_by_grace_suspension_and_deletion(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        now = control.clock()["now"]
        held = control.add_subscription(TENANT, skuId=A5, totalLicenses=9, term="volume")
        control.end_subscription(TENANT, held["id"], now + DAY)
        for jump, expected in ((1, "Warning"), (90, "Suspended")):
            control.set_clock(advance=jump * DAY + 1)
            found = next(row for row in rows(graph, A5) if row["id"] == held["id"])
            assert (found["status"], units(graph, A5)[expected.lower()]) == (expected, 9)
            assert found["nextLifecycleDateTime"] > control.clock()["moment"]
        control.set_clock(advance=60 * DAY)
        assert held["id"] not in {row["id"] for row in rows(graph, A5)}

    def test_g8_1_a_deleted_one_may_stay_in_the_list(
        self, graph: httpx.Client, control: SandboxControl, a5: str
    ) -> None:
        control.set_switches(deleted_subscriptions_listed=True)
        control.change_subscription(TENANT, a5, status="Deleted")
        assert [(row["status"], row["nextLifecycleDateTime"]) for row in rows(graph, A5)] == [("Deleted", None)]
        assert A5 not in {row["skuId"] for row in graph.get("/subscribedSkus").json()["value"]}

    def test_g8_1_a_cancelled_one_is_never_in_grace(
        self, graph: httpx.Client, control: SandboxControl, a5: str
    ) -> None:
        control.change_subscription(TENANT, a5, status="LockedOut")
        assert units(graph, A5) == {"lockedOut": 1, "used": 0}
        control.set_clock(advance=90 * DAY + 1)
        assert rows(graph, A5) == []

    def test_g8_1_durations_may_be_its_own(self, graph: httpx.Client, control: SandboxControl, a5: str) -> None:
        control.change_subscription(TENANT, a5, status="Warning")
        control.set_durations(TENANT, a5, graceDays=2)
        control.set_clock(advance=2 * DAY + 1)
        assert units(graph, A5) == {"suspended": 1, "used": 0}

    @pytest.mark.parametrize("status", ["Warning", "Suspended", "LockedOut"])
    def test_g14_no_seat_of_it_is_given_away(
        self, graph: httpx.Client, control: SandboxControl, a5: str, status: str
    ) -> None:
        control.change_subscription(TENANT, a5, status=status)
        assert message(change(graph, WITH_NOTHING, [A5])) == NO_SEATS

    def test_g14_units_in_grace_may_be_assignable(self, graph: httpx.Client, control: SandboxControl, a5: str) -> None:
        control.set_switches(warning_units_assignable=True)
        control.change_subscription(TENANT, a5, status="Warning")
        assert change(graph, WITH_NOTHING, [A5]).status_code == 200

    @pytest.mark.parametrize("status", ["Suspended", "LockedOut"])
    def test_g14_a_dormant_sku_may_answer_as_none(
        self, graph: httpx.Client, control: SandboxControl, a5: str, status: str
    ) -> None:
        control.set_switches(dormant_skus_answer="unknown_sku")
        control.change_subscription(TENANT, a5, status=status)
        assert (
            message(change(graph, WITH_NOTHING, [A5]))
            == f"License {A5} does not correspond to a valid company License."
        )

    def test_g8_1_an_unknown_status_is_refused(self, control: SandboxControl, a5: str) -> None:
        with pytest.raises(ValueError, match="cannot be Asleep: choose from Enabled"):
            control.change_subscription(TENANT, a5, status="Asleep")
        with pytest.raises(ValueError, match="cannot be Asleep"):
            control.add_subscription(TENANT, skuId=A5, totalLicenses=1, status="Asleep")


class TestM6Renewal:
    def test_for_a_while_there_are_twice_as_many_seats(
        self, graph: httpx.Client, control: SandboxControl, a5: str, holder: str
    ) -> None:
        control.renew_subscription(TENANT, a5, overlapDays=14)
        assert units(graph, A5) == {"enabled": 1, "warning": 1, "used": 1}
        assert message(change(graph, WITH_A1, [A5], [A1])) == NO_SEATS
        control.set_clock(advance=14 * DAY + 1)
        assert units(graph, A5) == {"enabled": 1, "suspended": 1, "used": 1}
        assert control.gaps(TENANT, [MAIL], users=[holder], since=control.clock()["now"] - 10 * DAY) == []

    def test_the_new_one_may_be_late(self, graph: httpx.Client, control: SandboxControl, a5: str) -> None:
        control.renew_subscription(TENANT, a5, lateBy=3_600)
        assert units(graph, A5) == {"warning": 1, "used": 0}
        control.set_clock(advance=3_601)
        assert units(graph, A5) == {"enabled": 1, "warning": 1, "used": 0}

    def test_it_may_be_another_product_of_another_number(
        self, graph: httpx.Client, control: SandboxControl, a5: str
    ) -> None:
        renewed = control.renew_subscription(TENANT, a5, skuId=A3, totalLicenses=20)
        assert (renewed["new"]["skuId"], renewed["new"]["totalLicenses"]) == (A3, 20)
        assert units(graph, A3)["enabled"] == 24

    def test_it_may_be_planned(self, graph: httpx.Client, control: SandboxControl, a5: str) -> None:
        control.renew_subscription(TENANT, a5, **{"in": 60})
        assert units(graph, A5) == {"enabled": 1, "used": 0}
        control.set_clock(advance=61)
        assert units(graph, A5) == {"enabled": 1, "warning": 1, "used": 0}

    def test_only_what_is_alive_is_renewed(self, control: SandboxControl, a5: str) -> None:
        control.change_subscription(TENANT, a5, status="Suspended")
        with pytest.raises(ValueError, match="only an Enabled one is renewed"):
            control.renew_subscription(TENANT, a5)


class TestG83OverAssignment:
    def test_g8_3_who_has_a_licence_keeps_it_and_the_next_gets_none(
        self, graph: httpx.Client, control: SandboxControl, a5: str, holder: str
    ) -> None:
        control.change_subscription(TENANT, a5, totalLicenses=0)
        assert units(graph, A5) == {"used": 1}
        assert skus_of(graph, holder) == {A5}
        assert message(change(graph, WITH_A1, [A5], [A1])) == NO_SEATS
        assert control.gaps(TENANT, [MAIL], users=[holder], since=control.clock()["now"]) == []

    def test_g8_3_who_has_one_may_still_change_its_plans(
        self, graph: httpx.Client, control: SandboxControl, a5: str, holder: str
    ) -> None:
        control.change_subscription(TENANT, a5, totalLicenses=0)
        assert change(graph, holder, [(A5, [YAMMER])]).status_code == 200

    def test_g8_3_a_reduction_can_be_planned(self, graph: httpx.Client, control: SandboxControl, a5: str) -> None:
        control.change_subscription(TENANT, a5, totalLicenses=0, **{"in": 60})
        assert units(graph, A5) == {"enabled": 1, "used": 0}
        control.set_clock(advance=61)
        assert units(graph, A5) == {"used": 0}


class TestG82Loss:
    def test_g8_2_a_suspended_service_is_not_had_though_the_licence_is_listed(
        self, graph: httpx.Client, control: SandboxControl, a5: str, holder: str
    ) -> None:
        start = control.clock()["now"]
        control.change_subscription(TENANT, a5, status="Suspended", **{"in": 60})
        control.change_subscription(TENANT, a5, status="Enabled", **{"in": 180})
        control.set_clock(advance=300)
        assert skus_of(graph, holder) == {A5}
        (gap,) = control.gaps(TENANT, [MAIL], users=[holder], since=start)
        assert gap["until"] - gap["since"] == pytest.approx(120, abs=2)

    def test_g8_2_grace_may_be_the_end_of_it(self, control: SandboxControl, a5: str, holder: str) -> None:
        start = control.clock()["now"]
        control.change_subscription(TENANT, a5, status="Warning")
        assert control.gaps(TENANT, [MAIL], users=[holder], since=start) == []
        control.set_switches(warning_serves=False)
        assert len(control.gaps(TENANT, [MAIL], users=[holder], since=start)) == 1

    def test_g8_2_what_the_licence_keeps_can_be_swapped_away(
        self, graph: httpx.Client, control: SandboxControl, a5: str, holder: str
    ) -> None:
        control.change_subscription(TENANT, a5, status="Deleted")
        assert change(graph, holder, [A3], [A5]).status_code == 200
        assert skus_of(graph, holder) == {A3}


class TestRemap:
    def places(self, control: SandboxControl) -> list[tuple[str, str]]:
        now = control.clock()["now"]
        return [
            (name, held["status"])
            for name, tenant in (("here", TENANT), ("there", NEIGHBOUR))
            for held in control.subscriptions(tenant)
            if held["skuId"] == A5 and held["appears_at"] <= now
        ]

    def test_seats_leave_at_once_and_arrive_after_a_while(self, control: SandboxControl, a5: str, holder: str) -> None:
        start = control.clock()["now"]
        control.move_subscription(TENANT, a5, NEIGHBOUR, arrivesIn=DAY)
        assert self.places(control) == [("here", "Deleted")]
        control.set_clock(advance=DAY + 1)
        assert self.places(control) == [("here", "Deleted"), ("there", "Enabled")]
        (gap,) = control.gaps(TENANT, [MAIL], users=[holder], since=start)
        assert gap["until"] is None

    def test_it_is_the_same_purchase_with_the_same_end(self, control: SandboxControl, a5: str) -> None:
        control.end_subscription(TENANT, a5, control.clock()["now"] + 10 * DAY)
        moved = control.move_subscription(TENANT, a5, NEIGHBOUR)
        before, after = moved["from"], moved["to"]
        assert before["commerceSubscriptionId"] == after["commerceSubscriptionId"]
        assert before["id"] != after["id"]
        control.set_clock(advance=11 * DAY)
        assert self.places(control)[-1] == ("there", "Warning")

    def test_it_may_never_arrive(self, control: SandboxControl, a5: str) -> None:
        assert control.move_subscription(TENANT, a5, NEIGHBOUR, outcome="lost")["to"] is None
        control.set_clock(advance=DAY)
        assert self.places(control) == [("here", "Deleted")]

    def test_it_may_be_in_both_tenants(self, control: SandboxControl, a5: str) -> None:
        control.move_subscription(TENANT, a5, NEIGHBOUR, outcome="doubled")
        assert self.places(control) == [("here", "Enabled"), ("there", "Enabled")]

    def test_it_may_be_planned(self, control: SandboxControl, a5: str) -> None:
        control.move_subscription(TENANT, a5, NEIGHBOUR, arrivesIn=60, **{"in": 60})
        assert self.places(control) == [("here", "Enabled")]
        control.set_clock(advance=61)
        assert self.places(control) == [("here", "Deleted")]
        control.set_clock(advance=60)
        assert self.places(control) == [("here", "Deleted"), ("there", "Enabled")]

    @pytest.mark.parametrize(
        ("to", "sentence"), [(TENANT, "to another tenant"), ("nowhere.example", "no tenant nowhere")]
    )
    def test_it_needs_another_tenant(self, control: SandboxControl, a5: str, to: str, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            control.move_subscription(TENANT, a5, to)


class TestM3Lateness:
    def test_seats_that_are_late_cannot_be_given_away_before(
        self, graph: httpx.Client, control: SandboxControl, holder: str
    ) -> None:
        control.add_subscription(TENANT, skuId=A5, totalLicenses=1, appearsIn=DAY)
        graph.patch(f"/users/{WITHOUT_LOCATION}", json={"usageLocation": "NL"})
        assert message(change(graph, WITHOUT_LOCATION, [A5])) == NO_SEATS
        control.set_clock(advance=DAY + 1)
        assert change(graph, WITHOUT_LOCATION, [A5]).status_code == 200
