"""What a ticket asks, in one sentence of each language; and the digest, only while it can be approved by."""

import re
from typing import Any

import msgspec
import pytest

from provisioning.domain.ids import OrganisationId
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.domain.ticket_wishes import wish_of
from provisioning.planning.asked_change import AskedChange, asked_change
from provisioning.planning.assessment_facts import Fact, FactKind
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.words.assessments import Form, render_assessment
from provisioning.words.catalogue import Language
from tests.factories.tickets import BOARD, SCHOOL, ticket
from tests.factories.trade import MAPPINGS, STAFF, sku_of
from tests.unit.planning.assessments import OF_BOARD, assess, short_of_seats

A3 = sku_of(STAFF)
GIVEN: dict[TicketKind, dict[str, Any]] = {
    TicketKind.CHANGE_SKU: {"organisations": [SCHOOL], "from_sku": "odd-sku", "to_sku": A3},
    TicketKind.REMAP_HOLDER: {"from_holders": [SCHOOL], "to_holder": BOARD, "effective_on": "2027-08-01"},
    TicketKind.REMAP_AGREEMENT: {
        "public_customer_number": "P1",
        "licence_ids": ["L1", "L2"],
        "from_tenant": "oud.example",
        "to_tenant": "nieuw.example",
    },
    TicketKind.MOVE_SCHOOL: {
        "school": SCHOOL,
        "to_board": BOARD,
        "from_tenant": "oud.example",
        "to_tenant": "nieuw.example",
        "people": '{"ids": ["secret-person"]}',
        "products": {A3: A3},
    },
    TicketKind.REBIND: {
        "organisation": SCHOOL,
        "tenant": "nieuw.example",
        "selectors": {"faculty": '{"ids": ["secret-person"]}'},
    },
    TicketKind.SERVICE_PLAN_POLICY: {"tenant": "nieuw.example", "sku_id": A3, "off": ["SWAY", "YAMMER_EDU"]},
}
NAMES = {SCHOOL: "De Linde", BOARD: "Stichting Noord"}
DRAWN = Standing(progress=Progress.DRAWN, digest="9c1f22ab" * 8, counts={"seats": "40"})


def asked(kind: TicketKind, standing: Standing = DRAWN, **fields: Any) -> AskedChange:
    known = {"state": TicketState.AWAITING_APPROVAL, "digest": DRAWN.digest, "reference": "T-1"} | fields
    one: Ticket = ticket(kind=kind, given=GIVEN[kind], **known)
    return asked_change(one, wish_of(kind, one.given), standing, NAMES, MAPPINGS)


def told(change: AskedChange, language: Language = Language.DUTCH, form: Form = Form.TEXT) -> str:
    made = msgspec.structs.replace(assess(), asked=change)
    return " ".join(render_assessment(made, language, form).split())


class TestTheSentence:
    @pytest.mark.parametrize("language", Language)
    @pytest.mark.parametrize("kind", TicketKind)
    def test_is_whole_for_every_kind_and_names_nobody(self, kind: TicketKind, language: Language) -> None:
        text = told(asked(kind), language)
        assert not re.search(r"[{}]|\bNone\b|secret-person", text)
        assert asked(kind).key in text

    def test_calls_things_as_people_do(self) -> None:
        text = told(asked(TicketKind.REMAP_HOLDER))
        assert "op naam van Stichting Noord (41000)" in text
        assert "op naam van De Linde (00XX00). Aantal: 40. Dit gaat in op 01-08-2027." in text
        assert MAPPINGS.skus[A3].name in told(asked(TicketKind.CHANGE_SKU))
        assert "Uit gaat: SWAY, YAMMER_EDU. Aan gaat: –." in told(asked(TicketKind.SERVICE_PLAN_POLICY))

    def test_a_code_that_nobody_knows_is_told_as_it_is(self) -> None:
        change = asked_change(
            ticket(),
            wish_of(TicketKind.REMAP_HOLDER, {"from_holders": ["09XX00"], "to_holder": BOARD}),
            DRAWN,
            {},
            MAPPINGS,
        )
        assert (change.named["old"], change.named["new"]) == (OrganisationId("09XX00"), BOARD)

    def test_is_escaped_on_a_page(self) -> None:
        change = msgspec.structs.replace(asked(TicketKind.REBIND), key="desk/<script>")
        assert "<script>" not in told(change, form=Form.PAGE)


class TestWhereItStands:
    def test_a_board_reads_that_it_waits_for_approval(self) -> None:
        made = msgspec.structs.replace(short_of_seats(), asked=asked(TicketKind.CHANGE_SKU), for_board="Noord")
        text = " ".join(render_assessment(made, Language.DUTCH, Form.TEXT).split())
        assert "Stand: wacht op goedkeuring." in text
        assert "aandacht nodig" not in text
        assert "9c1f22ab" not in text

    @pytest.mark.parametrize(
        ("state", "said"),
        [(TicketState.RUNNING, "goedgekeurd en wij voeren het uit"), (TicketState.COMPLETED, "is afgehandeld")],
    )
    def test_what_is_decided_is_not_told_to_wait_for_it(self, state: TicketState, said: str) -> None:
        text = told(asked(TicketKind.REMAP_HOLDER, state=state))
        assert said in text
        assert "goedkeurt" not in text
        assert "nog niets veranderd" not in text

    def test_what_cannot_be_done_says_so(self) -> None:
        fact = Fact(kind=FactKind.PART_OF_LICENSE_ID, names=("L1",))
        made = assess(facts=(fact,), reader=OF_BOARD)
        change = asked(TicketKind.REMAP_AGREEMENT, digest=None, state=TicketState.REJECTED)
        text = render_assessment(msgspec.structs.replace(made, asked=change), Language.DUTCH, Form.TEXT)
        assert "Stand: afgewezen." in text
        assert "Dit kan niet." in text
        assert "Wij voeren dit verzoek niet uit." in text

    def test_what_a_person_still_has_to_look_at_is_not_called_refused(self) -> None:
        fact = Fact(kind=FactKind.LICENSE_ID_UNKNOWN, names=("L1",))
        change = asked(TicketKind.REMAP_AGREEMENT, digest=None, state=TicketState.HELD)
        made = msgspec.structs.replace(assess(facts=(fact,), reader=OF_BOARD), asked=change)
        text = render_assessment(made, Language.DUTCH, Form.TEXT)
        assert "Stand: heeft aandacht nodig." in text
        assert "afgewezen" not in text
        assert "Wij voeren dit verzoek niet uit." not in text


class TestTheDigest:
    def test_is_there_for_whoever_approves_exactly_this(self) -> None:
        change = asked(TicketKind.REMAP_HOLDER)
        assert change.digest == DRAWN.digest
        assert "met dit kenmerk: 9c1f22ab." in told(change)

    @pytest.mark.parametrize(
        ("standing", "fields"),
        [
            (Standing(progress=Progress.DRAWN, digest="0" * 64), {}),
            (Standing(progress=Progress.DRAWING), {}),
            (DRAWN, {"state": TicketState.AWAITING_AUTHORITY}),
            (DRAWN, {"state": TicketState.ASSESSING, "digest": None}),
        ],
        ids=["something else lies there now", "not drawn", "nobody may ask it", "not shown yet"],
    )
    def test_is_not_there_otherwise(self, standing: Standing, fields: dict[str, Any]) -> None:
        change = asked(TicketKind.CHANGE_SKU, standing, **fields)
        assert change.digest is None
        assert "met dit kenmerk" not in told(change)
