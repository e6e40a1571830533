"""G7.5: the headers of throttling, row by row."""

import httpx
import pytest

from tests.conformance.actions import change
from tests.conformance.school import A1, APP, TENANT, WITH_A1
from tests.sandbox_process import SandboxControl

HOUR = 3_600.0


@pytest.fixture
def ten(control: SandboxControl) -> SandboxControl:
    """Ten writes an hour per app and tenant."""
    control.set_quotas(app_tenant_writes={"capacity": 10, "window": HOUR})
    return control


@pytest.fixture
def answers(graph: httpx.Client, ten: SandboxControl) -> list[httpx.Response]:
    """Eleven writes: the last one is refused."""
    ten.reset_counters()
    return [change(graph, WITH_A1, [A1]) for _ in range(11)]


class TestG75Rows:
    @pytest.mark.parametrize("priority", ["Low", "Normal", "High", "low"])
    def test_g7_5_01_every_priority_is_accepted_and_charged_alike(
        self, graph: httpx.Client, ten: SandboxControl, priority: str
    ) -> None:
        response = change(graph, WITH_A1, [A1], **{"x-ms-throttle-priority": priority})
        assert (response.status_code, response.headers["x-ms-resource-unit"]) == (200, "1")

    def test_g7_5_02_the_cost_is_told_with_every_answer(self, answers: list[httpx.Response]) -> None:
        assert {answer.headers["x-ms-resource-unit"] for answer in answers[:-1]} == {"1"}

    def test_g7_5_03_the_use_is_told_above_80_percent_alone(self, answers: list[httpx.Response]) -> None:
        told = [answer.headers.get("x-ms-throttle-limit-percentage") for answer in answers]
        assert told[:7] == [None] * 7
        assert float(told[8] or 0) == pytest.approx(0.9, abs=0.02)
        assert float(told[9] or 0) == pytest.approx(1.0, abs=0.02)
        assert 1.0 < float(told[10] or 0) <= 1.8

    def test_g7_5_03_the_use_ends_at_180_percent(self, graph: httpx.Client, ten: SandboxControl) -> None:
        last = [change(graph, WITH_A1, [A1]) for _ in range(30)][-1]
        assert float(last.headers["x-ms-throttle-limit-percentage"]) == 1.8

    @pytest.mark.parametrize(
        ("manner", "is_right"),
        [
            ("whole", str.isdigit),
            ("fractional", lambda text: "." in text),
            ("one", lambda text: text == "1"),
        ],
    )
    def test_g7_5_04_retry_after_comes_in_several_manners(
        self, graph: httpx.Client, ten: SandboxControl, manner: str, is_right: object
    ) -> None:
        ten.set_switches(retry_after=manner)
        ten.drain_quotas()
        retry_after = change(graph, WITH_A1, [A1]).headers["Retry-After"]
        assert callable(is_right)
        assert is_right(retry_after)
        assert float(retry_after) > 0

    def test_g7_5_04_retry_after_may_come_with_503(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("unavailable", retryAfter=2.128)
        assert graph.get("/organization").headers["Retry-After"] == "2.128"

    def test_g7_5_05_the_scope_names_limit_app_and_tenant(self, answers: list[httpx.Response]) -> None:
        assert answers[-1].headers["x-ms-throttle-scope"] == f"Tenant_Application/Write/{APP}/{TENANT}"
        assert "x-ms-throttle-scope" not in answers[0].headers

    @pytest.mark.parametrize(
        ("limit", "scope"),
        [
            ("app_writes", f"Application/Write/{APP}/{TENANT}"),
            ("tenant_writes", f"Tenant/Write/{APP}/{TENANT}"),
            ("app_tenant_units_small", f"Tenant_Application/ReadWrite/{APP}/{TENANT}"),
            ("app_units", f"Application/ReadWrite/{APP}/{TENANT}"),
        ],
    )
    def test_g7_5_05_every_limit_has_its_scope(
        self, graph: httpx.Client, control: SandboxControl, limit: str, scope: str
    ) -> None:
        control.set_quotas(**{limit: {"capacity": 1, "window": HOUR}})
        refused = [change(graph, WITH_A1, [A1]) for _ in range(2)][-1]
        assert (refused.status_code, refused.headers["x-ms-throttle-scope"]) == (429, scope)

    def test_g7_5_06_the_cause_is_told(
        self, graph: httpx.Client, control: SandboxControl, answers: list[httpx.Response]
    ) -> None:
        assert answers[-1].headers["x-ms-throttle-information"] == "WriteLimitExceeded"
        control.set_quotas(app_tenant_units_small={"capacity": 3, "window": HOUR})
        reads = [graph.get("/subscribedSkus") for _ in range(2)]
        assert reads[-1].headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
