"""A worker whose clock goes wrong while it works, on a real database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from config.limits import default_limits
from provisioning.database.engine import measure_skew
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import UnavailableError
from provisioning.services.watch_clock import WatchClock, clocks_off


class SettableClock:
    """The machine's clock, and a hand that sets it."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    wall = now


@pytest.mark.parametrize("hours", [-5, 5], ids=["behind", "ahead"])
def test_work_ends_while_the_clock_is_off_and_goes_on_by_itself(engine: Engine, hours: int) -> None:
    clock, passed = SettableClock(), iter(range(0, 1000, 10))
    watch = WatchClock(
        measure=lambda: measure_skew(engine, clock),
        open_uow=lambda: SqlUnitOfWork(engine),
        clock=clock,
        limits=default_limits(),
        machine="left",
        elapsed=lambda: float(next(passed)),
    )
    watch()
    clock.ahead = timedelta(hours=hours)
    for _ in range(2):
        with pytest.raises(UnavailableError, match="The clock of left"):
            watch()
    with SqlUnitOfWork(engine) as uow:
        assert clocks_off(uow) == ["left"]
    clock.ahead = timedelta(0)
    watch()
    with SqlUnitOfWork(engine) as uow:
        assert clocks_off(uow) == []
        events = uow.audit.list_by()
    assert [event.kind for event in events] == ["clock.drifted", "clock.corrected"]
    assert all(abs(event.at - datetime.now(UTC)) < timedelta(minutes=1) for event in events)
