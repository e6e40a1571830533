"""Engines away, a broker flushed, workers sent home, everything stopped: nothing is lost, nothing is half done."""

import pytest

from provisioning.domain.lifecycle import OperationState, StepState
from tests.journeys.customers import A3, Customer
from tests.journeys.furniture import Town
from tests.journeys.misfortune import QUEUES, WORKER, Engineer, beat_command, frozen, pool_of
from tests.journeys.patience import let_pass, until
from tests.journeys.promises import check_promises

_LATENCY = 0.1  # real seconds that Graph takes for an answer: time for something to happen meanwhile
_A_MINUTE = 60  # seconds of the twin
_AWAY = 2.5  # real seconds without an engine


@pytest.fixture(scope="module", autouse=True)
def unhurried(town: Town) -> None:
    town.control.set_switches(latency_seconds=_LATENCY)


def test_broker_flushed_with_work_queued(town: Town) -> None:
    schools = [town.school(30) for _ in range(4)]
    keys = [town.order(school, 30) for school in schools]
    until(lambda: town.operations(keys[0]), "the first operation")
    for _ in range(6):
        town.services.redis.flushall()
        let_pass(0.2)
    for school, key in zip(schools, keys, strict=True):
        assert town.await_end(key).state is OperationState.COMPLETED
        check_promises(town, school, goal=A3)


def test_two_beats_do_what_one_does(town: Town) -> None:
    town.world.start("beat too", beat_command())
    school = town.school(30, is_proven=False)
    key = town.order(school, 30)
    assert town.await_end(key).state is OperationState.COMPLETED
    assert len(town.operations(key)) == 1
    check_promises(town, school, goal=A3)
    town.world.kill("beat too")


def test_postgresql_is_stopped_and_started_in_the_middle(town: Town, engineer: Engineer) -> None:
    school = town.school(60, is_proven=False)
    key = town.order(school, 60)
    until(lambda: town.writes(school), "the first write")
    with engineer.without_postgres():
        let_pass(_AWAY)
    town.services.close()  # our own window on it was shut too
    assert town.await_end(key, within=90).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set(school.people)
    check_promises(town, school, goal=A3)


def test_valkey_is_killed_and_comes_back_empty_in_the_middle(town: Town, engineer: Engineer) -> None:
    school = town.school(60, is_proven=False)
    key = town.order(school, 60)
    until(lambda: town.writes(school), "the first write")
    with engineer.without_valkey():
        let_pass(_AWAY)
    assert town.await_end(key, within=90).state is OperationState.COMPLETED
    check_promises(town, school, goal=A3)


def test_the_shop_is_away_and_its_orders_come_when_it_is_back(town: Town, engineer: Engineer) -> None:
    school, later = town.school(12), town.school(12)
    key = town.order(school, 12)
    until(lambda: town.operations(key), "an operation")
    with engineer.without_shop():
        assert town.await_end(key).state is OperationState.COMPLETED
        let_pass(_AWAY)
    town.services.close()  # our own window on it was shut too
    assert town.await_end(town.order(later, 12)).state is OperationState.COMPLETED
    check_promises(town, school, goal=A3)
    check_promises(town, later, goal=A3)


def test_graph_does_not_answer_at_the_start_nor_in_the_middle(town: Town) -> None:
    school = town.school(60, is_proven=False)
    with frozen(town.world.sandbox.pid):
        key = town.order(school, 60)
        until(lambda: town.operations(key), "an operation")
        let_pass(_AWAY)
    until(lambda: town.writes(school), "the first write")
    with frozen(town.world.sandbox.pid):
        let_pass(_AWAY)
    assert town.await_end(key, within=90).state is OperationState.COMPLETED
    check_promises(town, school, goal=A3)


def test_a_worker_that_is_asked_to_end_finishes_its_chunk(town: Town) -> None:
    school = town.school(120)
    key = town.order(school, 120)
    until(lambda: _steps(town, school).get(StepState.IN_FLIGHT), "a chunk under way")
    worker = town.world.children.pop(WORKER)
    worker.terminate()
    assert worker.wait(30) == 0
    assert not _steps(town, school).get(StepState.IN_FLIGHT)
    assert not _steps(town, school).get(StepState.UNKNOWN)
    town.world.start_worker(WORKER, QUEUES)
    assert town.await_end(key).state is OperationState.COMPLETED
    check_promises(town, school, goal=A3)


@pytest.mark.slow
def test_a_killed_main_process_takes_its_pool_with_it(town: Town) -> None:
    pool = pool_of(town.world)
    main = town.world.children.pop(WORKER)
    main.kill()
    main.wait()
    until(lambda: not any(process.is_running() for process in pool), "the end of the pool", within=15)
    town.world.start_worker(WORKER, QUEUES)
    school = town.school(6)
    assert town.await_end(town.order(school, 6)).state is OperationState.COMPLETED


def test_stop_takes_effect_at_once_and_resume_goes_on_exactly_there(town: Town) -> None:
    school = town.school(60)
    crowd = town.control.add_fault(
        "throttle", tenant=school.tenant, route="assignLicense", after=20, retryAfter=_A_MINUTE
    )
    key = town.order(school, 60)
    until(lambda: town.writes(school) == 20, "a third of the people")
    town.command("stop", "--all", "--reason", "a rehearsal")
    town.control.clear_faults(crowd["id"])
    let_pass(_AWAY)
    assert town.writes(school) == 20
    assert town.operations(key)[-1].state is OperationState.APPLYING
    town.command("resume", "--all")
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set(school.people)
    check_promises(town, school, goal=A3)


def _steps(town: Town, customer: Customer) -> dict[StepState, int]:
    with town.services.open_uow() as uow:
        found = uow.operations.list_by(tenant=customer.tenant)
        return uow.journal.step_counts(found[0].operation_id) if found else {}
