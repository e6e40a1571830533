from datetime import timedelta

import pytest

from config.limits import default_limits
from provisioning.domain.errors import UnavailableError
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner
from provisioning.services.show_worklist import ShowWorklist
from provisioning.services.watch_clock import WatchClock, clocks_off
from tests.unit.services.fakes_access import NOW, FakeClock, World

LIMITS = default_limits()
EVERY = LIMITS.clock_checked_every.total_seconds()


class Machine:
    """A worker whose clock can be set, and time that passes for it."""

    def __init__(self, world: World, name: str = "left") -> None:
        self.world = world
        self.behind = timedelta(0)
        self.looks = 0
        self.passed = 0.0
        self.is_database_away = False
        self.watch = WatchClock(
            measure=self._measure,
            open_uow=world.open,
            clock=self,
            limits=LIMITS,
            machine=name,
            elapsed=lambda: self.passed,
        )

    def now(self) -> object:
        return NOW - self.behind

    wall = now

    def _measure(self) -> timedelta:
        if self.is_database_away:
            raise UnavailableError("away")
        self.looks += 1
        return self.behind

    def works(self, after: float = EVERY) -> bool:
        self.passed += after
        try:
            self.watch()
        except UnavailableError:
            return False
        return True

    def set(self, seconds: float) -> None:
        self.behind = timedelta(seconds=seconds)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def machine(world: World) -> Machine:
    return Machine(world)


class TestLooking:
    @pytest.mark.parametrize(
        ("seconds", "works"), [(0, True), (2, True), (-2, True), (2.001, False), (-2.001, False), (3600, False)]
    )
    def test_two_seconds_either_way_are_allowed(self, machine: Machine, seconds: float, *, works: bool) -> None:
        machine.set(seconds)
        assert machine.works() is works

    def test_between_looks_the_last_answer_holds(self, machine: Machine) -> None:
        assert machine.works()
        machine.set(60)
        assert machine.works(after=EVERY - 0.1)
        assert not machine.works(after=0.1)
        machine.set(0)
        assert not machine.works(after=EVERY - 0.1)
        assert machine.works(after=0.1)
        assert machine.looks == 3

    def test_the_sentence_says_which_clock_how_far_and_what_to_do(self, machine: Machine) -> None:
        machine.set(-75.25)
        with pytest.raises(UnavailableError, match=r"The clock of left .* 75\.2 s \(2 s is allowed\).*NTP"):
            machine.watch()

    def test_a_database_that_is_away_is_asked_again_at_once(self, machine: Machine) -> None:
        machine.is_database_away = True
        assert not machine.works()
        machine.is_database_away = False
        assert machine.works(after=0)


class TestTelling:
    def test_is_on_the_work_list_of_the_administrators_while_it_lasts(self, world: World, machine: Machine) -> None:
        machine.set(30)
        machine.works()
        (item,) = ShowWorklist(open_uow=world.open, clock=FakeClock(), limits=LIMITS)()
        assert (item.subject, item.reason, item.owner) == ("clock of left", Reason.CLOCK_SKEW, Owner.ADMIN)
        machine.set(0)
        machine.works()
        assert ShowWorklist(open_uow=world.open, clock=FakeClock(), limits=LIMITS)() == []

    def test_is_on_record_once_in_the_time_of_the_database(self, world: World, machine: Machine) -> None:
        machine.set(30)
        assert [machine.works() for _ in range(3)] == [False] * 3
        machine.set(0)
        assert [machine.works() for _ in range(3)] == [True] * 3
        assert world.kinds == ["clock.drifted", "clock.corrected"]
        drifted, corrected = world.events
        assert (drifted.at, drifted.reason) == (NOW, Reason.CLOCK_SKEW)
        assert drifted.details == {"machine": "left", "seconds": "30.0"}
        assert corrected.at == NOW

    def test_several_workers_of_one_machine_say_it_once(self, world: World) -> None:
        workers = [Machine(world), Machine(world)]
        for seconds in (30, 0):
            for worker in workers:
                worker.set(seconds)
                worker.works()
        assert world.kinds == ["clock.drifted", "clock.corrected"]
        assert world.leases == {}

    def test_a_machine_speaks_for_itself_only(self, world: World, machine: Machine) -> None:
        machine.set(30)
        machine.works()
        assert Machine(world, "right").works()
        with world.open() as uow:
            assert clocks_off(uow) == ["left"]

    def test_it_goes_on_saying_so_and_falls_silent_when_it_is_gone(self, world: World, machine: Machine) -> None:
        machine.set(30)
        machine.works()
        (lease,) = world.leases.values()
        assert timedelta(seconds=EVERY) * 2 < lease.expires_at - NOW <= timedelta(minutes=1)

    def test_a_worker_that_starts_with_a_right_clock_takes_back_what_was_said(
        self, world: World, machine: Machine
    ) -> None:
        machine.set(30)
        machine.works()
        assert Machine(world).works()
        assert world.leases == {}

    def test_a_right_clock_writes_nothing(self, world: World, machine: Machine) -> None:
        assert [machine.works() for _ in range(3)] == [True] * 3
        assert (world.events, world.leases) == ([], {})
