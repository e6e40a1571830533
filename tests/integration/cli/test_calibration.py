"""One sandbox held against another: only what they were set to answer differently is told, and nobody is changed."""

import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, text

from provisioning.audit.note import Note
from provisioning.planning.calibration import MOST_WRITES, Report, read_report
from provisioning.planning.group_probes import GROUP_POINTS
from provisioning.planning.probe_answers import Verdict
from tests.conformance.school import A1, APP, DOMAIN, GROUP, GUEST, TENANT, WITH_A1, WITH_NOTHING, WITHOUT_LOCATION
from tests.factories import tenancy
from tests.integration.cli.conftest import SIGNER, Answer, Installation, flat
from tests.sandbox_process import SandboxProcess

EMPTY_GROUP = "4d5e6f70-1111-4222-8333-444455556666"
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
    return operator(*(user if word == WITH_NOTHING else word for word in _typed(report)), *more)


def told(sandbox: SandboxProcess) -> Any:
    """The twin's own account, without times."""
    world = sandbox.control.read_seed()
    for tenant in world["tenants"]:
        for user in tenant["users"]:
            for held in user.get("assignments", ()):
                held["lastUpdatedDateTime"] = ""
        for group in tenant["groups"]:
            group.pop("processing", None)  # that it once had a licence
    return world


def _counted(sandbox: SandboxProcess) -> int:
    """Writes that were sent to the sandbox in Microsoft's place, refused ones too."""
    return int(sandbox.control.counters()["tenants"].get(TENANT, {}).get("writes", 0))


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
        counted = _counted(sandbox)
        assert 0 < counted <= found_in(report).writes <= MOST_WRITES

    def test_leaves_one_line_on_record_for_each_write_that_was_accepted(
        self, operator: Installation, sandbox: SandboxProcess, report: Path
    ) -> None:
        since = max((row["sequence"] for row in sandbox.control.ledger()), default=0)
        calibrate(operator, report)
        events = operator("audit", "list", "--json").json
        accepted = {event["correlation"] for event in events if event["kind"] == "probe.accepted"}
        alone = {row["clientRequestId"] for row in sandbox.control.ledger(since, tenant=TENANT)}
        assert alone
        assert alone <= accepted
        assert {event["subject"][:2] for event in events if event["kind"].startswith("probe.")} == {"p_"}
        assert [event["kind"] for event in events if event["kind"].startswith("tenant.calib")] == [
            "tenant.calibration_begun",
            "tenant.calibrated",
        ]

    def test_only_says_what_it_would_ask_until_the_domain_is_typed(
        self, operator: Installation, sandbox: SandboxProcess
    ) -> None:
        answer = operator("tenants", "calibrate", DOMAIN, "--user", WITH_NOTHING)
        assert (answer.code, "Nothing was asked yet" in flat(answer.out)) == (0, True)
        assert not _counted(sandbox)

    def test_survives_an_answer_that_is_lost(
        self, operator: Installation, sandbox: SandboxProcess, report: Path
    ) -> None:
        before = told(sandbox)
        sandbox.control.add_fault(
            "gateway_timeout", tenant=TENANT, route="assignLicense", after=6, times=2, applied=True
        )
        answer = calibrate(operator, report)
        assert answer.code == 0, answer.err
        assert told(sandbox) == before


class TestReplicasThatLag:
    @pytest.fixture(params=[15, 300], ids=["15 s", "5 min"])
    def lag(self, operator: Installation, sandbox: SandboxProcess, request: pytest.FixtureRequest) -> Iterator[None]:
        sandbox.control.set_clock(factor=60)
        sandbox.control.set_lag(request.param)
        yield
        sandbox.control.set_lag(0)
        sandbox.control.set_clock(factor=1)

    @pytest.mark.usefixtures("lag")
    def test_make_it_slower_and_nothing_else(
        self, operator: Installation, sandbox: SandboxProcess, report: Path
    ) -> None:
        before = told(sandbox)
        sandbox.control.add_fault(
            "gateway_timeout", tenant=TENANT, route="assignLicense", after=6, times=1, applied=True
        )
        answer = calibrate(operator, report)
        assert answer.code == 0, answer.err
        assert told(sandbox) == before
        assert found_in(report).is_restored


class TestAGroup:
    @pytest.fixture
    def group(self, operator: Installation, sandbox: SandboxProcess) -> Iterator[str]:
        """An empty one, and consent to write to it. Microsoft's place works as fast as we wait."""
        sandbox.control.put_group(TENANT, id=EMPTY_GROUP, displayName="Test")
        sandbox.control.grant_consent(TENANT, APP, ["GroupMember.ReadWrite.All"])
        sandbox.control.set_clock(factor=60)
        yield EMPTY_GROUP
        sandbox.control.set_clock(factor=1)

    def test_is_asked_about_and_put_back(
        self, operator: Installation, sandbox: SandboxProcess, report: Path, group: str
    ) -> None:
        before = told(sandbox)
        answer = calibrate(operator, report, "--group", group)
        assert answer.code == 0, answer.err
        rows = {row.name: row for row in found_in(report).rows}
        assert {rows[one.name].verdict for one in GROUP_POINTS} == {Verdict.SAME}
        assert rows["remove-inherited"].seen["message"].startswith("User license is inherited from a group")
        assert rows["group-serves"].seen["licences"] == "<sku> through <group> Active None off 0"
        assert _counted(sandbox) <= MOST_WRITES
        assert told(sandbox) == before

    def test_that_has_members_is_refused(self, operator: Installation, sandbox: SandboxProcess, report: Path) -> None:
        answer = calibrate(operator, report, "--group", GROUP)
        assert (answer.code, "has members or licences" in flat(answer.err)) == (2, True)
        assert not _counted(sandbox)


class TestAReport:
    def test_is_signed_and_can_be_verified_by_anybody(self, operator: Installation, report: Path) -> None:
        calibrate(operator, report)
        key = report.with_name("log.pub")
        key.write_text(str(SIGNER.verifier))
        operator.unset("DATABASE_URL")
        answer = operator("tenants", "calibrate", "--verify", str(report), "--key", str(key))
        assert (answer.code, "The signature is valid." in flat(answer.out)) == (0, True)
        assert stat.S_IMODE(report.stat().st_mode) == 0o600
        assert report.with_name("report.txt.md").read_text("utf-8").startswith("# Calibration of the twin on ")

    def test_names_nobody(self, operator: Installation, report: Path) -> None:
        calibrate(operator, report)
        assert [word for word in (WITH_NOTHING, "with-nothing") if word in report.read_text("utf-8")] == []


class TestAPersonOrTenantThatIsNoTests:
    @pytest.mark.parametrize(
        ("user", "sentence"),
        [
            pytest.param(WITH_A1, "holds a licence", id="somebody with a licence"),
            pytest.param(WITHOUT_LOCATION, "have a usage location", id="somebody without a usage location"),
            pytest.param(GUEST, "must be a member", id="a guest"),
            pytest.param("00000000-0000-4000-8000-000000000000", "Nobody in this tenant", id="nobody"),
        ],
    )
    def test_is_refused(
        self, operator: Installation, sandbox: SandboxProcess, report: Path, user: str, sentence: str
    ) -> None:
        answer = calibrate(operator, report, user=user)
        assert (answer.code, sentence in flat(answer.err), report.exists()) == (2, True, False)
        assert not _counted(sandbox)

    def test_is_refused_with_another_domain(self, operator: Installation, report: Path) -> None:
        answer = operator(
            *("tenants", "calibrate", DOMAIN, "--user", WITH_NOTHING, "--to", str(report)),
            *("--i-know-this-is-a-test-tenant", DOMAIN),
        )
        assert (answer.code, "type the test tenant's first domain in full" in flat(answer.err)) == (2, True)

    def test_is_refused_once_an_organisation_is_bound_to_it(self, operator: Installation, report: Path) -> None:
        services = operator.services()
        with services.open_uow() as uow:
            uow.organisations.save([tenancy.organisation(organisation_id="41234")])
            uow.commit()
        services.close()
        operator("tenants", "bind", "41234", DOMAIN)
        answer = calibrate(operator, report)
        assert (answer.code, "it is no test tenant" in flat(answer.err)) == (2, True)

    def test_is_refused_to_whoever_is_no_operator(
        self, operator: Installation, team: dict[str, str], report: Path
    ) -> None:
        answer = calibrate(operator.as_holder_of(team["auditor"]), report)
        assert (answer.code, "may not calibrate the twin" in flat(answer.err)) == (1, True)

    def test_is_refused_while_writes_are_stopped(
        self, operator: Installation, sandbox: SandboxProcess, report: Path
    ) -> None:
        operator("stop", "--all", "--reason", "test")
        assert calibrate(operator, report).code == 1
        assert not _counted(sandbox)


class TestACalibrationThatWasKilled:
    def test_is_put_back_by_the_next_one(
        self, operator: Installation, sandbox: SandboxProcess, engine: Engine, report: Path
    ) -> None:
        before = told(sandbox)
        sandbox.control.set_switches(latency_seconds=0.25)
        killed = subprocess.Popen([*_PROGRAM, *_typed(report)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _wait_until(lambda: told(sandbox) != before)
        killed.kill()
        killed.wait()
        sandbox.control.set_switches(latency_seconds=0.0)
        assert told(sandbox) != before
        report.unlink(missing_ok=True)
        with engine.begin() as connection:  # what half a minute does
            connection.execute(text("UPDATE leases SET expires_at = TIMESTAMPTZ '2000-01-01'"))
        answer = calibrate(operator, report)
        assert answer.code == 0, answer.err
        assert told(sandbox) == before
        assert found_in(report).is_restored
        assert not Path(f"{report}.journal").exists()


_PROGRAM = (sys.executable, "-c", "from provisioning.cli.app import main; main()")


def _typed(report: Path) -> tuple[str, ...]:
    marked = ("--i-know-this-is-a-test-tenant", FIRST_DOMAIN)
    files = ("--to", str(report), "--journal", f"{report}.journal")
    return ("tenants", "calibrate", DOMAIN, "--user", WITH_NOTHING, "--sku", A1, *marked, *files)


def _wait_until(happened: Callable[[], bool]) -> None:
    pause, deadline = Event(), time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        pause.wait(0.02)
