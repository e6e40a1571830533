"""Breaking the glass: one person alone, with a reason, alarmed, and reviewed by another."""

import pytest

from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.worklist import Topic
from provisioning.services.application_incident import OURSELVES
from provisioning.services.approve_plan import ApprovePlan
from provisioning.services.review_plan import ReviewPlan
from tests.unit.services.fakes_access import (
    ADMIN,
    APPROVER,
    AUDITOR,
    OPERATION,
    OPERATOR,
    FakeClock,
    FakeDispatcher,
    Role,
    World,
    a_binding,
    an_operation,
    person,
)
from tests.unit.services.test_approve_plan import DIGEST, a_plan

SECOND_ADMIN = person("second", Role.ADMIN)
WHY = "exams begin in an hour"


@pytest.fixture
def world() -> World:
    """The plan that waits was asked for, and its binding made, by the only administrator on duty."""
    world = World()
    an_operation(world, OperationState.AWAITING_APPROVAL)
    a_binding(world, created_by=ADMIN.actor)
    a_plan(world, requested_by=ADMIN.actor)
    return world


def approve_alone(world: World, identity: Identity = ADMIN, reason: str = WHY, digest: str = DIGEST) -> object:
    service = ApprovePlan(open_uow=world.open, clock=FakeClock(), dispatcher=FakeDispatcher())
    return service(identity, "77aa", digest, break_glass=reason)


def review(world: World, identity: Identity = APPROVER) -> object:
    return ReviewPlan(open_uow=world.open, clock=FakeClock())(identity, "77aa")


class TestBreakGlass:
    def test_one_administrator_lets_it_be_applied_though_it_is_their_own(self, world: World) -> None:
        approve_alone(world)
        assert world.operations[OPERATION].state is OperationState.APPLYING
        assert (world.plans[-1].approved_by, world.plans[-1].break_glass_reason) == (ADMIN.actor, WHY)

    def test_is_on_record_as_what_it_was_and_we_are_told(self, world: World) -> None:
        approve_alone(world)
        event = next(x for x in world.events if x.kind == "plan.approved_alone")
        assert (event.actor, event.reason, event.operation) == (ADMIN.actor, WHY, OPERATION)
        (alarm,) = world.intents
        assert (alarm.topic, alarm.organisation_id, alarm.reference) == (Topic.GLASS_BROKEN, OURSELVES, OPERATION)

    @pytest.mark.parametrize("identity", [APPROVER, OPERATOR, AUDITOR], ids=["approver", "operator", "auditor"])
    def test_nobody_but_an_administrator_may(self, world: World, identity: Identity) -> None:
        with pytest.raises(NotAllowedError, match="approve a plan alone"):
            approve_alone(world, identity)
        assert world.intents == []

    def test_a_reason_is_needed(self, world: World) -> None:
        with pytest.raises(InputError, match="needs a reason"):
            approve_alone(world, reason=" ")

    def test_it_is_still_the_plan_that_was_seen(self, world: World) -> None:
        with pytest.raises(ConflictError, match="not the one you saw"):
            approve_alone(world, digest="0" * 64)
        assert (world.intents, world.events) == ([], [])

    def test_without_it_an_administrator_approves_nothing(self, world: World) -> None:
        with pytest.raises(NotAllowedError):
            ApprovePlan(open_uow=world.open, clock=FakeClock(), dispatcher=FakeDispatcher())(ADMIN, "77aa", DIGEST)


class TestReviewPlan:
    @pytest.mark.parametrize("identity", [APPROVER, AUDITOR, SECOND_ADMIN], ids=["approver", "auditor", "admin"])
    def test_another_person_says_that_they_looked_at_it(self, world: World, identity: Identity) -> None:
        approve_alone(world)
        review(world, identity)
        assert list(world.reviewed.values()) == [identity.actor]
        assert (world.events[-1].kind, world.events[-1].actor) == ("plan.reviewed", identity.actor)

    def test_not_who_approved_it(self, world: World) -> None:
        approve_alone(world)
        with pytest.raises(NotAllowedError, match="approved this plan alone"):
            review(world, ADMIN)

    def test_once_is_enough(self, world: World) -> None:
        approve_alone(world)
        review(world)
        with pytest.raises(ConflictError, match="waits for review"):
            review(world)

    def test_what_nobody_approved_alone_needs_none(self, world: World) -> None:
        with pytest.raises(ConflictError, match="waits for review"):
            review(world)
