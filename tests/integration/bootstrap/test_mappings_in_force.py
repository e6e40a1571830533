"""Every process has the mappings that are in force, those that were running as well as those that start."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mappings.loader import COLUMNS, OURS, load_mappings
from provisioning.bootstrap import Services
from provisioning.domain.actors import Identity, Role
from provisioning.domain.catalogue import Mappings
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import Actor
from provisioning.planning.configuration import describe_mappings, pack_mappings
from tests.factories.remaps import mappings_with, remap, sku

MAPPINGS = ConfigurationKind.MAPPINGS
A1, A3, A5 = sku("STANDARDWOFFPACK_FACULTY"), sku("M365EDU_A3_FACULTY"), sku("M365EDU_A5_FACULTY")
SECOND, THIRD = mappings_with(remap(A1, A3)), mappings_with(remap(A1, A5))
FIRST = load_mappings()
Make = Callable[..., Services]


def person(handle: str, *roles: Role) -> Identity:
    return Identity(actor=Actor(f"person:{handle}"), roles=frozenset(roles))


DUTY, SECOND_PERSON, ADMIN = person("duty", Role.OPERATOR), person("second", Role.APPROVER), person("a", Role.ADMIN)


def propose(services: Services, mappings: Mappings) -> None:
    services.propose_configuration(DUTY, describe_mappings(mappings), "next year", pack_mappings(mappings))


def activate(services: Services, mappings: Mappings) -> None:
    propose(services, mappings)
    services.approve_configuration(SECOND_PERSON, mappings.digest)


@pytest.fixture
def worker(installation: Make) -> Services:
    """The first process of an installation: its files are installed."""
    made = installation()
    assert made.check_configuration() == {}
    return made


class TestTakingUp:
    def test_a_running_process_takes_up_what_was_approved_and_what_came_back(
        self, worker: Services, installation: Make
    ) -> None:
        desk = installation()
        activate(desk, SECOND)
        assert set(worker.check_configuration()) == {MAPPINGS}  # this task leaves the work alone
        assert worker.check_configuration() == {}  # the next has what is in force
        assert worker.mappings == SECOND
        desk.roll_back_configuration(ADMIN, "people lost Exchange")
        assert set(worker.check_configuration()) == {MAPPINGS}
        assert worker.check_configuration() == {}
        assert worker.mappings == FIRST

    def test_use_cases_are_built_with_it_and_connections_stay(self, worker: Services, installation: Make) -> None:
        engine, judge = worker.engine, worker.judge_lines
        activate(installation(), SECOND)
        worker.check_configuration()
        assert worker.engine is engine
        assert worker.judge_lines is not judge
        assert worker.gather_order is worker.gather_order

    def test_nobody_is_told_of_a_process_that_heals_itself(self, worker: Services, installation: Make) -> None:
        activate(installation(), SECOND)
        worker.check_configuration()
        assert [item.subject for item in worker.show_worklist()] == []

    def test_a_process_that_starts_has_what_is_in_force_whatever_its_files_say(
        self, worker: Services, installation: Make, tmp_path: Path
    ) -> None:
        activate(worker, SECOND)
        for file in COLUMNS:
            shutil.copy(OURS / file, tmp_path / file)
        (tmp_path / "remaps.csv").write_text("the wrong,columns\n", "utf-8")
        started = installation(mappings_folder=tmp_path)
        assert started.mappings == SECOND
        assert started.check_configuration() == {}

    def test_what_was_never_kept_is_read_from_the_files(self, worker: Services, installation: Make) -> None:
        worker.propose_configuration(DUTY, describe_mappings(SECOND), "next year")
        worker.approve_configuration(SECOND_PERSON, SECOND.digest)
        started = installation()
        assert started.mappings == FIRST
        assert set(started.check_configuration()) == {MAPPINGS}
        assert [item.subject for item in started.show_worklist()] == [f"mappings {FIRST.digest[:8]}"]

    def test_what_is_kept_is_small_and_soon_read(self, worker: Services) -> None:
        """A start must not wait for it: 60 kB at most, a tenth of a second at most for the whole way."""
        assert len(pack_mappings(FIRST)) < 60_000
        started = time.perf_counter()
        vars(worker).pop("mappings")
        assert worker.mappings == FIRST
        assert time.perf_counter() - started < 1.0


class TestRaces:
    @pytest.mark.parametrize("_", range(3))
    def test_activation_against_rollback_leaves_one_version_that_two_persons_approved(
        self, worker: Services, installation: Make, _: int
    ) -> None:
        activate(worker, SECOND)
        propose(worker, THIRD)
        ready = Barrier(2)

        def decide(deed: Callable[[Services], object]) -> bool:
            services = installation()
            ready.wait(timeout=10)
            try:
                deed(services)
            except (ConflictError, InputError):
                return False
            return True

        deeds: list[Callable[[Services], object]] = [
            lambda services: services.roll_back_configuration(ADMIN, "people lost Exchange"),
            lambda services: services.approve_configuration(SECOND_PERSON, THIRD.digest),
        ]
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(decide, deeds))
        with worker.open_uow() as uow:
            in_force = uow.configuration.in_force()[MAPPINGS]
            assert len([each for each in uow.configuration.list_all() if each.is_in_force]) == 2  # and the limits
        assert any(done)
        # whole one after the other: a rollback goes back one step from whatever it found
        assert in_force.digest in {FIRST.digest, SECOND.digest, THIRD.digest}
        assert in_force.is_rollback or in_force.approved_by == SECOND_PERSON.actor
        worker.check_configuration()
        assert worker.check_configuration() == {}
        assert worker.mappings.digest == in_force.digest

    def test_two_who_roll_back_at_once_go_back_one_step(self, worker: Services, installation: Make) -> None:
        activate(worker, SECOND)
        activate(worker, THIRD)
        ready = Barrier(2)

        def decide(identity: Identity) -> bool:
            services = installation()
            ready.wait(timeout=10)
            try:
                services.roll_back_configuration(identity, "people lost Exchange")
            except (ConflictError, InputError):
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(decide, (DUTY, ADMIN)))
        assert sorted(done) == [False, True]
        worker.check_configuration()
        assert worker.mappings == SECOND
