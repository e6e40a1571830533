"""The files and the twin's seed of the story fit together, and are what they say."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from mappings.loader import OURS, load_mappings
from provisioning.domain.catalogue import Mappings
from provisioning.domain.order import ShopLine
from provisioning.domain.records import Declaration
from provisioning.domain.tenancy import OrganisationKind, RelationKind
from provisioning.intake.order_files import read_orders
from provisioning.intake.record_files import read_records
from provisioning.intake.registers import Register, read_registers
from provisioning.local import story_seed
from provisioning.local.stage import EXAMPLE
from provisioning.local.story_scenery import TENANTS, WATERLIJN_SCHOOLS, staff_of
from provisioning.local.story_seed import Row
from provisioning.planning.selectors import parse_selector
from provisioning.sandbox.seed import Seed

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def register() -> Register:
    return read_registers([EXAMPLE / "besturen.csv", EXAMPLE / "vestigingen.csv"], on=date(2026, 9, 1))


@pytest.fixture(scope="module")
def orders() -> list[ShopLine]:
    return [line for file in sorted(EXAMPLE.glob("order-*.csv")) for line in read_orders(file, NOW)]


@pytest.fixture(scope="module")
def mappings() -> Mappings:
    return load_mappings(OURS)


def tenant(tenant_id: str) -> Row:
    seed = story_seed.story_seed(1)
    return next(one for one in seed["tenants"] if one["id"] == tenant_id)


class TestRegister:
    def test_has_a_board_of_twelve_one_of_two_and_two_schools_alone(self, register: Register) -> None:
        children = [one.parent_id for one in register.relations if one.kind is RelationKind.HIERARCHICAL]
        assert {board: children.count(board) for board in set(children)} == {
            "99001": 12,
            "99002": 2,
            "99003": 1,
            "99004": 1,
        }

    def test_every_school_has_a_domain_that_some_tenant_verified(self, register: Register) -> None:
        schools = [one for one in register.organisations if one.kind is OrganisationKind.SCHOOL]
        assert all((one.web_domain or "").endswith(tuple(TENANTS)) for one in schools)

    def test_no_board_is_without_a_name(self, register: Register) -> None:
        assert not [one.name for one in register.organisations if one.name.startswith("Bevoegd gezag")]


class TestRecords:
    def test_the_board_declared_exactly_its_schools(self) -> None:
        declared = [record for record in read_records(EXAMPLE / "records.jsonl") if isinstance(record, Declaration)]
        assert {one.organisation_id: one.participants for one in declared}["99001"] == WATERLIJN_SCHOOLS


class TestOrders:
    def test_each_number_is_used_once(self, orders: list[ShopLine]) -> None:
        assert [line.key.order_number for line in sorted(orders, key=lambda x: x.key)] == [
            str(number) for number in range(1001, 1009)
        ]

    def test_all_articles_are_known_but_the_one_that_is_ambiguous(
        self, orders: list[ShopLine], mappings: Mappings
    ) -> None:
        unknown = {line.article_code for line in orders if not mappings.articles_coded(line.article_code, NOW.date())}
        assert unknown <= {"A1"}

    def test_customers_are_in_the_register(self, orders: list[ShopLine], register: Register) -> None:
        assert {line.organisation_code for line in orders} <= {one.organisation_id for one in register.organisations}


class TestStorySeed:
    def test_the_twin_can_read_it(self) -> None:
        document = msgspec.json.encode(story_seed.story_seed(7))
        seed = msgspec.json.decode(document, type=Seed)
        assert (seed.randomSeed, len(seed.tenants)) == (7, len(TENANTS))

    def test_it_is_the_same_every_time(self) -> None:
        assert story_seed.story_seed(1) == story_seed.story_seed(1)

    def test_the_board_has_a_seat_for_each_of_its_staff(self) -> None:
        board = tenant(story_seed.WATERLIJN)
        bought = {one["skuId"]: one["totalLicenses"] for one in board["subscriptions"]}
        assert len(board["users"]) == bought[story_seed.A3] == 310

    def test_the_second_board_has_fewer_and_some_people_have_no_location(self) -> None:
        board = tenant(story_seed.DUINRAND)
        assert board["subscriptions"][0]["totalLicenses"] < len(board["users"])
        assert {person["usageLocation"] for person in board["users"]} == {"NL", None}

    def test_the_school_alone_switched_a_service_off_for_some(self) -> None:
        people = tenant(story_seed.VLIEGER)["users"]
        off = [person for person in people if person["assignments"][0]["disabledPlans"]]
        assert 0 < len(off) < len(people)

    def test_everybody_works_at_a_school_that_the_register_knows(self, register: Register) -> None:
        known = {one.organisation_id.removesuffix("00") for one in register.organisations}
        staff = [person for one in TENANTS.values() for person in tenant(one)["users"]]
        assert {person["department"] for person in staff} <= known


class TestStaffOf:
    def test_is_a_selector_that_can_be_read(self) -> None:
        assert parse_selector(staff_of("99XA00"))
