"""S28 and S32 side by side, while the same days pass: an agreement that is nowhere for days on its way to the board's
tenant, and one that was activated in another customer's.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from provisioning.domain.actors import Role
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from provisioning.local.world import APP
from tests.journeys import customers
from tests.journeys.callers import EVERY, Api, Asked
from tests.journeys.customers import A3, Customer
from tests.journeys.desk import Desk, paper
from tests.journeys.furniture import Town
from tests.journeys.mergers import entitle
from tests.journeys.patience import until
from tests.journeys.promises import check_promises, check_witness

_DAYS = timedelta(days=1, hours=12)
_WITHIN = 90.0
CONTACT = "contact-1"


@dataclass(frozen=True)
class Move:
    """A ticket, from one tenant to another: what people of ours type about it, and see."""

    desk: Desk
    seen: Asked  # by an operator, over the API

    @property
    def ticket_id(self) -> str:
        return self.seen.ticket_id

    def approve(self) -> None:
        digest = self.await_state("awaiting_approval")["ticket"]["digest"]
        self.desk.do("tickets", "approve", self.ticket_id, digest[:8], role=Role.APPROVER)

    def file(self, number: str) -> None:
        self.desk.do("tickets", "filed", self.ticket_id, "--case", number)

    def complete(self, file: str) -> None:
        self.desk.do("tickets", "complete", self.ticket_id, file)

    def approve_release(self) -> None:
        """What people still hold in the old tenant is taken with an approval of its own."""
        releasing = self.await_operation("release", "awaiting_approval")
        digest = self.desk.look("plans", "show", releasing)["digest"]
        self.desk.do("plans", "approve", releasing, digest[:8], role=Role.APPROVER)

    def await_state(self, state: str, reason: str | None = None) -> Any:
        return self.seen.await_state(state, reason, within=_WITHIN)

    def await_operation(self, kind: str, state: str) -> str:
        """Of those that it began in the two tenants: the id of this one."""

        def look() -> str | None:
            move = self.seen.show()["move"]
            found = (self._operation(one) for one in (*move["serving"], *move["releasing"]))
            return next(
                (str(one["operation_id"]) for one in found if (one["kind"], one["state"]) == (kind, state)), None
            )

        return until(look, lambda: f"{kind} {state}: {self.seen.show()}", within=_WITHIN, every=EVERY)

    def _operation(self, operation: str) -> Any:
        return self.seen.by.get(f"operations/{operation}")["operation"]


def test_s28_nowhere_for_days_and_s32_in_another_customers_tenant(
    town: Town, desk: Desk, api: Api, tmp_path: Path
) -> None:
    watch = api.caller("person:watch", Role.OPERATOR)
    here, there = _school_and_board(town)
    asked = _asked_by_the_board(desk, api, here, there, tmp_path)
    moved = Move(desk, Asked(watch, asked.ticket_id))
    moved.await_state("awaiting_approval")
    _told_by_school(moved.seen, asked, here)
    moved.approve()
    _is_drawn_up(moved, tmp_path / "case.txt", here, there)
    town.control.move_subscription(here.tenant, customers.seats_id(here.tenant), there.tenant, arrivesIn=3 * 86_400)
    moved.file("case 1")  # the first look finds them gone

    buyer, stranger = town.board([5], seats=None), town.school(3, seats=3)
    order = _ordered_by_both(town, buyer, stranger)
    desk.do("records", "import", paper(tmp_path, "s32.jsonl", _licence("PCN2", "L2", buyer), _mandate(buyer)))
    stray = town.control.add_subscription(stranger.tenant, skuId=A3, totalLicenses=5)["id"]
    until(lambda: moved.seen.show()["move"]["vanished_at"], "they are seen to be gone", every=EVERY)

    _pass(town, api, _DAYS)
    moved.await_state("held", Reason.SEATS_NOWHERE)
    assert town.services.find_strays() == 1
    found = Move(desk, Asked(watch, _alarmed(desk, stranger)))
    found.complete(paper(tmp_path, "missing.yaml", {"requester": CONTACT}))
    found.await_state("awaiting_approval")
    _each_sees_their_own(api, found, buyer, stranger)
    found.approve()
    town.control.move_subscription(stranger.tenant, stray, buyer.tenant)
    found.file("case 2")
    found.await_state("completed")

    _pass(town, api, 2 * _DAYS)
    moved.await_operation("deliver", "completed")
    moved.approve_release()
    moved.await_state("completed")
    assert town.holders(there, A3) == set(there.people)
    assert town.holders(here, A3) == set()
    counts = asked.show()["answers"][-1]["details"]
    assert (counts["people_served"], counts["people_released"]) == ("6", "6")
    check_promises(town, there, goal=A3)
    check_promises(town, here)
    _kept_what_they_had_until_all_were_served(town, here, there)

    assert town.await_end(order, within=_WITHIN).state is OperationState.COMPLETED
    assert town.holders(buyer, A3) == set(buyer.people)
    check_promises(town, buyer, goal=A3)
    _has_their_own_and_nothing_else(town, stranger)


def _kept_what_they_had_until_all_were_served(town: Town, here: Customer, there: Customer) -> None:
    """Continuity as far as it is ours: what Microsoft moves stops in the old tenant by itself, and we took nothing
    there before everybody had it in the new one.
    """
    taken, given = (
        [entry["time"] for entry in town.control.ledger(one.began, tenant=one.tenant, app=APP)] for one in (here, there)
    )
    assert (len(taken), len(given)) == (len(here.people), len(there.people))
    assert max(given) < min(taken)


# ── before ───────────────────────────────────────────────────────────────────────────────────────────────


def _school_and_board(town: Town) -> tuple[Customer, Customer]:
    """The school holds the licences in its own tenant; its people have accounts in its board's, too."""
    here = town.school(6, holds=A3, seats=6)
    there = town.board([6], holds=None, seats=None, traits=lambda _customer, _school, _n: {"department": here.code})
    entitle(town, here, 6)
    _let_in(town, here, there)
    return here, there


def _let_in(town: Town, school: Customer, host: Customer) -> None:
    """The school's people have accounts with the board, and somebody confirmed who they are."""
    binding = msgspec.structs.replace(customers.binding(host.tenant, school.code), is_transition=True)
    with town.services.open_uow() as uow:
        uow.tenants.add_binding(binding)
        uow.tenants.confirm_binding(binding.binding_id, customers.SECOND, town.services.clock.now(), customers.FACTS)
        uow.commit()


def _asked_by_the_board(desk: Desk, api: Api, here: Customer, there: Customer, folder: Path) -> Asked:
    """With its own token, once records say that it speaks for the school."""
    declared = {"kind": "declaration", "id": f"here {there.code}", "organisation_id": there.code}
    takes_part = declared | {"signed_on": "2020-01-01", "participants": [here.code, *there.staff]}
    known = [_licence("PCN1", "L1", here), _mandate(there), takes_part]
    desk.do("records", "import", paper(folder, "s28.jsonl", *known))
    board = api.caller("client:board-there", Role.BOARD, board=there.code)
    return Asked.of(board, **_form(here, there))


def _told_by_school(seen: Asked, asked: Asked, school: Customer) -> None:
    """Beforehand: whose people it is about, what is needed, and what it costs. To a board it is its own schools."""
    told = seen.by.get(f"{seen.path}/assessment")
    [row] = told["agreement"]["schools"]
    assert (row["organisation_id"], row["losing"], row["present"], row["ready"]) == (school.code, 6, 6, 6)
    assert [(one["needed"], one["moving"]) for one in told["agreement"]["seats"]] == [(6, 6)]
    assert (told["feasibility"], told["writes"]) == ("possible", 12)
    assert school.code in seen.by.text(f"{seen.path}/assessment", "text/html")
    for_board = asked.by.get(f"{asked.path}/assessment")
    assert for_board["agreement"]["schools"] == [row]  # they declared to speak for it


def _ordered_by_both(town: Town, buyer: Customer, stranger: Customer) -> LineKey:
    """The buyer's order, for which no seats come; the stranger has what it ordered."""
    order = town.order(buyer, 5)
    town.await_end(town.order(stranger, 3))
    town.await_operation(order, OperationState.AWAITING_SEATS)
    return order


def _licence(number: str, licence: str, holder: Customer) -> dict[str, Any]:
    """A License ID, whose agreement nobody has put on record."""
    known = {"kind": "volume_licence", "id": f"{licence} {holder.code}", "organisation_id": holder.code}
    return known | {"agreement_id": "unknown", "public_customer_number": f"{number} {holder.code}"}


def _mandate(giver: Customer) -> dict[str, Any]:
    given = {"kind": "mandate", "id": f"mandate {giver.code}", "organisation_id": giver.code, "actor": CONTACT}
    return given | {"scope": "tickets", "valid_from": "2020-01-01"}


def _form(here: Customer, there: Customer) -> dict[str, Any]:
    wish = {
        "public_customer_number": f"PCN1 {here.code}",
        "licence_ids": [f"L1 {here.code}"],
        "from_tenant": here.domain,
        "to_tenant": there.domain,
    }
    asked = {"reference": f"remap of {here.code}", "kind": "remap_agreement", "requester": CONTACT}
    return asked | {"wish": wish}


# ── meanwhile ────────────────────────────────────────────────────────────────────────────────────────────


def _pass(town: Town, api: Api, days: timedelta) -> None:
    town.pass_time(days)
    api.open(town)


def _is_drawn_up(move: Move, file: Path, here: Customer, there: Customer) -> None:
    """What the operator takes to Microsoft."""
    move.desk.do("tickets", "show", move.ticket_id, "--sheet", str(file))
    told = file.read_text()
    assert all(one in told for one in (f"PCN1 {here.code}", f"L1 {here.code}", here.tenant, there.tenant))


def _alarmed(desk: Desk, stranger: Customer) -> str:
    """The ticket that was prepared: operators are alarmed, and they alone are told where the seats are."""
    [prepared] = [one for one in desk.look("tickets", "list", "--state", "incomplete") if one["source"] == "system"]
    ticket_id = str(prepared["ticket_id"])
    assert prepared["reason"] == Reason.SEATS_IN_WRONG_TENANT
    assert desk.look("tickets", "show", ticket_id)["move"]["source"] == stranger.tenant
    items = [one for one in desk.look("worklist") if one["reason"] == Reason.SEATS_IN_WRONG_TENANT]
    assert len(items) == 1
    return ticket_id


def _each_sees_their_own(api: Api, move: Move, customer: Customer, stranger: Customer) -> None:
    """To whoever reads it for the customer, and in what they were told; and the same the other way round."""
    theirs = api.caller("client:board-buyer", Role.BOARD, board=customer.code)
    path = f"tickets/{move.ticket_id}"
    pages = [path, f"{path}/assessment", "tickets", "notices", "operations", "orders", "audit"]
    shown = [theirs.text(one) for one in pages] + [theirs.text(f"{path}/assessment", "text/html")]
    assert json.loads(shown[0])["ticket"]["given"]["from_tenant"] == "elsewhere"
    assert customer.code in shown[-2]  # it does read its own
    _names_nothing_of(stranger, [*shown, _notices(move.desk, customer)])
    other = api.caller("client:board-stranger", Role.BOARD, board=stranger.code)
    assert other.has_no(path)
    assert other.has_no(f"{path}/assessment")
    seen = [other.text(one) for one in ("tickets", "notices", "operations", "orders", "audit")]
    assert stranger.code in seen[-1]
    _names_nothing_of(customer, [*seen, _notices(move.desk, stranger)])


def _notices(desk: Desk, customer: Customer) -> str:
    return json.dumps(desk.look("notices", "list", "--organisation", customer.code))


def _names_nothing_of(customer: Customer, told: Sequence[str]) -> None:
    """Neither codes nor tenant, whose names all begin in the same way, nor people."""
    secrets = (customer.code, *customer.staff, customer.tenant, f"t{customer.tenant[:8]}", *customer.people)
    for secret in secrets:
        assert not [one for one in told if re.search(rf"\b{secret}\b", one)]


def _has_their_own_and_nothing_else(town: Town, stranger: Customer) -> None:
    assert town.holders(stranger, A3) == set(stranger.people)
    written = list(town.control.ledger(stranger.began, tenant=stranger.tenant))
    check_witness(town, stranger, written, set(stranger.people), 0)
    assert len(written) == len(stranger.people)
