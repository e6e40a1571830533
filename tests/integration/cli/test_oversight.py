"""Stopping, diagnosing, and the proof: through the command, PostgreSQL and Valkey."""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.database import order_database, order_source
from provisioning.database.order_database import SqlOrderDesk
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from tests.conformance.credentials import Certificate
from tests.conformance.school import DOMAIN, TENANT
from tests.factories import operations as make
from tests.factories.trade import shop_line
from tests.integration.cli.conftest import SIGNER, Installation
from tests.sandbox_process import SandboxProcess

NOWHERE = "postgresql+psycopg://nobody@localhost:1/nothing"
OUR_DATABASE = {"database", "schema", "realm", "quota", "clocks", "configuration", "stops", "queue", "audit", "sealer"}
LONG_AGO = datetime(2026, 1, 5, 9, tzinfo=UTC)
SOON_SECONDS = 15  # five of them are what we try for before we believe that Entra is away


class TestStop:
    def test_works_while_the_broker_is_away(self, provisioning: Installation, team: dict[str, str]) -> None:
        provisioning.set(REDIS_URL="redis://localhost:1/0")
        assert provisioning.as_holder_of(team["operator"])("stop", "--all", "--reason", "odd receipts").code == 0
        services = provisioning.services()
        with services.open_uow() as uow:
            assert uow.stops.blocking(TenantId(TENANT), "deliver") is not None
        services.close()

    def test_is_on_the_work_list_until_it_is_lifted(self, provisioning: Installation, team: dict[str, str]) -> None:
        provisioning.as_holder_of(team["operator"])("stop", "--kind", "remap")
        assert [x["subject"] for x in provisioning("worklist", "--json").json] == ["stop kind:remap"]
        provisioning("resume", "--kind", "remap")
        assert provisioning("worklist", "--json").json == []


class TestRetry:
    def test_a_held_operation_goes_on_and_says_who_let_it(
        self, provisioning: Installation, team: dict[str, str]
    ) -> None:
        provisioning.as_holder_of(team["operator"])("tenants", "add", DOMAIN)
        held = make.operation(
            TENANT, state=OperationState.HELD, reason=Reason.POISON, resume_state=OperationState.PLANNING, due_at=None
        )
        services = provisioning.services()
        with services.open_uow() as uow:
            uow.operations.add(held)
            uow.commit()
        services.close()
        prefix = held.operation_id[:8]
        answer = provisioning("operations", "retry", prefix, "--reason", "the worker is fixed")
        assert answer.out == f"Operation {prefix} goes on: planning.\n"
        kinds = [event["kind"] for event in provisioning("operations", "show", prefix, "--json").json["events"]]
        assert sorted(kinds) == ["operation.planning", "operation.retried"]


def health(provisioning: Installation) -> dict[str, str]:
    return {x["part"]: x["health"] for x in provisioning("doctor", "--json").json}


class TestDoctor:
    def test_tells_part_from_part(self, provisioning: Installation) -> None:
        found = health(provisioning)
        assert found.keys() == {
            *(
                "database",
                "schema",
                "realm",
                "broker",
                "Microsoft Graph",
                "quota",
                "clocks",
                "configuration",
                "stops",
                "queue",
                "audit",
                "sealer",
            )
        }
        assert set(found.values()) == {"ok"}

    def test_programs_get_the_figures_of_the_quota(self, provisioning: Installation) -> None:
        figures = next(x["figures"] for x in provisioning("doctor", "--json").json if x["part"] == "quota")
        assert (figures["tenants"], figures["writes"], figures["reserve"]) == ([], 0, 70.0)
        assert figures["queues"].keys() == {"order", "bulk"}

    def test_asks_microsoft_with_our_token_in_a_tenant_that_let_us_in(
        self, provisioning: Installation, team: dict[str, str]
    ) -> None:
        provisioning.as_holder_of(team["operator"])("tenants", "add", DOMAIN)
        assert health(provisioning)["Microsoft Graph"] == "ok"
        provisioning.set(PROVISIONING_GRAPH_CLIENT_SECRET="another")
        assert health(provisioning)["Microsoft Graph"] == "bad"

    def test_says_how_long_certificates_are_good_for(self, provisioning: Installation, tmp_path: Path) -> None:
        file = tmp_path / "app.pem"
        file.write_bytes(Certificate().bundle)
        provisioning.unset("PROVISIONING_GRAPH_CLIENT_SECRET")
        provisioning.set(PROVISIONING_GRAPH_CERTIFICATE_FILES=str(file))
        assert health(provisioning)["credentials"] == "warn"  # for thirty days

    def test_sees_lines_of_the_shop_that_nobody_collects(self, provisioning: Installation, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'orders.db'}"
        order_database.create(url)
        provisioning.set(ORDER_DATABASE_URL=url)
        assert health(provisioning)["collection"] == "ok"
        old = shop_line(placed_at=LONG_AGO, changed_at=LONG_AGO)
        engine = order_source.create(url)
        SqlOrderDesk(engine).submit([old])
        engine.dispose()
        assert health(provisioning)["collection"] == "warn"

    @pytest.mark.parametrize(
        ("setting", "address", "bad"),
        [
            pytest.param("REDIS_URL", "redis://localhost:1/0", {"broker", "quota"}, id="broker"),
            pytest.param("ORDER_DATABASE_URL", NOWHERE, {"order database", "collection"}, id="shop"),
            pytest.param("PROVISIONING_GRAPH_AUTHORITY", "https://localhost:1", {"Microsoft Graph"}, id="Entra"),
            pytest.param("DATABASE_URL", NOWHERE, OUR_DATABASE, id="our database"),
        ],
    )
    def test_a_part_that_is_away_leaves_the_others_their_line(
        self, provisioning: Installation, setting: str, address: str, bad: set[str]
    ) -> None:
        provisioning.set(**{setting: address})
        began = time.monotonic()
        answer = provisioning("doctor", "--json")
        assert {x["part"] for x in answer.json if x["health"] == "bad"} == bad
        assert (answer.code, "Traceback" in answer.err) == (1, False)
        assert time.monotonic() - began < SOON_SECONDS

    def test_goes_on_where_a_part_is_away(self, provisioning: Installation) -> None:
        provisioning.set(REDIS_URL="redis://localhost:1/0")
        answer = provisioning("doctor", "--json")
        found = {x["part"]: x["health"] for x in answer.json}
        assert (answer.code, found["broker"], found["database"]) == (1, "bad", "ok")

    def test_needs_nobody_to_be_known_where_the_database_is_away(self, provisioning: Installation) -> None:
        provisioning.as_holder_of("a token").set(DATABASE_URL=NOWHERE)
        assert health(provisioning)["database"] == "bad"


class TestDatabase:
    def test_check_and_upgrade_agree(self, provisioning: Installation) -> None:
        assert provisioning("db", "check", "--json").json == {"missing": []}
        assert provisioning("db", "upgrade").out.startswith("0 migrations were run")


class TestAudit:
    def test_what_people_did_is_sealed_exported_and_proven(
        self, provisioning: Installation, team: dict[str, str], tmp_path: Path
    ) -> None:
        services = provisioning.services()
        sealed = services.seal_audit()
        services.close()
        log, key = tmp_path / "log.jsonl", tmp_path / "log.pub"
        key.write_text(str(SIGNER.verifier))
        provisioning.as_holder_of(team["auditor"])("audit", "export", "--to", str(log))
        verdict = provisioning("audit", "verify", str(log), "--key", str(key), "--json").json
        assert (verdict["sound"], verdict["proven"]) == (True, sealed)
        assert sealed == len(team)

    def test_a_log_verifies_after_a_person_was_forgotten(
        self, provisioning: Installation, team: dict[str, str], tmp_path: Path
    ) -> None:
        provisioning.as_holder_of(team["operator"])("tenants", "add", DOMAIN)
        (person,) = make.people(1)
        services = provisioning.services()
        with services.open_uow() as uow:
            pseudonym = uow.audit.pseudonyms(TenantId(TENANT), [person])[person]
            done = Event(at=LONG_AGO, actor=SYSTEM, kind="attempt.accepted", tenant=TenantId(TENANT), subject=pseudonym)
            uow.audit.record([done])
            uow.commit()
        answer = provisioning.as_holder_of(team["admin"])("audit", "forget", DOMAIN, person, "--reason", "asked to")
        assert (answer.code, person in answer.out) == (0, False)
        services.seal_audit()
        services.close()
        log, key = tmp_path / "log.jsonl", tmp_path / "log.pub"
        key.write_text(str(SIGNER.verifier))
        provisioning.as_holder_of(team["auditor"])("audit", "export", "--to", str(log))
        verdict = provisioning("audit", "verify", str(log), "--key", str(key), "--json").json
        assert (verdict["sound"], verdict["findings"]) == (True, [])
        assert (pseudonym in log.read_text(), person in log.read_text()) == (True, False)


class TestSandboxCommands:
    def test_speak_to_the_running_twin(self, provisioning: Installation, process: SandboxProcess) -> None:
        folder = ("--folder", str(process.ca_file.parent))
        assert provisioning("sandbox", "ledger", *folder).code == 0
        fault = '{"kind":"unavailable","times":3}'
        added = provisioning("sandbox", "faults", "add", fault, *folder)
        refused = provisioning("sandbox", "faults", "add", '{"kind":"no such"}', *folder)
        assert (refused.code, "Traceback" in refused.err) == (2, False)
        assert added.code == 0, added.err
        assert "unavailable" in provisioning("sandbox", "faults", "list", *folder).out
        assert provisioning("sandbox", "faults", "clear", *folder).code == 0

    def test_answer_open_questions_and_let_time_pass(self, provisioning: Installation, process: SandboxProcess) -> None:
        folder = ("--folder", str(process.ca_file.parent))
        before = process.control.clock()["now"]
        assert "delta_repeats" in provisioning("sandbox", "switch", *folder).out
        assert '"delta_repeats": 1' in provisioning("sandbox", "switch", "delta_repeats=1", *folder).out
        assert "is not NAME=JSON" in provisioning("sandbox", "switch", "delta_repeats", *folder).err
        assert "in the twin" in provisioning("sandbox", "clock", "--advance", "3600", *folder).out
        assert process.control.clock()["now"] >= before + 3_600
        assert process.control.set_switches(delta_repeats=0)["delta_repeats"] == 0

    def test_serve_starts_one_that_the_others_find(self, provisioning: Installation, tmp_path: Path) -> None:
        folder = tmp_path / "twin"
        command = [sys.executable, "-c", "from provisioning.cli.entry import main; main()", "sandbox", "serve"]
        with subprocess.Popen([*command, "--folder", str(folder)], stdout=subprocess.PIPE) as serving:
            try:
                _wait_for(folder / "address.json", serving)
                assert provisioning("sandbox", "ledger", "--folder", str(folder)).out == (
                    "Nothing was written to the twin.\n"
                )
            finally:
                serving.terminate()
            said, _ = serving.communicate(timeout=30)
        assert b"It is empty" in said
        assert b"https://localhost:" in said


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    deadline, pause = time.monotonic() + 30, threading.Event()
    while not file.exists() and process.poll() is None and time.monotonic() < deadline:
        pause.wait(0.02)
    assert file.exists(), "the twin did not start"


@pytest.fixture(autouse=True)
def _nothing_left(process: SandboxProcess) -> None:
    process.control.clear_faults()
