"""The generated sector: its shape is that of the register, and nobody in it exists."""

import random
import re
from itertools import islice
from statistics import mean, median

import msgspec
import pytest

from provisioning.sandbox.board import A1_PLUS_FACULTY, A3_FACULTY
from provisioning.sandbox.sector import board_sizes, sector
from provisioning.sandbox.seed import Seed, SeedTenant, plant
from provisioning.sandbox.world import Settings, World

BOARDS = 1_010  # as in the register of 2013
CODE = re.compile(r"[4-9][0-9][A-Z]{2}")


@pytest.fixture(scope="module")
def tenants() -> list[SeedTenant]:
    return list(sector(120, users=60, random_seed=1))


@pytest.fixture(scope="module")
def world(tenants: list[SeedTenant]) -> World:
    planted = World(Settings())
    for tenant in msgspec.convert(msgspec.to_builtins(tenants), list[SeedTenant]):
        plant(planted, Seed(tenants=[tenant]))
    return planted


class TestBoardSizes:
    @pytest.fixture(params=[1, 2, 3])
    def sizes(self, request: pytest.FixtureRequest) -> list[int]:
        return sorted(islice(board_sizes(random.Random(request.param)), BOARDS))

    def test_four_in_ten_boards_have_one_school(self, sizes: list[int]) -> None:
        assert sizes.count(1) / BOARDS == pytest.approx(0.43, abs=0.01)

    def test_median_and_ninetieth_percentile_are_the_registers(self, sizes: list[int]) -> None:
        assert median(sizes) == 3
        assert sizes[int(BOARDS * 0.9)] in {16, 17, 18}

    def test_the_mean_is_too_and_nobody_is_larger_than_the_largest(self, sizes: list[int]) -> None:
        assert mean(sizes) == pytest.approx(6.6, abs=0.3)
        assert 60 <= sizes[-1] <= 64

    @pytest.mark.parametrize(
        ("low", "high", "boards"), [(2, 5, 171), (6, 10, 160), (11, 20, 179), (21, 40, 56), (41, 64, 7)]
    )
    def test_the_classes_are_filled_as_in_the_register(
        self, sizes: list[int], low: int, high: int, boards: int
    ) -> None:
        assert sum(low <= size <= high for size in sizes) == pytest.approx(boards, rel=0.05, abs=3)


class TestSector:
    def test_is_the_same_for_the_same_number_and_another_for_another(self) -> None:
        one, again, other = (msgspec.json.encode(list(sector(5, 30, seed))) for seed in (1, 1, 2))
        assert one == again
        assert one != other

    def test_has_as_many_tenants_and_people_as_wanted(self, world: World) -> None:
        assert len(world.tenants) == 120
        people = sum(tenant.directory.count for tenant in world.tenants.values())
        assert people / 120 == pytest.approx(60, rel=0.05)

    def test_unscaled_a_school_is_as_large_as_they_are(self) -> None:
        natural = list(sector(150))
        pupils = [row.count for tenant in natural for row in tenant.population if row.prefix.startswith("leerling")]
        assert len(pupils) == sum(len(tenant.schools) for tenant in natural)
        assert mean(pupils) == pytest.approx(224, rel=0.1)

    def test_has_all_three_kinds_of_tenant(self, tenants: list[SeedTenant]) -> None:
        schools = [len(tenant.schools) for tenant in tenants]
        assert 1 in schools
        assert max(schools) > 20

    def test_schools_are_told_apart_by_code_name_and_often_domain(self, tenants: list[SeedTenant]) -> None:
        codes = [school.schoolNumber or "" for tenant in tenants for school in tenant.schools]
        assert len(codes) == len(set(codes))
        assert all(CODE.fullmatch(code) for code in codes)
        board = next(tenant for tenant in tenants if len(tenant.schools) > 5 and len(tenant.domains) > 2)
        assert {population.domain for population in board.population} <= set(board.domains)

    def test_everybody_is_a_role_and_a_number(self, world: World) -> None:
        names = {
            str(user.displayName).partition(".")[0]
            for tenant in world.tenants.values()
            for user in tenant.directory.users.values()
            if user
        }
        assert names == {"medewerker", "invaller", "stagiair", "oud-medewerker", "gast", "leerling"}

    def test_object_ids_are_stable_and_unique(self, world: World) -> None:
        again = World(Settings())
        plant(again, Seed(tenants=list(sector(3, 60, 1))))
        ids = [user for tenant in world.tenants.values() for user in tenant.directory.users]
        assert len(ids) == len(set(ids))
        # People are scaled by the whole, so compare the tenants, and people whom both worlds have.
        assert list(again.tenants) == list(world.tenants)[:3]
        first = next(iter(again.tenants))
        assert set(again.tenants[first].directory.users) & set(world.tenants[first].directory.users)

    def test_everybody_is_in_the_roster_the_unit_and_a_group_of_a_school(self, world: World) -> None:
        for tenant in world.tenants.values():
            for collection in (tenant.schools, tenant.units, tenant.groups):
                members = [member for row in collection.values() for member in row.members]  # type: ignore[attr-defined]
                assert sorted(members) == sorted(tenant.directory.users)

    def test_no_licence_exceeds_its_seats(self, world: World) -> None:
        now = world.clock.now()
        for tenant in world.tenants.values():
            for sku, used in tenant.directory.consumed.items():
                units = tenant.units_of(sku, now)
                assert used <= units.enabled + units.suspended

    def test_some_have_paid_licences_some_leftovers_and_some_never_consented(self, world: World) -> None:
        tenants = world.tenants.values()
        assert any(tenant.directory.consumed[A3_FACULTY] for tenant in tenants)
        assert any(tenant.directory.consumed[A1_PLUS_FACULTY] for tenant in tenants)
        assert sum(not tenant.principals for tenant in tenants) == 5
