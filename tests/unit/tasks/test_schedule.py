from datetime import timedelta

import pytest
from celery.schedules import crontab

from config.settings import Settings
from tasks import sweeps
from tasks.app import app
from tasks.schedule import NIGHTLY, rounds, schedule_for

SETTINGS = Settings.model_construct(clock_factor=1.0, collect_seconds=2.0)


class TestSchedule:
    def test_names_only_tasks_that_exist(self) -> None:
        assert sweeps.__name__ in app.conf.include
        assert {entry["task"] for entry in schedule_for(SETTINGS).values()} <= set(app.tasks)

    def test_makes_every_round(self) -> None:
        scheduled = {entry["task"] for entry in schedule_for(SETTINGS).values()}
        assert scheduled == {name for name in app.tasks if name.startswith("sweeps.")}

    @pytest.mark.parametrize("name", rounds(SETTINGS))
    def test_a_round_is_dropped_when_the_next_is_due(self, name: str) -> None:
        entry = schedule_for(SETTINGS)[name]
        assert entry["options"]["expires"] == entry["schedule"].total_seconds()

    def test_due_operations_are_looked_for_every_second(self) -> None:
        assert rounds(SETTINGS)["requeue_operations"] == timedelta(seconds=1)

    def test_orders_are_collected_as_often_as_the_installation_says(self) -> None:
        settings = Settings.model_construct(collect_seconds=30.0)
        assert rounds(settings)["collect_orders"] == timedelta(seconds=30)

    def test_waiting_lists_keep_pace_with_a_fast_clock(self) -> None:
        settings = Settings.model_construct(clock_factor=60.0)
        assert rounds(settings)["serve_waiting"] == timedelta(seconds=15)

    @pytest.mark.parametrize("name", NIGHTLY)
    def test_the_long_rounds_are_made_at_night(self, name: str) -> None:
        night = schedule_for(SETTINGS)[name]["schedule"]
        assert isinstance(night, crontab)
        assert (night.hour, night.minute) == ({3}, {10})
