"""Who approves a migration, where its file says it: nobody else, and nobody's own work."""

from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import Actor
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.services.approve_plan import ApprovePlan
from provisioning.services.named_approvers import require_known
from tests.unit.services.fakes_access import (
    ADMIN,
    APPROVER,
    NOW,
    OPERATION,
    OPERATOR,
    FakeClock,
    FakeDispatcher,
    World,
    a_binding,
    an_operation,
)
from tests.unit.services.migration_scene import MIGRATION, a_merger
from tests.unit.services.test_approve_plan import DIGEST, a_plan, approve, unchanged

SOMEBODY = Actor("person:finance")


@pytest.fixture
def dispatcher() -> FakeDispatcher:
    return FakeDispatcher()


def world_with(*approvers: Actor) -> World:
    """A plan of a migration whose file names these."""
    world = World()
    of = a_merger(world)
    named = msgspec.structs.replace(of.definition, approvers=approvers)
    world.migrations[MIGRATION] = msgspec.structs.replace(of, definition=named)
    operation = an_operation(world, OperationState.AWAITING_APPROVAL)
    part = MigrationPart(migration_id=MIGRATION, wave=1, phase=Phase.RELEASE)
    wish = msgspec.structs.replace(operation.wish, part=part)
    world.operations[OPERATION] = msgspec.structs.replace(operation, wish=wish)
    a_binding(world, created_by=OPERATOR.actor)
    a_plan(world)
    return world


class TestApproving:
    @pytest.mark.parametrize("named", [(), (APPROVER.actor,), (SOMEBODY, APPROVER.actor)], ids=["none", "one", "two"])
    def test_whoever_is_named_does_and_anybody_with_the_role_where_nobody_is(
        self, dispatcher: FakeDispatcher, named: tuple[Actor, ...]
    ) -> None:
        assert approve(world_with(*named), dispatcher).state is OperationState.APPLYING  # type: ignore[attr-defined]

    def test_somebody_else_does_not(self, dispatcher: FakeDispatcher) -> None:
        world = world_with(SOMEBODY)
        with pytest.raises(NotAllowedError, match=r"is not among the approvers of Fusie .*: person:finance"):
            approve(world, dispatcher)
        assert unchanged(world, dispatcher)

    def test_whoever_is_named_and_asked_for_it_still_does_not(self, dispatcher: FakeDispatcher) -> None:
        both = Identity(actor=OPERATOR.actor, roles=frozenset({Role.OPERATOR, Role.APPROVER}))
        world = world_with(OPERATOR.actor, APPROVER.actor)
        with pytest.raises(NotAllowedError, match="a second person has to look at it"):
            approve(world, dispatcher, both)
        assert unchanged(world, dispatcher)

    def test_in_an_emergency_an_administrator_does_alone_as_ever(self, dispatcher: FakeDispatcher) -> None:
        world = world_with(SOMEBODY)
        alone = ApprovePlan(open_uow=world.open, clock=FakeClock(), dispatcher=dispatcher)
        assert alone(ADMIN, "77aa", DIGEST, break_glass="mailboxes at risk").state is OperationState.APPLYING


class TestNaming:
    @pytest.fixture
    def world(self) -> World:
        world = World()
        for number, (name, role, days) in enumerate(
            [
                ("person:finance", Role.APPROVER, 1),
                ("person:left", Role.APPROVER, -1),
                ("person:duty", Role.OPERATOR, 1),
            ]
        ):
            ends = NOW + timedelta(days=days)
            world.actors[str(number)] = Identity(actor=Actor(name), roles=frozenset({role}), expires_at=ends)
        return world

    @pytest.mark.parametrize("named", [[], [SOMEBODY]])
    def test_whoever_may_approve_can_be_named(self, world: World, named: list[Actor]) -> None:
        with world.open() as uow:
            require_known(uow, OPERATOR.actor, named, NOW)

    @pytest.mark.parametrize("stranger", ["person:nobody", "person:left", "person:duty"])
    def test_whoever_may_not_is_told_at_once(self, world: World, stranger: str) -> None:
        with world.open() as uow, pytest.raises(InputError, match=f"approvers: {stranger} may approve nothing here"):
            require_known(uow, OPERATOR.actor, [SOMEBODY, Actor(stranger)], NOW)

    def test_whoever_creates_it_is_not_its_only_one(self, world: World) -> None:
        with world.open() as uow, pytest.raises(InputError, match="Name somebody else too"):
            require_known(uow, SOMEBODY, [SOMEBODY], NOW)
