"""What the approval of a wave's preparation lets go on by itself, and whose approval does not reach so far."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.ids import Actor, OperationId, PlanId, SubjectId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.operation import Operation, Step, StepKind
from provisioning.domain.tenancy import Policy
from provisioning.planning.plan import Envelope, Grounds, Losses, Plan
from provisioning.ports import PlanRecord
from provisioning.services.standing_approval import approve_within
from tests.unit.services.fakes_access import APPROVER, NOW, OPERATOR, World, a_binding
from tests.unit.services.migration_scene import (
    ENABLE,
    MIGRATION,
    OPEN,
    PREPARE,
    TARGET,
    TOLD,
    a_merger,
    a_traveller,
    worked,
)

GROUNDS = Grounds(mapping="m", policy="p", bindings="b", authority="a")
AUTHORS = ("asked for the migration", "asked for the wave", "policy", "binding", "evidence", "plan")


def a_plan(world: World, operation: OperationId, **changes: Any) -> PlanRecord:
    envelope = Envelope(operation_id=operation, tenant_id=TARGET, grounds=GROUNDS, counts={}, losses=Losses())
    record = PlanRecord(
        plan_id=PlanId(f"plan-{operation}"),
        operation_id=operation,
        digest=envelope.digest,
        envelope=msgspec.json.encode(envelope),
        drawn_at=NOW,
        observed_at=NOW,
        valid_until=NOW + timedelta(days=7),
        guard_breaches=("every part of a migration is approved",),
        requested_by=Actor("person:planner"),
    )
    world.plans.append(msgspec.structs.replace(record, **changes))
    return world.plans[-1]


def drawn(kind: StepKind = StepKind.SET_PLANS, losses: Losses = Losses(), grounds: Grounds = GROUNDS) -> Plan:  # noqa: B008
    step = Step(position=0, subject_id=SubjectId("finn2"), kind=kind)
    return Plan(
        plan_id=PlanId(f"plan-{OPEN}"),
        operation_id=OPEN,
        tenant_id=TARGET,
        drawn_at=NOW,
        observed_at=NOW,
        is_complete=True,
        subjects=(),
        steps=(step,),
        grounds=grounds,
        losses=losses,
    )


@pytest.fixture
def world() -> World:
    """Two whose mailboxes have moved are to get Exchange, and somebody else approved their preparation."""
    world = World()
    a_merger(world)
    asker = Actor("person:asked for the migration")
    world.migrations[MIGRATION] = msgspec.structs.replace(world.migrations[MIGRATION], requested_by=asker)
    wave = world.waves[MIGRATION, 2]
    world.waves[MIGRATION, 2] = msgspec.structs.replace(wave, asked_by=Actor("person:asked for the wave"))
    told = msgspec.structs.replace(TOLD, given_by=Actor("person:evidence"))
    a_traveller(world, "finn", wave=2, operation_id=OPEN, evidence=told)
    for operation, phase in ((PREPARE, Phase.PREPARE), (OPEN, Phase.ENABLE)):
        made = worked(world, operation, phase, ["finn"])
        part = MigrationPart(migration_id=MIGRATION, wave=2, phase=phase)
        wish = msgspec.structs.replace(made.wish, part=part)
        world.operations[operation] = msgspec.structs.replace(made, wish=wish, state=OperationState.PLANNING)
    a_binding(world, Actor("person:binding"), tenant_id=TARGET)
    world.policies.append(
        Policy(tenant_id=TARGET, valid_from=NOW.date(), created_by=Actor("person:policy"), approved_by=APPROVER.actor)
    )
    a_plan(world, PREPARE, approved_by=APPROVER.actor, approved_at=NOW - timedelta(days=1))
    a_plan(world, OPEN, requested_by=Actor("person:plan"))
    return world


def approved(world: World, plan: Plan | None = None) -> bool:
    with world.open() as uow:
        done = approve_within(uow, operation(world), plan or drawn(), NOW)
        uow.commit()
    record = next(one for one in world.plans if one.operation_id == OPEN)
    assert (record.approved_by is not None) is done is ("plan.approved" in world.kinds)
    return done


def operation(world: World) -> Operation:
    return world.operations[OPEN]


def given(world: World, **changes: Any) -> None:
    world.plans[0] = msgspec.structs.replace(world.plans[0], **changes)


def test_the_preparations_approver_is_named_for_what_follows(world: World) -> None:
    assert approved(world)
    assert world.plans[1].approved_by == APPROVER.actor
    [event] = [one for one in world.events if one.kind == "plan.approved"]
    assert event.details == {"within": f"plan-{PREPARE}"}


@pytest.mark.parametrize("author", AUTHORS)
def test_who_had_a_hand_in_it_is_asked_as_little_as_they_could_approve_it(world: World, author: str) -> None:
    given(world, approved_by=Actor(f"person:{author}"))
    assert not approved(world)


def test_what_somebody_approved_alone_reaches_no_further(world: World) -> None:
    given(world, break_glass_reason="nobody else could be asked")
    assert not approved(world)


def test_beside_one_that_does_not_count_another_does(world: World) -> None:
    given(world, approved_by=OPERATOR.actor, break_glass_reason="nobody else could be asked")
    again = msgspec.structs.replace(world.operations[PREPARE], operation_id=ENABLE)
    world.operations[ENABLE] = again
    a_plan(world, ENABLE, approved_by=APPROVER.actor, approved_at=NOW)
    assert approved(world)


@pytest.mark.parametrize(
    "changes",
    [{"approved_at": None, "approved_by": None}, {"valid_until": NOW}],
    ids=["not approved", "too long ago"],
)
def test_one_that_does_not_stand_covers_nothing(world: World, changes: dict[str, Any]) -> None:
    given(world, **changes)
    assert not approved(world)


@pytest.mark.parametrize(
    "plan",
    [
        drawn(StepKind.ASSIGN),
        drawn(losses=Losses(not_carried={"yammer": 1})),
        drawn(grounds=msgspec.structs.replace(GROUNDS, policy="another")),
    ],
    ids=["gives a licence", "loses something", "rests on something else"],
)
def test_what_goes_further_is_asked_for_by_itself(world: World, plan: Plan) -> None:
    assert not approved(world, plan)
