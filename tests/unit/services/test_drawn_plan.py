"""What every planner looks up and does with its plan, whichever plan it is."""

from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.lifecycle import OperationState, StepState
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.services.application_incident import OURSELVES
from provisioning.services.drawn_plan import await_approval, in_doubt, plan_drawn
from tests.factories import operations as make
from tests.unit.execution.steps import record
from tests.unit.services.fakes_access import NOW, World, an_operation

A_DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World()


def test_a_plan_that_waits_is_told_to_ourselves_once_with_its_end(world: World) -> None:
    operation = an_operation(world, OperationState.PLANNING)
    with world.open() as uow:
        await_approval(uow, operation, NOW, A_DAY)
        uow.commit()
    waiting = world.operations[operation.operation_id]
    assert (waiting.state, waiting.reason) == (OperationState.AWAITING_APPROVAL, Reason.APPROVAL_NEEDED)
    assert waiting.due_at == NOW + A_DAY
    [told] = world.intents
    assert (told.topic, told.organisation_id) == (Topic.APPROVAL_NEEDED, OURSELVES)
    assert told.reference == operation.operation_id


def test_the_line_of_a_plan_counts_its_steps_and_names_its_envelope(world: World) -> None:
    operation = an_operation(world, OperationState.PLANNING)
    plan = make.plan(operation, make.people(3))
    line = plan_drawn(operation, plan)
    assert (line.kind, line.after, line.at) == ("plan.drawn", plan.envelope.digest, plan.drawn_at)
    assert line.details == {kind: str(number) for kind, number in plan.counts.items()}
    assert line.organisation == operation.wish.holder_id


@pytest.mark.parametrize(
    ("state", "is_doubtful"),
    [
        (StepState.PENDING, False),
        (StepState.IN_FLIGHT, True),
        (StepState.UNKNOWN, True),
        (StepState.APPLIED, True),
        (StepState.VERIFIED, False),
        (StepState.FAILED, False),
    ],
)
def test_who_was_written_to_and_not_read_back_is_in_doubt(world: World, state: StepState, is_doubtful: bool) -> None:
    operation = an_operation(world, OperationState.PLANNING)
    step = msgspec.structs.replace(record(), operation_id=operation.operation_id, state=state)
    world.written.append(step)
    with world.open() as uow:
        assert in_doubt(uow, operation.operation_id) == ({step.step.subject_id} if is_doubtful else set())
