"""A board's ticket among real workers: asked by whoever may not, then by records, approved, carried out, answered."""

import json
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, OrganisationId, SkuId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.records import Mandate
from provisioning.domain.tenancy import Organisation, OrganisationKind
from provisioning.web.app import create_app
from tests.journeys.customers import A3, A3_STAFF, LONG_AGO, Customer
from tests.journeys.desk import Desk
from tests.journeys.furniture import Town
from tests.journeys.patience import until
from tests.journeys.promises import check_promises

O365_A3 = "e578b273-6db4-4691-bba0-8d691f4da603"  # Office 365 A3 for faculty


def test_s29_s33_the_holder_changes_and_nobody_notices(town: Town, tmp_path: Path) -> None:
    school, board = town.school(6), _board(town)
    key = town.order(school, 6)
    assert town.await_end(key).state is OperationState.COMPLETED
    written, desk = town.writes(school), Desk(town.world, town.services)

    def write(name: str, content: str) -> str:
        (tmp_path / name).write_text(content, "utf-8")
        return str(tmp_path / name)

    wish = {"from_holders": [school.code], "to_holder": board}
    plain = {"source": "desk", "reference": "s29", "kind": "remap_holder", "requester": "contact-17"}
    ticket = write("ticket.json", json.dumps(plain | {"organisation": board, "wish": wish}))
    [taken] = desk.do("tickets", "submit", ticket)
    assert (taken["ticket"]["state"], taken["ticket"]["reason"]) == ("awaiting_authority", "ACTOR_NOT_AUTHORISED")

    since = {"valid_from": "2020-01-01"}
    declaration = {"kind": "declaration", "id": f"d-{board}", "organisation_id": board, "signed_on": "2020-01-01"}
    mandate = {"kind": "mandate", "id": f"m-{board}", "organisation_id": board, "actor": "contact-17"}
    agreement = {"kind": "agreement", "id": f"a-{board}", "organisation_id": board, "supplier": "microsoft"}
    records: list[dict[str, Any]] = [
        declaration | {"participants": [school.code]},
        mandate | since | {"scope": "remap_holder"},
    ]
    town.command("records", "import", write("records.jsonl", "\n".join(map(json.dumps, records))))
    assert desk.look("tickets", "show", "desk/s29")["ticket"]["reason"] == "AGREEMENT_UNKNOWN"
    terms = agreement | {"licence_form": "group", "starts_on": "2020-01-01"}
    town.command("records", "import", write("records.jsonl", json.dumps(terms)))

    # from here on it goes by itself: the sweep of a worker finds what it waited for
    shown = until(lambda: _awaiting_approval(desk), "the ticket is assessed")
    done = desk.do("tickets", "approve", "desk/s29", shown["ticket"]["digest"][:8], role=Role.APPROVER)
    assert done["state"] == "completed"

    with town.services.open_uow() as uow:
        sums = {one: sum(entry.delta for entry in uow.ledger.list_by(one)) for one in (school.code, board)}
    assert sums == {school.code: 0, board: 6}
    assert town.writes(school) == written
    assert town.holders(school, A3) == set(school.people)
    topics = [one["topic"] for one in desk.look("tickets", "show", "desk/s29")["answers"]]
    steps = ["received", "authority_asked", "waiting", "assessed", "approved", "started", "completed"]
    assert topics == [f"ticket_{step}" for step in steps]
    check_promises(town, school, goal=A3)


def _board(town: Town) -> str:
    code = "48765"
    board = Organisation(organisation_id=code, kind=OrganisationKind.BOARD, name="Board", membership="active")
    with town.services.open_uow() as uow:
        uow.organisations.save([board])
        uow.commit()
    return code


def _awaiting_approval(desk: Desk) -> Any:
    shown = desk.look("tickets", "show", "desk/s29")
    return shown if shown["ticket"]["state"] == "awaiting_approval" else None


def test_s30_a_board_asks_another_product_and_only_another_person_lets_it_be(town: Town) -> None:
    """Through the API with the board's own token, from submission to the answers in order."""
    board, api = _ready_for_a3(town), _Api(town)
    code = board.code
    programs = api.holder(f"client:programs-{code}", Role.BOARD, board=code)
    helper = api.holder(f"person:helper-{code}", Role.OPERATOR, Role.APPROVER)
    approver = api.holder(f"person:approver-{code}", Role.APPROVER)

    wish = {"organisations": list(board.staff), "from_sku": O365_A3}
    [taken] = programs.post("tickets", {"reference": "s30", "kind": "change_sku", "requester": "c-1", "wish": wish})
    path = f"tickets/{taken['ticket']['ticket_id']}"
    assert taken["ticket"]["missing"] == ["to_sku"]
    helper.post(f"{path}/complete", {"to_sku": A3})  # has written some of it by that
    shown = until(lambda: _drawn(programs, path), "all plans are drawn", within=60.0)
    assessed = programs.get(f"{path}/assessment")
    assert (assessed["for_board"], assessed["feasibility"]) == (code, "possible")
    [part] = assessed["parts"]
    assert {(one["organisation_id"], one["people"]) for one in part["schools"]} == {
        (school, len(people)) for school, people in board.staff.items()
    }
    assert not [one for one in board.people if one in programs.text(f"{path}/assessment", "text/html")]

    digest = {"digest": assessed["asked"]["digest"]}
    assert digest["digest"] == shown["ticket"]["digest"]
    assert programs.refused(f"{path}/approve", digest) == 403
    assert helper.refused(f"{path}/approve", digest) == 403
    assert town.writes(board) == 0
    assert approver.post(f"{path}/approve", digest)["state"] == "running"
    until(lambda: programs.get(path)["ticket"]["state"] == "completed", "carried out", within=60.0)

    assert town.holders(board, A3) == set(board.people)
    assert town.holders(board, O365_A3) == set()
    assert town.writes(board) == len(board.people)  # one call swaps one person
    answers = programs.get(path)["answers"]
    steps = ["received", "asked_back", "assessed", "approved", "started", "completed"]
    assert [(one["sequence"], one["topic"]) for one in answers] == [
        (number, f"ticket_{step}") for number, step in enumerate(steps, start=1)
    ]
    check_promises(town, board, goal=A3)


def _ready_for_a3(town: Town) -> Customer:
    """A board whose people have another product, which holds seats of A3, and whose contact may ask."""
    bought = [{"skuId": O365_A3, "totalLicenses": 8}]
    board = town.board([5, 3], seats=8, holds=O365_A3, more_seats=bought)
    entry = LedgerEntry(
        holder_id=board.code,
        tenant_id=board.tenant,
        article_code=A3_STAFF,
        sku_id=SkuId(A3),
        delta=8,
        effective_on=LONG_AGO,
        ends_on=None,
        cause=LedgerCause.RENEWAL,
        cause_ref="an order",
    )
    mandate = Mandate(
        record_id=f"m-{board.code}",
        organisation_id=board.code,
        actor="c-1",
        scope="change_sku",
        valid_from=LONG_AGO,
    )
    with town.services.open_uow() as uow:
        uow.ledger.append([entry])
        uow.records.save([mandate], town.services.clock.now())
        uow.commit()
    return board


def _drawn(who: "_Holder", path: str) -> Any:
    shown = who.get(path)
    return shown if shown["ticket"]["state"] == "awaiting_approval" else None


class _Api:
    """The API in this process, on the engines and beside the workers of the world."""

    def __init__(self, town: Town) -> None:
        self._services, self._client = town.services, TestClient(create_app(town.services))

    def holder(self, actor: str, *roles: Role, board: str | None = None) -> "_Holder":
        admin = Identity(actor=Actor("person:admin"), roles=frozenset({Role.ADMIN}))
        added = self._services.add_actor(admin, actor, roles, board=OrganisationId(board) if board else None)
        return _Holder(self._client, added.token)


class _Holder:
    """Whoever holds a token, and asks with it."""

    def __init__(self, client: TestClient, token: str) -> None:
        self._client, self._headers = client, {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return json.loads(self.text(path, "application/json"))

    def text(self, path: str, accept: str) -> str:
        answer = self._client.get(f"/api/v1/{path}", headers=self._headers | {"Accept": accept})
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, body: Any) -> Any:
        answer = self._client.post(f"/api/v1/{path}", json=body, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, body: Any) -> int:
        return self._client.post(f"/api/v1/{path}", json=body, headers=self._headers).status_code
