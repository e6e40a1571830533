import msgspec
import pytest

from provisioning.domain.actors import ANONYMOUS
from provisioning.domain.catalogue import Mappings, Sku
from provisioning.domain.errors import InputError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase
from provisioning.planning.migration_report import MigrationReport
from provisioning.services.report_migration import ReportMigration
from tests.unit.services.fakes_access import APPROVER, AUDITOR, NOW, OPERATOR, FakeClock, World
from tests.unit.services.migration_scene import A3, OPEN, PREPARE, RELEASE, TARGET, a_merger, worked
from tests.unit.services.test_approve_plan import DIGEST, a_plan
from tests.unit.services.test_confirm_binding import MAPPINGS

PRODUCT = Sku(
    sku_id=A3,
    part_number="M365EDU_A3_FACULTY",
    name="Microsoft 365 A3 for faculty",
    family="A3",
    audience="faculty",
    product_line="m365",
    is_student_use_benefit=False,
    lifecycle="listed",
    plans=(),
)
KNOWN: Mappings = msgspec.structs.replace(MAPPINGS, skus={A3: PRODUCT})


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world)
    return world


def report(world: World, identity: object = OPERATOR, mappings: Mappings = KNOWN) -> MigrationReport:
    make = ReportMigration(open_uow=world.open, clock=FakeClock(), mappings=mappings)
    return make(identity, "5f0c")  # type: ignore[arg-type]


class TestReportMigration:
    def test_names_boards_tenants_and_products(self, world: World) -> None:
        made = report(world)
        assert (made.source.name, made.source.domain) == ("Stichting Noord", "school.onmicrosoft.com")
        assert (made.target.name, made.target.tenant_id) == ("Stichting Zuid", TARGET)
        assert {one.source_product for one in made.people} == {"Microsoft 365 A3 for faculty"}

    def test_what_is_not_known_any_more_is_called_by_its_id(self, world: World) -> None:
        world.tenants.clear()
        world.organisations.clear()
        made = report(world, mappings=msgspec.structs.replace(KNOWN, skus={}))
        assert (made.target.name, made.target.domain) == ("42222", TARGET)
        assert {one.target_product for one in made.people} == {A3}

    @pytest.mark.parametrize("identity", [ANONYMOUS, APPROVER, AUDITOR], ids=lambda one: one.actor)
    def test_only_operators_get_ids(self, world: World, identity: object) -> None:
        made = report(world, identity)
        assert {(one.source_id, one.target_id) for one in made.people} == {(None, None)}
        assert [one.person for one in made.people] == [one.person for one in report(world).people]

    def test_approvals_are_those_that_were_given(self, world: World) -> None:
        worked(world, OPEN, Phase.PREPARE, ["guus"], state=OperationState.AWAITING_APPROVAL)
        a_plan(world, operation_id=OPEN)
        a_plan(world, operation_id=RELEASE, approved_by=APPROVER.actor, approved_at=NOW)
        a_plan(
            world,
            operation_id=PREPARE,
            approved_by=APPROVER.actor,
            approved_at=NOW.replace(day=1),
            break_glass_reason="exams",
        )
        first, second = report(world).approvals
        assert (first.phase, first.people, first.is_alone) == (Phase.PREPARE, 6, True)
        assert (second.phase, second.digest, second.is_alone) == (Phase.RELEASE, DIGEST, False)

    def test_there_is_none_of_a_migration_that_nobody_knows(self, world: World) -> None:
        with pytest.raises(InputError, match="There is no migration"):
            ReportMigration(open_uow=world.open, clock=FakeClock(), mappings=KNOWN)(OPERATOR, "9999")
