from collections import Counter
from typing import Any

import msgspec
import pytest

from provisioning.sandbox.board import A1_PLUS_FACULTY, BOARD_TENANT, board
from provisioning.sandbox.profiles import Profile, plant_profile
from provisioning.sandbox.seed import SeedTenant, plant, read_seed
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.world import Settings, World


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    world = World(Settings())
    plant(world, board(1))
    return world.tenants[BOARD_TENANT]


def school_of(seeded: SeedTenant) -> dict[str, set[str]]:
    schools: dict[str, set[str]] = {}
    for user in seeded.users:
        domain = user["userPrincipalName"].partition("@")[2]
        schools.setdefault(user["department"], set()).add(f"{user['companyName']} {domain}")
    return schools


class TestBoard:
    def test_is_the_same_for_the_same_seed_and_another_for_another(self) -> None:
        one, again, other = (msgspec.json.encode(board(seed)) for seed in (1, 1, 2))
        assert one == again
        assert one != other

    def test_has_12_schools_and_310_staff(self, tenant: Tenant) -> None:
        staff = [user for user in tenant.directory.users.values() if user and user.primaryRole == "teacher"]
        assert (len(tenant.schools), len(tenant.units), len(staff)) == (12, 12, 310)

    def test_tells_people_of_different_schools_apart_in_three_ways(self) -> None:
        schools = school_of(board(1).tenants[0])
        assert len(schools) == 12
        assert all(len(names) == 1 for names in schools.values())

    def test_everyone_belongs_to_a_school_and_few_to_two(self, tenant: Tenant) -> None:
        members = Counter(member for school in tenant.schools.values() for member in school.members)
        at_two = [member for member, schools in members.items() if schools == 2]
        assert len(members) == tenant.directory.count
        assert len(at_two) == 5
        assert set(members.values()) == {1, 2}
        assert all(user.primaryRole == "teacher" for member in at_two if (user := tenant.directory.users[member]))

    def test_who_teaches_at_two_schools_is_in_two_teams_and_two_units(self, tenant: Tenant) -> None:
        schools = Counter(member for school in tenant.schools.values() for member in school.members)
        teams = Counter(
            member for group in tenant.groups.values() if "team" in group.displayName for member in group.members
        )
        units = Counter(member for unit in tenant.units.values() for member in unit.members)
        for member in (member for member, count in schools.items() if count == 2):
            assert (teams[member], units[member]) == (2, 2)

    def test_every_school_has_a_group_of_staff_and_one_of_pupils(self, tenant: Tenant) -> None:
        names = {group.displayName for group in tenant.groups.values()}
        assert names == {"Personeel"} | {
            f"{school.schoolNumber} {kind}" for school in tenant.schools.values() for kind in ("team", "leerlingen")
        }

    def test_a_retired_product_is_left_with_some(self, tenant: Tenant) -> None:
        (left,) = [held for held in tenant.subscriptions.values() if held.skuId == A1_PLUS_FACULTY]
        assert left.status == "Suspended"
        assert tenant.directory.consumed[A1_PLUS_FACULTY] == 3

    def test_nobody_in_it_has_a_persons_name(self, tenant: Tenant) -> None:
        names = {str(user.displayName).rpartition("-")[0] for user in tenant.directory.users.values() if user}
        assert names == {"medewerker", "leerling"}

    def test_holds_the_oddities_of_a_real_tenant(self, tenant: Tenant) -> None:
        people = [user for user in tenant.directory.users.values() if user]
        assert any(user.userType == "Guest" for user in people)
        assert any(not user.accountEnabled for user in people)
        assert any(user.usageLocation is None and user.userType == "Member" for user in people)
        assert any(user.assignments and user.assignments[0].disabledPlans for user in people)

    def test_is_a_seed_that_can_be_written_down_and_read_again(self) -> None:
        written = msgspec.json.encode(board(1))
        assert msgspec.json.encode(read_seed(written)) == written


class TestPlantProfile:
    def world(self, **wanted: Any) -> World:
        planted = World(Settings())
        plant_profile(planted, Profile(**wanted))
        return planted

    def test_a_board_is_one_tenant(self) -> None:
        assert list(self.world(profile="board").tenants) == [BOARD_TENANT]

    def test_a_sector_is_as_many_as_wanted(self) -> None:
        assert len(self.world(profile="sector", tenants=7, users=20).tenants) == 7

    def test_both_know_the_same_app(self) -> None:
        assert self.world(profile="board").apps == self.world(profile="sector", tenants=1).apps

    def test_another_name_is_refused_and_nothing_planted(self) -> None:
        world = World(Settings())
        with pytest.raises(ValueError, match="no profile village: choose from board, sector"):
            plant_profile(world, Profile(profile="village"))
        assert world.tenants == world.apps == {}

    @pytest.mark.parametrize("wanted", [{"tenants": 0}, {"tenants": 100_000}, {"users": 0}, {"streets": 1}])
    def test_nonsense_is_refused(self, wanted: dict[str, int]) -> None:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"profile": "sector", **wanted}, Profile)
