"""Whom a migration has taken up since a plan was drawn is left to it."""

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.operation import Operation, StepRecord
from provisioning.services.still_as_planned import LookAtPeople, StillAsPlanned
from tests.unit.execution.steps import record
from tests.unit.planning.scene import replaced
from tests.unit.services.fakes_access import NOW, FakeClock, FakeGateway, World, an_operation
from tests.unit.services.migration_scene import OPEN, TARGET, a_merger, a_traveller, worked
from tests.unit.services.test_approve_plan import a_plan


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world)
    return world


def look(world: World, operation: Operation, *people: str) -> tuple[LookAtPeople, list[StepRecord]]:
    """Of a plan that was drawn just now: nobody has to be read."""
    world.operations[operation.operation_id] = operation
    plan = replaced(a_plan(world, operation_id=operation.operation_id), observed_at=NOW)
    plain = record(last_attempt=None, sent_at=None)
    records = [replaced(plain, step=replaced(plain.step, subject_id=SubjectId(name))) for name in people]
    still = StillAsPlanned(world.open, FakeGateway(), FakeClock(), default_limits(), None)  # type: ignore[arg-type]
    return still.look_at_people(operation, plan, records), records


def an_order(world: World) -> Operation:
    return msgspec.structs.replace(an_operation(world, OperationState.APPLYING), tenant_id=TARGET)


class TestWhoWentAlong:
    def test_is_not_as_planned_for_an_order(self, world: World) -> None:
        a_traveller(world, "emma", state=PersonState.WAITING, wave=2)
        found, (emma, _) = look(world, an_order(world), "emma2", "nobody")
        assert found == LookAtPeople(changed=(emma,))

    @pytest.mark.parametrize("state", [PersonState.ENABLED, PersonState.RELEASED, PersonState.LEFT_OUT])
    def test_who_arrived_or_was_left_out_is(self, world: World, state: PersonState) -> None:
        a_traveller(world, "emma", state=state, wave=2)
        assert look(world, an_order(world), "emma2")[0] == LookAtPeople()

    def test_the_migration_itself_goes_on(self, world: World) -> None:
        part = worked(world, OPEN, Phase.PREPARE, ["guus"], state=OperationState.APPLYING)
        assert look(world, part, "guus2")[0] == LookAtPeople()
