"""Go or no-go: what keeps a wave from beginning, and its people from leaving the source."""

from datetime import timedelta
from typing import Any, Never

import msgspec
import pytest

from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import MigrationId
from provisioning.domain.migration import Situation, Wave
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.services.start_wave import ReleaseWave, StartWave
from tests.unit.services.fakes_access import APPROVER, NOW, OPERATOR, FakeClock, World
from tests.unit.services.migration_scene import DAY, MIGRATION, a_merger, a_traveller

CHECKED = NOW - timedelta(minutes=20)  # the oldest observation that a check rests on
P, W, M = PersonState, WaveState, MigrationState


@pytest.fixture
def world() -> World:
    """Matched, everybody explained and in a wave; nothing has begun."""
    world = World()
    a_merger(world, state=M.MATCHED)
    world.operations.clear()
    world.travellers.clear()
    for number in (1, 2):
        waiting(world, number)
        for name in ("anne", "bram"):
            a_traveller(world, f"{name}-{number}", wave=number)
    return world


def waiting(world: World, number: int) -> None:
    world.waves[MIGRATION, number] = Wave(migration_id=MIGRATION, number=number, entered_at=NOW)


def set_wave(world: World, number: int, **changes: Any) -> None:
    world.waves[MIGRATION, number] = msgspec.structs.replace(world.waves[MIGRATION, number], **changes)


def set_people(world: World, wave: int, **changes: Any) -> None:
    for key, one in world.travellers.items():
        if one.wave == wave:
            world.travellers[key] = msgspec.structs.replace(one, **changes)


def start(world: World, number: int = 1, reason: str = "", check: Any = lambda _migration, _wave: CHECKED) -> Wave:
    return StartWave(open_uow=world.open, clock=FakeClock(), check=check)(OPERATOR, "5f0c", number, reason)


class TestStarting:
    def test_the_pilot_begins_and_the_migration_runs(self, world: World) -> None:
        started = start(world)
        assert (started.state, started.started_by, started.asked_by) == (W.PREPARING, OPERATOR.actor, OPERATOR.actor)
        assert started.proven_at == world.waves[MIGRATION, 1].proven_at == CHECKED
        migration = world.migrations[MIGRATION]
        assert (migration.state, migration.due_at) == (M.RUNNING, NOW)
        assert world.kinds == ["wave.started"]

    def test_not_with_people_of_another_migration(self, world: World) -> None:
        """Two that were matched at the same moment did not see each other."""
        other = MigrationId("another")
        world.migrations[other] = msgspec.structs.replace(world.migrations[MIGRATION], migration_id=other)
        one = a_traveller(world, "anne-1", wave=1)
        world.travellers[other, one.source_id] = msgspec.structs.replace(one, migration_id=other)
        with pytest.raises(InputError, match=r"1 of Fusie Noord en Zuid \(another\)"):
            start(world)

    def test_both_tenants_are_looked_at_before_and_nothing_begins_when_something_is_in_the_way(
        self, world: World
    ) -> None:
        seen: list[tuple[MigrationId, int]] = []

        def check(migration: MigrationId, wave: int) -> Never:
            seen.append((migration, wave))
            raise InputError("Wave 1 cannot begin: target seats.")

        with pytest.raises(InputError, match="target seats"):
            start(world, check=check)
        assert seen == [(MIGRATION, 1)]
        assert world.waves[MIGRATION, 1].state is W.WAITING
        assert world.events == []

    def test_not_while_a_situation_is_unexplained(self, world: World) -> None:
        a_traveller(world, "cato", wave=1, situation=Situation.DISPUTED, target_id=None)
        with pytest.raises(InputError, match="1 disputed: nobody said what happens with them"):
            start(world)

    def test_not_while_somebody_is_in_no_wave(self, world: World) -> None:
        a_traveller(world, "cato", wave=0)
        with pytest.raises(InputError, match="1 people are in no wave"):
            start(world)

    def test_not_twice(self, world: World) -> None:
        start(world)
        with pytest.raises(InputError, match="was started by person:duty already"):
            start(world)

    @pytest.mark.parametrize("state", [M.NEW, M.PAUSED, M.ABORTED, M.COMPLETED])
    def test_not_unless_it_is_matched_and_goes_on(self, world: World, state: MigrationState) -> None:
        world.migrations[MIGRATION] = msgspec.structs.replace(world.migrations[MIGRATION], state=state)
        with pytest.raises(InputError, match=f"is {state}: no wave can begin"):
            start(world)

    def test_not_before_its_day(self, world: World) -> None:
        migration = world.migrations[MIGRATION]
        waves = [msgspec.structs.replace(one, not_before=NOW + DAY) for one in migration.definition.waves]
        definition = msgspec.structs.replace(migration.definition, waves=tuple(waves))
        world.migrations[MIGRATION] = msgspec.structs.replace(migration, definition=definition)
        with pytest.raises(InputError, match="may not begin before"):
            start(world)

    def test_there_has_to_be_such_a_wave(self, world: World) -> None:
        with pytest.raises(InputError, match="has no wave 7; it has 1, 2"):
            start(world, 7)

    def test_needs_an_operator(self, world: World) -> None:
        with pytest.raises(NotAllowedError):
            StartWave(open_uow=world.open, clock=FakeClock(), check=lambda *_: NOW)(APPROVER, "5f0c", 1, "")


class TestAfterThePilot:
    @pytest.mark.parametrize("state", [P.WAITING, P.PREPARING, P.PREPARED, P.ENABLING])
    def test_not_before_all_of_the_pilot_have_arrived_or_failed(self, world: World, state: PersonState) -> None:
        set_people(world, 1, state=state)
        with pytest.raises(InputError, match=r"The pilot of .* is not through: 2 of its 2 people"):
            start(world, 2, "looks good")

    @pytest.mark.parametrize("state", [P.ENABLED, P.RELEASED, P.FAILED, P.ROLLED_BACK])
    def test_a_person_says_go_with_a_reason(self, world: World, state: PersonState) -> None:
        set_people(world, 1, state=state)
        assert start(world, 2, "looks good").go_reason == "looks good"

    def test_and_not_without(self, world: World) -> None:
        set_people(world, 1, state=P.ENABLED)
        with pytest.raises(InputError, match="Going on after the pilot needs a reason"):
            start(world, 2)


class TestReleasing:
    @pytest.fixture(autouse=True)
    def arrived(self, world: World) -> None:
        world.migrations[MIGRATION] = msgspec.structs.replace(world.migrations[MIGRATION], state=M.RUNNING)
        set_wave(world, 1, state=W.HOLDING, started_by=OPERATOR.actor, go_reason="")
        set_people(world, 1, state=P.ENABLED, enabled_at=NOW - timedelta(days=30))

    @staticmethod
    def release(world: World, reason: str = "mail works") -> Wave:
        return ReleaseWave(open_uow=world.open, clock=FakeClock())(OPERATOR, "5f0c", 1, reason)

    def test_begins_when_the_hold_period_has_passed(self, world: World) -> None:
        assert self.release(world).state is W.RELEASING
        assert world.kinds == ["wave.releasing"]
        assert world.migrations[MIGRATION].due_at == NOW

    def test_not_a_second_before(self, world: World) -> None:
        set_people(world, 1, enabled_at=NOW - timedelta(days=30, seconds=-1))
        with pytest.raises(InputError, match="The hold period of wave 1 runs until"):
            self.release(world)
        assert world.waves[MIGRATION, 1].state is W.HOLDING

    @pytest.mark.parametrize("state", sorted(set(W) - {W.HOLDING}))
    def test_only_when_everybody_has_arrived(self, world: World, state: WaveState) -> None:
        set_wave(world, 1, state=state)
        with pytest.raises(InputError, match=f"Wave 1 is {state}"):
            self.release(world)

    def test_not_while_it_is_paused(self, world: World) -> None:
        world.migrations[MIGRATION] = msgspec.structs.replace(world.migrations[MIGRATION], state=M.PAUSED)
        with pytest.raises(InputError, match="the migration paused"):
            self.release(world)

    def test_not_for_nobody(self, world: World) -> None:
        set_people(world, 1, state=P.FAILED)
        with pytest.raises(InputError, match="Nobody of wave 1 has arrived"):
            self.release(world)

    def test_needs_a_reason(self, world: World) -> None:
        with pytest.raises(InputError, match="Releasing the source needs a reason"):
            self.release(world, "")
