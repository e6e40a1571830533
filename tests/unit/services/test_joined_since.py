"""Who was moved into a group after their wave: by what followed it, and as long as they are in it."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.errors import RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, OperationId, SubjectId
from provisioning.domain.lifecycle import OperationState, StepState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import Change, Operation, OperationKind, StepKind, StepRecord
from provisioning.services.joined_since import is_being_moved, is_unsettled, joined_since, still_in
from tests.unit.execution.steps import record
from tests.unit.services.fakes_access import NOW, World
from tests.unit.services.migration_scene import A3, DAY, MIGRATION, TARGET, a_merger, worked

GROUP, UNDO, FOLLOWER = GroupId("group"), OperationId("undo"), OperationId("follower")
EMMA = SubjectId("emma2")
JOINS = Change(group_id=GROUP, add_sku=A3, disabled_plans=frozenset({"sway"}))
LEAVES = Change(group_id=GROUP, remove_skus=(A3,))
HORIZON = timedelta(minutes=15)


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world)
    part = MigrationPart(migration_id=MIGRATION, wave=2, phase=Phase.UNDO_TARGET)
    planned(world, UNDO, Phase.UNDO_TARGET, part=part)
    follower(world, FOLLOWER)
    return world


def planned(world: World, name: OperationId, phase: Phase, **wish: Any) -> None:
    made = worked(world, name, phase, ["emma"])
    world.operations[name] = msgspec.structs.replace(
        made, wish=msgspec.structs.replace(made.wish, sku_id=A3, named=(EMMA,), **wish)
    )


def follower(world: World, name: OperationId, wave: int = 2, **changes: Any) -> None:
    follows = MigrationPart(migration_id=MIGRATION, wave=wave, phase=Phase.ENABLE)
    planned(world, name, Phase.ENABLE, part=None, follows=follows)
    change = {"kind": OperationKind.CHANGE, "tenant_id": TARGET, **changes}
    world.operations[name] = msgspec.structs.replace(world.operations[name], **change)


def wrote(world: World, by: OperationId, kind: StepKind, at: datetime | None, **known: Any) -> None:
    change = JOINS if kind is StepKind.ADD_MEMBERS else LEAVES
    one = record(kind, state=known.pop("state", StepState.VERIFIED), applied_at=at, **known)
    step = msgspec.structs.replace(one.step, subject_id=EMMA, change=change)
    world.written.append(msgspec.structs.replace(one, operation_id=by, step=step))


def found(world: World) -> dict[SubjectId, StepRecord]:
    with world.open() as uow:
        return dict(joined_since(uow, world.operations[UNDO]))


class TestJoined:
    def test_is_who_was_put_there_whatever_came_of_it(self, world: World) -> None:
        wrote(world, FOLLOWER, StepKind.ADD_MEMBERS, NOW, state=StepState.FAILED)
        assert found(world).keys() == {EMMA}

    def test_is_nobody_of_whom_it_was_not_accepted(self, world: World) -> None:
        wrote(world, FOLLOWER, StepKind.ADD_MEMBERS, None, state=StepState.FAILED)
        assert found(world) == {}

    def test_is_nobody_whom_another_wave_or_an_ordinary_change_put_there(self, world: World) -> None:
        other, ordinary = OperationId("other"), OperationId("ordinary")
        follower(world, other, wave=1)
        planned(world, ordinary, Phase.ENABLE, part=None)
        for one in (other, ordinary):
            wrote(world, one, StepKind.ADD_MEMBERS, NOW)
        assert found(world) == {}

    def test_is_nobody_whom_a_roll_back_took_out_again(self, world: World) -> None:
        wrote(world, UNDO, StepKind.REMOVE_MEMBER, NOW)
        wrote(world, FOLLOWER, StepKind.ADD_MEMBERS, NOW - DAY)
        assert found(world) == {}

    def test_is_asked_for_only_where_something_is_taken_back(self, world: World) -> None:
        wrote(world, FOLLOWER, StepKind.ADD_MEMBERS, NOW)
        part = MigrationPart(migration_id=MIGRATION, wave=2, phase=Phase.ENABLE)
        planned(world, UNDO, Phase.ENABLE, part=part)
        assert found(world) == {}


class TestBeingMoved:
    @staticmethod
    def is_moved(world: World, operation: Operation) -> bool:
        with world.open() as uow:
            return is_being_moved(uow, operation)

    @pytest.mark.parametrize("state", [OperationState.APPLYING, OperationState.VERIFYING, OperationState.HELD])
    def test_is_who_is_named_by_what_is_not_over(self, world: World, state: OperationState) -> None:
        follower(world, FOLLOWER, state=state)
        assert self.is_moved(world, world.operations[UNDO])

    def test_is_nobody_of_what_is_over(self, world: World) -> None:
        assert not self.is_moved(world, world.operations[UNDO])

    def test_is_not_who_goes_back_alone(self, world: World) -> None:
        """Who failed on the way in was never moved: the others' move is none of theirs."""
        follower(world, FOLLOWER, state=OperationState.HELD)
        undo = world.operations[UNDO]
        alone = msgspec.structs.replace(undo.wish, named=(SubjectId("finn2"),))
        assert not self.is_moved(world, msgspec.structs.replace(undo, wish=alone))


class TestUnsettled:
    @pytest.mark.parametrize(
        ("state", "ago", "expected"),
        [
            pytest.param(StepState.FAILED, HORIZON, True, id="nobody read back what came of it"),
            pytest.param(StepState.FAILED, HORIZON + timedelta(seconds=1), False, id="long ago"),
            pytest.param(StepState.VERIFIED, timedelta(0), False, id="read back"),
        ],
    )
    def test_is_who_joined_lately_and_was_never_seen(
        self, world: World, state: StepState, ago: timedelta, *, expected: bool
    ) -> None:
        wrote(world, FOLLOWER, StepKind.ADD_MEMBERS, NOW - ago, state=state)
        assert is_unsettled(found(world), NOW - HORIZON) is expected


class _Groups:
    """Of the gateway, what a look at groups needs."""

    def __init__(self, seen: dict[GroupId, ObservedGroup | None]) -> None:
        self.seen = seen

    def observe_groups(self, *_: object) -> dict[GroupId, ObservedGroup | None]:
        return self.seen


class TestStillIn:
    LICENCE = HeldLicence(A3, frozenset({"sway"}), GROUP)

    def looked(self, world: World, *members: SubjectId, ago: timedelta = DAY, **group: Any) -> Any:
        wrote(world, FOLLOWER, StepKind.ADD_MEMBERS, NOW - ago)
        fields = {"members": frozenset(members), "is_complete": True, **group}
        seen = _Groups({GROUP: ObservedGroup(group_id=GROUP, nickname="ours", **fields)})
        return still_in(seen, TARGET, found(world), NOW, HORIZON)  # type: ignore[arg-type]  # one read of a gateway

    def test_is_whom_the_group_shows(self, world: World) -> None:
        assert self.looked(world, EMMA) == {EMMA: self.LICENCE}

    def test_is_not_whom_somebody_took_out(self, world: World) -> None:
        assert self.looked(world, SubjectId("finn2"), ago=HORIZON + timedelta(seconds=1)) == {}

    def test_is_who_joined_so_lately_that_a_replica_may_not_show_it(self, world: World) -> None:
        assert self.looked(world, ago=HORIZON) == {EMMA: self.LICENCE}

    def test_half_a_look_says_nothing(self, world: World) -> None:
        with pytest.raises(RetryableError, match="could not all be read"):
            self.looked(world, is_complete=False)

    def test_nobody_is_in_a_group_that_is_gone(self, world: World) -> None:
        wrote(world, FOLLOWER, StepKind.ADD_MEMBERS, NOW - DAY)
        joined = found(world)
        assert still_in(_Groups({GROUP: None}), TARGET, joined, NOW, HORIZON) == {}  # type: ignore[arg-type]  # as above
