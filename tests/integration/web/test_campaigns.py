"""Campaigns over HTTP: people of ours prepare, approve and steer them; for boards they are not there."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from provisioning.bootstrap import Services
from provisioning.domain.actors import Role
from tests.factories.operations import A1, A3
from tests.integration.web.conftest import Asker
from tests.integration.web.landscape import Settled, settle

FILE = {
    "name": "Sector contract 2027",
    "asked_by": "letter 2027-014",
    "why": "Het contract eindigt.",
    "products": [{"from": A1, "to": A3}],
    "begins_at": "2027-07-19 20:00",
}


@pytest.fixture
def town(services: Services) -> Settled:
    return settle(services, "aamark", "41000", "41AA")


@pytest.fixture
def place(town: Settled) -> str:
    return f"/api/v1/campaigns/{town.campaign[:8]}"


class TestOne:
    def test_is_listed_and_shown(self, town: Settled, operator: Asker, place: str) -> None:
        (row,) = operator.get("/api/v1/campaigns").json()["items"]
        assert row["campaign"]["campaign_id"] == town.campaign
        assert row["members"] == {"waiting": 1}
        assert operator.get("/api/v1/campaigns", params={"state": "running"}).json()["items"] == []
        assert operator.get(place).json()["readiness"]["never_looked_at"] == 0
        (member,) = operator.get(f"{place}/members").json()["items"]
        assert (member["member"]["tenant_id"], member["domain"]) == (town.tenant, "aamark.onmicrosoft.example")
        (ready,) = operator.get(f"{place}/readiness").json()["items"]
        assert (ready["checked_at"] is None, ready["at_stake"]) == (False, 0)
        assert operator.get(f"{place}/readiness", params={"unready": True}).json()["items"] == []

    def test_has_a_letter_for_each_board_and_for_nobody_else(self, town: Settled, operator: Asker, place: str) -> None:
        letter = operator.get(f"{place}/letters/{town.board}").json()
        assert letter["board"] == town.board
        assert "aamark.onmicrosoft.example" in letter["letter"]
        assert operator.get(f"{place}/letters/49999").status_code == 404

    def test_is_reported(self, town: Settled, operator: Asker, place: str) -> None:
        (line,) = operator.get(f"{place}/report").json()["members"]
        assert (line["tenant_id"], line["state"]) == (town.tenant, "waiting")

    def test_that_is_asked_for_wrongly_is_refused_field_by_field(self, town: Settled, operator: Asker) -> None:
        answer = operator.post("/api/v1/campaigns", {"campaign": FILE | {"begins_at": "soon"}})
        assert answer.status_code == 422
        assert "begins_at" in answer.text

    def test_is_prepared_from_the_fields_of_the_file(self, town: Settled, operator: Asker) -> None:
        made = operator.post("/api/v1/campaigns", {"campaign": FILE | {"products": [{"from": A3, "to": A1}]}}).json()
        assert (made["tenants"], made["campaign"]["state"]) == (1, "new")
        nobody = operator.post("/api/v1/campaigns", {"campaign": FILE})
        assert nobody.status_code == 422
        assert "Nobody would go" in nobody.json()["detail"]


class TestDecisions:
    def test_an_approval_takes_a_second_person_and_the_digest(self, operator: Asker, asker: Any, place: str) -> None:
        digest = operator.get(place).json()["campaign"]["digest"]
        approver = asker("person:ap", Role.APPROVER)
        assert operator.post(f"{place}/approve", {"digest": digest}).status_code == 403
        assert approver.post(f"{place}/approve", {"digest": "0" * 8}).status_code == 409
        approved = approver.post(f"{place}/approve", {"digest": digest[:8]})
        assert (approved.status_code, approved.json()["state"]) == (200, "approved"), approved.text

    def test_of_its_course_are_those_of_the_command(self, operator: Asker, asker: Any, place: str) -> None:
        digest = operator.get(place).json()["campaign"]["digest"]
        assert operator.post(f"{place}/start").status_code == 422
        asker("person:ap", Role.APPROVER).post(f"{place}/approve", {"digest": digest})
        assert operator.post(f"{place}/start").json()["state"] == "running"
        assert operator.post(f"{place}/pause", {"reason": " "}).status_code == 422
        assert operator.post(f"{place}/pause", {"reason": "helpdesk closed"}).json()["state"] == "paused"
        assert operator.post(f"{place}/resume", {"reason": "open again"}).json()["state"] == "running"
        assert operator.post(f"{place}/retry", {"reason": "seats arrived"}).status_code in {200, 422}
        assert operator.post(f"{place}/abort", {"reason": "extended"}).json()["state"] == "called_off"

    def test_take_tenants_out_and_back(self, town: Settled, operator: Asker, place: str) -> None:
        whom = {"reason": "merges", "tenants": [town.tenant]}
        assert operator.post(f"{place}/exclude", whom).json()["members"] == 1
        assert operator.post(f"{place}/include", whom | {"reason": "stays"}).json()["members"] == 1
        assert operator.post(f"{place}/exclude", {"reason": "merges"}).status_code == 422


def test_for_a_board_there_are_none(client: TestClient, town: Settled, place: str) -> None:
    board = Asker(client, town.token)
    assert board.get("/api/v1/campaigns").status_code == 404
    assert board.get(place).status_code == 404
    assert board.get(f"{place}/letters/{town.board}").status_code == 404  # by the whole id alone


def test_a_board_reads_its_own_letter_and_no_others(client: TestClient, town: Settled) -> None:
    """The notice that it gets names the campaign."""
    board, whole = Asker(client, town.token), f"/api/v1/campaigns/{town.campaign}"
    assert "aamark.onmicrosoft.example" in board.get(f"{whole}/letters/{town.board}").json()["letter"]
    others = board.get(f"{whole}/letters/49999")
    assert others.status_code == 404
    assert others.json()["detail"] == f"There is no campaign {town.campaign}."
    assert board.get(f"{whole}/report").status_code == 404
