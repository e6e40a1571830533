"""Whom a migration speaks of, and who goes when."""

from datetime import date
from typing import Any

import pytest

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import InputError, UnavailableError
from provisioning.domain.ids import BindingId, OrganisationId, SubjectId
from provisioning.domain.migration import Traveller, WaveDefinition
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.observation import Membership, Person
from provisioning.domain.tenancy import Binding
from provisioning.planning.waves import in_waves, keys_of, schools_of, spoken_of, without_wave
from tests.unit.planning.migration_scene import EVERYONE, OLD_BOARD, SOURCE, census, definition, traveller
from tests.unit.planning.scene import person

STAFF = '{"group":"staff"}'
AKKER = '{"attribute":"companyName","equals":"De Akker"}'


def of_school(name: str, school: str, **known: Any) -> Person:
    return person(name, attributes={"companyName": school}, **known)


def stranger(selector: str) -> Binding:
    return school("43000", selector)


def school(code: str, selector: str) -> Binding:
    return Binding(
        binding_id=BindingId(code),
        organisation_id=OrganisationId(code),
        tenant_id=SOURCE,
        valid_from=date(2026, 1, 1),
        selectors={Audience.FACULTY: selector},
        created_by="person:anna",  # type: ignore[arg-type]  # text is what it is
    )


def wave(number: int, selector: str = EVERYONE, limit: int | None = None) -> WaveDefinition:
    return WaveDefinition(number=number, name=f"wave {number}", selector=selector, limit=limit)


def places(travellers: tuple[Traveller, ...]) -> dict[str, int]:
    return {one.source_id: one.wave for one in travellers}


class TestSpokenOf:
    PEOPLE = (of_school("anne", "De Akker"), of_school("ben", "De Akker"), of_school("zoe", "De Brug"))

    def spoken(self, people: str = EVERYONE, *strangers: Binding, extra: tuple[Person, ...] = ()) -> tuple[Any, Any]:
        found = spoken_of(definition(people=people), census(*self.PEOPLE, *extra), {}, strangers)
        return found.selected, found.of_two_boards

    def test_one_school_of_a_boards_tenant(self) -> None:
        assert self.spoken(AKKER) == ({"anne", "ben"}, frozenset())

    def test_guests_and_disabled_accounts_too(self) -> None:
        more = (of_school("guest", "De Akker", is_guest=True), of_school("old", "De Akker", is_enabled=False))
        assert self.spoken(AKKER, extra=more)[0] == {"anne", "ben", "guest", "old"}

    def test_whom_another_board_selects_as_well(self) -> None:
        assert self.spoken(AKKER, stranger('{"ids":["ben","zoe"]}')) == ({"anne", "ben"}, {"ben"})

    def test_a_selector_that_cannot_be_read_is_explained(self) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            self.spoken('{"team":"x"}')

    def test_names_every_membership_that_it_needs(self) -> None:
        wanted = definition(people=STAFF, waves=(wave(1, '{"unit":"u"}'),))
        assert keys_of(wanted, [stranger('{"group":"theirs"}')]) == {"group:staff", "unit:u", "group:theirs"}

    @pytest.mark.parametrize(
        "memberships",
        [
            pytest.param({}, id="not asked for"),
            pytest.param(
                {"group:staff": Membership(key="group:staff", is_complete=False, members=frozenset())}, id="half read"
            ),
        ],
    )
    def test_what_was_not_read_selects_nobody(self, memberships: dict[str, Membership]) -> None:
        with pytest.raises(UnavailableError):
            spoken_of(definition(people=STAFF), census(*self.PEOPLE), memberships, ())

    def test_half_a_source_selects_nobody(self) -> None:
        with pytest.raises(UnavailableError):
            spoken_of(definition(), census(is_complete=False), {}, ())


class TestSchoolsOf:
    PEOPLE = census(of_school("anne", "De Akker"), of_school("ben", "De Brug"), of_school("zoe", "De Eik"))
    NAMES = ("anne", "ben", "zoe")

    def schools(self, *own: Binding) -> dict[str, str]:
        people = [SubjectId(name) for name in self.NAMES]
        return dict(schools_of(people, definition(), self.PEOPLE, {}, own))  # type: ignore[arg-type]  # text

    def test_who_belongs_to_none_counts_for_the_holder(self) -> None:
        assert self.schools(school("akker", AKKER)) == {"anne": "akker", "ben": OLD_BOARD, "zoe": OLD_BOARD}

    def test_who_works_at_several_counts_for_the_first(self) -> None:
        both = (school("akker", '{"ids":["anne","ben"]}'), school("brug", '{"ids":["ben"]}'))
        assert self.schools(*both)["ben"] == "akker"
        assert self.schools(*reversed(both))["ben"] == "brug"

    def test_a_disabled_account_counts_for_its_school(self) -> None:
        people = census(of_school("anne", "De Akker", is_enabled=False))
        found = schools_of([SubjectId("anne")], definition(), people, {}, [school("akker", AKKER)])
        assert found == {"anne": "akker"}

    def test_without_its_memberships_nobody_is_counted(self) -> None:
        with pytest.raises(UnavailableError):
            self.schools(school("akker", STAFF))


class TestInWaves:
    SOURCE = census(of_school("anne", "De Akker"), of_school("ben", "De Brug"), of_school("zoe", "De Akker"))

    def placed(self, *waves: WaveDefinition, out: str = "") -> tuple[Traveller, ...]:
        travellers = [
            traveller(one, state=PersonState.LEFT_OUT if one == out else PersonState.WAITING, wave=0)
            for one in ("zoe", "ben", "anne")
        ]
        return in_waves(travellers, definition(waves=waves), self.SOURCE, {})

    def test_the_first_that_matches(self) -> None:
        assert places(self.placed(wave(1, AKKER), wave(2))) == {"anne": 1, "ben": 2, "zoe": 1}

    def test_waves_are_taken_by_number_not_by_place_in_the_file(self) -> None:
        assert places(self.placed(wave(2), wave(1, AKKER))) == {"anne": 1, "ben": 2, "zoe": 1}

    def test_a_full_wave_leaves_the_rest_to_later_ones_always_the_same_people(self) -> None:
        assert places(self.placed(wave(1, limit=1), wave(2, AKKER, limit=5), wave(3))) == {
            "anne": 1,
            "ben": 3,
            "zoe": 2,
        }

    def test_who_is_in_none_is_told(self) -> None:
        travellers = self.placed(wave(1, AKKER))
        assert places(travellers) == {"anne": 1, "ben": 0, "zoe": 1}
        assert without_wave(travellers) == ("ben",)

    def test_who_is_left_out_takes_nobodys_place_and_is_not_missed(self) -> None:
        travellers = self.placed(wave(1, limit=1), out="anne")
        assert places(travellers) == {"anne": 0, "ben": 1, "zoe": 0}
        assert without_wave(travellers) == ("zoe",)

    def test_a_disabled_account_that_goes_along_has_a_wave(self) -> None:
        source = census(person("anne", is_enabled=False))
        assert places(in_waves([traveller("anne")], definition(), source, {})) == {"anne": 1}

    def test_without_its_memberships_nobody_is_placed(self) -> None:
        with pytest.raises(UnavailableError):
            in_waves([traveller("anne")], definition(waves=(wave(1, STAFF),)), self.SOURCE, {})

    def test_members_of_a_group(self) -> None:
        members = Membership(key="group:staff", is_complete=True, members=frozenset({SubjectId("ben")}))
        wanted = definition(waves=(wave(1, STAFF),))
        placed = in_waves([traveller("anne"), traveller("ben")], wanted, self.SOURCE, {"group:staff": members})
        assert places(placed) == {"anne": 0, "ben": 1}
