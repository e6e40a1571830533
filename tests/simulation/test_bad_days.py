"""Bad days that no single fault explains: what lags, what is refused, and what somebody else does in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.errors import ActionRequiredError, PermanentError
from provisioning.domain.ids import Actor, OperationId, SubjectId, TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.observation import Census, Person
from provisioning.domain.operation import Attempt, Outcome, Receipt
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.services.retry_operation import go_on
from tests.simulation.promises import check_all
from tests.simulation.weather import Weather
from tests.simulation.world import A3, TENANT, World

MAPPINGS = load_mappings()


def _states_entered(world: World) -> int:
    return sum(event.kind.startswith("operation.") for event in world.database.rows.events)


class TestWaitingForAReplica:
    @pytest.mark.parametrize("lag", [15, 300])
    def test_the_first_people_are_waited_for_without_going_back_and_forth(self, lag: int) -> None:
        world = World(5, MAPPINGS, Weather(), people=60, seats=80)
        _all_replicas_lag(world, timedelta(seconds=lag))
        assert world.run() is OperationState.COMPLETED
        check_all(world)
        assert _states_entered(world) < 12

    def test_what_was_refused_for_now_and_what_is_not_seen_yet_are_waited_for_together(self) -> None:
        world = World(5, MAPPINGS, Weather(throttled=0.3, lag=timedelta(seconds=15)), people=60, seats=80)
        assert world.run() is OperationState.COMPLETED
        check_all(world)
        assert _states_entered(world) < 30


def _all_replicas_lag(world: World, lag: timedelta) -> None:
    graph = world.graph

    def as_read(subject: SubjectId) -> Person:
        as_of = world.clock.now() - lag
        return next(person for at, person in reversed(graph.versions[subject]) if at <= as_of)

    graph._as_read = as_read


class TestTheFirstFive:
    def test_when_all_of_them_fail_a_person_who_lets_it_go_on_gets_a_new_plan_and_five_new_tries(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=30, seats=80)
        world.graph._refusal = lambda _attempt: Reason.DEPENDENCY
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.FIRST_FIVE_FAILED
        del world.graph._refusal
        _retry(world)
        assert world.run() is OperationState.COMPLETED
        check_all(world)


class TestAPersonInTwoSteps:
    def test_whoever_is_deleted_between_location_and_licence_holds_nobody_up(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=30, seats=80)
        gone = SubjectId("person-004")  # had no usage location
        _delete_after_first_write(world, gone)
        assert world.run(longest=timedelta(hours=5)) is OperationState.PARTIALLY_COMPLETED
        assert world.database.rows.subjects[world.operation_id, gone].reason is Reason.NOT_FOUND
        assert _states_entered(world) < 20


class TestAPersonWhomNobodyCanRead:
    def test_fails_in_time_and_on_record_and_is_not_looked_at_without_pause(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=30, seats=80)
        unreadable, looks, people = SubjectId("person-020"), [0], world.graph.observe_people

        def look(tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
            looks[0] += 1
            return {subject: one for subject, one in people(tenant, subjects).items() if subject != unreadable}

        world.graph.observe_people = look
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        record = world.database.rows.subjects[world.operation_id, unreadable]
        assert (record.state, record.reason) == (SubjectState.FAILED, Reason.NOT_VERIFIED_IN_TIME)
        events = [event for event in world.database.rows.events if event.subject == record.pseudonym]
        assert (events[-1].kind, events[-1].reason) == ("subject.failed", Reason.NOT_VERIFIED_IN_TIME)
        assert looks[0] < 40


class TestAShrunkenSelection:
    def test_holds_every_operation_until_a_person_lets_one_go_on(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=60, seats=80)
        world.run()
        for number in range(20):
            del world.graph.people[SubjectId(f"person-{number:03}")]
        for name in ("op-2", "op-3"):
            _order_again(world, OperationId(name))
            assert world.run() is OperationState.HELD
            assert world.operation.reason is Reason.SELECTOR_SHRANK
        _retry(world)
        assert world.run() is OperationState.COMPLETED


class TestARequestThatCannotWork:
    def test_is_held_for_a_person_and_not_repeated_in_silence(self) -> None:
        world = World(5, MAPPINGS, Weather())
        world.graph.trouble = PermanentError("our request is wrong", Reason.REQUEST_MALFORMED)
        assert world.run(longest=timedelta(hours=1)) is OperationState.HELD
        assert world.operation.reason is Reason.REQUEST_MALFORMED


class TestSeatsThatOnlySeemFree:
    def test_are_asked_for_a_few_times_and_then_waited_for_in_sight(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=30, seats=80)
        world.run(until=OperationState.VERIFYING)
        world.graph._is_full = lambda _sku: True
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        states = Counter(each.state for each in world.database.rows.subjects.values())
        assert states == {SubjectState.VERIFIED: 5, SubjectState.WAITING: 25}
        assert len(world.database.rows.waiting) == 25
        assert _states_entered(world) < 20


class TestSeatsAlone:
    def test_where_the_school_assigns_by_itself_fewer_seats_than_bought_are_no_delivery(self) -> None:
        world = World(5, MAPPINGS, Weather())
        rows = world.database.rows
        rows.policies[TENANT] = msgspec.structs.replace(rows.policies[TENANT], assignment_mode=AssignmentMode.NONE)
        world.graph.enabled[A3] = 20  # of 40
        world.run(longest=timedelta(days=3))
        assert world.operation.state is OperationState.AWAITING_SEATS
        world.graph.enabled[A3] = 40
        assert world.run() is OperationState.COMPLETED


class TestTwoLongWaits:
    def test_a_week_of_waiting_for_consent_is_judged_again_even_when_seats_are_missing_next(self) -> None:
        world = World(5, MAPPINGS, Weather())
        world.graph.trouble = ActionRequiredError("no consent", Reason.CONSENT_MISSING)
        world.graph.enabled[A3] = 0
        world.run(longest=timedelta(days=8))
        world.graph.trouble, world.objection = None, Reason.BOARD_DECLARATION_MISSING
        world.run(longest=timedelta(hours=1))
        assert (world.operation.state, world.operation.reason) == (
            OperationState.HELD,
            Reason.BOARD_DECLARATION_MISSING,
        )


class TestCredentials:
    def test_one_that_waited_long_for_seats_is_not_held_at_the_first_refusal_of_ours(self) -> None:
        world = World(5, MAPPINGS, Weather())
        world.graph.enabled[A3] = 0
        world.run(longest=timedelta(hours=10))
        world.graph.trouble = ActionRequiredError("expired", Reason.CREDENTIAL_REJECTED, credential=True)
        world.clock.moment += timedelta(hours=1)
        world.run(longest=timedelta(minutes=5))
        assert world.operation.state is OperationState.AWAITING_SEATS
        world.run(longest=timedelta(minutes=30))
        assert (world.operation.state, world.operation.reason) == (OperationState.HELD, Reason.CREDENTIAL_REJECTED)


def _delete_after_first_write(world: World, gone: SubjectId) -> None:
    graph, is_gone = world.graph, [False]
    one, people, census = graph._one, graph.observe_people, graph.observe_census

    def write(attempt: Attempt) -> Receipt:
        if attempt.subject_id == gone and attempt.change.add_sku:
            is_gone[0] = True
            refused = {"reason": Reason.THROTTLED, "retryable": True, "after": timedelta(seconds=30)}
            return graph._receipt(attempt, Outcome.REFUSED, **refused)
        return one(attempt)

    def look(tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        return people(tenant, subjects) | ({gone: None} if is_gone[0] and gone in subjects else {})

    def count(tenant: TenantId) -> Census:
        seen = census(tenant)
        staying = tuple(person for person in seen.people if not is_gone[0] or person.subject_id != gone)
        return msgspec.structs.replace(seen, people=staying)

    graph._one, graph.observe_people, graph.observe_census = write, look, count


def _order_again(world: World, name: OperationId) -> None:
    ended, now = world.database.rows.operations[OperationId("op-1")], world.clock.now()
    fresh = {"state": OperationState.NEW, "created_at": now, "entered_at": now, "due_at": now, "version": 0}
    world.operation_id = name
    with world.database.open() as uow:
        uow.operations.add(msgspec.structs.replace(ended, operation_id=name, **fresh))
        uow.commit()


def _retry(world: World) -> None:
    with world.database.open() as uow:
        go_on(uow, world.operation, Actor("person:duty"), world.clock.now())
        uow.commit()
