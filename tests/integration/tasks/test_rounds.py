from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from tasks.rounds import only_one

Open = Callable[[], SqlUnitOfWork]


class SteppingClock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 9, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


class TestOnlyOne:
    def test_the_first_makes_the_round_and_the_second_does_not(self, open_uow: Open, clock: SteppingClock) -> None:
        with (
            only_one(open_uow, clock, "relay", "one") as first,
            only_one(open_uow, clock, "relay", "two") as second,
        ):
            assert (first, second) == (True, False)

    def test_different_rounds_do_not_wait_for_each_other(self, open_uow: Open, clock: SteppingClock) -> None:
        with only_one(open_uow, clock, "relay", "one"), only_one(open_uow, clock, "seal", "two") as other:
            assert other

    def test_the_next_round_may_be_anybodys(self, open_uow: Open, clock: SteppingClock) -> None:
        with only_one(open_uow, clock, "relay", "one"):
            pass
        with only_one(open_uow, clock, "relay", "two") as next_one:
            assert next_one

    def test_a_round_that_failed_holds_up_nobody(self, open_uow: Open, clock: SteppingClock) -> None:
        with pytest.raises(KeyError), only_one(open_uow, clock, "relay", "one"):
            raise KeyError
        with only_one(open_uow, clock, "relay", "two") as next_one:
            assert next_one

    def test_a_killed_round_holds_up_the_next_for_ten_seconds(self, open_uow: Open, clock: SteppingClock) -> None:
        with open_uow() as uow:
            uow.leases.take("sweep:relay", "killed", clock.wall(), timedelta(seconds=10))
            uow.commit()
        with only_one(open_uow, clock, "relay", "two") as too_early:
            assert not too_early
        clock.moment += timedelta(seconds=10)
        with only_one(open_uow, clock, "relay", "two") as in_time:
            assert in_time
