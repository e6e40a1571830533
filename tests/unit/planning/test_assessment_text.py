"""The text: within eighty columns, each number one of the value's."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.ids import OperationId, SubjectId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.planning.assessment import Assessment, Reader
from provisioning.planning.assessment_facts import Fact, FactKind
from provisioning.planning.assessment_sections import sections
from provisioning.planning.assessment_text import WIDTH, to_text
from provisioning.words.assessments import tongue_of
from provisioning.words.catalogue import Language
from tests.unit.planning.assessments import (
    NORTH,
    OF_BOARD,
    SOUTH,
    a_wish,
    an_operation,
    assess,
    drawn,
    planned,
    short_for_board,
    short_of_seats,
    some,
)
from tests.unit.planning.scene import A1, A3, held, plan_of, seats

DUTCH, ENGLISH = tongue_of(Language.DUTCH), tongue_of(Language.ENGLISH)
TEAMS = plan_of(A1, "TEAMS1")
IMPOSSIBLE = (
    Fact(kind=FactKind.PART_OF_LICENSE_ID, names=("L1",)),
    Fact(kind=FactKind.SERVICE_STOPS, people=40),
)


def said(made: Assessment, language: Language = Language.DUTCH) -> str:
    return " ".join(to_text(made, tongue_of(language)).split())


class TestSaid:
    def test_what_to_order_when_seats_are_short(self) -> None:
        text = said(short_for_board())
        assert "Dit kan voor een deel van de mensen." in text
        assert "Er zijn te weinig licenties vrij. Aantal te weinig: 2." in text
        assert "Bestel artikel MS-BP-A3-MED. Aantal: 2." in text

    def test_what_is_bought_already_is_not_ordered_again(self) -> None:
        text = said(assess(drawn(planned(some(5), seats=seats(2), entitlement=5)), reader=OF_BOARD))
        assert "Een deel is al besteld, maar staat nog niet klaar bij Microsoft. Aantal: 3." in text
        assert "Bestel artikel" not in text

    def test_what_cannot_be_done_says_what_to_ask_instead(self) -> None:
        text = said(assess(facts=IMPOSSIBLE, reader=OF_BOARD))
        assert "Dit kan niet." in text
        assert "Stand: afgewezen." in text
        assert "Bestel nieuwe licenties in de andere omgeving, of vraag ons de school te verhuizen." in text
        assert "Er is nog niets klaargezet, en er is nog niets veranderd." in text
        assert "goedkeurt" not in text

    def test_a_board_hears_only_what_stands_in_the_way(self) -> None:
        assert "Zodra Microsoft verhuist" not in said(assess(facts=IMPOSSIBLE, reader=OF_BOARD))
        assert "services in the old tenant stop at once. People: 40." in said(
            assess(facts=IMPOSSIBLE), Language.ENGLISH
        )

    def test_what_comes_on_is_called_by_its_service_for_boards_and_by_its_plan_for_operators(self) -> None:
        plan = planned(some(2, NORTH, held(A1, TEAMS)))
        on = tuple(
            msgspec.structs.replace(one, change=msgspec.structs.replace(one.change, disabled_plans=frozenset()))
            for one in plan.steps
        )
        waking = drawn(msgspec.structs.replace(plan, steps=on))
        assert "Let op: Overleg en lessen (Teams) stond uit en gaat aan. Mensen: 2." in said(
            assess(waking, reader=OF_BOARD)
        )
        assert "Mind: TEAMS1 was off and comes on. People: 2." in said(assess(waking), Language.ENGLISH)

    def test_what_stays_off_is_said(self) -> None:
        made = assess(drawn(planned(some(2, NORTH, held(A1, TEAMS)))), reader=OF_BOARD)
        assert "Mensen bij wie alles uit blijft wat uit stond: 2." in said(made)

    def test_service_plans_are_for_operators(self) -> None:
        assert "SHAREPOINTENTERPRISE_EDU" in said(short_of_seats())
        assert "SHAREPOINT" not in said(short_for_board())

    def test_operators_read_why_it_needs_approval_and_the_digest(self) -> None:
        made = assess(drawn(planned(some(2)), breaches=("260 swaps; 250 may go by themselves",)))
        text = said(made, Language.ENGLISH)
        assert "Does not apply by itself: 260 swaps; 250 may go by themselves." in text
        assert f"A ticket is approved by this digest: {made.digest[:8]}." in text

    def test_tenants_are_told_apart_where_there_are_more(self) -> None:
        elsewhere = an_operation(operation_id=OperationId("o2"), tenant_id=TenantId("t2"))
        plan = planned(some(1))
        two = assess(drawn(plan), drawn(plan, operation=elsewhere, domain="eik.onmicrosoft.com"))
        assert "People with a licence, by school in eik.onmicrosoft.com" in said(two, Language.ENGLISH)
        assert "onmicrosoft" not in said(assess(drawn(plan)))

    def test_of_many_held_people_a_screen_names_some(self) -> None:
        plan = drawn(planned(some(150), seats=seats(0)))
        names = {SubjectId(one.subject_id): one.subject_id for one in plan.people}
        made = assess(plan, reader=Reader(names=names))
        assert len(made.parts[0].held[0].who) == 150
        assert said(made, Language.ENGLISH).count("north-0") == 100
        assert "Left out: 50." in said(made, Language.ENGLISH)

    def test_schools_of_one_name_are_told_apart_by_their_codes(self) -> None:
        made = assess(drawn(planned([*some(1), *some(1, SOUTH)])), schools={NORTH: "De Linde", SOUTH: "De Linde"})
        text = said(made)
        assert "De Linde (north)" in text
        assert "De Linde (south)" in text

    def test_a_school_that_left_the_register_is_called_by_its_code(self) -> None:
        text = said(assess(drawn(planned(some(1))), schools={}))
        assert "north" in text
        assert "(north)" not in text

    def test_people_of_no_school_are_called_so(self) -> None:
        lost = a_wish(named=(SubjectId("north-0000"), SubjectId("gone")))
        plan = planned(some(1), wish=lost)
        holding = [
            msgspec.structs.replace(one, before=plan.subjects[0].before) if one.organisation_id is None else one
            for one in plan.subjects
        ]
        assert "Zonder school" in said(assess(drawn(plan, wish=lost, people=holding)))

    def test_one_school_needs_no_sum(self) -> None:
        assert "Alle scholen samen" not in said(assess(drawn(planned(some(2))), reader=OF_BOARD))

    @pytest.mark.parametrize("state", OperationState)
    def test_shows_one_of_five_states(self, state: OperationState) -> None:
        made = assess(drawn(planned(some(1)), operation=an_operation(state=state)), reader=OF_BOARD)
        shown = DUTCH.state(state)
        assert f"Stand: {shown}." in said(made)
        assert shown in {"wacht", "bezig", "aandacht nodig", "klaar", "afgewezen"}


class TestNumbers:
    @pytest.mark.parametrize("made", [short_of_seats(), short_for_board()], ids=["operator", "board"])
    def test_each_is_in_the_value(self, made: Assessment) -> None:
        in_value = {f"{int(one):,}" for one in re.findall(r"(?<=:)\d+", msgspec.json.encode(made).decode())}
        shown = {
            cell
            for section in sections(made, ENGLISH)
            for grid in section.grids
            for row in grid.rows
            for cell in row[grid.numbers :]
        }
        counted = {
            number
            for section in sections(made, ENGLISH)
            for line in section.lines
            for number in re.findall(r"(?<=: )[\d,]+(?=\.|$)", line)
        }
        assert shown
        assert counted
        assert shown | counted <= in_value

    def test_are_written_as_the_language_does(self) -> None:
        many = assess(drawn(planned(some(1_200), seats=seats(2_000), entitlement=2_000)), reader=OF_BOARD)
        assert "1.200" in to_text(many, DUTCH)
        assert "1,200" in to_text(many, ENGLISH)


class TestWidth:
    @pytest.mark.parametrize("language", Language)
    @given(st.text(min_size=1, max_size=200), st.integers(0, 40))
    @settings(max_examples=25, deadline=None)
    def test_no_line_is_longer_than_the_screen(self, language: Language, name: str, free: int) -> None:
        plan = drawn(planned([*some(3), *some(3, SOUTH, held(A1), held(A3))], seats=seats(free)))
        names = {SubjectId(one.subject_id): name for one in plan.people}
        made = assess(plan, schools={NORTH: name, SOUTH: "De Eik"}, reader=Reader(names=names))
        assert all(len(line) <= WIDTH for line in to_text(made, tongue_of(language)).split("\n"))
