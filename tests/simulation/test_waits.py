"""What a delivery waits for, what stops it, and how it goes on: exactly there, and nothing twice."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.errors import ActionRequiredError, RetryableError
from provisioning.domain.ids import Actor, SubjectId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.worklist import Stop
from provisioning.services.application_incident import OURSELVES
from provisioning.services.transitions import move
from tests.simulation.boundaries import Crash
from tests.simulation.graph import licence
from tests.simulation.promises import check_all
from tests.simulation.weather import Weather
from tests.simulation.world import A3, TENANT, World

MAPPINGS = load_mappings()
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return World(5, MAPPINGS, Weather())


def _policy(world: World, **changes: object) -> None:
    rows = world.database.rows
    rows.policies[TENANT] = msgspec.structs.replace(rows.policies[TENANT], **changes)


class TestSeats:
    def test_a_delivery_waits_for_seats_and_goes_on_by_itself(self, world: World) -> None:
        world.graph.enabled[A3] = 0
        world.run(longest=10 * HOUR)
        assert (world.operation.state, world.operation.reason) == (
            OperationState.AWAITING_SEATS,
            Reason.SEATS_NOT_VISIBLE,
        )
        world.graph.enabled[A3] = 40
        assert world.run() is OperationState.COMPLETED
        check_all(world)

    def test_the_polls_grow_to_one_an_hour(self, world: World) -> None:
        world.graph.enabled[A3] = 0
        world.run(longest=24 * HOUR)
        assert 20 <= world.operation.waits <= 30

    def test_fewer_seats_than_bought_are_given_after_they_stood_still_for_a_day(self, world: World) -> None:
        world.graph.enabled[A3] = 6
        world.run(longest=20 * HOUR)
        assert world.operation.state is OperationState.AWAITING_SEATS
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        check_all(world)
        assert sum(person.holds(A3) for person in world.graph.people.values()) == 6

    def test_a_school_that_assigns_by_itself_is_served_by_visible_seats(self, world: World) -> None:
        _policy(world, assignment_mode=AssignmentMode.NONE)
        assert world.run() is OperationState.COMPLETED
        assert world.graph.writes == []


class TestAfterAWeek:
    def test_an_order_that_no_longer_stands_is_held(self, world: World) -> None:
        world.graph.enabled[A3] = 0
        world.run(longest=timedelta(days=8))
        world.objection = Reason.BOARD_DECLARATION_MISSING
        world.graph.enabled[A3] = 40
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.BOARD_DECLARATION_MISSING
        assert world.graph.writes == []

    def test_within_a_week_nobody_is_asked_again(self, world: World) -> None:
        world.graph.enabled[A3] = 0
        world.run(longest=timedelta(days=6))
        world.objection = Reason.BOARD_DECLARATION_MISSING
        world.graph.enabled[A3] = 40
        assert world.run() is OperationState.COMPLETED


class TestConsent:
    def test_without_consent_it_waits_and_tells_the_school(self, world: World) -> None:
        world.graph.trouble = ActionRequiredError("no consent", Reason.CONSENT_MISSING)
        world.run(longest=HOUR)
        assert world.operation.state is OperationState.AWAITING_CONSENT
        assert {intent.topic for intent in world.database.rows.intents} == {"consent_needed"}
        world.graph.trouble = None
        assert world.run() is OperationState.COMPLETED
        check_all(world)

    def test_consent_withdrawn_in_the_middle_resumes_where_it_stopped(self, world: World) -> None:
        world.run(until=OperationState.VERIFYING)  # the first five are written
        world.graph.stop_at_write = ActionRequiredError("withdrawn", Reason.FORBIDDEN)
        world.run(until=OperationState.AWAITING_CONSENT)
        written = len(world.graph.writes)
        world.graph.stop_at_write = None
        assert world.run() is OperationState.COMPLETED
        check_all(world)
        assert written < len(world.graph.writes)


class TestStop:
    def test_nothing_is_written_while_a_stop_is_on(self, world: World) -> None:
        with world.database.open() as uow:
            uow.stops.add(Stop(scope="all", reason="drill", stopped_by="person:duty", stopped_at=world.clock.now()))
            uow.commit()
        world.run(longest=HOUR)
        assert world.graph.writes == []
        assert world.operation.state is OperationState.APPLYING
        with world.database.open() as uow:
            uow.rows.stops.clear()
            uow.commit()
        assert world.run() is OperationState.COMPLETED
        check_all(world)


class TestCredentials:
    def test_one_tenant_refusing_for_longer_than_the_incident_window_is_held(self, world: World) -> None:
        world.graph.trouble = ActionRequiredError("secret", Reason.CREDENTIAL_REJECTED, credential=True)
        world.run(longest=4 * HOUR)
        assert (world.operation.state, world.operation.reason) == (
            OperationState.HELD,
            Reason.CREDENTIAL_REJECTED,
        )

    def test_three_tenants_at_once_are_our_own_fault_and_nobody_changes_state(self, world: World) -> None:
        with world.database.open() as uow:
            for other in ("t-2", "t-3"):
                uow.rows.failures.append((other, Reason.CREDENTIAL_REJECTED, world.clock.now()))
            uow.commit()
        world.graph.trouble = ActionRequiredError("secret", Reason.CREDENTIAL_REJECTED, credential=True)
        world.run(longest=timedelta(minutes=5))
        assert world.operation.state is OperationState.NEW
        assert "all" in world.database.rows.stops

    def test_weather_is_not_a_credential(self, world: World) -> None:
        world.graph.trouble = RetryableError("busy", Reason.TRANSIENT, timedelta(seconds=7))
        world.run(longest=HOUR)
        assert world.operation.state is OperationState.NEW
        world.graph.trouble = None
        assert world.run() is OperationState.COMPLETED


class TestApproval:
    def test_is_asked_of_ourselves_and_not_of_the_school(self, world: World) -> None:
        _limit_guards(world)
        world.run(until=OperationState.AWAITING_APPROVAL)
        asked = [intent for intent in world.database.rows.intents if intent.topic == "approval_needed"]
        assert {intent.organisation_id for intent in asked} == {OURSELVES}

    def test_an_approval_that_nobody_gives_is_asked_for_anew(self, world: World) -> None:
        _limit_guards(world)
        world.run(until=OperationState.AWAITING_APPROVAL)
        first = world.database.rows.plans[world.operation_id].plan_id
        world.run(until=OperationState.PLANNING)
        assert world.operation.reason is Reason.APPROVAL_EXPIRED
        world.run(until=OperationState.AWAITING_APPROVAL)
        assert world.database.rows.plans[world.operation_id].plan_id != first
        assert world.graph.writes == []

    def test_an_approved_plan_leaves_people_alone_who_changed_meanwhile(self, world: World) -> None:
        world = World(5, MAPPINGS, Weather(), people=120, seats=200)
        _limit_guards(world)
        world.run(until=OperationState.AWAITING_APPROVAL)
        changed = SubjectId("person-002")
        world.clock.moment += timedelta(hours=2)
        person = world.graph.people[changed]
        world.graph.change_by_hand(changed, msgspec.structs.replace(person, licences=(licence(A3),)))
        _approve(world)
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        record = world.database.rows.subjects[world.operation_id, changed]
        assert record.state is SubjectState.CHANGED_MEANWHILE
        assert changed not in {write.subject for write in world.graph.writes}

    def test_too_many_changed_people_void_the_approval(self, world: World) -> None:
        _limit_guards(world)
        world.run(until=OperationState.AWAITING_APPROVAL)
        world.clock.moment += timedelta(hours=2)
        person = world.graph.people[SubjectId("person-000")]
        world.graph.change_by_hand(
            person.subject_id, msgspec.structs.replace(person, licences=(licence(A3), *person.licences))
        )
        _approve(world)
        world.run(until=OperationState.PLANNING)
        assert world.operation.reason is Reason.TOO_MANY_CHANGED
        assert world.graph.writes == []

    def test_a_policy_that_changes_voids_the_approval(self, world: World) -> None:
        _limit_guards(world)
        world.run(until=OperationState.AWAITING_APPROVAL)
        _policy(world, usage_location="BE")
        _approve(world)
        world.run(until=OperationState.PLANNING)
        assert world.graph.writes == []


class TestHeld:
    def test_a_selector_that_matches_nobody(self, world: World) -> None:
        rows = world.database.rows
        nobody = dict.fromkeys(rows.bindings[0].selectors, '{"domain": "elsewhere.example"}')
        rows.bindings[0] = msgspec.structs.replace(rows.bindings[0], selectors=nobody)
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.SELECTOR_EMPTY

    def test_a_binding_that_nobody_confirmed(self, world: World) -> None:
        rows = world.database.rows
        rows.bindings[0] = msgspec.structs.replace(rows.bindings[0], confirmed_at=None)
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.BINDING_UNCONFIRMED

    def test_an_operation_that_kills_its_worker_each_time_is_held_as_poison(self) -> None:
        world = World(5, MAPPINGS, Weather(), crash_chance=0.0)
        world.graph.observe_census = _die  # a tenant that no worker survives reading
        world.run()
        assert (world.operation.state, world.operation.reason) == (OperationState.HELD, Reason.POISON)

    def test_waiting_for_a_month_asks_a_person_who_may_let_it_go_on(self, world: World) -> None:
        world.graph.enabled[A3] = 0
        world.run(longest=timedelta(days=32))
        assert (world.operation.state, world.operation.reason) == (OperationState.HELD, Reason.VALIDATION_AGED)
        world.graph.enabled[A3] = 40
        with world.database.open() as uow:
            move(uow, world.operation, OperationState.NEW, world.clock.now(), actor=Actor("person:duty"))
            uow.commit()
        assert world.run() is OperationState.COMPLETED


def _limit_guards(world: World) -> None:
    """Swaps from a product that the article does not replace are not the machine's to decide."""
    world.limits = msgspec.structs.replace(world.limits, guard_swaps=0)


def _approve(world: World) -> None:
    with world.database.open() as uow:
        record = uow.rows.plans[world.operation_id]
        uow.rows.plans[world.operation_id] = msgspec.structs.replace(
            record, approved_by=Actor("person:approver"), approved_at=world.clock.now()
        )
        move(uow, world.operation, OperationState.APPLYING, world.clock.now(), actor=Actor("person:approver"))
        uow.commit()


def _die(where: str) -> None:
    raise Crash(where)
