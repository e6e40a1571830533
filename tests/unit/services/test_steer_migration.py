"""Pausing, resuming and calling off: with a reason, on record, and only from where it makes sense."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.ids import OperationId, Pseudonym, SubjectId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.migration import Migration, Phase
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, MigrationState, PersonState
from provisioning.domain.operation import SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.ports import WaitingList
from provisioning.services.steer_migration import SteerMigration
from tests.unit.services.fakes_access import APPROVER, NOW, OPERATOR, FakeClock, World
from tests.unit.services.migration_scene import A3, MIGRATION, OPEN, PREPARE, TARGET, a_merger, a_traveller, worked

M = MigrationState


@pytest.fixture
def world() -> World:
    return World()


def steer(world: World, goal: MigrationState, reason: str = "the tool stands still") -> Migration:
    return SteerMigration(open_uow=world.open, clock=FakeClock())(OPERATOR, "5f0c", goal, reason)


class TestSteering:
    @pytest.mark.parametrize(
        ("before", "goal", "reason"),
        [
            (M.RUNNING, M.PAUSED, Reason.MIGRATION_PAUSED),
            (M.PAUSED, M.RUNNING, None),
            (M.RUNNING, M.ABORTED, Reason.MIGRATION_ABORTED),
            (M.PAUSED, M.ABORTED, Reason.MIGRATION_ABORTED),
            (M.MATCHED, M.ABORTED, Reason.MIGRATION_ABORTED),
            (M.NEW, M.ABORTED, Reason.MIGRATION_ABORTED),
        ],
    )
    def test_goes_where_it_is_told_is_looked_at_at_once_and_put_on_record(
        self, world: World, before: MigrationState, goal: MigrationState, reason: Reason | None
    ) -> None:
        a_merger(world, state=before, reason=Reason.MIGRATION_PAUSED if before is M.PAUSED else None)
        steered = steer(world, goal)
        assert (steered.state, steered.reason, steered.due_at) == (goal, reason, NOW)
        assert world.migrations[MIGRATION].state is goal
        (event,) = [one for one in world.events if one.kind == f"migration.{goal}"]
        assert (event.actor, event.reason) == (OPERATOR.actor, "the tool stands still")

    @pytest.mark.parametrize("end", sorted(MIGRATION_ENDS))
    @pytest.mark.parametrize("goal", [M.PAUSED, M.RUNNING, M.ABORTED])
    def test_an_end_stays_an_end(self, world: World, end: MigrationState, goal: MigrationState) -> None:
        a_merger(world, state=end)
        with pytest.raises(InputError, match=end):
            steer(world, goal)
        assert world.migrations[MIGRATION].state is end
        assert world.events == []

    def test_only_what_is_paused_can_be_resumed(self, world: World) -> None:
        a_merger(world, state=M.MATCHED)
        with pytest.raises(InputError, match="is matched, not paused"):
            steer(world, M.RUNNING)

    def test_called_off_nobody_of_it_waits_for_a_seat_any_more(self, world: World) -> None:
        a_merger(world)
        order = OperationId("order")
        for operation in (PREPARE, order):
            listed = WaitingList(tenant_id=TARGET, sku_id=A3, operation_id=operation, people=3, since=NOW)
            world.waiting.append(listed)
        steer(world, M.PAUSED)
        assert len(world.waiting) == 2
        steer(world, M.ABORTED)
        assert [one.operation_id for one in world.waiting] == [order]

    def test_needs_a_reason(self, world: World) -> None:
        a_merger(world)
        with pytest.raises(InputError, match="Pausing a migration needs a reason"):
            steer(world, M.PAUSED, " ")

    def test_needs_an_operator(self, world: World) -> None:
        a_merger(world)
        with pytest.raises(NotAllowedError, match="steer a migration"):
            SteerMigration(open_uow=world.open, clock=FakeClock())(APPROVER, "5f0c", M.PAUSED, "because")


class TestWhatWasSeenWhenItGoesOn:
    @staticmethod
    def at_work(world: World, state: OperationState, *said: SubjectState) -> None:
        """An operation of the first wave in which people are as `said`; Daan of that wave has failed before."""
        names = [f"p{number}" for number in range(len(said))]
        worked(world, OPEN, Phase.PREPARE, names, state=state)
        for name, of in zip(names, said, strict=True):
            a_traveller(world, name, state=PersonState.PREPARING, wave=1, operation_id=OPEN)
            world.subjects.append(
                SubjectRecord(
                    operation_id=OPEN,
                    subject_id=SubjectId(f"{name}2"),
                    pseudonym=Pseudonym(name),
                    state=of,
                    reason=None,
                )
            )

    @staticmethod
    def seen(world: World) -> dict[int, int]:
        return {number: wave.failures_seen for (_, number), wave in world.waves.items()}

    @pytest.mark.parametrize(
        "state", [OperationState.APPLYING, OperationState.HELD, OperationState.PLANNING, OperationState.COMPLETED]
    )
    def test_is_who_failed_and_for_whom_it_went_wrong_in_what_is_not_over(
        self, world: World, state: OperationState
    ) -> None:
        """Also one that stands still, or has ended a moment ago: its people are counted when it is looked at next."""
        a_merger(world, state=M.PAUSED, reason=Reason.THRESHOLD_REACHED)
        said = [SubjectState.FAILED, SubjectState.REFUSED, SubjectState.CHANGED_MEANWHILE, SubjectState.PENDING]
        self.at_work(world, state, *said, SubjectState.VERIFIED)
        steer(world, M.RUNNING)
        assert self.seen(world) == {1: 4, 2: 0}

    @pytest.mark.parametrize("goal", [M.PAUSED, M.ABORTED])
    def test_is_as_before_when_it_stops(self, world: World, goal: MigrationState) -> None:
        a_merger(world)
        self.at_work(world, OperationState.APPLYING, SubjectState.FAILED)
        before = self.seen(world)
        steer(world, goal)
        assert self.seen(world) == before

    def test_is_no_more_than_there_is(self, world: World) -> None:
        a_merger(world, state=M.PAUSED, reason=Reason.THRESHOLD_REACHED)
        world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], failures_seen=7)
        steer(world, M.RUNNING)
        assert self.seen(world) == {1: 1, 2: 0}


class TestCallingOff:
    @pytest.mark.parametrize(
        ("state", "after"),
        [
            (OperationState.NEW, OperationState.CANCELLED),
            (OperationState.AWAITING_CONSENT, OperationState.CANCELLED),
            (OperationState.AWAITING_APPROVAL, OperationState.CANCELLED),
            (OperationState.HELD, OperationState.CANCELLED),
            (OperationState.APPLYING, OperationState.APPLYING),
            (OperationState.VERIFYING, OperationState.VERIFYING),
            (OperationState.COMPLETED, OperationState.COMPLETED),
        ],
    )
    def test_cancels_what_has_written_nothing_and_leaves_the_rest_to_who_holds_the_tenant(
        self, world: World, state: OperationState, after: OperationState
    ) -> None:
        a_merger(world)
        worked(world, OPEN, Phase.PREPARE, ["guus"], state=state)
        steer(world, M.ABORTED)
        assert world.operations[OPEN].state is after

    @pytest.mark.parametrize("state", [OperationState.NEW, OperationState.AWAITING_APPROVAL, OperationState.HELD])
    def test_leaves_what_gives_mailboxes_back(self, world: World, state: OperationState) -> None:
        a_merger(world)
        worked(world, OPEN, Phase.ENABLE, ["finn"], state=state)
        steer(world, M.ABORTED)
        assert world.operations[OPEN].state is state


class TestAWorkerInBetween:
    def test_a_decision_is_taken_anew_on_what_is_there_now(self, world: World) -> None:
        a_merger(world)
        steered = SteerMigration(open_uow=overtaken(world, times=2), clock=FakeClock())(OPERATOR, "5f0c", M.PAUSED, "x")
        assert steered.state is M.PAUSED

    def test_but_not_for_ever(self, world: World) -> None:
        a_merger(world)
        with pytest.raises(ConflictError):
            SteerMigration(open_uow=overtaken(world, times=9), clock=FakeClock())(OPERATOR, "5f0c", M.PAUSED, "x")
        assert world.migrations[MIGRATION].state is M.RUNNING


def overtaken(world: World, times: int) -> Any:
    """Units of work of which the first so many find at their end that somebody was quicker."""
    left = times

    @contextmanager
    def open_uow() -> Iterator[Any]:
        nonlocal left
        with world.open() as uow:
            if left:
                left -= 1

                def commit() -> None:
                    raise ConflictError("somebody was quicker")

                uow.commit = commit  # type: ignore[method-assign]  # the moment at which the database tells
            yield uow

    return open_uow
