"""Deterministic simulation of a remap under a campaign's approval: a failing seed replays with `pytest -k seed`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.campaign import CampaignApproval, CampaignPair
from provisioning.domain.ids import Actor, CampaignId, SkuId, SubjectId
from provisioning.domain.lifecycle import STEP_ENDS, OperationState, SubjectState
from provisioning.domain.observation import Person
from provisioning.domain.operation import Lane, Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.remap import RemapPart
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.mapping_digest import campaign_digest
from tests.simulation.graph import Weather, licence
from tests.simulation.promises import check_continuity, check_plans_stay_off, check_seats, check_witness
from tests.simulation.world import A1, A3, BEGINNING, SCHOOL, TENANT, YAMMER, World

MAPPINGS = load_mappings()
LAGS = (timedelta(0), timedelta(seconds=15), timedelta(minutes=5))
SETTLE = timedelta(seconds=60)
CAMPAIGN = CampaignId("campaign")
PHONE, GAME = (
    next(sku.sku_id for sku in MAPPINGS.skus.values() if sku.part_number == part)
    for part in ("MCOEV_FACULTY", "MEE_FACULTY")
)
ALONG = {PHONE: GAME}
PAIRS = (CampaignPair(from_sku=A1, to_sku=A3, along=ALONG),)


class RemapWorld(World):
    """Who has A1 gets A3; with it a phone becomes something else. The campaign was approved beforehand."""

    def __init__(self, seed: int, weather: Weather, **known: Any) -> None:
        super().__init__(seed, MAPPINGS, weather, kind=OperationKind.REMAP, **known)
        self.before = dict(self.graph.people)
        self.graph.enabled |= {PHONE: 1000, GAME: 1000}
        self.database.rows.entitlements[TENANT, GAME] = 1000
        self.campaign_approval = CampaignApproval(
            campaign_id=CAMPAIGN,
            approved_by=Actor("person:decides"),
            approved_at=BEGINNING,
            digest="d",
            mapping=campaign_digest(PAIRS, MAPPINGS),
            pairs=PAIRS,
            valid_until=BEGINNING + timedelta(days=7),
            losses=frozenset({"family:teams_phone"}),
        )

    def _people(self, number: int) -> dict[SubjectId, Person]:
        """One in five each: with a phone, with one plan off, with both products, with the new one alone, with none."""
        kinds = (
            (licence(A1), licence(PHONE)),
            (licence(A1, YAMMER),),
            (licence(A1), licence(A3)),
            (licence(A3),),
            (),
        )
        return {
            one.subject_id: msgspec.structs.replace(one, licences=kinds[place % 5], usage_location="NL")
            for place, one in enumerate(super()._people(number).values())
        }

    def _operation(self) -> Operation:
        plain = super()._operation()
        part = RemapPart(from_sku=A1, along=ALONG, campaign_id=CAMPAIGN)
        wish = msgspec.structs.replace(plain.wish, remap=part, seats_wanted=0)
        return msgspec.structs.replace(plain, wish=wish, lane=Lane.BULK)

    def holding(self, sku: SkuId) -> set[SubjectId]:
        return {subject for subject, person in self.graph.people.items() if person.holds(sku)}


def _held_before(world: RemapWorld, sku: SkuId) -> set[SubjectId]:
    return {subject for subject, person in world.before.items() if person.holds(sku)}


def check(world: RemapWorld, *, repeats_allowed: bool = False) -> None:
    """What must be true after every run, whatever happened on the way."""
    old, new = _held_before(world, A1), _held_before(world, A3)
    people = world.database.rows.subjects
    states = {record.subject_id: record.state for record in people.values()}
    assert set(states) == old | new
    assert SubjectState.PENDING not in states.values()
    assert {write.subject for write in world.graph.writes} <= old
    for subject in old:
        after = world.graph.people[subject]
        assert after.holds(A3) != after.holds(A1) or states[subject] is SubjectState.WAITING
        assert (states[subject] is SubjectState.VERIFIED) == after.holds(A3) or subject in new
        if world.before[subject].holds(PHONE):
            assert (after.holds(GAME), after.holds(PHONE)) == (after.holds(A3), after.holds(A1))
    assert all(record.state in STEP_ENDS for record in world.database.rows.steps.values())
    check_witness(world, repeats_allowed=repeats_allowed)
    check_continuity(world)
    check_plans_stay_off(world)
    check_seats(world)


def weather(lag: timedelta, *, rough: bool = False) -> Weather:
    return Weather(lost_after=0.1, lost_before=0.1, throttled=0.1, lag=lag) if rough else Weather(lag=lag)


class TestInFairWeather:
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_everybody_with_the_old_product_has_the_new_one_and_nobody_else_was_touched(self, lag: timedelta) -> None:
        world = RemapWorld(1, weather(lag))
        assert world.run() is OperationState.COMPLETED
        check(world)
        assert not world.holding(A1)
        assert len(world.graph.writes) == len(_held_before(world, A1))  # one write each, the add-on's included

    def test_with_fewer_seats_than_holders_the_rest_stay_on_the_old_product_and_are_listed(self) -> None:
        """S36: the new quantity is smaller than what is in use."""
        world = RemapWorld(1, weather(timedelta(0)), people=20, seats=10)
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        check(world)
        assert len(world.holding(A1)) == len(world.database.rows.waiting) == 6

    def test_nothing_is_written_when_nothing_was_ordered(self) -> None:
        world = RemapWorld(1, weather(timedelta(0)))
        world.database.rows.entitlements[TENANT, A3] = 0
        assert world.run() is OperationState.HELD
        assert (world.operation.reason, world.graph.writes) == (Reason.REMAP_NOT_ORDERED, [])

    def test_where_the_school_assigns_by_itself_it_is_held_and_never_called_done(self) -> None:
        world = RemapWorld(1, weather(timedelta(0)), mode=AssignmentMode.NONE)
        assert world.run() is OperationState.HELD
        assert (world.operation.reason, world.graph.writes) == (Reason.REMAP_SCHOOL_ASSIGNS, [])

    def test_the_school_decides_to_assign_by_itself_before_anybody_was_reached(self) -> None:
        world = RemapWorld(1, weather(timedelta(0)))
        assert world.run(until=OperationState.PLANNING) is OperationState.PLANNING
        policy = world.database.rows.policies[TENANT]
        world.database.rows.policies[TENANT] = msgspec.structs.replace(policy, assignment_mode=AssignmentMode.NONE)
        assert world.run() is OperationState.HELD
        assert (world.operation.reason, world.graph.writes) == (Reason.REMAP_SCHOOL_ASSIGNS, [])

    def test_where_licences_go_through_a_group_direct_ones_are_swapped_first_and_nobody_new_joins(self) -> None:
        world = RemapWorld(1, weather(timedelta(0)), mode=AssignmentMode.GROUP)
        assert world.run() is OperationState.COMPLETED
        check(world)
        later = [one for one in world.database.rows.operations.values() if one.kind is OperationKind.CHANGE]
        assert [one.wish.remap for one in later] == [world.operation.wish.remap]

    def test_a_loss_that_the_approver_did_not_see_is_asked_for_by_itself(self) -> None:
        world = RemapWorld(1, weather(timedelta(0)))
        assert world.campaign_approval is not None
        world.campaign_approval = msgspec.structs.replace(world.campaign_approval, losses=frozenset())
        assert world.run(until=OperationState.AWAITING_APPROVAL) is OperationState.AWAITING_APPROVAL
        assert world.graph.writes == []

    def test_without_an_approval_it_waits_for_one(self) -> None:
        world = RemapWorld(1, weather(timedelta(0)))
        world.campaign_approval = None
        assert world.run(until=OperationState.AWAITING_APPROVAL) is OperationState.AWAITING_APPROVAL
        assert world.graph.writes == []

    def test_the_campaign_s_approver_is_on_record_for_the_plan(self) -> None:
        world = RemapWorld(1, weather(timedelta(0)))
        world.run()
        approved = [event for event in world.database.rows.events if event.kind == "plan.approved"]
        assert {(event.actor, event.details["within"]) for event in approved} == {("person:decides", CAMPAIGN)}
        assert {event.organisation for event in approved} == {SCHOOL}


class TestACrashAtEveryBoundary:
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_once(self, lag: timedelta) -> None:
        unbroken = RemapWorld(7, weather(lag, rough=True))
        unbroken.run()
        for boundary in range(1, unbroken.crash.passed + 1):
            world = RemapWorld(7, weather(lag, rough=True), crash_at=frozenset({boundary}))
            world.run()
            check(world, repeats_allowed=lag >= SETTLE)

    @pytest.mark.parametrize("seed", range(30))
    def test_again_and_again(self, seed: int) -> None:
        lag = LAGS[seed % 3]
        world = RemapWorld(seed, weather(lag, rough=True), seats=(8, 40)[seed % 2], crash_chance=0.05)
        world.run()
        check(world, repeats_allowed=lag >= SETTLE)
