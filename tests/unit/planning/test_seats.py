import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import OrganisationId, SubjectId
from provisioning.domain.observation import Person
from provisioning.planning.seats import SeatSituation, in_order, situation
from tests.unit.planning.scene import A3, A5, GROUP, held, person, scene, seats


def names(*given_names: str) -> frozenset[SubjectId]:
    return frozenset(map(SubjectId, given_names))


def count(enabled: int, consumed: int, holders: str = "", reserved: str = "", entitlement: int = 100) -> SeatSituation:
    return SeatSituation(
        enabled=enabled,
        consumed=consumed,
        holders=names(*holders),
        reserved=names(*reserved),
        entitlement=entitlement,
    )


class TestFree:
    @pytest.mark.parametrize(
        ("seen", "free"),
        [
            pytest.param(count(10, 0), 10, id="nobody holds any"),
            pytest.param(count(10, 4), 6, id="what is consumed is not free"),
            pytest.param(count(10, 2, "abcd"), 6, id="the census knows of more than the counter"),
            pytest.param(count(10, 4, "ab"), 6, id="the counter knows of more than the census"),
            pytest.param(count(10, 0, "", "xy"), 8, id="reservations count"),
            pytest.param(count(10, 2, "ab", "ab"), 8, id="but not twice for who holds it by now"),
            pytest.param(count(10, 12), -2, id="it may be negative and says so"),
        ],
    )
    def test_enabled_without_consumed_and_reserved(self, seen: SeatSituation, free: int) -> None:
        assert seen.free == free


class TestToGive:
    @pytest.mark.parametrize(
        ("entitlement", "own_holders", "given_seats"),
        [
            pytest.param(20, 0, 10, id="no more than are free"),
            pytest.param(10, 0, 10, id="as many as both"),
            pytest.param(9, 0, 9, id="no more than were bought"),
            pytest.param(9, 5, 4, id="holders took theirs"),
            pytest.param(5, 5, 0, id="all taken"),
            pytest.param(5, 6, 0, id="more taken than bought"),
            pytest.param(-1, 0, 0, id="nothing bought"),
        ],
    )
    def test_the_least_of_both_and_never_less_than_none(
        self, entitlement: int, own_holders: int, given_seats: int
    ) -> None:
        assert count(10, 0, entitlement=entitlement).to_give(own_holders) == given_seats

    @given(
        st.integers(0, 99), st.integers(0, 99), st.integers(-9, 99), st.integers(0, 99), st.sets(st.text(max_size=1))
    )
    def test_never_beyond_free_or_entitlement(
        self, enabled: int, consumed: int, entitlement: int, own: int, reserved: set[str]
    ) -> None:
        seen = count(enabled, consumed, reserved="".join(reserved), entitlement=entitlement)
        assert 0 <= seen.to_give(own) <= max(0, min(enabled - consumed, entitlement - own))


class TestSituation:
    def test_holders_are_those_with_an_active_licence_however_they_got_it(self) -> None:
        census = scene(
            person("direct", held(A3)),
            person("group", held(A3, group=GROUP)),
            person("troubled", held(A3, state="ActiveWithError")),
            person("failed", held(A3, state="Error")),
            person("other", held(A5)),
        ).census
        assert situation(seats(10), census, (), 5).holders == {"direct", "group", "troubled"}

    def test_no_seat_in_sight_is_none_to_give(self) -> None:
        assert situation(None, scene(person("anne", held(A3))).census, (), 5).to_give(0) == 0

    def test_units_in_grace_are_not_enabled(self) -> None:
        grace = seats(3)
        assert grace.warning > 0
        assert situation(grace, scene().census, (), 50).free == 3


def ordered(people: list[Person], waiting: str = "", priority: tuple[str, ...] = ()) -> list[str]:
    schools = [(one, OrganisationId(f"school {one.subject_id}")) for one in people]
    return [one.subject_id for one, _ in in_order(schools, [SubjectId(name) for name in waiting], priority)]


class TestInOrder:
    PEOPLE = (
        person("d"),
        person("c", attributes={"employeeType": "Management"}),
        person("b", attributes={"department": "teachers", "employeeType": "x"}),
        person("a"),
    )

    @pytest.mark.parametrize(
        ("waiting", "priority", "expected"),
        [
            pytest.param("", (), "abcd", id="by object id"),
            pytest.param("ca", (), "cabd", id="the waiting list first, in its order"),
            pytest.param("", ("management", "TEACHERS"), "cbad", id="then the school's priority, case ignored"),
            pytest.param("d", ("management",), "dcab", id="who waits goes before who is important"),
            pytest.param("", ("school d",), "dabc", id="a school may go first"),
            pytest.param("", ("x", "management", "teachers"), "bcad", id="the most urgent trait counts"),
            pytest.param("", ("teachers", "management", "teachers"), "bcad", id="the first mention counts"),
            pytest.param("zx", ("unheard",), "abcd", id="words that fit nobody change nothing"),
        ],
    )
    def test_whose_turn_it_is(self, waiting: str, priority: tuple[str, ...], expected: str) -> None:
        assert "".join(ordered(list(self.PEOPLE), waiting, priority)) == expected

    @given(st.permutations(range(4)))
    def test_it_does_not_depend_on_the_order_of_people(self, turns: list[int]) -> None:
        shuffled = [self.PEOPLE[turn] for turn in turns]
        assert ordered(shuffled, "c", ("teachers",)) == ["c", "b", "a", "d"]
