import msgspec
import pytest

from provisioning.sandbox.profiles import BOARD_TENANT, board
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

    def test_everyone_belongs_to_one_school(self, tenant: Tenant) -> None:
        members = [member for school in tenant.schools.values() for member in school.members]
        assert len(members) == len(set(members)) == tenant.directory.count

    def test_a_school_has_the_people_of_its_administrative_unit(self, tenant: Tenant) -> None:
        for school in tenant.schools.values():
            assert tenant.units[school.administrativeUnit or ""].members == school.members

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
