"""Only who failed is tried again, where they failed; a wave goes back as a whole."""

from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.ids import OperationId, SubjectId
from provisioning.domain.lifecycle import OperationState, StepState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import OperationKind
from provisioning.domain.reasons import Reason
from provisioning.services.retry_wave import RetryWave, RollBackFailed, RollBackWave
from tests.unit.execution.steps import record
from tests.unit.planning.scene import replaced
from tests.unit.services.fakes_access import NOW, OPERATOR, FakeClock, World
from tests.unit.services.migration_scene import DAY, MIGRATION, RELEASE, TOLD, a_merger, a_traveller, worked

P, W = PersonState, WaveState


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world)
    return world


def retry(world: World, wave: int = 1) -> int:
    return RetryWave(open_uow=world.open, clock=FakeClock())(OPERATOR, "5f0c", wave, "seats arrived")


def roll_back(world: World, wave: int = 2) -> None:
    RollBackWave(open_uow=world.open, clock=FakeClock())(OPERATOR, "5f0c", wave, "wrong schools")


class TestRetry:
    @pytest.mark.parametrize(
        ("failed_in", "state"),
        [
            (Phase.PREPARE, P.WAITING),
            (Phase.ENABLE, P.PREPARED),
            (Phase.RELEASE, P.ENABLED),
            (Phase.UNDO_TARGET, P.ROLLING_BACK),
            pytest.param(Phase.UNDO_SOURCE, P.RELEASED, id="the old licence comes back before the new one goes"),
        ],
    )
    def test_begins_where_they_failed(self, world: World, failed_in: Phase, state: PersonState) -> None:
        failed = {"state": P.FAILED, "failed_in": failed_in, "reason": Reason.NOT_FOUND, "wave": 2, "enabled_at": NOW}
        failed["operation_id"] = OperationId("tried")
        a_traveller(world, "emma", **failed)
        assert retry(world, 2) == 1
        emma = world.travellers[MIGRATION, SubjectId("emma")]
        assert (emma.state, emma.reason, emma.failed_in) == (state, None, None)
        assert emma.operation_id == ("tried" if state is P.WAITING else None)  # a roll back has to look at them

    def test_leaves_everybody_else_alone_and_is_looked_at_at_once(self, world: World) -> None:
        before = dict(world.travellers)
        assert retry(world) == 1
        assert {key for key, one in world.travellers.items() if one != before[key]} == {(MIGRATION, "daan")}
        assert world.migrations[MIGRATION].due_at == NOW
        assert world.kinds == ["wave.retried"]

    @pytest.mark.parametrize(("seen", "after"), [(3, 2), (1, 0), (0, 0)])
    def test_whoever_fails_anew_has_been_seen_by_nobody(self, world: World, seen: int, after: int) -> None:
        world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], failures_seen=seen)
        assert retry(world) == 1
        assert world.waves[MIGRATION, 1].failures_seen == after

    def test_says_when_nobody_failed(self, world: World) -> None:
        with pytest.raises(InputError, match="Nobody of wave 2 failed"):
            retry(world, 2)

    def test_not_after_the_end(self, world: World) -> None:
        world.migrations[MIGRATION] = msgspec.structs.replace(world.migrations[MIGRATION], state=MigrationState.ABORTED)
        with pytest.raises(InputError, match="is aborted; nothing of it is changed any more"):
            retry(world)

    @pytest.mark.parametrize(
        ("failed_in", "reason"),
        [(Phase.ENABLE, Reason.NOT_VERIFIED_IN_TIME), (Phase.UNDO_TARGET, Reason.MIGRATION_ABORTED)],
    )
    @pytest.mark.parametrize("wave", [W.GATED, W.ROLLING_BACK, W.ROLLED_BACK])
    def test_called_off_those_alone_whose_mailbox_has_moved(
        self, world: World, failed_in: Phase, reason: Reason, wave: WaveState
    ) -> None:
        changed = msgspec.structs.replace
        world.migrations[MIGRATION] = changed(world.migrations[MIGRATION], state=MigrationState.ABORTED, due_at=None)
        world.waves[MIGRATION, 2] = changed(world.waves[MIGRATION, 2], state=wave)
        failed = {"state": P.FAILED, "failed_in": failed_in, "reason": reason, "wave": 2}
        a_traveller(world, "emma", evidence=TOLD, **failed)
        a_traveller(world, "kim", **failed)
        a_traveller(world, "lea", evidence=TOLD, **failed | {"failed_in": Phase.PREPARE})
        a_traveller(world, "max", evidence=TOLD, enabled_at=NOW, **failed | {"failed_in": Phase.RELEASE})
        before = dict(world.travellers)
        assert retry(world, 2) == 1
        assert {key[1] for key, one in world.travellers.items() if one != before[key]} == {"emma"}
        assert world.travellers[MIGRATION, SubjectId("emma")].state is P.PREPARED
        assert world.waves[MIGRATION, 2].state is wave
        assert world.migrations[MIGRATION].due_at == NOW


class TestRollBackOfTheFailed:
    @staticmethod
    def back(world: World, wave: int = 2) -> int:
        return RollBackFailed(open_uow=world.open, clock=FakeClock())(OPERATOR, "5f0c", wave, "not with us")

    @pytest.mark.parametrize("failed_in", [Phase.PREPARE, Phase.ENABLE])
    def test_turns_them_round_and_nobody_else(self, world: World, failed_in: Phase) -> None:
        a_traveller(world, "emma", state=P.FAILED, failed_in=failed_in, reason=Reason.NOT_FOUND, wave=2)
        before = dict(world.travellers)
        state = world.waves[MIGRATION, 2].state
        world.waves[MIGRATION, 2] = msgspec.structs.replace(world.waves[MIGRATION, 2], failures_seen=1)
        assert self.back(world) == 1
        assert world.waves[MIGRATION, 2].failures_seen == 0  # on the way back they may fail anew
        assert {key[1] for key, one in world.travellers.items() if one != before[key]} == {"emma"}
        emma = world.travellers[MIGRATION, SubjectId("emma")]
        assert (emma.state, emma.failed_in, emma.operation_id) == (P.ROLLING_BACK, None, None)
        assert world.waves[MIGRATION, 2].state is state
        assert world.kinds == ["wave.failed_rolling_back"]

    @pytest.mark.parametrize("failed_in", [Phase.RELEASE, Phase.UNDO_SOURCE, Phase.UNDO_TARGET])
    def test_not_who_failed_later(self, world: World, failed_in: Phase) -> None:
        a_traveller(world, "emma", state=P.FAILED, failed_in=failed_in, reason=Reason.NOT_FOUND, wave=2)
        with pytest.raises(InputError, match="Nobody of wave 2 failed on the way into the target"):
            self.back(world)


class TestRollBack:
    def test_turns_the_wave_round_and_remembers_who_asked(self, world: World) -> None:
        roll_back(world)
        wave = world.waves[MIGRATION, 2]
        assert (wave.state, wave.asked_by, wave.started_by) == (W.ROLLING_BACK, OPERATOR.actor, OPERATOR.actor)
        assert world.migrations[MIGRATION].due_at == NOW
        assert world.kinds == ["wave.rolling_back"]

    @pytest.mark.parametrize(
        ("state", "after"),
        [
            (OperationState.AWAITING_APPROVAL, OperationState.CANCELLED),
            (OperationState.HELD, OperationState.CANCELLED),
            (OperationState.APPLYING, OperationState.APPLYING),
        ],
    )
    def test_nobody_of_it_is_moved_into_a_group_any_more(
        self, world: World, state: OperationState, after: OperationState
    ) -> None:
        """What writes already sees by itself that its wave goes back."""
        for name, wave in (("mine", 2), ("other", 1)):
            follows = MigrationPart(migration_id=MIGRATION, wave=wave, phase=Phase.ENABLE)
            made = worked(world, OperationId(name), Phase.ENABLE, ["emma"], state=state, kind=OperationKind.CHANGE)
            wish = msgspec.structs.replace(made.wish, part=None, follows=follows)
            world.operations[made.operation_id] = msgspec.structs.replace(made, wish=wish)
        roll_back(world)
        assert world.operations[OperationId("mine")].state is after
        assert world.operations[OperationId("other")].state is state

    @staticmethod
    def done(world: World, left_ago: timedelta) -> None:
        """The pilot is through, and the whole migration with it."""
        for number in (1, 2):
            world.waves[MIGRATION, number] = msgspec.structs.replace(world.waves[MIGRATION, number], state=W.DONE)
        world.migrations[MIGRATION] = msgspec.structs.replace(
            world.migrations[MIGRATION], state=MigrationState.COMPLETED
        )
        earlier, last = (
            record(state=StepState.VERIFIED, applied_at=NOW - left_ago - age) for age in (2 * DAY, 0 * DAY)
        )
        world.written = [replaced(one, operation_id=RELEASE) for one in (earlier, last)]

    def test_of_a_wave_that_left_the_source_is_for_thirty_days(self, world: World) -> None:
        self.done(world, left_ago=30 * DAY)
        world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], failures_seen=0)
        roll_back(world, 1)
        assert world.waves[MIGRATION, 1].state is W.ROLLING_BACK
        assert world.waves[MIGRATION, 1].failures_seen == 1  # by whoever lets a migration that was over go on
        assert world.migrations[MIGRATION].state is MigrationState.RUNNING

    def test_after_that_it_says_why_not(self, world: World) -> None:
        self.done(world, left_ago=30 * DAY + timedelta(seconds=1))
        with pytest.raises(InputError, match=r"released by 20\d\d-.* Microsoft keeps .* 30 days after that"):
            roll_back(world, 1)
        assert world.waves[MIGRATION, 1].state is W.DONE

    @pytest.mark.parametrize("state", [W.WAITING, W.DONE, W.ROLLED_BACK, W.ROLLING_BACK])
    def test_where_there_is_nothing_to_undo_it_says_so(self, world: World, state: WaveState) -> None:
        world.waves[MIGRATION, 2] = msgspec.structs.replace(world.waves[MIGRATION, 2], state=state)
        with pytest.raises(InputError, match=f"Wave 2 is {state}"):
            roll_back(world)
