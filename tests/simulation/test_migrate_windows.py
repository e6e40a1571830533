"""Hours at which a migration may write: they end in its middle, the clock is changed, a holiday begins."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.calendar import AMSTERDAM, dutch_day
from provisioning.domain.migration import KEPT_UNLICENSED, Phase, Window
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.reasons import Reason
from tests.simulation.board import Board
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import check_ended
from tests.simulation.schools import Schools
from tests.simulation.two_tenants import LAGS, fair, rough
from tests.simulation.weather import Weather
from tests.simulation.world import BEGINNING

MAPPINGS = load_mappings()


def _moved(window: Window, begins_at: datetime, weather: Weather, seed: int = 1) -> MergerWorld:
    """Whoever it is, the first is written alone: so there is always a second one to come too late."""
    schools = Schools(window=window, begins_at=begins_at)
    world = MergerWorld(seed, MAPPINGS, weather, schools=schools)
    world.limits = msgspec.structs.replace(world.limits, first_people=1)
    assert world.run_through() is MigrationState.COMPLETED
    check_ended(world)  # no write outside the window is among what it checks
    assert {one.state for one in world.travellers} == {PersonState.RELEASED}
    return world


def _written_in(world: MergerWorld, phase: Phase) -> list[datetime]:
    operations = {one.operation_id for one in world.operations_in(phase)}
    tried = world.database.rows.tried
    return [write.at for write in world.graph.writes if tried[write.attempt].operation_id in operations]


def _local(moment: datetime) -> str:
    return moment.astimezone(AMSTERDAM).isoformat(timespec="hours")


class TestHours:
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_end_in_the_middle_and_who_was_too_late_is_written_when_they_begin_again(self, lag: timedelta) -> None:
        nights = Window(from_hour=22, until_hour=6)
        world = _moved(nights, datetime(2026, 11, 3, 4, 59, 58, tzinfo=UTC), fair(lag))  # two seconds before six
        prepared = _written_in(world, Phase.PREPARE)
        assert prepared[0] < datetime(2026, 11, 3, 5, tzinfo=UTC)
        assert prepared[1] >= datetime(2026, 11, 3, 21, tzinfo=UTC)

    @pytest.mark.parametrize("seed", range(3))
    def test_hold_on_any_bad_day(self, seed: int) -> None:
        nights = Window(from_hour=22, until_hour=6)
        _moved(nights, datetime(2026, 11, 3, 4, 59, 58, tzinfo=UTC), rough(LAGS[seed]), seed)

    def test_until_they_begin_whoever_asks_is_told_why_nothing_happens(self) -> None:
        schools = Schools(window=Window(from_hour=20, until_hour=22))
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=schools)
        world.run_through(timedelta(hours=1))
        [operation] = world.operations
        assert operation.reason is Reason.OUTSIDE_WINDOW
        assert operation.due_at == datetime(2026, 11, 2, 19, tzinfo=UTC)
        assert not world.graph.writes


class TestTheClockChange:
    def test_an_hour_that_comes_twice_counts_twice(self) -> None:
        window = Window(from_hour=2, until_hour=3)
        world = _moved(window, datetime(2026, 10, 25, 0, 59, 57, tzinfo=UTC), fair(LAGS[0]))  # at the end of the first
        prepared = _written_in(world, Phase.PREPARE)
        that_night = {_local(at) for at in prepared if dutch_day(at).day == 25}
        assert that_night == {"2026-10-25T02+02:00", "2026-10-25T02+01:00"}

    def test_an_hour_that_never_comes_is_waited_for_until_the_next_night(self) -> None:
        window = Window(from_hour=2, until_hour=3)
        the_night = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)  # in which the clock goes from two to three
        world = _moved(window, the_night, fair(LAGS[0]))
        assert _local(_written_in(world, Phase.PREPARE)[0]) == "2027-03-29T02+02:00"


HOLIDAY = min(
    (one for one in MAPPINGS.school_holidays if one.region == "noord" and one.starts_at > BEGINNING),
    key=lambda one: one.starts_at,
)
AFTER_IT = datetime.combine(HOLIDAY.last_day + timedelta(days=3), time(12), tzinfo=UTC)


class TestHolidays:
    def test_writes_wait_for_the_holiday_of_the_region(self) -> None:
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=Schools(window=Window(region="noord")))
        world.run_through(HOLIDAY.starts_at - BEGINNING + timedelta(hours=1))
        assert world.graph.writes
        assert all(HOLIDAY.includes(dutch_day(write.at)) for write in world.graph.writes)

    def test_a_mailbox_that_has_moved_after_it_waits_for_no_other_one(self) -> None:
        """The next is more than thirty days away: Microsoft would have deleted the mailbox. All else waits for it."""
        assert next_holiday_after(AFTER_IT) - AFTER_IT > KEPT_UNLICENSED
        schools, board = Schools(window=Window(region="noord")), Board(no_mailbox_before=AFTER_IT)
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=schools, board=board)
        assert world.run_through() is MigrationState.COMPLETED
        check_ended(world)  # no write outside the window but of mailboxes is among what it checks
        assert {one.state for one in world.travellers} == {PersonState.RELEASED}
        enabled = _written_in(world, Phase.ENABLE)
        assert AFTER_IT <= enabled[0] < AFTER_IT + timedelta(hours=1)


def next_holiday_after(moment: datetime) -> datetime:
    return min(one.starts_at for one in MAPPINGS.school_holidays if one.region == "noord" and one.starts_at > moment)
