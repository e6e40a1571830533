"""A board's ticket among real workers: asked by whoever may not, then by records, approved, carried out, answered."""

from pathlib import Path
from typing import Any

from provisioning.domain.actors import Role
from provisioning.domain.ids import SkuId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Organisation, OrganisationKind
from provisioning.local.world import APP
from tests.journeys.callers import Api, Asked, Caller
from tests.journeys.customers import A3, A3_STAFF, LONG_AGO, Customer
from tests.journeys.desk import Desk, paper
from tests.journeys.furniture import Town
from tests.journeys.patience import until
from tests.journeys.promises import check_promises

O365_A3 = "e578b273-6db4-4691-bba0-8d691f4da603"  # Office 365 A3 for faculty


def test_s29_s33_the_holder_changes_and_nobody_notices(town: Town, desk: Desk, tmp_path: Path) -> None:
    school, board = town.school(6), _board(town)
    key = town.order(school, 6)
    assert town.await_end(key).state is OperationState.COMPLETED
    written = town.writes(school)
    wish = {"from_holders": [school.code], "to_holder": board}
    plain = {"source": "desk", "reference": "s29", "kind": "remap_holder", "requester": "contact-17"}
    ticket = paper(tmp_path, "ticket.json", plain | {"organisation": board, "wish": wish})
    [taken] = desk.do("tickets", "submit", ticket)
    assert (taken["ticket"]["state"], taken["ticket"]["reason"]) == ("awaiting_authority", "ACTOR_NOT_AUTHORISED")

    since = {"valid_from": "2020-01-01"}
    signed = {"kind": "declaration", "id": f"d-{board}", "organisation_id": board, "signed_on": "2020-01-01"}
    declaration = signed | {"participants": [school.code]}
    mandate = {"kind": "mandate", "id": f"m-{board}", "organisation_id": board, "actor": "contact-17"}
    agreement = {"kind": "agreement", "id": f"a-{board}", "organisation_id": board, "supplier": "microsoft"}
    mandated = mandate | since | {"scope": "remap_holder"}
    desk.do("records", "import", paper(tmp_path, "records.jsonl", declaration, mandated))
    assert desk.look("tickets", "show", "desk/s29")["ticket"]["reason"] == "AGREEMENT_UNKNOWN"
    terms = agreement | {"licence_form": "group", "starts_on": "2020-01-01"}
    desk.do("records", "import", paper(tmp_path, "records.jsonl", terms))

    # from here on it goes by itself: the sweep of a worker finds what it waited for
    shown = until(lambda: _awaiting_approval(desk), "the ticket is assessed")
    _revoked_and_signed_again(desk, tmp_path, declaration, shown["ticket"]["digest"])
    told = desk.read("tickets", "show", "desk/s29")
    product = town.services.mappings.skus[SkuId(A3)].name
    assert f"{product} 6 0" in told, told
    assert f"{product} 0 6" in told
    done = desk.do("tickets", "approve", "desk/s29", shown["ticket"]["digest"][:8], role=Role.APPROVER)
    assert done["state"] == "completed"

    ledgers = [desk.look("organisations", "show", one)["ledger"] for one in (school.code, board)]
    assert [sum(entry["delta"] for entry in ledger) for ledger in ledgers] == [0, 6]
    assert town.writes(school) == written
    assert town.holders(school, A3) == set(school.people)
    topics = [one["topic"] for one in desk.look("tickets", "show", "desk/s29")["answers"]]
    asked = ["received", "authority_asked", "waiting", "assessed", "authority_asked"]
    assert topics == [f"ticket_{step}" for step in [*asked, "approved", "started", "completed"]]
    check_promises(town, school, goal=A3)


def _revoked_and_signed_again(desk: Desk, folder: Path, declaration: dict[str, Any], digest: str) -> None:
    """Whoever might ask it may not any more, so nobody lets it be carried out until another declaration is signed."""
    desk.do("records", "import", paper(folder, "revoked.jsonl", declaration | {"revoked_on": "2020-06-01"}))
    shown = desk.look("tickets", "show", "desk/s29")["ticket"]
    assert (shown["state"], shown["reason"]) == ("awaiting_authority", "BOARD_DECLARATION_MISSING")
    assert "awaiting authority" in desk.refused("tickets", "approve", "desk/s29", digest[:8], role=Role.APPROVER)
    another = declaration | {"id": f"{declaration['id']}-again", "signed_on": "2020-06-01"}
    desk.do("records", "import", paper(folder, "signed.jsonl", another))
    until(lambda: _awaiting_approval(desk), "it is assessed as it was")


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


def test_s30_a_board_asks_another_product_and_only_another_person_lets_it_be(town: Town, api: Api) -> None:
    """Through the API with the board's own token, from submission to the answers in order."""
    board = _ready_for_a3(town)
    code = board.code
    programs = api.caller(f"client:programs-{code}", Role.BOARD, board=code)
    helper = api.caller(f"person:helper-{code}", Role.OPERATOR, Role.APPROVER)
    approver = api.caller(f"person:approver-{code}", Role.APPROVER)

    helper.post("records", [_mandate(code, "c-1", "change_sku")])
    wish = {"organisations": list(board.staff), "from_sku": O365_A3}
    [taken] = programs.post("tickets", {"reference": "s30", "kind": "change_sku", "requester": "c-1", "wish": wish})
    path = f"tickets/{taken['ticket']['ticket_id']}"
    assert taken["ticket"]["missing"] == ["to_sku"]
    helper.post(f"{path}/complete", {"to_sku": A3})  # has written some of it by that
    shown = Asked(programs, taken["ticket"]["ticket_id"]).await_state("awaiting_approval")
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
    Asked(programs, taken["ticket"]["ticket_id"]).await_state("completed")

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
    """A board whose people have another product, and which holds seats of A3."""
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
    with town.services.open_uow() as uow:
        uow.ledger.append([entry])
        uow.commit()
    return board


def _mandate(giver: str, contact: str, scope: str) -> dict[str, str]:
    given = {"kind": "mandate", "id": f"m-{giver}", "organisation_id": giver, "actor": contact}
    return given | {"scope": scope, "valid_from": "2020-01-01"}


_WAYS_OUT = ("U kunt wel nieuwe licenties bestellen voor de andere omgeving.", "verhuizen (move_school).")


def test_s31_a_part_of_the_seats_goes_nowhere_but_the_school_may_move(town: Town, api: Api) -> None:
    """By the board's own token: refused at once, with two ways out, of which it takes the second."""
    board, other = _shared_licence(town), town.school(3, holds=None, seats=3)
    code, [school, _] = board.code, board.staff
    programs = api.caller(f"client:programs-{code}", Role.BOARD, board=code)
    watch = api.caller(f"person:watch-{code}", Role.OPERATOR)
    watch.post("records", [_mandate(code, "c-31", "tickets"), *_licences(board, "L1")])

    wish = _agreement(board, other, ["L1"]) | {"seats": 3}
    asked = {"reference": "s31", "kind": "remap_agreement", "requester": "c-31", "wish": wish}
    [taken] = programs.post("tickets", asked)
    refused = taken["ticket"]
    assert (refused["state"], refused["reason"]) == ("rejected", Reason.PART_OF_LICENSE_ID)
    _is_refused_with_ways_out(Asked(programs, refused["ticket_id"]).show())
    page = programs.text(f"tickets/{refused['ticket_id']}/assessment", "text/html")
    assert "Bestel nieuwe licenties in de andere omgeving, of vraag ons de school te verhuizen." in page
    _nothing_was_begun(town, watch, refused["ticket_id"], board, other)

    move = _move(board, school, to_board=code, to_tenant=other.domain)
    moving = Asked.of(programs, reference="s31 moves", kind="move_school", requester="c-31", wish=move)
    moving.await_state("held", Reason.MIGRATION_TO_PREPARE)
    assert moving.topics() == ["received", "waiting"]
    assert school in watch.get(f"{moving.path}/draft")["content"]
    _nothing_was_written(town, board, other)


def test_s31_some_license_ids_of_a_number_go_nowhere_but_the_school_may_move(
    town: Town, desk: Desk, api: Api, tmp_path: Path
) -> None:
    """At the desk: refused at once, with two ways out; the school then moves to the other board's tenant."""
    board, other = _shared_licence(town), town.board([3], holds=None, seats=3)
    [school, _] = board.staff
    mandates = [_mandate(one.code, "c-32", "tickets") for one in (board, other)]
    desk.do("records", "import", paper(tmp_path, "records.jsonl", *mandates, *_licences(board, "L1", "L2")))

    plain = {"source": "desk", "requester": "c-32", "organisation": board.code}
    wish = _agreement(board, other, ["L1"])
    asked = plain | {"reference": "s31", "kind": "remap_agreement", "wish": wish}
    [taken] = desk.do("tickets", "submit", paper(tmp_path, "part.yaml", asked))
    refused = taken["ticket"]
    assert (refused["state"], refused["reason"]) == ("rejected", Reason.NOT_ALL_LICENSE_IDS)
    _is_refused_with_ways_out(desk.look("tickets", "show", "desk/s31"))
    assert all(one in desk.read("tickets", "show", "desk/s31") for one in _WAYS_OUT)  # whoever is asked on the phone
    watch = api.caller(f"person:watch-{board.code}", Role.OPERATOR)
    _nothing_was_begun(town, watch, refused["ticket_id"], board, other)

    move = _move(board, school, to_board=other.code, to_tenant=other.domain)
    moves = plain | {"reference": "s31-moves", "kind": "move_school", "wish": move}
    [taken] = desk.do("tickets", "submit", paper(tmp_path, "move.yaml", moves))
    assert (taken["ticket"]["state"], taken["ticket"]["reason"]) == ("held", Reason.MIGRATION_TO_PREPARE)
    draft = str(tmp_path / "school.yaml")
    desk.do("tickets", "draft", "desk/s31-moves", draft)
    created = desk.do("migrations", "create", draft)
    following = Asked(watch, taken["ticket"]["ticket_id"])
    shown = following.await_state("running")
    assert shown["standing"]["counts"]["migration"] == created["migration"]["migration_id"]
    _nothing_was_written(town, board, other)


def _shared_licence(town: Town) -> Customer:
    """A board whose two schools share one tenant and one licence."""
    return town.board([3, 2], holds=A3, seats=5)


def _licences(board: Customer, *names: str) -> list[dict[str, str]]:
    known = {"kind": "volume_licence", "organisation_id": board.code, "agreement_id": f"a-{board.code}"}
    number = {"public_customer_number": f"PCN {board.code}"}
    return [known | number | {"id": f"{name} {board.code}"} for name in names]


def _agreement(board: Customer, other: Customer, names: list[str]) -> dict[str, Any]:
    return {
        "public_customer_number": f"PCN {board.code}",
        "licence_ids": [f"{name} {board.code}" for name in names],
        "from_tenant": board.domain,
        "to_tenant": other.domain,
    }


def _move(board: Customer, school: str, to_board: str, to_tenant: str) -> dict[str, Any]:
    places = {"from_tenant": board.domain, "to_tenant": to_tenant}
    people = {"attribute": "department", "equals": school}
    return {"school": school, "to_board": to_board, "people": people, "products": {A3: A3}} | places


def _is_refused_with_ways_out(shown: Any) -> None:
    """In the answer that the board reads, in its own language."""
    answer = shown["answers"][-1]
    assert answer["topic"] == "ticket_rejected"
    assert all(one in answer["details"]["nl"] for one in _WAYS_OUT), answer["details"]["nl"]


def _nothing_was_begun(town: Town, watch: Caller, ticket: str, *customers: Customer) -> None:
    """No operation, no agreement that is watched on its way, and nothing written."""
    shown = watch.get(f"tickets/{ticket}")
    assert (shown["operations"], shown["move"]) == ([], None)
    assert [watch.get(f"operations?tenant={one.tenant}")["items"] for one in customers] == [[] for _ in customers]
    _nothing_was_written(town, *customers)


def _nothing_was_written(town: Town, *customers: Customer) -> None:
    for one in customers:
        assert list(town.control.ledger(one.began, tenant=one.tenant, app=APP)) == []
        check_promises(town, one, goal=A3)
