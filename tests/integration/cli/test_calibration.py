"""One sandbox held against another: only what they were set to answer differently is told, and nobody is changed."""

import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from provisioning.audit.note import Note
from provisioning.planning.calibration import MOST_WRITES, Report, read_report
from provisioning.planning.probe_answers import Verdict
from tests.conformance.school import A1, DOMAIN, TENANT, WITH_A1, WITH_NOTHING, WITHOUT_LOCATION
from tests.factories import tenancy
from tests.integration.cli.conftest import SIGNER, Answer, Installation
from tests.sandbox_process import SandboxProcess

FIRST_DOMAIN = "eenschool.onmicrosoft.com"


@pytest.fixture
def operator(provisioning: Installation, team: dict[str, str], sandbox: SandboxProcess) -> Installation:
    """Somebody on duty who knows the tenant; time goes sixty times as fast, so that waiting costs nothing."""
    provisioning.set(PROVISIONING_CLOCK_FACTOR="60", PROVISIONING_CLOCK_ORIGIN="2026-11-23T08:00:00Z")
    provisioning.as_holder_of(team["operator"])("tenants", "add", DOMAIN)
    sandbox.control.reset_counters()
    return provisioning


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.txt"


@pytest.fixture
def other_switches(sandbox: SandboxProcess) -> Iterator[dict[str, Any]]:
    """What the sandbox in Microsoft's place believes otherwise than a twin does."""
    usual = {
        "invalid_disabled_plan": "refuse",
        "same_sku_in_add_and_remove": "refuse",
        "unsupported_locations": [],
        "conflict_retry_after": None,
        "users_page_token_expires": True,
        "batch_items_name_requests": False,
    }
    sandbox.control.set_switches(
        invalid_disabled_plan="ignore",
        same_sku_in_add_and_remove="reassign",
        unsupported_locations=["KP"],
        conflict_retry_after="3",
        users_page_token_expires=False,
        batch_items_name_requests=True,
    )
    yield usual
    sandbox.control.set_switches(**usual)


def calibrate(operator: Installation, report: Path, *more: str, user: str = WITH_NOTHING) -> Answer:
    typed = ("--i-know-this-is-a-test-tenant", FIRST_DOMAIN, "--to", str(report), "--journal", f"{report}.journal")
    return operator("tenants", "calibrate", DOMAIN, "--user", user, "--sku", A1, *typed, *more)


def told(sandbox: SandboxProcess) -> Any:
    """The twin's own account, without times."""
    world = sandbox.control.read_seed()
    for tenant in world["tenants"]:
        for user in tenant["users"]:
            for held in user["assignments"]:
                held["lastUpdatedDateTime"] = ""
    return world


def written(sandbox: SandboxProcess) -> list[dict[str, Any]]:
    """Everything that the sandbox was asked to write."""
    return [row for row in sandbox.control.ledger(tenant=TENANT) if row["method"] != "GET"]


def found_in(report: Path) -> Report:
    return read_report(Note.parse(report.read_text("utf-8")).text)


class TestACalibration:
    def test_of_equals_finds_no_difference(self, operator: Installation, sandbox: SandboxProcess, report: Path) -> None:
        before = told(sandbox)
        answer = calibrate(operator, report)
        assert answer.code == 0, answer.err
        found = found_in(report)
        assert found.counts[Verdict.DIFFERENT] == 0
        assert found.counts[Verdict.SAME] >= 18
        assert found.is_restored
        assert told(sandbox) == before

    @pytest.mark.usefixtures("other_switches")
    def test_of_two_that_differ_tells_exactly_what_they_were_set_to(
        self, operator: Installation, sandbox: SandboxProcess, report: Path
    ) -> None:
        before = told(sandbox)
        answer = calibrate(operator, report)
        assert answer.code == 0, answer.err
        different = {row.name: row for row in found_in(report).rows if row.verdict is Verdict.DIFFERENT}
        assert set(different) == {
            "plan-foreign",
            "added-and-removed",
            "location-unsold",
            "concurrent",
            "second-page",
            "batch-costs",
        }
        assert (different["plan-foreign"].expected["status"], different["plan-foreign"].seen["status"]) == (
            "400",
            "200",
        )
        assert different["concurrent"].seen["retry-after"] == "whole seconds"
        assert told(sandbox) == before

    def test_costs_sixty_writes_at_most(self, operator: Installation, sandbox: SandboxProcess, report: Path) -> None:
        calibrate(operator, report)
        counted = sandbox.control.counters()["writes"]
        assert found_in(report).writes >= sum(counted.values()) if isinstance(counted, dict) else counted
        assert found_in(report).writes <= MOST_WRITES
