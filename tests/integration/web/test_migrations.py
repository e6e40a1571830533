"""Migrations over HTTP: evidence and taking it back, a proof renewed, and the report in each of its forms."""

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

import msgspec
import pytest

from provisioning.bootstrap import Services
from provisioning.domain.actors import Role
from provisioning.domain.migration import Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.planning.preflight import Finding, Preflight, PreflightCheck
from tests.factories import NOW
from tests.factories import migrations as make
from tests.integration.web.conftest import Asker
from tests.integration.web.landscape import Settled, settle

AskerOf = Callable[..., Asker]
WHY = "the other batch"


@pytest.fixture
def town(services: Services) -> Settled:
    return settle(services, "aamark", "41000", "41AA")


@pytest.fixture
def approver(asker: AskerOf) -> Asker:
    return asker("person:ap", Role.APPROVER)


@pytest.fixture
def place(town: Settled) -> str:
    return f"/api/v1/migrations/{town.migration}"


@pytest.fixture
def person(services: Services, town: Settled) -> Traveller:
    """At the gate of the pilot, which runs."""
    with services.open_uow() as uow:
        migration = uow.migrations.get(town.migration)
        [one] = uow.migrations.travellers(town.migration)
        for state in (MigrationState.MATCHED, MigrationState.RUNNING):
            migration = uow.migrations.save(msgspec.structs.replace(migration, state=state))
        for stage in (WaveState.PREPARING, WaveState.GATED):
            uow.migrations.save_wave(make.started(make.waves(migration)[0], stage))
        for step in (PersonState.PREPARING, PersonState.PREPARED):
            one = msgspec.structs.replace(one, state=step, wave=1)
            uow.migrations.save_travellers(town.migration, [one])
        uow.commit()
    return one


class TestTheGate:
    def test_people_are_named_one_by_one_with_a_ground(self, place: str, person: Traveller, operator: Asker) -> None:
        named = {"source": "list", "person": [person.source_id]}
        assert "needs a reason" in operator.post(f"{place}/gate", named).json()["detail"]
        answer = operator.post(f"{place}/gate", {**named, "reason": "seen in the mailbox"})
        told = {"unknown": [], "unlicensed": [], "not_yet": [], "long_ago": [], "unready": {}}
        assert answer.json() == {"ready": 1, "known_before": 0} | told

    @pytest.mark.parametrize("both", [{}, {"content": "person\na@x.nl\n", "person": ["a@x.nl"]}])
    @pytest.mark.parametrize("where", ["gate", "gate/withdraw"])
    def test_a_file_or_people_and_not_both(self, place: str, operator: Asker, where: str, both: dict[str, Any]) -> None:
        answer = operator.post(f"{place}/{where}", {"source": "list", "reason": WHY, **both})
        assert answer.status_code == 422
        assert "one of the two" in answer.json()["detail"]

    @pytest.mark.parametrize("form", ["content", "person"])
    def test_what_was_wrong_is_taken_back(
        self, services: Services, place: str, person: Traveller, operator: Asker, form: str
    ) -> None:
        evidence = {"source": "list", "content": f"person\n{person.source_id}\n"}
        assert operator.post(f"{place}/gate", evidence).json()["ready"] == 1
        again = {**evidence, "reason": WHY} if form == "content" else {"person": [person.source_id], "reason": WHY}
        answer = operator.post(f"{place}/gate/withdraw", again)
        assert answer.json() == {"withdrawn": 1, "without": 0, "too_late": [], "unknown": []}
        with services.open_uow() as uow:
            [one] = uow.migrations.travellers(person.migration_id)
            [event] = [line for line in uow.audit.list_by(limit=5) if line.kind == "gate.withdrawn"]
        assert one.evidence is None
        assert (event.actor, event.reason) == ("person:duty", WHY)

    def test_taking_back_needs_a_reason_and_the_right(
        self, place: str, person: Traveller, operator: Asker, approver: Asker
    ) -> None:
        named = {"person": [person.source_id]}
        assert operator.post(f"{place}/gate/withdraw", named).status_code == 422
        assert operator.post(f"{place}/gate/withdraw", {**named, "reason": " "}).status_code == 422
        assert approver.post(f"{place}/gate/withdraw", {**named, "reason": WHY}).status_code == 403

    def test_a_board_knows_no_such_place(self, client: Any, town: Settled, place: str) -> None:
        board = Asker(client, town.token)
        for where in ("gate/withdraw", "waves/1/check"):
            assert board.post(f"{place}/{where}", {"person": ["a@x.nl"], "reason": WHY}).status_code == 404
        for where in ("report", "statement"):
            assert board.get(f"{place}/{where}").status_code == 404

    def test_sent_twice_it_is_taken_back_once_and_nobody_is_kept_by_name(
        self, place: str, person: Traveller, operator: Asker
    ) -> None:
        operator.post(f"{place}/gate", {"source": "list", "content": f"person\n{person.source_id}\n"})
        body = {"person": [person.source_id, "nobody-we-know"], "reason": WHY}
        key = {"Idempotency-Key": "the-other-batch"}
        first = operator.post(f"{place}/gate/withdraw", body, headers=key)
        again = operator.post(f"{place}/gate/withdraw", body, headers=key)
        assert first.json() == {"withdrawn": 1, "without": 0, "too_late": [], "unknown": ["nobody-we-know"]}
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json() == first.json() | {"unknown": []}


def test_an_approver_whom_nobody_knows_is_told_before_anything_is_looked_up(town: Settled, operator: Asker) -> None:
    asked = {
        "name": "merger",
        "source": {"tenant": "old-aamark.example", "holder": town.board},
        "target": {"tenant": "aamark.example", "holder": town.board},
        "asked_by": "letter 7",
        "people": {"everyone": True},
        "products": [{"from": "M365EDU_A3_FACULTY"}],
        "waves": [{"name": "pilot", "people": {"everyone": True}}],
        "identity": {"rules": ["employee_id"]},
        "approvers": ["person:nobody"],
    }
    answer = operator.post("/api/v1/migrations", {"migration": asked})
    assert answer.status_code == 422
    assert "approvers: person:nobody may approve nothing here" in answer.json()["detail"]


class TestTheProof:
    @pytest.fixture
    def found(self, services: Services) -> Preflight:
        """What both tenants show, where nobody can look at them."""
        found = Preflight(findings=(), checked_at=NOW, people=1)
        vars(services)["check_wave"] = lambda *_given, **_options: found
        return found

    def test_an_operator_renews_it(
        self, services: Services, place: str, person: Traveller, found: Preflight, operator: Asker
    ) -> None:
        answer = operator.post(f"{place}/waves/1/check")
        assert answer.json()["is_noted"] is True
        with services.open_uow() as uow:
            [wave] = [one for one in uow.migrations.waves(person.migration_id) if one.number == 1]
        assert wave.proven_at == found.checked_at

    @pytest.mark.usefixtures("person", "found")
    def test_others_look_and_so_does_a_get(
        self, services: Services, place: str, operator: Asker, asker: AskerOf
    ) -> None:
        auditor = asker("person:au", Role.AUDITOR)
        assert auditor.post(f"{place}/waves/1/check").json()["is_noted"] is False
        assert operator.get(f"{place}/waves/1/check").json()["people"] == 1
        with services.open_uow() as uow:
            assert [line for line in uow.audit.list_by(limit=9) if line.kind == "wave.proven"] == []

    @pytest.mark.usefixtures("person")
    def test_what_is_in_the_way_proves_nothing(self, services: Services, place: str, operator: Asker) -> None:
        blocked = Preflight(findings=(Finding(check=PreflightCheck.TARGET_SEATS, people=1),), checked_at=NOW)
        vars(services)["check_wave"] = lambda *_given, **_options: blocked
        answer = operator.post(f"{place}/waves/1/check").json()
        assert (answer["is_noted"], answer["found"]["findings"][0]["check"]) == (False, "target_seats")


class TestTheReport:
    def test_is_a_list_for_who_accepts_one(
        self, place: str, person: Traveller, operator: Asker, approver: Asker
    ) -> None:
        answer = operator.get(f"{place}/report", headers={"Accept": "text/csv"})
        assert answer.headers["Content-Type"].startswith("text/csv")
        [line] = csv.DictReader(StringIO(answer.text))
        assert line["source_id"] == person.source_id
        theirs = approver.get(f"{place}/report", headers={"Accept": "text/csv"})
        assert person.source_id not in theirs.text

    @pytest.mark.parametrize(("language", "word"), [("nl", '<html lang="nl"'), ("en", '<html lang="en"')])
    def test_is_a_page_for_a_browser(self, place: str, operator: Asker, language: str, word: str) -> None:
        answer = operator.get(f"{place}/report?language={language}", headers={"Accept": "text/html,*/*;q=0.8"})
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "default-src" in answer.headers["Content-Security-Policy"]
        assert word in answer.text

    def test_is_a_value_for_a_program(self, place: str, operator: Asker) -> None:
        assert operator.get(f"{place}/report").json()["migration_id"] == place.rpartition("/")[2]

    def test_the_statement_speaks_to_boards_and_names_nobody_who_moved(
        self, place: str, person: Traveller, operator: Asker
    ) -> None:
        answer = operator.get(f"{place}/statement")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert "Slotverklaring" in answer.text
        assert person.source_id not in answer.text
        assert "Slotverklaring" not in operator.get(f"{place}/statement?language=en").text
