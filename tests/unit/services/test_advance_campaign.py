"""One look at a campaign: who begins, in one transaction with its operation; what stops it; what boards hear."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberState
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.services.advance_campaign import AdvanceCampaign
from provisioning.services.application_incident import OURSELVES
from provisioning.services.begin_member import BeginMember
from provisioning.services.sweep_campaigns import SweepCampaigns
from tests.factories.campaigns import FROM, TO
from tests.unit.services.campaign_scene import (
    CAMPAIGN,
    MAPPINGS,
    a_campaign,
    a_member,
    approved,
    board_of,
    people,
    standing,
    tenant_of,
)
from tests.unit.services.fakes_access import NOW, FakeClock, FakeDispatcher, World

C, M, O, S = CampaignState, MemberState, OperationState, SubjectState  # noqa: E741  # as in the domain
LIMITS = default_limits()


@pytest.fixture
def world() -> World:
    return World()


def service(world: World, **known: Any) -> AdvanceCampaign:
    fields: dict[str, Any] = {
        "dispatcher": FakeDispatcher(),
        "limits": LIMITS,
        "mappings": MAPPINGS,
        "begin": BeginMember(mappings=MAPPINGS),
        "opening": lambda _window, moment: moment,
    }
    return AdvanceCampaign(open_uow=world.open, clock=FakeClock(), **(fields | known))


def look(world: World, **known: Any) -> int:
    return service(world, **known)(CAMPAIGN)


class TestBeginning:
    def test_makes_an_operation_of_a_tenant_s_turn(self, world: World) -> None:
        one = a_member(world, a_campaign(world), 1)
        dispatcher = FakeDispatcher()
        assert look(world, dispatcher=dispatcher) == 1
        begun = standing(world, one)
        operation = world.operations[begun.operation_id]
        assert (begun.state, operation.state) == (M.RUNNING, O.NEW)
        assert (operation.kind, operation.tenant_id) == (OperationKind.REMAP, tenant_of(1))
        assert (operation.wish.sku_id, operation.wish.replaces) == (TO, {FROM})
        assert operation.wish.organisations == (board_of(1),)
        assert operation.wish.remap is not None
        assert (operation.wish.remap.campaign_id, operation.wish.remap.wave) == (CAMPAIGN, 0)
        assert dispatcher.sent == [operation.operation_id]
        assert world.kinds == ["operation.created", "campaign_member.running"]

    def test_keeps_nothing_of_either_when_it_breaks_off(self, world: World) -> None:
        """A crash between the operation and its member's row: both are there, or neither."""

        class BrokenError(Exception):
            pass

        def breaks(uow: Any, campaign: Campaign, member: CampaignMember, now: datetime) -> Operation:
            operation = BeginMember(mappings=MAPPINGS)(uow, campaign, member, now)
            if member.tenant_id == tenant_of(2):
                raise BrokenError
            return operation

        made = a_campaign(world)
        some = [a_member(world, made, number) for number in (1, 2)]
        with pytest.raises(BrokenError):
            look(world, begin=breaks)
        assert world.operations == {}
        assert [standing(world, one) for one in some] == some
        assert look(world) == 2

    def test_twice_begins_once(self, world: World) -> None:
        a_member(world, a_campaign(world), 1)
        assert [look(world), look(world)] == [1, 0]
        assert len(world.operations) == 1

    def test_of_two_looks_at_once_one_is_told_that_the_other_was_first(self, world: World) -> None:
        a_member(world, a_campaign(world), 1)

        def overtaken(uow: Any, campaign: Campaign, member: CampaignMember, now: datetime) -> Operation:
            world.campaigns[CAMPAIGN] = msgspec.structs.replace(world.campaigns[CAMPAIGN], version=9)
            return BeginMember(mappings=MAPPINGS)(uow, campaign, member, now)

        with pytest.raises(ConflictError):
            look(world, begin=overtaken)
        assert world.operations == {}

    def test_what_can_never_become_a_plan_fails_in_a_sentence_and_keeps_nobody_waiting(self, world: World) -> None:
        def refuses(uow: Any, campaign: Campaign, member: CampaignMember, now: datetime) -> Operation:
            if member.tenant_id == tenant_of(1):
                raise InputError("41001: not bound to this tenant.")
            return BeginMember(mappings=MAPPINGS)(uow, campaign, member, now)

        made = a_campaign(world)
        one, other = a_member(world, made, 1), a_member(world, made, 2)
        assert look(world, begin=refuses) == 1
        assert (standing(world, one).state, standing(world, one).told) == (M.FAILED, "41001: not bound to this tenant.")
        assert standing(world, other).state is M.RUNNING

    @pytest.mark.parametrize(
        ("before", "is_same"),
        [
            pytest.param(O.FAILED, True, id="one that failed goes on"),
            pytest.param(O.PARTIALLY_COMPLETED, False, id="one that left people is followed by another"),
            pytest.param(O.CANCELLED, False, id="so is one that was called off"),
            pytest.param(O.APPLYING, True, id="one under way is taken as it is"),
        ],
    )
    def test_again_goes_on_where_it_ended(self, world: World, before: OperationState, is_same: bool) -> None:
        one = a_member(world, a_campaign(world), 1, M.WAITING, before)
        look(world)
        assert (standing(world, one).operation_id == one.operation_id) is is_same
        assert world.operations[standing(world, one).operation_id].state in {O.NEW, O.APPLYING}

    def test_waits_for_its_window(self, world: World) -> None:
        a_member(world, a_campaign(world), 1)
        assert look(world, opening=lambda _window, moment: moment + timedelta(hours=1)) == 0
        assert look(world, opening=lambda _window, _moment: None) == 0
        assert look(world) == 1

    @pytest.mark.parametrize("state", [C.NEW, C.APPROVED, C.COMPLETED])
    def test_is_nothing_for_one_that_does_not_run(self, world: World, state: CampaignState) -> None:
        a_member(world, a_campaign(world, state), 1)
        assert look(world) == 0
        assert world.operations == {}


class TestStopping:
    def test_by_its_budget_tells_us_and_begins_nothing(self, world: World) -> None:
        made = a_campaign(world)
        failed = a_member(world, made, 1, M.RUNNING, O.FAILED)
        waiting = a_member(world, made, 2, wave=1)
        assert look(world) == 0
        stopped = world.campaigns[CAMPAIGN]
        assert (stopped.state, stopped.reason) == (C.STOPPED, Reason.CAMPAIGN_STOPPED)
        assert "1 of 1 tenants" in stopped.told
        assert standing(world, failed).state is M.FAILED
        assert standing(world, waiting) == waiting
        assert (Topic.CAMPAIGN_STOPPED, OURSELVES) in [(one.topic, one.organisation_id) for one in world.intents]
        assert "campaign.stopped" in world.kinds

    def test_is_told_once(self, world: World) -> None:
        made = a_campaign(world)
        a_member(world, made, 1, M.RUNNING, O.FAILED)
        a_member(world, made, 2, M.RUNNING, O.APPLYING)
        look(world)
        look(world)
        assert [one.topic for one in world.intents].count(Topic.CAMPAIGN_STOPPED) == 1

    def test_counts_people_of_operations_at_work(self, world: World) -> None:
        made = a_campaign(world)
        one = a_member(world, made, 1, M.RUNNING, O.APPLYING)
        people(world, one, S.FAILED, 3, Reason.GRAPH_OTHER)
        people(world, one, S.VERIFIED, 97)
        look(world)
        assert world.campaigns[CAMPAIGN].state is C.STOPPED
        assert standing(world, one).failed == 3

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            pytest.param({"valid_until": NOW}, "its approval ended", id="too old"),
            pytest.param({"mapping": "others"}, "its mappings changed", id="other mappings"),
        ],
    )
    def test_when_its_approval_stands_no_more(self, world: World, changes: dict[str, Any], told: str) -> None:
        made = a_campaign(world)
        given = msgspec.structs.replace(approved(made), **changes)
        world.campaigns[CAMPAIGN] = msgspec.structs.replace(made, approval=given)
        a_member(world, made, 1)
        assert look(world) == 0
        assert world.campaigns[CAMPAIGN].state is C.STOPPED
        assert told in world.campaigns[CAMPAIGN].told


class TestBoards:
    def test_hear_of_it_once_when_everything_of_theirs_has_ended(self, world: World) -> None:
        made = a_campaign(world)
        a_member(world, made, 1, M.RUNNING, O.COMPLETED)
        a_member(world, made, 2, M.RUNNING, O.COMPLETED, board_id=board_of(9))
        later = a_member(world, made, 3, M.RUNNING, O.VERIFYING, board_id=board_of(9))
        look(world)
        told = [one.organisation_id for one in world.intents if one.topic is Topic.CAMPAIGN_ENDED]
        assert told == [board_of(1)]
        world.operations[later.operation_id] = msgspec.structs.replace(
            world.operations[later.operation_id], state=O.COMPLETED
        )
        look(world)
        told = [one.organisation_id for one in world.intents if one.topic is Topic.CAMPAIGN_ENDED]
        assert told == [board_of(1), board_of(9)]
        assert world.campaigns[CAMPAIGN].state is C.COMPLETED


class TestEnding:
    @pytest.mark.parametrize("state", [C.PAUSED, C.STOPPED, C.CALLED_OFF])
    def test_what_is_under_way_is_followed_to_its_end(self, world: World, state: CampaignState) -> None:
        one = a_member(world, a_campaign(world, state), 1, M.RUNNING, O.VERIFYING)
        look(world)
        assert world.campaigns[CAMPAIGN].due_at == NOW + LIMITS.campaign_poll
        done = msgspec.structs.replace(world.operations[one.operation_id], state=O.COMPLETED)
        world.operations[one.operation_id] = done
        look(world)
        assert standing(world, one).state is M.COMPLETED
        assert (world.campaigns[CAMPAIGN].state, world.campaigns[CAMPAIGN].due_at) == (state, None)


class TestSweep:
    def test_looks_at_what_is_due_and_goes_on_when_one_was_overtaken(self, world: World) -> None:
        looked: list[str] = []

        def advance(campaign: str) -> int:
            looked.append(campaign)
            raise ConflictError("a person was first")

        a_campaign(world, due_at=NOW)
        sweep = SweepCampaigns(open_uow=world.open, clock=FakeClock(), limits=LIMITS, advance=advance)
        assert sweep() == 0
        assert sweep() == 0
        assert looked == [CAMPAIGN]
        assert world.campaigns[CAMPAIGN].due_at == NOW + LIMITS.campaign_poll
