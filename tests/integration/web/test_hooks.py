"""A desk tells us of tickets: signed, fresh, and once."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from starlette.testclient import TestClient

from provisioning.bootstrap import Services
from provisioning.domain.actors import Role
from provisioning.domain.ids import Actor
from provisioning.domain.ticket import TicketState
from provisioning.web.app import create_app
from tests.factories import tenancy
from tests.factories.tickets import BOARD, CONTACT, SCHOOL
from tests.integration.web.conftest import MakeServices
from tests.unit.webhooks.secrets import secret, secret_file

TICKET: dict[str, Any] = {
    "reference": "D-17",
    "kind": "remap_holder",
    "organisation": BOARD,
    "requester": CONTACT,
    "wish": {"from_holders": [SCHOOL], "to_holder": BOARD},
}
FOREIGN = {"issue": {"number": "D-17", "what": "holder", "board": BOARD, "school": SCHOOL, "contact": CONTACT}}
FIELDS = """
lists = ["wish.from_holders"]
[fields]
"issue.number" = "reference"
"issue.what" = "kind"
"issue.board" = "organisation"
"issue.contact" = "requester"
"issue.school" = "wish.from_holders"
[values.kind]
holder = "remap_holder"
[constants]
"wish.to_holder" = "41000"
"""
FILE = """
[[incoming]]
name = "desk"
client = "desk"
secret_files = ["secret-n", "secret-o"]

[[incoming]]
name = "helpdesk"
client = "desk"
secret_files = ["secret-h"]
fields = "fields.toml"
"""


@pytest.fixture
def services(make_services: MakeServices, tmp_path: Path) -> Services:
    for letter in "noh":
        secret_file(tmp_path, letter)
    (tmp_path / "fields.toml").write_text(FIELDS, "utf-8")
    file = tmp_path / "webhooks.toml"
    file.write_text(FILE, "utf-8")
    made = make_services(webhooks_file=str(file))
    with made.open_uow() as uow:
        uow.organisations.save(
            [tenancy.organisation(organisation_id=BOARD), tenancy.organisation(organisation_id=SCHOOL, kind="school")]
        )
        uow.commit()
    return made


@pytest.fixture
def client(services: Services, token_of: Callable[..., str]) -> TestClient:
    token_of("client:desk", Role.DESK)
    return TestClient(create_app(services))


def post(
    client: TestClient, message: Any, letter: str = "n", name: str = "desk", message_id: str = "msg_1", **headers: str
) -> Any:
    body = json.dumps(message).encode()
    now = datetime.now(UTC)
    signed = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret(letter)).sign(message_id, now, body.decode()),
    }
    return client.post(f"/webhooks/{name}", content=body, headers=signed | headers)


def tickets(services: Services) -> list[tuple[str, str, str]]:
    with services.open_uow() as uow:
        return [(one.source, one.reference, one.requested_by) for one in uow.tickets.list_by()]


class TestReceive:
    @pytest.mark.parametrize("letter", ["n", "o"])
    def test_either_secret_brings_a_ticket_in(self, services: Services, client: TestClient, letter: str) -> None:
        answer = post(client, TICKET, letter)
        assert (answer.status_code, answer.json()["is_new"]) == (200, True)
        [(source, reference, who)] = tickets(services)
        assert (source, reference, who) == ("desk", "D-17", "client:desk")
        with services.open_uow() as uow:
            [ticket] = uow.tickets.list_by()
        assert answer.json()["tickets"] == [ticket.ticket_id]
        assert ticket.state is TicketState.AWAITING_AUTHORITY

    def test_the_same_message_again_has_no_effect(self, services: Services, client: TestClient) -> None:
        post(client, TICKET)
        again = post(client, TICKET)
        assert (again.status_code, again.json()) == (200, {"tickets": [], "is_new": False})
        assert len(tickets(services)) == 1

    def test_a_replay_brings_nothing_else_in_under_a_known_id(self, services: Services, client: TestClient) -> None:
        post(client, TICKET)
        assert post(client, TICKET | {"reference": "D-18"}).json()["is_new"] is False
        assert [reference for _, reference, _ in tickets(services)] == ["D-17"]

    def test_the_ticket_may_stand_in_data(self, services: Services, client: TestClient) -> None:
        wrapped = {"type": "ticket.created", "timestamp": "2026-08-03T09:00:00Z", "data": TICKET}
        assert post(client, wrapped).status_code == 200
        assert len(tickets(services)) == 1

    def test_a_desk_with_fields_of_its_own_has_a_mapping(self, services: Services, client: TestClient) -> None:
        assert post(client, FOREIGN, "h", "helpdesk").status_code == 200
        with services.open_uow() as uow:
            [ticket] = uow.tickets.list_by()
        assert ticket.given == {"from_holders": [SCHOOL], "to_holder": BOARD}


class TestRefuse:
    @pytest.mark.parametrize(
        ("letter", "name"),
        [
            pytest.param("h", "desk", id="another's secret"),
            pytest.param("n", "helpdesk", id="a secret of the wrong door"),
            pytest.param("n", "nobody", id="a sender that is not there"),
        ],
    )
    def test_who_is_not_known_by_their_signature(
        self, services: Services, client: TestClient, letter: str, name: str
    ) -> None:
        answer = post(client, TICKET, letter, name)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert "not signed by a secret that we share" in answer.json()["detail"]
        assert tickets(services) == []

    def test_a_token_is_no_signature(self, client: TestClient, services: Services) -> None:
        bearer = {"Authorization": "Bearer token-of-client:desk"}
        assert client.post("/webhooks/desk", json=TICKET, headers=bearer).status_code == 401
        assert tickets(services) == []

    def test_a_client_that_was_revoked(self, client: TestClient, services: Services) -> None:
        with services.open_uow() as uow:
            uow.actors.revoke(Actor("client:desk"), services.clock.now())
            uow.commit()
        answer = post(client, TICKET)
        assert (answer.status_code, "revoked" in answer.json()["detail"]) == (401, True)

    def test_a_mistake_is_named_and_the_message_may_come_again(self, client: TestClient, services: Services) -> None:
        answer = post(client, TICKET | {"kind": "remapp"})
        assert answer.status_code == 422
        assert "kind" in answer.text
        assert post(client, TICKET).json()["is_new"] is True

    def test_several_tickets_in_one_message(self, client: TestClient, services: Services) -> None:
        answer = post(client, {"tickets": [TICKET, TICKET | {"reference": "D-18"}]})
        assert (answer.status_code, tickets(services)) == (422, [])

    def test_an_idempotency_key_is_not_needed_here(self, client: TestClient) -> None:
        assert post(client, TICKET, **{"Idempotency-Key": "k1"}).status_code == 200

    @pytest.mark.usefixtures("client")  # the desk is known
    def test_too_often(self, make_services: MakeServices, tmp_path: Path) -> None:
        slow = make_services(webhooks_file=str(tmp_path / "webhooks.toml"), api_requests_per_minute=1)
        asked = TestClient(create_app(slow))
        assert [post(asked, TICKET, message_id=f"msg_{number}").status_code for number in range(2)] == [200, 429]
