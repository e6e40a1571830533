"""What a look at both tenants proved lasts a week; whoever steers the migration renews it."""

from typing import Any

import msgspec
import pytest

from provisioning.domain.actors import ANONYMOUS, Identity
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.planning.preflight import Finding, Preflight, PreflightCheck
from provisioning.services.check_wave import WaveNotReadyError
from provisioning.services.prove_wave import Proof, ProveWave, RetryProven
from provisioning.services.retry_wave import RetryWave
from tests.unit.services.fakes_access import APPROVER, AUDITOR, NOW, OPERATOR, FakeClock, World
from tests.unit.services.migration_scene import DAY, MIGRATION, a_merger, a_traveller, worked

SEEN = NOW - DAY / 24
CLEAR = Preflight(findings=(), checked_at=SEEN, people=5)
OLD = NOW - 9 * DAY


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world)
    set_wave(world, proven_at=OLD)
    return world


def set_wave(world: World, **changes: Any) -> None:
    world.waves[MIGRATION, 2] = msgspec.structs.replace(world.waves[MIGRATION, 2], **changes)


def proving(world: World, found: Preflight, looks: list[bool] | None = None) -> ProveWave:
    def check(_named: str, _number: int, *, again: bool = False) -> Preflight:
        if looks is not None:
            looks.append(again)
        return found

    return ProveWave(open_uow=world.open, clock=FakeClock(), check=check)


def prove(world: World, found: Preflight = CLEAR, identity: Identity = OPERATOR) -> Proof:
    return proving(world, found)(identity, "5f0c", 2)


def in_the_way(people: int) -> Preflight:
    return msgspec.structs.replace(CLEAR, findings=(Finding(check=PreflightCheck.TARGET_SEATS, people=people),))


class TestProving:
    def test_is_noted_with_who_looked(self, world: World) -> None:
        assert prove(world) == Proof(found=CLEAR, is_noted=True)
        assert world.waves[MIGRATION, 2].proven_at == SEEN
        assert [(one.kind, one.actor) for one in world.events] == [("wave.proven", OPERATOR.actor)]

    def test_wakes_what_waited_for_it_and_nothing_else(self, world: World) -> None:
        for operation, reason in (("dddd0001", Reason.PREFLIGHT_EXPIRED), ("dddd0002", Reason.OUTSIDE_WINDOW)):
            part = worked(world, operation, Phase.PREPARE, ["guus"], state=OperationState.APPLYING)  # type: ignore[arg-type]
            of_wave = msgspec.structs.replace(part.wish.part, wave=2)  # type: ignore[type-var]
            wish = msgspec.structs.replace(part.wish, part=of_wave)
            world.operations[part.operation_id] = msgspec.structs.replace(
                part, wish=wish, reason=reason, due_at=NOW + DAY
            )
        prove(world)
        due = {str(one.operation_id): one.due_at for one in world.operations.values() if one.due_at}
        assert (due["dddd0001"], due["dddd0002"]) == (NOW, NOW + DAY)

    def test_with_something_in_the_way_nothing_is_noted(self, world: World) -> None:
        assert not prove(world, in_the_way(1)).is_noted
        assert world.waves[MIGRATION, 2].proven_at == OLD

    @pytest.mark.parametrize("identity", [ANONYMOUS, APPROVER, AUDITOR], ids=lambda one: one.actor)
    def test_others_may_look_and_note_nothing(self, world: World, identity: Identity) -> None:
        assert prove(world, identity=identity) == Proof(found=CLEAR, is_noted=False)
        assert (world.waves[MIGRATION, 2].proven_at, world.events) == (OLD, [])

    def test_before_a_wave_begins_its_start_looks_by_itself(self, world: World) -> None:
        set_wave(world, state=WaveState.WAITING, started_by=None, go_reason="")
        assert not prove(world).is_noted

    def test_a_migration_that_was_called_off_needs_none(self, world: World) -> None:
        world.migrations[MIGRATION] = msgspec.structs.replace(world.migrations[MIGRATION], state=MigrationState.ABORTED)
        assert not prove(world).is_noted


def retry(world: World, found: Preflight, looks: list[bool] | None = None, identity: Identity = OPERATOR) -> int:
    again = RetryWave(open_uow=world.open, clock=FakeClock())
    deed = RetryProven(open_uow=world.open, prove=proving(world, found, looks), retry=again)
    return deed(identity, "5f0c", 2, "three seats were bought")


def fail(world: World, phase: Phase) -> None:
    failed = {"state": PersonState.FAILED, "failed_in": phase, "reason": Reason.SEATS_INSUFFICIENT, "wave": 2}
    a_traveller(world, "emma", **failed)


class TestTryingAgain:
    def test_from_the_start_is_proven_anew(self, world: World) -> None:
        fail(world, Phase.PREPARE)
        looks: list[bool] = []
        assert retry(world, CLEAR, looks) == 1
        assert looks == [True]
        assert world.waves[MIGRATION, 2].proven_at == SEEN
        assert world.kinds == ["wave.proven", "wave.retried"]

    def test_five_found_no_seat_and_three_were_bought(self, world: World) -> None:
        fail(world, Phase.PREPARE)
        assert retry(world, in_the_way(2)) == 1
        assert world.waves[MIGRATION, 2].proven_at == SEEN

    def test_does_not_begin_while_nobody_can_be_served(self, world: World) -> None:
        fail(world, Phase.PREPARE)
        with pytest.raises(WaveNotReadyError, match="target seats, 5 people"):
            retry(world, in_the_way(5))
        assert world.travellers[MIGRATION, SubjectId("emma")].state is PersonState.FAILED
        assert world.waves[MIGRATION, 2].proven_at == OLD

    def test_further_on_needs_no_look(self, world: World) -> None:
        fail(world, Phase.ENABLE)
        looks: list[bool] = []
        assert retry(world, in_the_way(5), looks) == 1
        assert looks == []

    def test_of_a_wave_that_had_ended_is_proven_as_well(self, world: World) -> None:
        fail(world, Phase.PREPARE)
        set_wave(world, state=WaveState.DONE)
        world.migrations[MIGRATION] = msgspec.structs.replace(
            world.migrations[MIGRATION], state=MigrationState.COMPLETED
        )
        assert retry(world, CLEAR) == 1
        assert world.waves[MIGRATION, 2].proven_at == SEEN

    def test_says_the_same_as_ever_where_nothing_can_be_tried(self, world: World) -> None:
        with pytest.raises(InputError, match="Nobody of wave 2 failed"):
            retry(world, CLEAR)

    def test_is_for_who_steers_it(self, world: World) -> None:
        fail(world, Phase.PREPARE)
        looks: list[bool] = []
        with pytest.raises(NotAllowedError):
            retry(world, CLEAR, looks, AUDITOR)
        assert looks == []
