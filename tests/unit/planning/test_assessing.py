"""An assessment from plans as the planner draws them: numbers that add up, and only what its reader may know."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.ids import OperationId, OrganisationId, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.operation import Step
from provisioning.domain.reasons import Reason
from provisioning.domain.remap import RemapPart
from provisioning.planning.assessing import article_for, digest_of
from provisioning.planning.assessment import Assessment, DrawnPlan, Feasibility, Reader
from provisioning.planning.assessment_counts import ProductCount
from provisioning.planning.assessment_facts import Fact, FactKind
from provisioning.planning.plan import Plan
from tests.unit.planning.assessments import (
    ALL,
    NORTH,
    OF_BOARD,
    SOUTH,
    Chosen,
    a_wish,
    an_operation,
    assess,
    drawn,
    planned,
    short_of_seats,
    some,
)
from tests.unit.planning.scene import A1, A1_PLUS, A3, A5, EMS, MAPPINGS, NOW, TENANT, held, person, seats

F = Feasibility
STRANGE = OrganisationId("of-another-board")


def counts(products: tuple[ProductCount, ...]) -> dict[str, tuple[int, int]]:
    return {one.sku_id: (one.before, one.after) for one in products}


class TestCounts:
    def test_are_told_per_school_and_in_all(self) -> None:
        [part] = assess(drawn(planned([*some(3), *some(2, SOUTH)]))).parts
        assert [(school.name, school.people, counts(school.products)) for school in part.schools] == [
            ("De Eik", 2, {A3: (0, 2), A1: (2, 0)}),
            ("De Linde", 3, {A3: (0, 3), A1: (3, 0)}),
        ]
        assert counts(part.products) == {A3: (0, 5), A1: (5, 0)}

    def test_everybody_is_served_right_already_or_held(self) -> None:
        made = short_of_seats()
        assert (made.people, made.served, made.already_right, made.held, made.schools) == (7, 3, 1, 3, 2)

    def test_who_is_held_is_counted_by_reason_and_school(self) -> None:
        [part] = short_of_seats().parts
        assert [(one.reason, one.people) for one in part.held] == [
            (Reason.SEATS_INSUFFICIENT, 2),
            (Reason.INHERITED_FROM_GROUP, 1),
        ]
        assert sum(school.held for school in part.schools) == 3

    def test_people_of_no_school_come_last(self) -> None:
        lost = a_wish(named=(SubjectId("north-0000"), SubjectId("gone")))
        [part] = assess(drawn(planned(some(1), wish=lost), wish=lost)).parts
        assert [(one.name, one.people, one.held) for one in part.schools] == [("De Linde", 1, 0), ("", 1, 1)]

    def test_what_else_a_remap_changes_is_told_too(self) -> None:
        both = a_wish(remap=RemapPart(from_sku=A1, along={EMS: EMS}))
        [part] = assess(drawn(planned(some(1, NORTH, held(A1), held(EMS))), wish=both)).parts
        assert counts(part.products)[A1] == (1, 0)
        assert EMS not in counts(part.products)  # it stays: nothing to tell

    def test_a_group_is_nobody(self) -> None:
        plan = planned(some(2))
        group = msgspec.structs.replace(plan.subjects[0], subject_id=SubjectId("g"), is_group=True)
        made = assess(drawn(msgspec.structs.replace(plan, subjects=(group, *plan.subjects))))
        assert (made.people, made.served) == (2, 2)


class TestSeats:
    def test_enough(self) -> None:
        need = assess(drawn(planned(some(3), seats=seats(10), entitlement=10))).parts[0].seats
        assert (need.needed, need.missing, need.to_order, need.awaited, need.article) == (3, 0, 0, 0, None)
        assert (need.enabled, need.free, need.in_grace) == (10, 10, 50)

    def test_bought_and_not_there_yet_is_awaited_not_ordered_again(self) -> None:
        need = assess(drawn(planned(some(5), seats=seats(2), entitlement=5))).parts[0].seats
        assert (need.needed, need.missing, need.to_order, need.awaited, need.article) == (5, 3, 0, 3, None)

    @pytest.mark.parametrize(
        ("has_base", "article"),
        [
            pytest.param(False, "MS-BP-A3-MED", id="the first ones are the base"),
            pytest.param(True, "MS-BP-A3-MED-UITBR", id="more of them are the extension"),
        ],
    )
    def test_what_is_not_bought_is_to_be_ordered(self, has_base: bool, article: str) -> None:
        plan = drawn(planned(some(5), seats=seats(100), entitlement=2), has_base=has_base)
        need = assess(plan).parts[0].seats
        assert (need.missing, need.to_order, need.awaited, need.article) == (3, 3, 0, article)

    def test_both_at_once(self) -> None:
        need = assess(drawn(planned(some(10), seats=seats(2), entitlement=6))).parts[0].seats
        assert (need.needed, need.missing, need.to_order, need.awaited) == (10, 8, 4, 4)

    def test_of_a_plan_that_remembers_no_seats_all_is_to_be_ordered(self) -> None:
        need = assess(drawn(planned(some(3), seats=seats(1), entitlement=9), seats=None)).parts[0].seats
        assert (need.missing, need.to_order, need.enabled) == (2, 2, None)

    def test_a_product_that_no_article_brings_has_none(self) -> None:
        assert article_for(A1_PLUS, MAPPINGS, NOW, has_base=False) is None

    @given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
    @settings(max_examples=40, deadline=None)
    def test_missing_is_what_is_to_be_ordered_and_what_is_awaited(self, people: int, free: int, bought: int) -> None:
        made = assess(drawn(planned(some(people), seats=seats(free), entitlement=bought)))
        need = made.parts[0].seats
        assert need.missing == need.to_order + need.awaited == made.held
        assert need.needed == people == made.served + made.held
        assert min(need.to_order, need.awaited) >= 0
        assert need.to_order <= max(0, people - bought)


class TestFeasibility:
    @pytest.mark.parametrize(
        ("people", "facts", "expected"),
        [
            pytest.param(2, (), F.POSSIBLE, id="everybody can be served"),
            pytest.param(5, (), F.PARTLY, id="some wait for seats"),
            pytest.param(2, (Fact(kind=FactKind.NOT_READY, people=1),), F.PARTLY, id="somebody is not ready"),
            pytest.param(2, (Fact(kind=FactKind.MOVES_ALONG),), F.POSSIBLE, id="something to know is no obstacle"),
            pytest.param(5, (Fact(kind=FactKind.PART_OF_LICENSE_ID),), F.IMPOSSIBLE, id="an obstacle outweighs all"),
            pytest.param(2, (Fact(kind=FactKind.LOOK_INCOMPLETE),), F.UNKNOWN, id="a tenant nobody looked at"),
        ],
    )
    def test_is_as_the_worst_of_all(self, people: int, facts: tuple[Fact, ...], expected: F) -> None:
        assert assess(drawn(planned(some(people), seats=seats(3))), facts=facts).feasibility is expected

    def test_a_request_without_a_plan_is_judged_by_its_facts(self) -> None:
        made = assess(facts=(Fact(kind=FactKind.PART_OF_CUSTOMER_NUMBER, names=("L2",)),))
        assert (made.feasibility, made.people, made.minutes) == (F.IMPOSSIBLE, 0, 0)

    def test_obstacles_come_first(self) -> None:
        facts = (Fact(kind=FactKind.NO_FILES_MOVE), Fact(kind=FactKind.PART_OF_LICENSE_ID))
        assert [one.blocks for one in assess(facts=facts).facts] == [True, False]

    def test_what_a_licence_becomes_is_looked_at(self) -> None:
        retired = a_wish(A1_PLUS, replaces=frozenset({A3}))
        made = assess(drawn(planned(some(1, NORTH, held(A3)), wish=retired, seats=None), wish=retired))
        assert made.feasibility is F.IMPOSSIBLE
        assert [fact.kind for fact in made.facts] == [FactKind.RETIRED_PRODUCT]

    def test_so_is_how_long_people_had_it(self) -> None:
        lately = (NOW - timedelta(days=10)).date()
        [fact] = assess(drawn(planned(some(2)), given_on=lately)).facts
        assert (fact.kind, fact.day) == (FactKind.REASSIGNED_SOON, lately)
        assert assess(drawn(planned(some(2, NORTH, held(A3))), given_on=lately)).facts == ()


class TestCost:
    def test_is_in_writes_and_minutes(self) -> None:
        made = assess(drawn(planned(some(2))))
        assert (made.writes, made.minutes) == (2, 1)

    def test_plans_of_two_tenants_are_written_side_by_side(self) -> None:
        plan = planned(some(400))
        elsewhere = an_operation(operation_id=OperationId("o2"), tenant_id=TenantId("t2"))
        one, both = assess(drawn(plan)), assess(drawn(plan), drawn(plan, operation=elsewhere))
        assert both.writes == 2 * one.writes
        assert both.minutes == one.minutes

    def test_nothing_to_write_takes_no_time(self) -> None:
        assert assess(drawn(planned(some(2, NORTH, held(A3))))).minutes == 0


class TestDigest:
    def test_names_the_plans_and_the_facts(self) -> None:
        plan, other = drawn(planned(some(2))), drawn(planned(some(3)))
        fact = Fact(kind=FactKind.MOVES_ALONG, names=("A1", "A2"))
        digests = {digest_of(*what) for what in (([plan], []), ([other], []), ([plan], [fact]), ([plan, other], []))}
        assert len(digests) == 4

    def test_the_order_plays_no_part(self) -> None:
        first = drawn(planned(some(2)))
        second = drawn(planned(some(3)), operation=an_operation(operation_id=OperationId("o2")))
        facts = [Fact(kind=FactKind.MOVES_ALONG), Fact(kind=FactKind.NO_FILES_MOVE)]
        assert digest_of([first, second], facts) == digest_of([second, first], facts[::-1])

    def test_is_the_same_for_every_reader_and_at_every_moment(self) -> None:
        plan = drawn(planned([*some(2), *some(2, STRANGE)]))
        readers = (ALL, OF_BOARD, Reader(names={SubjectId("north-0000"): "north-0000"}))
        digests = {assess(plan, reader=reader, now=NOW + timedelta(hours=n)).digest for n, reader in enumerate(readers)}
        assert len(digests) == 1


def without(plan: DrawnPlan, organisation: OrganisationId) -> DrawnPlan:
    """The same plan as if these people had never been."""
    gone = {one.subject_id for one in plan.people if one.organisation_id == organisation}
    steps: list[Step] = [one for one in plan.steps if one.subject_id not in gone]
    return msgspec.structs.replace(plan, people=[one for one in plan.people if one.subject_id not in gone], steps=steps)


class TestReaders:
    def test_operators_get_ids_where_they_are_given(self) -> None:
        names = {SubjectId("north-0003"): "north-0003"}
        plan = drawn(planned(some(4), seats=seats(3)))
        [waiting] = assess(plan, reader=Reader(names=names)).parts[0].held
        assert waiting.who == ("north-0003",)
        assert assess(plan).parts[0].held[0].who == ()

    def test_a_board_gets_counts_alone(self) -> None:
        plan = drawn(planned(some(4), seats=seats(3)), breaches=("250 swaps",))
        [part] = assess(plan, reader=OF_BOARD).parts
        assert (part.held[0].people, part.held[0].who, part.breaches) == (1, (), ())
        assert assess(plan).parts[0].breaches == ("250 swaps",)

    def test_a_tenant_that_others_use_keeps_its_seats_to_itself(self) -> None:
        plan = drawn(planned(some(2), seats=seats(9)))
        own = assess(plan, reader=OF_BOARD).parts[0].seats
        shared = assess(plan, reader=OF_BOARD, shared=frozenset({TENANT})).parts[0].seats
        assert (own.enabled, own.free) == (9, 9)
        assert (shared.enabled, shared.free, shared.in_grace, shared.needed) == (None, None, None, 2)

    def test_the_entitlement_of_another_holder_is_not_told(self) -> None:
        plan = drawn(planned(some(5), seats=seats(2), entitlement=5))
        own = Reader(own=frozenset({NORTH}), board="De Linde")
        assert assess(plan, reader=own).parts[0].seats.to_order == 3
        assert assess(plan, reader=OF_BOARD).parts[0].seats.to_order == 0

    @given(st.integers(1, 6), st.integers(0, 4), st.integers(1, 6), st.integers(0, 16))
    @settings(max_examples=40, deadline=None)
    def test_a_board_sees_nothing_of_anothers_people(self, north: int, south: int, strangers: int, free: int) -> None:
        chosen: list[Chosen] = [*some(north), *some(south, SOUTH), *some(strangers, STRANGE, held(A1), held(A5))]
        plan = drawn(planned(chosen, seats=seats(free)))
        seen = assess(plan, reader=OF_BOARD, shared=frozenset({TENANT}))
        assert seen == assess(without(plan, STRANGE), reader=OF_BOARD, shared=frozenset({TENANT}))
        assert STRANGE.encode() not in msgspec.json.encode(seen)
        assert seen.people == north + south


class TestSums:
    @given(
        st.lists(st.tuples(st.sampled_from([NORTH, SOUTH]), st.sampled_from([A1, A1_PLUS, A3, A5, None]))),
        st.integers(0, 30),
    )
    @settings(max_examples=60, deadline=None)
    def test_schools_add_up_to_the_tenant(self, people: list[tuple[OrganisationId, str | None]], free: int) -> None:
        chosen = [
            (person(f"{school}-{n}", *([held(sku)] if sku else [])), school)  # type: ignore[arg-type]
            for n, (school, sku) in enumerate(people)
        ]
        made = assess(drawn(planned(chosen, seats=seats(free, 0))))
        self.check(made, len(people))

    @staticmethod
    def check(made: Assessment, people: int) -> None:
        [part] = made.parts
        assert made.people == people == made.served + made.already_right + made.held
        assert sum(school.people for school in part.schools) == people
        assert sum(school.held for school in part.schools) == made.held
        for total in part.products:
            of_schools = [one for school in part.schools for one in school.products if one.sku_id == total.sku_id]
            for number in ("before", "losing", "gaining", "after"):
                assert sum(getattr(one, number) for one in of_schools) == getattr(total, number)
            assert total.after == total.before - total.losing + total.gaining

    def test_every_state_of_a_person_is_in_exactly_one_sum(self) -> None:
        plan = planned(some(len(SubjectState)))
        subjects = tuple(
            msgspec.structs.replace(one, state=state) for one, state in zip(plan.subjects, SubjectState, strict=True)
        )
        moved: Plan = msgspec.structs.replace(plan, subjects=subjects)
        self.check(assess(drawn(moved)), len(SubjectState))
