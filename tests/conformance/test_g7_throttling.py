"""Dossier 7, row by row: the published limits, costs, headers, and what a busy neighbour does."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.actions import answers, batch, change, change_body, item
from tests.conformance.school import A1, APP, GROUP, ROLES, TENANT, UNIT, WITH_A1, WITH_NOTHING
from tests.sandbox_process import SandboxControl

HOUR = 3_600.0


def write(graph: httpx.Client, **headers: str) -> httpx.Response:
    return change(graph, WITH_A1, [A1], **headers)


def refused(graph: httpx.Client, control: SandboxControl, rate: int, seconds: int = 20) -> int:
    """How many writes are refused when so many come in every second of the sandbox, from drained buckets."""
    control.drain_quotas()
    found = 0
    for _ in range(seconds):
        control.set_clock(advance=1.0)
        items = [item(n, "PATCH", f"/users/{WITH_A1}", {"usageLocation": "NL"}) for n in range(rate)]
        found += sum(answer["status"] == 429 for answer in answers(batch(graph, *items)).values())
    return found


class TestG71Limits:
    @pytest.mark.parametrize(
        ("name", "scope", "kind", "capacity", "window"),
        [
            ("app_tenant_units_small", "Tenant_Application", "ReadWrite", 3_500, 10),
            ("app_tenant_units_medium", "Tenant_Application", "ReadWrite", 5_000, 10),
            ("app_tenant_units_large", "Tenant_Application", "ReadWrite", 8_000, 10),
            ("app_tenant_writes", "Tenant_Application", "Write", 3_000, 150),
            ("app_units", "Application", "ReadWrite", 150_000, 20),
            ("app_writes", "Application", "Write", 35_000, 300),
            ("tenant_writes", "Tenant", "Write", 18_000, 300),
            ("app_requests", "Application", "ReadWrite", 130_000, 10),
        ],
    )
    def test_g7_1_are_the_published_ones(
        self, control: SandboxControl, name: str, scope: str, kind: str, capacity: int, window: int
    ) -> None:
        limit = control.set_quotas()["limits"][name]
        found = (limit["scope"], limit["kind"], limit["capacity"], limit["window"])
        assert found == (scope, kind, capacity, window)

    @pytest.mark.parametrize(("people", "size"), [(49, "small"), (50, "medium"), (500, "medium"), (501, "large")])
    def test_g7_1_follow_the_size_of_the_tenant(
        self, graph: httpx.Client, control: SandboxControl, people: int, size: str
    ) -> None:
        world = control.read_seed()
        present = len(world["tenants"][0]["users"])
        world["tenants"][0]["population"] = [{"count": people - present, "prefix": "leerling"}]
        control.seed(world)
        control.set_quotas(**{f"app_tenant_units_{size}": {"capacity": 1, "window": HOUR}})
        assert [graph.get("/organization").status_code for _ in range(2)] == [200, 429]

    def test_g7_1_reads_never_touch_the_writes(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 1, "window": HOUR})
        assert {graph.get("/organization").status_code for _ in range(5)} == {200}
        assert [write(graph).status_code for _ in range(2)] == [200, 429]

    def test_g7_1_every_request_of_an_app_counts_on_the_limit_of_all_of_graph(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_quotas(app_requests={"capacity": 2, "window": HOUR})
        found = [graph.get(path) for path in ("/organization", "/education/schools", "/organization")]
        assert [response.status_code for response in found] == [200, 200, 429]
        assert found[-1].headers["x-ms-throttle-scope"] == f"Application/ReadWrite/{APP}/{TENANT}"


class TestG72Costs:
    @pytest.mark.parametrize(
        ("path", "units"),
        [
            ("/users", 2),
            (f"/users/{WITH_A1}", 1),
            (f"/users/{WITH_A1}/licenseDetails", 2),
            (f"/groups/{GROUP}/members", 3),
            (f"/groups/{GROUP}", 1),
            ("/subscribedSkus", 3),
            ("/directory/subscriptions", 1),
            ("/organization", 1),
            (f"/directory/administrativeUnits/{UNIT}/members", 1),
        ],
    )
    @pytest.mark.parametrize(
        ("options", "saved"),
        [("", 0), ("?$select=id", 1), ("?%24select=id", 1)],
        ids=["plain", "select", "select, encoded"],
    )
    def test_g7_2_of_a_read(self, graph: httpx.Client, path: str, units: int, options: str, saved: int) -> None:
        assert graph.get(path + options).headers["x-ms-resource-unit"] == str(max(units - saved, 1))

    @pytest.mark.parametrize(("top", "units"), [(19, 1), (20, 2), (999, 2)])
    def test_g7_2_of_a_small_page(self, graph: httpx.Client, top: int, units: int) -> None:
        assert graph.get(f"/users?$top={top}").headers["x-ms-resource-unit"] == str(units)

    def test_g7_2_of_a_write_is_one_unit_and_one_write(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.reset_counters()
        found = (write(graph), graph.patch(f"/users/{WITH_A1}", json={"usageLocation": "NL"}))
        assert [response.headers["x-ms-resource-unit"] for response in found] == ["1", "1"]
        assert control.counters()["tenants"][TENANT]["writes"] == 2

    def test_g7_2_of_a_write_that_is_refused_for_its_content_is_the_same(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 2, "window": HOUR})
        found = [change(graph, WITH_NOTHING, remove=[A1]) for _ in range(3)]
        assert [response.status_code for response in found] == [400, 400, 429]
        assert found[0].headers["x-ms-resource-unit"] == "1"


class TestG74Roster:
    @pytest.mark.parametrize(
        ("name", "capacity", "window"), [("education_app_tenant", 35_000, 10), ("education_app", 400_000, 20)]
    )
    def test_g7_4_has_the_published_limits(
        self, control: SandboxControl, name: str, capacity: int, window: int
    ) -> None:
        limit = control.set_quotas()["limits"][name]
        assert (limit["capacity"], limit["window"]) == (capacity, window)

    def test_g7_4_spends_nothing_of_the_directorys(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_units_small={"capacity": 1, "window": HOUR})
        assert {graph.get("/education/users").status_code for _ in range(3)} == {200}


class TestG75Headers:
    def test_g7_5_the_use_is_told_above_80_percent_on_answers_too(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 10, "window": HOUR})
        told = [write(graph).headers.get("x-ms-throttle-limit-percentage") for _ in range(10)]
        assert told[:8] == [None] * 8
        assert [float(value) for value in told[8:]] == pytest.approx([0.9, 1.0], abs=0.02)

    def test_g7_5_it_never_exceeds_180_percent(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 2, "window": HOUR})
        assert float([write(graph) for _ in range(9)][-1].headers["x-ms-throttle-limit-percentage"]) == 1.8

    def test_g7_5_items_of_a_batch_carry_their_own(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 1, "window": HOUR})
        items = [
            item(n, "POST", f"/users/{who}/assignLicense", change_body([A1]))
            for n, who in enumerate((WITH_A1, WITH_NOTHING))
        ]
        envelope = batch(graph, *items)
        refused = next(found for found in answers(envelope).values() if found["status"] == 429)
        assert envelope.status_code == 200
        assert {"Retry-After", "x-ms-throttle-scope", "x-ms-throttle-information"} <= refused["headers"].keys()
        assert not any(name.lower() == "retry-after" for name in envelope.headers)

    @pytest.mark.parametrize(
        ("priority", "accepted"), [("Low", 8), ("low", 8), ("Normal", 10), ("High", 10), ("nonsense", 10)]
    )
    def test_g7_5_low_priority_goes_first_and_high_gets_no_more(
        self, graph: httpx.Client, control: SandboxControl, priority: str, accepted: int
    ) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 10, "window": HOUR})
        found = [write(graph, **{"x-ms-throttle-priority": priority}).status_code for _ in range(12)]
        assert found == [200] * accepted + [429] * (12 - accepted)

    def test_g7_5_what_low_priority_leaves_is_there_for_others(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 10, "window": HOUR})
        for _ in range(8):
            write(graph, **{"x-ms-throttle-priority": "Low"})
        assert [write(graph).status_code for _ in range(3)] == [200, 200, 429]


class TestG76OtherRefusals:
    def test_g7_6_the_directorys_own_code_with_its_own_cause(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.add_fault(
            "throttle",
            code="Request_ThrottledTemporarily",
            headers={"x-ms-throttle-information": "CPULimitExceeded"},
            retryAfter=2.128,
        )
        refused = graph.get("/organization")
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "Request_ThrottledTemporarily")
        assert refused.headers["x-ms-throttle-information"] == "CPULimitExceeded"
        assert refused.headers["Retry-After"] == "2.128"

    def test_g7_6_an_unavailable_service_may_name_it_too(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("unavailable", code="Request_ThrottledTemporarily", message="Try later.")
        refused = graph.get("/organization")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "Request_ThrottledTemporarily")
        assert refused.json()["error"]["message"] == "Try later."


class TestForeignLoad:
    @pytest.fixture
    def busy(self, control: SandboxControl) -> SandboxControl:
        """Ten writes a second for us, twenty for the tenant."""
        control.set_quotas(app_tenant_writes={"capacity": 20, "window": 2}, tenant_writes={"capacity": 40, "window": 2})
        return control

    def test_hides_in_what_the_tenant_may_more_than_we(self, graph: httpx.Client, busy: SandboxControl) -> None:
        busy.add_load(TENANT, 9)
        assert refused(graph, busy, rate=10) == 0

    def test_slows_us_down_when_the_tenant_has_no_more(self, graph: httpx.Client, busy: SandboxControl) -> None:
        busy.add_load(TENANT, 16)
        assert refused(graph, busy, rate=3) == 0
        assert refused(graph, busy, rate=6) > 0
        assert write(graph).headers["x-ms-throttle-scope"].startswith("Tenant/Write/")

    def test_may_eat_from_our_own_rate(self, graph: httpx.Client, busy: SandboxControl) -> None:
        busy.add_load(TENANT, 6, limits=["tenant_writes", "app_tenant_writes"])
        assert refused(graph, busy, rate=3) == 0
        assert refused(graph, busy, rate=6) > 0

    def test_ends_by_itself(self, graph: httpx.Client, busy: SandboxControl) -> None:
        busy.add_load(TENANT, 1_000, **{"for": 60})
        busy.set_clock(advance=30)
        assert write(graph).status_code == 429
        busy.set_clock(advance=40)
        assert write(graph).status_code == 200

    def test_ends_when_told(self, graph: httpx.Client, busy: SandboxControl) -> None:
        load = busy.add_load(TENANT, 1_000)
        assert [found["id"] for found in busy.loads()] == [load["id"]]
        busy.clear_loads(load["id"])
        busy.set_clock(advance=10)
        assert write(graph).status_code == 200

    @pytest.mark.parametrize(
        ("load", "sentence"),
        [
            ({"limits": ["app_writes"]}, "No tenant has a limit app_writes: choose from app_tenant_writes"),
            ({"writes": 5}, "either writes, which count at once, or writes_per_second"),
            ({"for": 5, "until": "2030-01-01T00:00:00Z"}, "either until, a moment, or for"),
            ({"for": -5}, "Expected `float` > 0"),
            ({"until": "soon"}, "Invalid isoformat string"),
        ],
    )
    def test_nonsense_is_refused(self, control: SandboxControl, load: dict[str, Any], sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            control.add_load(TENANT, 5, **load)
        assert control.loads() == []


class TestClockFactor:
    @pytest.mark.parametrize("shape", ["bucket", "sliding", "fixed"])
    def test_quotas_live_in_the_sandboxs_time(
        self, graph: httpx.Client, control: SandboxControl, authorize: Callable[..., dict[str, str]], shape: str
    ) -> None:
        control.grant_consent(TENANT, APP, ROLES)
        control.set_quotas(shape, app_tenant_writes={"capacity": 2, "window": HOUR})
        refused = [write(graph) for _ in range(3)][-1]
        assert int(refused.headers["Retry-After"]) > 60
        control.set_clock(factor=10_000_000)
        assert write(graph).status_code == 200
