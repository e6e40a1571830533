"""A school with its own tenant comes into its board's: asked by the board, counted, approved, confirmed, served."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec

from provisioning.domain.actors import Role
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.tenancy import Binding
from provisioning.local.world import APP
from tests.journeys import customers
from tests.journeys.callers import Api, Asked, Caller
from tests.journeys.customers import A3, A3_STAFF_MORE, Customer
from tests.journeys.desk import Desk
from tests.journeys.furniture import Town
from tests.journeys.mergers import entitle
from tests.journeys.promises import check_promises

CONTACT = "contact-23"


def test_s23_a_school_with_its_own_tenant_is_rebound_to_its_boards(town: Town, desk: Desk, api: Api) -> None:
    school, board, arriving = _school_and_board(town)
    assert town.await_end(town.order(school, 6)).state is OperationState.COMPLETED
    written, programs = town.writes(school), api.caller(f"client:programs-{board.code}", Role.BOARD, board=board.code)
    helper = api.caller(f"person:helper-{board.code}", Role.OPERATOR, Role.APPROVER)
    helper.post("records", _authority(board, school))

    asked = _asked(programs, school, board)
    digest = asked.await_state("awaiting_approval")["ticket"]["digest"]
    _is_counted(asked, helper, school)
    assert "6 5 – –" in desk.read(
        "tickets", "show", asked.ticket_id
    )  # now, then; in another tenant nobody comes or goes
    _is_approved_by_another(asked, helper, digest)
    assert (town.writes(board), _bound(town, school).tenant_id) == (0, school.tenant)
    desk.do("tickets", "approve", asked.ticket_id, digest[:8], role=Role.APPROVER)
    asked.await_state("completed")
    assert asked.topics() == ["received", "assessed", "approved", "started", "completed"]
    _is_confirmed(_bound(town, school), board, desk)

    order = town.order(school, 5, A3_STAFF_MORE)
    town.control.add_subscription(board.tenant, skuId=A3, totalLicenses=5)
    assert town.await_end(order).state is OperationState.COMPLETED
    assert {one for one in arriving if A3 in town.skus_of(board, one)} == set(arriving)
    assert (town.holders(board, A3), town.holders(school, A3)) == (set(), set(school.people))
    assert (town.writes(school), town.writes(board)) == (written, len(arriving))
    check_promises(town, board, people=arriving, goal=A3)
    check_promises(town, school, goal=A3)


def test_a_selector_that_matches_nobody_waits_until_it_matches_somebody(town: Town, api: Api) -> None:
    """In its own tenant; it goes on by itself, and shows who would come and who would go."""
    school, board, _ = _school_and_board(town)
    programs = api.caller(f"client:programs-{board.code}", Role.BOARD, board=board.code)
    watch = api.caller(f"person:watch-{board.code}", Role.OPERATOR)
    watch.post("records", _authority(board, school))
    selectors = {"faculty": {"attribute": "companyName", "equals": f"{school.code}-nieuw"}}
    asked = _asked(programs, school, school, selectors=selectors)
    asked.await_state("held", "SELECTOR_EMPTY")
    assert programs.get(f"{asked.path}/assessment")["feasibility"] == "impossible"

    newcomer = school.people[0]
    town.control.change_user(school.tenant, newcomer, companyName=f"{school.code}-nieuw")
    asked.await_state("awaiting_approval")
    seen = programs.get(f"{asked.path}/assessment")["rebind"]["total"]
    assert (seen["selected"], seen["before"], seen["coming"], seen["going"]) == (1, 6, 0, 5)
    assert list(town.control.ledger(school.began, tenant=school.tenant, app=APP)) == []


def _school_and_board(town: Town) -> tuple[Customer, Customer, list[str]]:
    """The school's six people have five accounts in the board's tenant by now, beside the board's own."""
    school = town.school(6, seats=6)
    arriving = [str(uuid4()) for _ in range(5)]
    accounts = [_account(one, school) for one in arriving]
    board = town.board([3], holds=None, seats=20, others=accounts)
    entitle(town, board, 20)
    with town.services.open_uow() as uow:
        known = uow.organisations.find(school.code)
        assert known is not None
        uow.organisations.save([msgspec.structs.replace(known, web_domain=f"www.{board.domain}")])
        uow.organisations.add_relations([customers.under(board.code, school.code)])
        uow.commit()
    return school, board, arriving


def _account(person: str, school: Customer) -> Mapping[str, Any]:
    return {"id": person, "department": school.code, "employeeType": "Personeel", "usageLocation": "NL"}


def _authority(board: Customer, school: Customer) -> list[Any]:
    """The contact speaks for the board, and the board for the school."""
    since = "2020-01-01"
    mandate = {"kind": "mandate", "id": f"m-{board.code}", "organisation_id": board.code, "actor": CONTACT}
    signed = {"kind": "declaration", "id": f"d-{board.code}", "organisation_id": board.code, "signed_on": since}
    return [mandate | {"scope": "rebind", "valid_from": since}, signed | {"participants": [school.code]}]


def _asked(programs: Caller, school: Customer, home: Customer, **wish: Any) -> Asked:
    """By the board's own token."""
    given = {"organisation": school.code, "tenant": home.domain} | wish
    return Asked.of(programs, reference=f"s23 {school.code}", kind="rebind", requester=CONTACT, wish=given)


def _is_counted(asked: Asked, helper: Caller, school: Customer) -> None:
    """Whom it would choose there, how many it were here, and what stays where it was bought; to its board as well."""
    told = asked.by.get(f"{asked.path}/assessment")
    assert told["feasibility"] == "possible"
    assert told["rebind"]["people"]["faculty"] == told["rebind"]["total"]
    assert (told["rebind"]["total"]["selected"], told["rebind"]["total"]["before"]) == (5, 6)
    [seats] = told["rebind"]["seats"]
    assert (seats["needed"], seats["bought"], seats["left"], seats["enabled"]) == (5, 20, 6, 20)
    page = helper.text(f"{asked.path}/assessment", "text/html")
    assert school.code in page
    assert not [one for one in school.people if one in page]


def _is_approved_by_another(asked: Asked, helper: Caller, digest: str) -> None:
    """Not by the board's own programs, nor by who imported the records that it rests on."""
    assert [one.refused(f"{asked.path}/approve", {"digest": digest}) for one in (asked.by, helper)] == [403, 403]


def _bound(town: Town, school: Customer) -> Binding:
    with town.services.open_uow() as uow:
        [binding] = uow.tenants.bindings_of(school.code, town.services.clock.now().date())
    return binding


def _is_confirmed(binding: Binding, board: Customer, desk: Desk) -> None:
    assert (binding.tenant_id, binding.evidence) == (board.tenant, frozenset(customers.FACTS))
    assert (binding.created_by, binding.confirmed_by) == (
        f"client:programs-{board.code}",
        desk.who(Role.APPROVER),
    )
