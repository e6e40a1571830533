"""Tickets over HTTP: brought in, asked back, judged, decided by the right person, and each told what is theirs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from provisioning.bootstrap import Services
from provisioning.domain.actors import Role
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.domain.records import VolumeLicence
from provisioning.domain.tenancy import OrganisationKind
from tests.factories import NOW, TODAY, tenancy, tickets
from tests.factories.tickets import BOARD, SCHOOL
from tests.factories.trade import entry
from tests.integration.web.conftest import Asker

_A_MINUTE = timedelta(minutes=1)
HOLDER = {"from_holders": [SCHOOL], "to_holder": BOARD}


def asking(reference: str = "7", **fields: Any) -> dict[str, Any]:
    plain = {"reference": reference, "kind": "remap_holder", "organisation": BOARD, "requester": "contact-17"}
    return plain | {"wish": HOLDER} | fields


@pytest.fixture(autouse=True)
def scene(services: Services) -> None:
    """A board that speaks for its school, which holds licences, and another board."""
    home = tenancy.tenant()
    with services.open_uow() as uow:
        school = tenancy.organisation(organisation_id=SCHOOL, kind=OrganisationKind.SCHOOL)
        uow.organisations.save([*(tenancy.organisation(organisation_id=one) for one in (BOARD, "42000")), school])
        uow.organisations.add_relations([tenancy.relation(BOARD, SCHOOL)])
        uow.tenants.save(home)
        uow.tenants.add_binding(tenancy.binding(SCHOOL, home.tenant_id, valid_from=TODAY.replace(year=2025)))
        uow.ledger.append([entry(delta=40, tenant_id=home.tenant_id, holder_id=SCHOOL)])
        uow.records.save(
            [tickets.mandate(), tickets.declaration(SCHOOL), tickets.agreement()], NOW, Actor("person:records")
        )
        uow.commit()


@pytest.fixture
def board(asker: Callable[..., Asker]) -> Asker:
    return asker("client:programs", Role.BOARD, board=BOARD)


@pytest.fixture
def approver(asker: Callable[..., Asker]) -> Asker:
    return asker("person:ap", Role.APPROVER)


def submitted(who: Asker, **fields: Any) -> Any:
    (taken,) = who.post("/api/v1/tickets", asking(**fields)).json()
    assert taken["is_new"], taken
    return taken["ticket"]


class TestSubmitting:
    def test_one_or_several_in_the_form_of_the_file(self, board: Asker) -> None:
        (one,) = board.post("/api/v1/tickets", asking()).json()
        assert (one["is_new"], one["ticket"]["state"], one["ticket"]["source"]) == (
            True,
            "awaiting_approval",
            "programs",
        )
        many = board.post("/api/v1/tickets", {"tickets": [asking("8"), asking("9")]}).json()
        assert [x["ticket"]["reference"] for x in many] == ["8", "9"]
        again = board.post("/api/v1/tickets", [asking("9")]).json()
        assert [x["is_new"] for x in again] == [False]

    def test_something_else_under_the_same_reference_is_refused(self, board: Asker) -> None:
        submitted(board)
        assert board.post("/api/v1/tickets", asking(requester="contact-18")).status_code == 409

    def test_whole_or_not_at_all_and_each_mistake_under_its_path(self, board: Asker, operator: Asker) -> None:
        answer = board.post("/api/v1/tickets", {"tickets": [asking(), asking("8", kind="change_all")]})
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == ["tickets[2].kind"]
        assert operator.get("/api/v1/tickets").json()["items"] == []

    @pytest.mark.parametrize("content", ["reference: 7", "[", "5", '"x"', "null", "[]"])
    def test_what_is_no_ticket_in_json_is_refused_in_words(self, board: Asker, content: str) -> None:
        answer = board.send("POST", "/api/v1/tickets", content=content)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("The request")

    def test_a_board_speaks_for_itself_alone(self, board: Asker) -> None:
        assert board.post("/api/v1/tickets", asking(organisation="42000")).status_code == 403

    def test_a_shop_brings_in_none(self, shop: Asker) -> None:
        assert shop.post("/api/v1/tickets", asking()).status_code == 403


class TestCompleting:
    def test_what_was_asked_back_lets_it_go_on(self, board: Asker) -> None:
        ticket = submitted(board, wish={"from_holders": [SCHOOL]})
        assert (ticket["state"], ticket["missing"]) == ("incomplete", ["to_holder"])
        path = f"/api/v1/tickets/{ticket['ticket_id']}/complete"
        taken = board.post(path, {"to_holder": BOARD}).json()
        assert (taken["is_continued"], taken["ticket"]["state"]) == (True, "awaiting_approval")
        assert board.post(path, {"wish": {"to_holder": BOARD}}).json()["is_continued"] is False

    @pytest.mark.parametrize(
        "content", ["5", "null", "[]", '"wish"', '{"wish": 5}', '{"to_holder": []}', "to_holder: 1"]
    )
    def test_what_is_no_completion_is_refused_in_words(self, board: Asker, content: str) -> None:
        ticket = submitted(board, wish={"from_holders": [SCHOOL]})
        answer = board.send("POST", f"/api/v1/tickets/{ticket['ticket_id']}/complete", content=content)
        assert answer.status_code == 422, answer.text


class TestReading:
    def test_in_pages_the_latest_first(self, services: Services, board: Asker) -> None:
        for number in ("1", "2", "3"):
            services.clock.moment += _A_MINUTE  # type: ignore[attr-defined]  # the fake one
            submitted(board, reference=number)
        first = board.get("/api/v1/tickets", params={"limit": 2}).json()
        then = board.get("/api/v1/tickets", params={"limit": 2, "cursor": first["next"]}).json()
        assert [one["reference"] for one in first["items"] + then["items"]] == ["3", "2", "1"]
        assert then["next"] is None

    def test_by_state_and_by_reference(self, board: Asker) -> None:
        submitted(board, reference="1", wish={})
        submitted(board, reference="2")
        assert _references(board, state="incomplete") == ["1"]
        assert _references(board, reference="2") == ["2"]
        assert _references(board, reference="3") == []

    def test_a_board_sees_what_another_brought_in_about_its_school(
        self, board: Asker, asker: Callable[..., Asker]
    ) -> None:
        desk = asker("client:desk", Role.DESK)
        ticket = submitted(desk, organisation=SCHOOL, text="Juf Anna vraagt het")
        assert _references(board) == ["7"]
        assert _references(asker("client:other", Role.BOARD, board="42000")) == []
        assert _references(asker("client:other-desk", Role.DESK)) == []
        shown = board.get(f"/api/v1/tickets/{ticket['ticket_id']}").text
        assert "Anna" not in shown
        assert "client:desk" not in shown

    def test_free_text_is_for_operators_and_each_showing_is_on_record(
        self, services: Services, board: Asker, operator: Asker, approver: Asker
    ) -> None:
        path = f"/api/v1/tickets/{submitted(board, text='Juf Anna vraagt het')['ticket_id']}"
        assert approver.get(path).json()["texts"] == []
        assert operator.get(path).json()["texts"] == ["Juf Anna vraagt het"]
        with services.open_uow() as uow:
            shown = [one.actor for one in uow.audit.list_by() if one.kind == "ticket.text_shown"]
        assert shown == ["person:duty"]

    def test_what_another_signatory_was_asked_is_not_this_boards_to_read(
        self, board: Asker, asker: Callable[..., Asker]
    ) -> None:
        ticket = submitted(board, wish=HOLDER | {"from_holders": ["42000"]})
        assert ticket["state"] == "awaiting_authority"
        path = f"/api/v1/tickets/{ticket['ticket_id']}"
        answers = board.get(path).json()["answers"]
        assert {one["organisation_id"] for one in answers} == {BOARD}
        everything = asker("person:auditor", Role.AUDITOR).get(path).json()["answers"]
        assert "42000" in {one["organisation_id"] for one in everything}


class TestAssessment:
    def test_is_a_value_for_programs_and_a_page_for_readers(self, board: Asker) -> None:
        ticket = submitted(board)
        path = f"/api/v1/tickets/{ticket['ticket_id']}/assessment"
        value = board.get(path).json()
        assert (value["asked"]["key"], value["asked"]["named"]["seats"]) == ("programs/7", "40")
        assert value["asked"]["digest"] == ticket["digest"]
        text = board.get(path, headers={"Accept": "text/plain"}, params={"language": "en"})
        assert text.headers["content-type"] == "text/plain; charset=utf-8"
        assert max(map(len, text.text.splitlines())) <= 80
        page = board.get(path, headers={"Accept": "text/html"}, params={"language": "en"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert "Kenmerk van het verzoek: programs/7." in page.text

    def test_people_of_ours_choose_their_language(self, board: Asker, approver: Asker) -> None:
        path = f"/api/v1/tickets/{submitted(board)['ticket_id']}/assessment"
        page = approver.get(path, headers={"Accept": "text/html"}, params={"language": "en"})
        assert "Reference of the request: programs/7." in page.text

    def test_of_what_is_not_complete_there_is_none_yet(self, board: Asker) -> None:
        ticket = submitted(board, wish={})
        assert board.get(f"/api/v1/tickets/{ticket['ticket_id']}/assessment").status_code == 409


class TestWhatOthersHave:
    """Nobody learns of another's seats, names or numbers by asking for them."""

    WISH: dict[str, Any] = {"from_holders": [SCHOOL], "to_holder": "42000"}  # noqa: RUF012  # never changed

    @pytest.fixture
    def nosy(self, services: Services, asker: Callable[..., Asker]) -> Asker:
        with services.open_uow() as uow:
            uow.organisations.save([tenancy.organisation(organisation_id=SCHOOL, name="De geheime school")])
            uow.records.save([tickets.mandate("42000"), tickets.agreement("42000")], NOW, Actor("person:records"))
            uow.commit()
        return asker("client:nosy", Role.BOARD, board="42000")

    @pytest.mark.parametrize("is_taken_back", [False, True])
    def test_is_not_told_before_its_holder_agrees(self, nosy: Asker, is_taken_back: bool) -> None:
        ticket = submitted(nosy, organisation="42000", wish=self.WISH)
        assert ticket["state"] == "awaiting_authority"
        path = f"/api/v1/tickets/{ticket['ticket_id']}"
        if is_taken_back:
            assert nosy.post(f"{path}/withdraw", {"reason": "never mind"}).status_code == 200
        shown = nosy.get(path)
        assert shown.json()["standing"] is None
        for accept in ("application/json", "text/html"):
            refused = nosy.get(f"{path}/assessment", headers={"Accept": accept})
            assert refused.status_code == 409
            assert "geheime" not in refused.text + shown.text

    def test_nor_by_the_number_of_another_customer(self, services: Services, nosy: Asker) -> None:
        theirs = VolumeLicence(
            record_id="L-secret",
            organisation_id=OrganisationId(BOARD),
            agreement_id="A-secret",
            public_customer_number="P1",
        )
        with services.open_uow() as uow:
            uow.records.save([theirs], NOW, Actor("person:records"))
            uow.commit()
        wish = {"public_customer_number": "P1", "licence_ids": ["L1"], "from_tenant": "a.nl", "to_tenant": "b.nl"}
        ticket = submitted(nosy, organisation="42000", kind="remap_agreement", wish=wish)
        for part in ("", "/assessment"):
            assert "secret" not in nosy.get(f"/api/v1/tickets/{ticket['ticket_id']}{part}").text


class TestDeciding:
    def test_another_person_approves_by_digest_and_the_board_reads_the_answer(
        self, services: Services, board: Asker, approver: Asker
    ) -> None:
        ticket = submitted(board)
        path = f"/api/v1/tickets/{ticket['ticket_id']}"
        assert approver.post(f"{path}/approve", {"digest": "00000000"}).status_code == 409
        done = approver.post(f"{path}/approve", {"digest": ticket["digest"][:8]}).json()
        assert done["state"] == "completed"
        told = [one["topic"] for one in board.get(path).json()["answers"]]
        assert told == [f"ticket_{one}" for one in ("received", "assessed", "approved", "started", "completed")]
        with services.open_uow() as uow:
            assert sum(one.delta for one in uow.ledger.list_by(OrganisationId(BOARD))) == 40

    def test_a_client_does_not_decide_and_that_it_tried_is_on_record(
        self, services: Services, board: Asker, asker: Callable[..., Asker]
    ) -> None:
        ticket = submitted(board)
        path = f"/api/v1/tickets/{ticket['ticket_id']}"
        assert board.post(f"{path}/approve", {"digest": ticket["digest"]}).status_code == 403
        assert board.post(f"{path}/reject", {"reason": "no"}).status_code == 404
        stranger = asker("client:stranger", Role.DESK)
        assert stranger.post(f"{path}/approve", {"digest": ticket["digest"]}).status_code == 404
        with services.open_uow() as uow:
            refused = [one.actor for one in uow.audit.list_by() if one.kind == "approval.refused"]
        assert refused == ["client:programs"]
        assert board.get(path).json()["ticket"] == ticket

    def test_whoever_brought_it_in_takes_it_back_and_nobody_else(
        self, board: Asker, asker: Callable[..., Asker]
    ) -> None:
        desk = asker("client:desk", Role.DESK)
        path = f"/api/v1/tickets/{submitted(desk)['ticket_id']}/withdraw"
        assert board.post(path, {"reason": "ours"}).status_code == 403
        taken = desk.post(path, {"reason": "asked twice"})
        assert taken.json()["state"] == "withdrawn"

    def test_an_operator_refuses_it_with_what_to_ask_instead(self, board: Asker, operator: Asker) -> None:
        ticket = submitted(board)
        refused = operator.post(f"/api/v1/tickets/{ticket['ticket_id']}/reject", {"reason": "order new ones"}).json()
        assert (refused["state"], refused["closing_words"]) == ("rejected", "order new ones")

    def test_a_draft_is_there_for_schools_that_move_alone(self, board: Asker, operator: Asker) -> None:
        ticket = submitted(board)
        path = f"/api/v1/tickets/{ticket['ticket_id']}/draft"
        assert operator.get(path).status_code == 422
        assert board.get(path).status_code == 404


def _references(who: Asker, **query: str) -> list[str]:
    return [one["reference"] for one in who.get("/api/v1/tickets", params=query).json()["items"]]
