import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.limits import default_limits
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import Actor, BindingId, OrganisationId, SubjectId, TenantId
from provisioning.domain.observation import Census, Membership, Person
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding
from provisioning.planning.selection import Selection, has_shrunk, keys_needed, select, selectors_of

TENANT = TenantId("t")
STAFF, PUPILS = Audience.FACULTY, Audience.STUDENT


def at(school: str) -> str:
    return f'{{"attribute":"companyName","equals":"{school}"}}'


def ids(*names: str) -> str:
    return json.dumps({"ids": names})


def group(key: str) -> str:
    return f'{{"group":"{key}"}}'


def binding(school: str, **selectors: str) -> Binding:
    return Binding(
        binding_id=BindingId(f"binding {school}"),
        organisation_id=OrganisationId(school),
        tenant_id=TENANT,
        valid_from=date(2026, 1, 1),
        selectors={Audience(audience): text for audience, text in selectors.items()},
        created_by=Actor("person:first"),
    )


def person(name: str, **known: Any) -> Person:
    return Person(subject_id=SubjectId(name), **known)


def census(*people: Person | str, is_complete: bool = True) -> Census:
    everyone = tuple(person(one) if isinstance(one, str) else one for one in people)
    return Census(
        tenant_id=TENANT, observed_at=datetime(2026, 8, 17, tzinfo=UTC), is_complete=is_complete, people=everyone
    )


def whose(selection: Selection) -> dict[str, str]:
    return {person.subject_id: organisation for person, organisation in selection.chosen}


class TestSelect:
    def test_a_thirteenth_school_in_the_tenant_is_not_touched(self) -> None:
        schools = [binding(f"s{n}", faculty=at(f"s{n}")) for n in range(12)]
        people = [person(f"p{n}", attributes={"companyName": f"s{n}"}) for n in range(13)]

        selection = select(census(*people), {}, schools, [], STAFF)

        assert whose(selection) == {f"p{n}": f"s{n}" for n in range(12)}

    def test_a_teacher_at_two_schools_takes_one_seat_at_the_first(self) -> None:
        schools = [binding("b", faculty=ids("anne")), binding("a", faculty=ids("anne", "ben"))]
        selection = select(census("anne", "ben"), {}, schools, [], STAFF)
        assert whose(selection) == {"anne": "b", "ben": "a"}

    def test_the_size_of_a_selection_counts_everybody_who_matches_it(self) -> None:
        schools = [binding("a", faculty=ids("anne", "ben")), binding("b", faculty=ids("anne"))]
        selection = select(census("anne", "ben"), {}, schools, [], STAFF)
        assert selection.sizes == {("binding a", STAFF): 2, ("binding b", STAFF): 1}

    @pytest.mark.parametrize(
        ("audience", "chosen", "undecidable"),
        [
            pytest.param(STAFF, {"teacher"}, {"both": Reason.AUDIENCE_MISMATCH}, id="an order for staff"),
            pytest.param(PUPILS, {"pupil"}, {"both": Reason.AUDIENCE_MISMATCH}, id="an order for pupils"),
            pytest.param(Audience.ANY, {"teacher", "pupil", "both"}, {}, id="an order for whoever"),
            pytest.param(Audience.DEVICE, set(), {}, id="an order for devices"),
        ],
    )
    def test_matched_as_staff_and_as_pupil(
        self, audience: Audience, chosen: set[str], undecidable: dict[str, Reason]
    ) -> None:
        school = binding("a", faculty=ids("teacher", "both"), student=ids("pupil", "both"))
        selection = select(census("teacher", "pupil", "both"), {}, [school], [], audience)
        assert set(whose(selection)) == chosen
        assert {subject: reason for subject, (_, reason) in selection.undecidable.items()} == undecidable

    def test_staff_here_and_pupil_at_another_school_of_the_order_is_in_doubt_too(self) -> None:
        schools = [binding("a", faculty=ids("anne")), binding("b", faculty=ids("ben"), student=ids("anne"))]
        selection = select(census("anne", "ben"), {}, schools, [], STAFF)
        assert selection.undecidable == {"anne": ("a", Reason.AUDIENCE_MISMATCH)}

    @pytest.mark.parametrize(
        "theirs", [{"faculty": ids("anne")}, {"student": ids("anne")}], ids=["as staff", "as pupil"]
    )
    def test_matched_by_two_boards(self, theirs: dict[str, str]) -> None:
        ours = binding("a", faculty=ids("anne", "ben"))
        selection = select(census("anne", "ben"), {}, [ours], [binding("x", **theirs)], STAFF)
        assert whose(selection) == {"ben": "a"}
        assert selection.undecidable == {"anne": ("a", Reason.SCOPE_UNDECIDABLE)}

    def test_people_of_another_board_alone_are_nobody_of_ours(self) -> None:
        ours, theirs = binding("a", faculty=ids("anne")), binding("x", faculty=ids("ben"))
        selection = select(census("anne", "ben"), {}, [ours], [theirs], STAFF)
        assert whose(selection) == {"anne": "a"}
        assert selection.undecidable == {}

    @pytest.mark.parametrize(
        ("people", "memberships"),
        [
            pytest.param(census("anne", is_complete=False), {"group:g": True, "group:x": True}, id="half a census"),
            pytest.param(census("anne"), {"group:x": True}, id="a group that was not read"),
            pytest.param(census("anne"), {"group:g": False, "group:x": True}, id="a group that was read in part"),
            pytest.param(census("anne"), {"group:g": True, "group:x": False}, id="another board's group read in part"),
        ],
    )
    def test_what_was_not_read_whole_selects_nobody(self, people: Census, memberships: Mapping[str, bool]) -> None:
        known = {
            key: Membership(key=key, is_complete=whole, members=frozenset({SubjectId("anne")}))
            for key, whole in memberships.items()
        }
        ours, theirs = binding("a", faculty=group("g")), binding("x", faculty=group("x"))

        selection = select(people, known, [ours], [theirs], STAFF)

        assert not selection.is_complete
        assert (selection.chosen, selection.undecidable, selection.sizes) == ((), {}, {})

    def test_whole_memberships_are_enough(self) -> None:
        known = {"group:g": Membership(key="group:g", is_complete=True, members=frozenset({SubjectId("anne")}))}
        selection = select(census("anne"), known, [binding("a", faculty=group("g"))], [], STAFF)
        assert selection.is_complete
        assert whose(selection) == {"anne": "a"}

    @pytest.mark.parametrize(
        ("names", "is_empty"),
        [((), True), (("anne",), False), (("both",), False)],
        ids=["nobody", "somebody", "in doubt"],
    )
    def test_empty_means_neither_chosen_nor_in_doubt(self, names: tuple[str, ...], *, is_empty: bool) -> None:
        school = binding("a", faculty=ids("anne", "both"), student=ids("both"))
        assert select(census(*names), {}, [school], [], STAFF).is_empty is is_empty

    @given(
        st.lists(st.tuples(st.sampled_from(["a", "b", "x", ""]), st.sampled_from(["staff", "pupil", ""])), max_size=30),
        st.randoms(use_true_random=False),
    )
    def test_the_order_of_people_plays_no_part(self, traits: list[tuple[str, str]], chance: Random) -> None:
        people = [
            person(f"p{n}", attributes={"companyName": school, "employeeType": role})
            for n, (school, role) in enumerate(traits)
        ]
        schools = [binding("a", faculty=at("a"), student=ids("p1", "p4")), binding("b", faculty=at("b"))]
        shuffled = chance.sample(people, len(people))

        first = select(census(*people), {}, schools, [binding("x", faculty=ids("p2"))], STAFF)
        second = select(census(*shuffled), {}, schools, [binding("x", faculty=ids("p2"))], STAFF)

        assert whose(first) == whose(second)
        assert first.undecidable == second.undecidable
        assert first.sizes == second.sizes

    @given(st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)))
    def test_everybody_selected_is_chosen_or_in_doubt_and_nobody_is_both(
        self, staff: set[int], pupils: set[int], foreign: set[int]
    ) -> None:
        def named(numbers: set[int]) -> str:
            return ids("nobody", *(f"p{n}" for n in numbers))

        school = binding("a", faculty=named(staff), student=named(pupils))
        stranger = binding("x", faculty=named(foreign))
        selection = select(census(*(f"p{n}" for n in range(21))), {}, [school], [stranger], STAFF)

        chosen = set(whose(selection))
        assert chosen == {f"p{n}" for n in staff - pupils - foreign}
        assert chosen | set(selection.undecidable) == {f"p{n}" for n in staff}
        assert chosen.isdisjoint(selection.undecidable)


class TestSelectorsOf:
    def test_any_audience_takes_all_of_them_in_a_fixed_order(self) -> None:
        school = binding("a", student=at("a"), faculty=at("b"))
        assert list(selectors_of(school, Audience.ANY)) == [STAFF, PUPILS]

    def test_an_audience_takes_its_own(self) -> None:
        assert list(selectors_of(binding("a", student=at("a"), faculty=at("b")), PUPILS)) == [PUPILS]

    def test_a_school_that_chose_nobody_has_none(self) -> None:
        assert selectors_of(binding("a", student=at("a")), STAFF) == {}


class TestKeysNeeded:
    def test_every_selector_of_every_binding_counts(self) -> None:
        bindings = [binding("a", faculty=group("1"), student=group("2")), binding("b", faculty=at("b"))]
        assert keys_needed(bindings) == {"group:1", "group:2"}


class TestHasShrunk:
    LIMITS = msgspec.structs.replace(default_limits(), shrink_people=5, shrink_share=0.05)

    @pytest.mark.parametrize(
        ("before", "now", "expected"),
        [
            pytest.param(None, 0, False, id="the first run compares with nothing"),
            pytest.param(100, 100, False, id="the same"),
            pytest.param(100, 120, False, id="growth"),
            pytest.param(100, 95, False, id="five people and five per cent"),
            pytest.param(100, 94, True, id="more than five people"),
            pytest.param(1000, 995, False, id="five people of many"),
            pytest.param(1000, 994, True, id="six people of many"),
            pytest.param(20, 19, False, id="five per cent of few"),
            pytest.param(19, 18, True, id="more than five per cent of few"),
            pytest.param(1, 0, True, id="the only one"),
        ],
    )
    def test_both_sides_of_both_limits(self, before: int | None, now: int, *, expected: bool) -> None:
        assert has_shrunk(before, now, self.LIMITS) is expected
