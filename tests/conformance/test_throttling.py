"""Quotas: what counts, who is refused, what the refusal says, when it ends."""

from collections.abc import Callable

import httpx
import pytest

from tests.conformance.actions import answers, batch, change, change_body, item
from tests.conformance.school import A1, APP, NEIGHBOUR, ROLES, TENANT, WITH_A1, WITH_NOTHING
from tests.sandbox_process import SandboxControl

MINUTE = 60.0


@pytest.fixture
def narrow(control: SandboxControl) -> SandboxControl:
    """Three writes a minute per app and tenant."""
    control.set_quotas(app_tenant_writes={"capacity": 3, "window": MINUTE})
    return control


def writes(graph: httpx.Client, number: int) -> list[httpx.Response]:
    return [change(graph, WITH_A1, [A1]) for _ in range(number)]


def statuses(responses: list[httpx.Response]) -> list[int]:
    return [response.status_code for response in responses]


@pytest.mark.usefixtures("narrow")
class TestRefusal:
    def test_only_the_excess_is_refused(self, graph: httpx.Client) -> None:
        assert statuses(writes(graph, 5)) == [200, 200, 200, 429, 429]

    def test_reads_go_on(self, graph: httpx.Client) -> None:
        writes(graph, 5)
        assert graph.get("/organization").status_code == 200

    def test_says_who_refuses_why_and_for_how_long(self, graph: httpx.Client) -> None:
        refused = writes(graph, 4)[-1]
        assert refused.headers["x-ms-throttle-scope"] == f"Tenant_Application/Write/{APP}/{TENANT}"
        assert refused.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
        assert 1 <= int(refused.headers["Retry-After"]) <= MINUTE

    def test_has_the_body_of_the_throttling_page(self, graph: httpx.Client) -> None:
        error = writes(graph, 4)[-1].json()["error"]
        assert (error["code"], error["message"]) == ("TooManyRequests", "Please retry again later.")
        assert (error["innerError"]["code"], error["innerError"]["status"]) == ("429", "429")

    def test_a_refused_write_changes_nothing(self, graph: httpx.Client, narrow: SandboxControl) -> None:
        writes(graph, 5)
        assert len(list(narrow.ledger())) == 3

    def test_counters_tell_accepted_from_refused(self, graph: httpx.Client, narrow: SandboxControl) -> None:
        narrow.reset_counters()
        writes(graph, 5)
        assert narrow.counters()["tenants"][TENANT] == {"calls": 5, "requests": 5, "writes": 3, "refused": 2}

    def test_the_use_of_the_limit_is_told_from_80_percent(self, graph: httpx.Client) -> None:
        use = [response.headers.get("x-ms-throttle-limit-percentage") for response in writes(graph, 4)]
        assert use[:2] == [None, None]
        assert float(use[2]) == pytest.approx(1.0, abs=0.02)
        assert float(use[3]) > 1.2

    @pytest.mark.parametrize("shape", ["bucket", "sliding", "fixed"])
    def test_waiting_as_told_is_enough(self, graph: httpx.Client, narrow: SandboxControl, shape: str) -> None:
        narrow.set_quotas(shape)
        refused = writes(graph, 4)[-1]
        narrow.set_clock(advance=int(refused.headers["Retry-After"]) + 1)
        assert writes(graph, 1)[0].status_code == 200

    def test_requests_while_throttled_keep_counting(self, graph: httpx.Client, narrow: SandboxControl) -> None:
        first, *_, last = writes(graph, 6)[3:]
        assert int(last.headers["Retry-After"]) > int(first.headers["Retry-After"])
        narrow.set_clock(advance=int(first.headers["Retry-After"]))
        assert writes(graph, 1)[0].status_code == 429

    def test_another_tenant_is_not_touched(
        self, graph: httpx.Client, narrow: SandboxControl, authorize: Callable[..., dict[str, str]]
    ) -> None:
        narrow.grant_consent(NEIGHBOUR, APP, ROLES)
        person = narrow.add_user(NEIGHBOUR, userPrincipalName="one@neighbour.example", usageLocation="NL")
        writes(graph, 5)
        body = {"usageLocation": "BE"}
        assert graph.patch(f"/users/{person['id']}", json=body, headers=authorize(tenant=NEIGHBOUR)).is_success

    @pytest.mark.parametrize(
        ("mode", "is_right"),
        [
            ("whole", lambda value: value.isdigit()),
            ("fractional", lambda value: "." in value and float(value) > 1),
            ("one", lambda value: value == "1"),
        ],
    )
    def test_retry_after_comes_in_several_manners(
        self, graph: httpx.Client, narrow: SandboxControl, mode: str, is_right: Callable[[str], bool]
    ) -> None:
        narrow.set_switches(retry_after=mode)
        assert is_right(writes(graph, 4)[-1].headers["Retry-After"])

    def test_retry_after_may_be_absent(self, graph: httpx.Client, narrow: SandboxControl) -> None:
        narrow.set_switches(retry_after="absent")
        assert "Retry-After" not in writes(graph, 4)[-1].headers


class TestBatch:
    def test_every_item_is_charged_and_refused_by_itself(self, graph: httpx.Client, narrow: SandboxControl) -> None:
        people = [
            narrow.add_user(TENANT, userPrincipalName=f"p{n}@school.example", usageLocation="NL") for n in range(5)
        ]
        items = [
            item(n, "POST", f"/users/{who['id']}/assignLicense", change_body([A1])) for n, who in enumerate(people)
        ]
        response = batch(graph, *items)
        found = answers(response)
        assert response.status_code == 200
        assert sorted(answer["status"] for answer in found.values()) == [200, 200, 200, 429, 429]
        assert all("Retry-After" in answer["headers"] for answer in found.values() if answer["status"] == 429)

    def test_the_envelope_is_free_unless_switched(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_units_small={"capacity": 10, "window": MINUTE})
        reads = [item(n, "GET", "/organization") for n in range(10)]
        assert {answer["status"] for answer in answers(batch(graph, *reads)).values()} == {200}
        control.fill_quotas()
        control.set_switches(batch_resource_units=1)
        assert {answer["status"] for answer in answers(batch(graph, *reads)).values()} == {200, 429}


class TestOtherLimits:
    def test_the_app_as_a_whole(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_writes={"capacity": 1, "window": MINUTE})
        assert writes(graph, 2)[-1].headers["x-ms-throttle-scope"].startswith("Application/Write/")

    def test_the_tenant_as_a_whole_filled_by_others(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(tenant_writes={"capacity": 100, "window": MINUTE * 60})  # no token drips in meanwhile
        control.load_quota(TENANT, 100)
        assert writes(graph, 1)[0].headers["x-ms-throttle-scope"].startswith("Tenant/Write/")

    def test_resource_units(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_units_small={"capacity": 3, "window": MINUTE})
        assert graph.get("/subscribedSkus").status_code == 200
        refused = graph.get("/subscribedSkus")
        assert refused.headers["x-ms-throttle-scope"].startswith("Tenant_Application/ReadWrite/")
        assert refused.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"

    def test_the_roster_has_limits_of_its_own(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(education_app_tenant={"capacity": 1, "window": MINUTE})
        assert [graph.get("/education/users").status_code for _ in range(2)] == [200, 429]
        assert graph.get("/users").status_code == 200


class TestCosts:
    @pytest.mark.parametrize(
        ("path", "units"),
        [
            ("/users", 2),
            ("/users?$select=id", 1),
            ("/users?$top=5", 1),
            ("/users?$top=999", 2),
            (f"/users/{WITH_A1}", 1),
            (f"/users/{WITH_A1}/licenseDetails", 2),
            ("/subscribedSkus", 3),
            ("/subscribedSkus?$select=skuId", 2),
            ("/organization?$select=id", 1),
        ],
    )
    def test_follow_the_published_table(self, graph: httpx.Client, path: str, units: int) -> None:
        assert graph.get(path).headers["x-ms-resource-unit"] == str(units)

    def test_a_write_costs_one(self, graph: httpx.Client) -> None:
        assert change(graph, WITH_NOTHING, [A1]).headers["x-ms-resource-unit"] == "1"


class TestControl:
    def test_drained_buckets_refuse_the_first_write(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 3, "window": 3_000})
        control.drain_quotas()
        assert writes(graph, 1)[0].status_code == 429
        control.fill_quotas()
        assert writes(graph, 1)[0].status_code == 200

    def test_reset_brings_back_microsofts_limits(self, narrow: SandboxControl) -> None:
        narrow.reset_quotas()
        limits = narrow.set_quotas()["limits"]
        assert (limits["app_tenant_writes"]["capacity"], limits["app_tenant_writes"]["window"]) == (3_000, 150)
        assert (limits["app_writes"]["capacity"], limits["tenant_writes"]["capacity"]) == (35_000, 18_000)

    def test_a_clock_that_runs_faster_refills_faster(self, graph: httpx.Client, narrow: SandboxControl) -> None:
        writes(graph, 4)
        narrow.set_clock(factor=10_000_000)
        assert writes(graph, 1)[0].status_code == 200

    @pytest.mark.parametrize("limits", [{"nonsense": {"capacity": 1}}, {"app_writes": {"capacity": 0}}])
    def test_nonsense_is_refused(self, control: SandboxControl, limits: dict[str, dict[str, float]]) -> None:
        with pytest.raises(ValueError, match=r"There is no limit|must be positive"):
            control.set_quotas(**limits)
