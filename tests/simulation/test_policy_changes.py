"""A school decides in the middle of a run to assign by itself: what was written is told, nothing more is written."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.calendar import start_of
from provisioning.domain.lifecycle import STEP_ENDS, OperationState, StepState, SubjectState
from provisioning.domain.operation import Operation, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.services.plan_basis import plan_basis
from provisioning.services.serve_waiting import ServeWaiting
from tests.factories import trade
from tests.simulation.promises import (
    check_continuity,
    check_list_adds_up,
    check_nothing_is_untold,
    check_plans_stay_off,
    check_witness,
)
from tests.simulation.weather import Weather
from tests.simulation.world import A3, TENANT, World

MAPPINGS = load_mappings()
WEATHER = Weather(lost_after=0.2, lost_before=0.2, throttled=0.2, lag=timedelta(seconds=15))


def _school_assigns(world: World) -> None:
    rows = world.database.rows
    changed = {"assignment_mode": AssignmentMode.NONE, "digest": "none"}
    rows.policies[TENANT] = msgspec.structs.replace(rows.policies[TENANT], **changed)


def _written(world: World) -> set[str]:
    return {subject for subject, person in world.graph.people.items() if person.holds(A3)}


def _check(world: World) -> None:
    assert world.operation.state in {OperationState.COMPLETED, OperationState.PARTIALLY_COMPLETED}
    check_list_adds_up(world)
    check_witness(world, repeats_allowed=False)
    check_continuity(world)
    check_plans_stay_off(world)


class TestDirectBecomesNone:
    @pytest.mark.parametrize("state", [OperationState.APPLYING, OperationState.VERIFYING])
    def test_in_the_middle_who_has_a_licence_keeps_it_and_the_others_are_left_to_the_school(
        self, state: OperationState
    ) -> None:
        world = World(5, MAPPINGS, Weather(), people=30, seats=40)
        world.run(until=state)
        _school_assigns(world)
        held, writes = _written(world), len(world.graph.writes)
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        assert (_written(world), len(world.graph.writes)) == (held, writes)
        _check(world)
        told = {one.subject_id: (one.state, one.reason) for one in world.database.rows.subjects.values()}
        assert {told[one] for one in held} <= {(SubjectState.VERIFIED, None)}
        assert {told[one] for one in told.keys() - held} == {(SubjectState.REFUSED, Reason.SCHOOL_ASSIGNS)}

    def test_when_everybody_is_served_nobody_is_left(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=5, seats=40)
        world.run(until=OperationState.VERIFYING)
        while any(step.state not in STEP_ENDS and not step.last_attempt for step in world.database.rows.steps.values()):
            world.run(until=OperationState.APPLYING)
            world.run(until=OperationState.VERIFYING)
        _school_assigns(world)
        assert world.run() is OperationState.COMPLETED
        _check(world)

    def test_before_anything_was_written_all_are_left(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=12, seats=40)
        world.run(until=OperationState.APPLYING)
        _school_assigns(world)
        world.run()
        assert world.graph.writes == []
        assert {one.reason for one in world.database.rows.subjects.values()} == {Reason.SCHOOL_ASSIGNS}
        _check(world)

    @pytest.mark.parametrize("seed", range(12))
    def test_lost_answers_are_read_back_before_anything_is_said(self, seed: int) -> None:
        world = World(seed, MAPPINGS, WEATHER, people=30, seats=40)
        world.run(until=OperationState.VERIFYING)
        _school_assigns(world)
        world.run()
        _check(world)

    @pytest.mark.parametrize("boundary", range(1, 40, 2))
    def test_a_crash_at_any_boundary_changes_nothing_of_it(self, boundary: int) -> None:
        world = World(7, MAPPINGS, WEATHER, people=20, seats=40)
        world.run(until=OperationState.VERIFYING)
        _school_assigns(world)
        writes = len(world.graph.writes)
        world.crash.forget()
        world.crash.at = frozenset({boundary, boundary + 1})
        world.run()
        _check(world)
        assert len(world.graph.writes) == writes


class TestNoneBecomesDirect:
    def test_between_the_look_at_the_policy_and_the_end_is_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The policy comes into force while the delivery is about to end: it is planned, not ended without people."""
        world = World(5, MAPPINGS, Weather())
        _school_assigns(world)
        world.run(until=OperationState.PLANNING)

        def looked(uow: object, *known: object) -> object:
            seen = plan_basis(uow, *known)
            rows = world.database.rows
            direct = {"assignment_mode": AssignmentMode.DIRECT, "digest": "direct"}
            rows.policies[TENANT] = msgspec.structs.replace(rows.policies[TENANT], **direct)
            return seen

        monkeypatch.setattr("provisioning.services.plan_operation.plan_basis", looked)
        world._worker()(world.operation_id)
        monkeypatch.undo()
        assert world.operation.state is OperationState.PLANNING
        assert world.run() is OperationState.COMPLETED
        assert len(_written(world)) == len(world.graph.people)


class TestAPolicyForALaterDay:
    """Approved before the delivery ended: approving it could not know of it."""

    DAY = date(2026, 11, 20)

    def _world(self, ends_on: date | None = None) -> World:
        world = World(5, MAPPINGS, Weather())
        _school_assigns(world)
        rows = world.database.rows
        direct = {"assignment_mode": AssignmentMode.DIRECT, "digest": "direct", "valid_from": self.DAY}
        rows.coming_policies.append(msgspec.structs.replace(rows.policies[TENANT], **direct))
        rows.ledger.append(trade.entry(tenant_id=TENANT, cause_ref=str(world.operation.wish.line), ends_on=ends_on))
        return world

    def _followers(self, world: World) -> list[Operation]:
        return [one for one in world.database.rows.operations.values() if one.operation_id != "op-1"]

    def test_its_people_are_served_on_that_day(self) -> None:
        world = self._world()
        assert world.run() is OperationState.COMPLETED
        assert _written(world) == set()
        [follows] = self._followers(world)
        world.operation_id = follows.operation_id
        assert world.run(longest=timedelta(days=30)) is OperationState.COMPLETED
        assert len(_written(world)) == len(world.graph.people)
        assert min(write.at for write in world.graph.writes) >= start_of(self.DAY)

    @pytest.mark.parametrize("boundary", range(1, 16))
    def test_a_crash_at_any_boundary_makes_one_follower(self, boundary: int) -> None:
        world = self._world()
        world.crash.at = frozenset({boundary})
        assert world.run() is OperationState.COMPLETED
        assert len(self._followers(world)) == 1

    def test_seats_that_have_ended_by_then_are_given_to_nobody(self) -> None:
        world = self._world(ends_on=self.DAY - timedelta(days=1))
        world.run()
        assert self._followers(world) == []


class TestTheWaitingList:
    def test_is_left_alone_while_the_school_assigns(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=12, seats=6)
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        serve = ServeWaiting(
            open_uow=world.database.open, gateway=world.graph, dispatcher=world.messages, clock=world.clock
        )
        world.graph.enabled[A3] = 12
        direct = world.database.rows.policies[TENANT]
        _school_assigns(world)
        assert serve() == 0
        world.database.rows.policies[TENANT] = direct
        assert serve() == 1


class TestAnotherPolicyWhileAnAnswerIsLost:
    """The plan is over while something seems not to have arrived: it may have, and then it has its line."""

    @pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=6)], ids=["at once", "past the horizon"])
    @pytest.mark.parametrize("seed", range(6))
    def test_nothing_that_was_written_is_forgotten(self, seed: int, later: timedelta) -> None:
        world = World(seed, MAPPINGS, Weather(lost_after=0.4, lag=timedelta(minutes=5)))
        while not any(map(_seems_absent, world.database.rows.steps.values())):
            assert world.run(longest=timedelta(milliseconds=1)) is not OperationState.COMPLETED, "another seed"
        rows = world.database.rows
        rows.policies[TENANT] = msgspec.structs.replace(rows.policies[TENANT], digest="another")
        world.clock.moment += later
        assert world.run() is OperationState.COMPLETED
        check_list_adds_up(world)
        check_nothing_is_untold(world)
        check_continuity(world)


def _seems_absent(record: StepRecord) -> bool:
    return record.state is StepState.PENDING and record.reason is Reason.NO_ANSWER
