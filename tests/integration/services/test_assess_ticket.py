"""What a ticket comes to: one value for its approver, the board's own part for the board, nothing for others."""

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import ConflictError, NotFoundError
from provisioning.domain.ids import Actor, OperationId, OrganisationId, SkuId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from provisioning.domain.records import VolumeLicence
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.planning.assessment import Assessment, Feasibility
from provisioning.planning.assessment_facts import FactKind
from provisioning.services.browse_tickets import BrowseTickets
from provisioning.services.transitions import move
from provisioning.words.assessments import Form, render_assessment
from provisioning.words.catalogue import Language, Words
from tests.factories import guid, tenancy
from tests.factories import tickets as make
from tests.factories.tickets import BOARD, SCHOOL, SISTER
from tests.factories.trade import STAFF, sku_of
from tests.integration.services.ticket_scene import APPROVER, DESK, OPERATOR, Desk, board_token

Open = Callable[[], SqlUnitOfWork]
A1 = SkuId("94763226-9b3c-4e75-a931-5c89701abe66")
CHANGE: dict[str, Any] = {
    "kind": TicketKind.CHANGE_SKU,
    "given": {"organisations": [SCHOOL, SISTER], "from_sku": A1, "to_sku": sku_of(STAFF)},
}


@pytest.fixture
def desk(open_uow: Open) -> Desk:
    made = Desk(open_uow)
    made.authorise()
    return made


def drawn(desk: Desk) -> Ticket:
    ticket = desk.submit(**CHANGE)
    for operation in desk.operations(ticket):
        desk.draw(operation)
    desk.later(seconds=10)
    return desk.now(ticket)


def put_under(desk: Desk, board: str, school: str) -> None:
    with desk.open_uow() as uow:
        uow.organisations.add_relations([tenancy.relation(board, school, valid_from=date(2025, 1, 1))])
        uow.commit()


class TestOfPlans:
    def test_is_approved_by_the_digest_that_it_shows(self, desk: Desk) -> None:
        ticket = drawn(desk)
        made = desk.assess(ticket)
        assert (len(made.parts), made.people) == (1, 3)
        assert made.asked is not None
        assert made.asked.digest == ticket.digest
        assert desk.approve_ticket(APPROVER, ticket.ticket_id, made.asked.digest or "").state is TicketState.RUNNING

    def test_before_there_are_plans_nobody_knows_whether_it_can_be(self, desk: Desk) -> None:
        made = desk.assess(desk.submit(**CHANGE))
        assert (made.feasibility, made.parts) == (Feasibility.UNKNOWN, ())
        assert [one.kind for one in made.facts] == [FactKind.LOOK_INCOMPLETE]
        assert made.asked is not None
        assert made.asked.digest is None

    def test_nor_before_anybody_may_ask_it(self, open_uow: Open) -> None:
        desk = Desk(open_uow)
        ticket = desk.submit(**CHANGE)
        assert ticket.state is TicketState.AWAITING_AUTHORITY
        made = desk.assess(ticket)
        assert [(one.kind, one.reason) for one in made.facts] == [(FactKind.HELD_UP, Reason.ACTOR_NOT_AUTHORISED)]
        assert made.feasibility is Feasibility.UNKNOWN

    def test_a_board_gets_its_own_part_in_counts(self, desk: Desk) -> None:
        put_under(desk, BOARD, SCHOOL)
        ticket = drawn(desk)
        made = desk.assess(ticket, board_token())
        assert made.for_board is not None
        assert all(one.breaches == () for one in made.parts)
        assert all(one.organisation_id in {SCHOOL, BOARD} for part in made.parts for one in part.schools)
        with desk.open_uow() as uow:
            record = uow.plans.current(desk.operations(ticket)[0].operation_id)
            people = [one.subject_id for one in uow.plans.people(record.plan_id)] if record else []
        told = msgspec.json.encode(made).decode()
        assert people
        assert not [one for one in people if one in told]

    def test_a_desk_gets_what_the_board_of_its_ticket_gets(self, desk: Desk) -> None:
        put_under(desk, BOARD, SCHOOL)
        ticket = drawn(desk)
        assert desk.assess(ticket, DESK) == desk.assess(ticket, board_token())

    @pytest.mark.parametrize(
        "other",
        [board_token("42000", "client:others"), Identity(actor=Actor("client:o"), roles=frozenset({Role.DESK}))],
    )
    def test_for_others_it_does_not_exist(self, desk: Desk, other: Identity) -> None:
        with pytest.raises(NotFoundError, match="There is no ticket"):
            desk.assess(drawn(desk), other)


class TestTheTicketItself:
    @pytest.mark.parametrize("reader", [board_token(), DESK])
    def test_shows_of_its_operations_those_that_the_board_has_a_part_in(self, desk: Desk, reader: Identity) -> None:
        put_under(desk, BOARD, SCHOOL)
        ticket = drawn(desk)
        [own] = desk.operations(ticket)
        others = msgspec.structs.replace(own.wish, holder_id=OrganisationId("42000"), organisations=(SISTER,))
        with desk.open_uow() as uow:
            uow.operations.add(msgspec.structs.replace(own, operation_id=OperationId(guid()), wish=others, version=0))
            uow.commit()
        assert len(desk.operations(ticket)) == 2
        browse = BrowseTickets(open_uow=desk.open_uow, clock=desk.clock, works=desk.works)
        assert [one.operation_id for one in browse.one(reader, ticket.ticket_id).operations] == [own.operation_id]

    def test_nobody_ordered_the_new_product_so_it_says_what_to_order(self, desk: Desk) -> None:
        ticket = desk.submit(**CHANGE)
        with desk.open_uow() as uow:
            [working] = uow.tickets.operations_of(ticket.ticket_id)
            move(uow, working, OperationState.HELD, desk.clock.now(), reason=Reason.REMAP_NOT_ORDERED)
            uow.commit()
        made = desk.assess(ticket)
        [fact] = made.facts
        assert (fact.kind, fact.instead) == (FactKind.NOT_ORDERED, (STAFF,))
        assert made.feasibility is Feasibility.IMPOSSIBLE
        text = render_assessment(made, Language.DUTCH, Form.TEXT)
        assert f"Bestel artikel {STAFF}." in text

    def test_held_for_another_reason_it_says_that_reason(self, desk: Desk) -> None:
        ticket = desk.submit(**CHANGE)
        with desk.open_uow() as uow:
            [working] = uow.tickets.operations_of(ticket.ticket_id)
            move(uow, working, OperationState.HELD, desk.clock.now(), reason=Reason.SELECTOR_EMPTY)
            uow.commit()
        made = desk.assess(ticket)
        assert [(one.kind, one.reason) for one in made.facts] == [(FactKind.HELD_UP, Reason.SELECTOR_EMPTY)]
        assert Words(Language.DUTCH).reason(Reason.SELECTOR_EMPTY).what.split()[0] in render_assessment(
            made, Language.DUTCH, Form.TEXT
        )


class TestWithoutPlans:
    UNSEEN: ClassVar[list[tuple[TicketKind, dict[str, Any]]]] = [
        (
            TicketKind.REMAP_AGREEMENT,
            {"public_customer_number": "P", "licence_ids": ["L1"], "from_tenant": "a.nl", "to_tenant": "b.nl"},
        ),
        (TicketKind.REBIND, {"organisation": SCHOOL, "tenant": "unheard.nl"}),
        (TicketKind.SERVICE_PLAN_POLICY, {"tenant": "unheard.nl", "sku_id": sku_of(STAFF), "off": ["YAMMER_EDU"]}),
        (
            TicketKind.MOVE_SCHOOL,
            {
                "school": SCHOOL,
                "to_board": BOARD,
                "from_tenant": "a.nl",
                "to_tenant": "b.nl",
                "people": '{"domain":"a.nl"}',
                "products": {sku_of(STAFF): sku_of(STAFF)},
            },
        ),
    ]

    @pytest.mark.parametrize(("kind", "given"), UNSEEN, ids=[str(kind) for kind, _ in UNSEEN])
    def test_before_anybody_looked_nobody_says_that_it_can_be(
        self, desk: Desk, kind: TicketKind, given: dict[str, Any]
    ) -> None:
        made = desk.assess(desk.submit(kind=kind, given=given))
        assert made.feasibility in {Feasibility.UNKNOWN, Feasibility.IMPOSSIBLE}
        assert made.facts

    def test_says_what_changes(self, desk: Desk) -> None:
        ticket = desk.submit()
        made = desk.assess(ticket)
        assert (made.feasibility, made.parts) == (Feasibility.POSSIBLE, ())
        assert made.asked is not None
        assert (made.asked.named["seats"], made.asked.digest) == ("40", ticket.digest)

    def test_of_another_holder_each_side_before_and_after_the_same_once_it_is_done(self, desk: Desk) -> None:
        ticket = desk.submit()
        made = desk.assess(ticket)
        assert [(one.organisation_id, one.before, one.after) for one in made.holders] == [
            (BOARD, 0, 40),
            (SCHOOL, 40, 0),
        ]
        assert desk.assess(desk.approve(ticket), OPERATOR).holders == made.holders

    def test_a_board_sees_its_own_side_of_it(self, desk: Desk) -> None:
        assert [one.organisation_id for one in desk.assess(desk.submit(), board_token()).holders] == [BOARD]

    def test_what_is_missing_is_asked_back_first(self, desk: Desk) -> None:
        ticket = desk.submit(given={"from_holders": [SCHOOL]})
        with pytest.raises(ConflictError, match="to_holder is missing"):
            desk.assess(ticket)

    def test_after_its_end_it_is_decided(self, desk: Desk) -> None:
        done = desk.approve(desk.submit())
        made = desk.assess(done, OPERATOR)
        assert made.asked is not None
        assert made.asked.is_decided
        assert made.asked.named["seats"] == "40"


class TestAgreements:
    """S28 and S31: what Microsoft can move at all, and what to ask instead."""

    GIVEN: dict[str, Any] = {  # noqa: RUF012  # never changed
        "public_customer_number": "P1",
        "licence_ids": ["L1"],
        "from_tenant": "old.example",
        "to_tenant": "new.example",
    }

    def assess(self, desk: Desk, **fields: Any) -> Assessment:
        for number in ("L1", "L2"):
            desk.record(
                VolumeLicence(
                    record_id=number,
                    organisation_id=OrganisationId(BOARD),
                    agreement_id=f"agreement of {number}",
                    public_customer_number="P1",
                )
            )
        ticket = desk.submit(**make_agreement(self.GIVEN | fields))
        return desk.assess(ticket, board_token())

    def test_s31_a_part_of_a_license_id_cannot_move(self, desk: Desk) -> None:
        made = self.assess(desk, seats=10)
        assert made.feasibility is Feasibility.IMPOSSIBLE
        assert {FactKind.PART_OF_LICENSE_ID, FactKind.PART_OF_CUSTOMER_NUMBER} <= {one.kind for one in made.facts}

    def test_s28_all_of_a_customer_number_can_and_the_board_knows_what_goes_along(self, desk: Desk) -> None:
        made = self.assess(desk, licence_ids=["L1", "L2"])
        kinds = {one.kind for one in made.facts}
        assert made.feasibility is not Feasibility.IMPOSSIBLE
        assert {FactKind.MOVES_ALONG, FactKind.NO_FILES_MOVE} <= kinds


def make_agreement(given: dict[str, Any]) -> dict[str, Any]:
    return {"kind": TicketKind.REMAP_AGREEMENT, "given": given, "requester": make.CONTACT}
