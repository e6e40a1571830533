"""Taking tenants out, putting them back, and trying again: whom, from where, and what becomes of their work."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.services.choose_members import Changed, ExcludeMembers, IncludeMembers, RetryLeftovers
from tests.unit.services.campaign_scene import CAMPAIGN, MAPPINGS, a_campaign, a_member, board_of, standing, tenant_of
from tests.unit.services.fakes_access import APPROVER, NOW, OPERATOR, FakeClock, World

C, M, O = CampaignState, MemberState, OperationState  # noqa: E741  # as in the tables of the domain


@pytest.fixture
def world() -> World:
    return World()


def exclude(
    world: World, *tenants: str, holders: tuple[str, ...] = (), reason: str = "merges", by: Any = OPERATOR
) -> Changed:
    return ExcludeMembers(open_uow=world.open, clock=FakeClock())(by, "5f0c", reason, tenants, holders)


def include(world: World, *tenants: str, reason: str = "stays") -> Changed:
    return IncludeMembers(open_uow=world.open, clock=FakeClock())(OPERATOR, "5f0c", reason, tenants)


def retry(world: World, reason: str = "seats arrived", mappings: Any = MAPPINGS) -> Changed:
    return RetryLeftovers(open_uow=world.open, clock=FakeClock(), mappings=mappings)(OPERATOR, "5f0c", reason)


class TestExcluding:
    @pytest.mark.parametrize("state", [C.NEW, C.APPROVED, C.RUNNING, C.PAUSED, C.STOPPED])
    def test_takes_a_tenant_out_with_the_reason_on_record(self, world: World, state: CampaignState) -> None:
        made = a_campaign(world, state)
        one, other = a_member(world, made, 1), a_member(world, made, 2)
        assert exclude(world, "school1.example").members == 1
        out = standing(world, one)
        assert (out.state, out.reason, out.told) == (M.EXCLUDED, Reason.EXCLUDED_FROM_CAMPAIGN, "merges")
        assert standing(world, other) == other
        assert world.kinds == ["campaign.list_changed", "campaign_member.excluded"]
        assert world.campaigns[CAMPAIGN].state is state

    def test_takes_a_board_out_with_all_its_schools(self, world: World) -> None:
        made = a_campaign(world)
        a_member(world, made, 1, holder_id="00AA", board_id=board_of(9))
        a_member(world, made, 2, board_id=board_of(9))
        assert exclude(world, holders=(board_of(9),)).members == 2

    def test_whoever_was_told_that_it_would_begin_is_told_that_it_is_over(self, world: World) -> None:
        made = a_campaign(world)
        a_member(world, made, 1, M.COMPLETED, O.COMPLETED, board_id=board_of(9))
        a_member(world, made, 2, board_id=board_of(9))
        a_member(world, made, 3)
        exclude(world, tenant_of(2))
        assert [(one.topic, one.organisation_id) for one in world.intents] == [(Topic.CAMPAIGN_ENDED, board_of(9))]

    def test_while_more_of_a_board_goes_on_it_is_not_over(self, world: World) -> None:
        made = a_campaign(world)
        a_member(world, made, 1, board_id=board_of(9))
        a_member(world, made, 2, board_id=board_of(9))
        exclude(world, tenant_of(2))
        assert world.intents == []

    def test_before_it_was_approved_nobody_was_told_anything(self, world: World) -> None:
        a_member(world, a_campaign(world, C.NEW), 1)
        exclude(world, tenant_of(1))
        assert world.intents == []

    @pytest.mark.parametrize(
        ("operation", "left"), [(O.PLANNING, O.CANCELLED), (O.AWAITING_SEATS, O.CANCELLED), (O.APPLYING, O.APPLYING)]
    )
    def test_ends_what_has_written_nothing_and_leaves_the_rest_to_its_worker(
        self, world: World, operation: OperationState, left: OperationState
    ) -> None:
        one = a_member(world, a_campaign(world), 1, M.RUNNING, operation)
        exclude(world, tenant_of(1))
        assert world.operations[one.operation_id].state is left
        assert standing(world, one).state is M.EXCLUDED

    def test_of_who_has_ended_is_refused(self, world: World) -> None:
        a_member(world, a_campaign(world), 1, M.COMPLETED, O.COMPLETED)
        with pytest.raises(InputError, match="have ended"):
            exclude(world, tenant_of(1))

    def test_of_who_is_not_in_it_is_refused(self, world: World) -> None:
        made = a_campaign(world)
        a_member(world, made, 1)
        a_member(world, msgspec.structs.replace(made, campaign_id="other"), 2)
        with pytest.raises(InputError, match="not in this campaign"):
            exclude(world, tenant_of(2))

    def test_needs_a_reason_and_an_operator(self, world: World) -> None:
        a_member(world, a_campaign(world), 1)
        with pytest.raises(InputError, match="needs a reason"):
            exclude(world, tenant_of(1), reason="")
        with pytest.raises(NotAllowedError):
            exclude(world, tenant_of(1), by=APPROVER)

    @pytest.mark.parametrize("state", [C.COMPLETED, C.CALLED_OFF])
    def test_from_one_that_is_over_is_refused(self, world: World, state: CampaignState) -> None:
        a_member(world, a_campaign(world, state), 1)
        with pytest.raises(InputError, match="its list is closed"):
            exclude(world, tenant_of(1))


class TestIncluding:
    def test_puts_back_who_was_excluded(self, world: World) -> None:
        one = a_member(world, a_campaign(world), 1)
        exclude(world, tenant_of(1))
        include(world, tenant_of(1))
        assert standing(world, one) == one
        assert world.campaigns[CAMPAIGN].due_at == NOW

    @pytest.mark.parametrize("state", [C.APPROVED, C.RUNNING])
    def test_never_takes_in_who_was_out_when_it_was_approved(self, world: World, state: CampaignState) -> None:
        made = a_campaign(world, state)
        assert made.approval is not None
        before = made.approval.approved_at - timedelta(seconds=1)
        out = a_member(world, made, 1, M.EXCLUDED, told="no consent", entered_at=before)
        with pytest.raises(InputError, match=r"excluded when the campaign was approved \(no consent\)"):
            include(world, "school1.example")
        assert standing(world, out) == out

    @pytest.mark.parametrize("state", [C.NEW, C.APPROVED])
    def test_takes_in_who_was_taken_out_since_or_before_anybody_approved(
        self, world: World, state: CampaignState
    ) -> None:
        made = a_campaign(world, state)
        since = made.approval.approved_at if made.approval else NOW
        a_member(world, made, 1, M.EXCLUDED, entered_at=since + timedelta(seconds=1))
        assert include(world, "school1.example").members == 1
        assert world.intents == []

    def test_never_takes_in_who_was_left_out_when_it_was_drawn(self, world: World) -> None:
        a_member(world, a_campaign(world), 1, M.EXCLUDED, reason=Reason.LEFT_OUT, told="merges")
        with pytest.raises(InputError, match="left out when the campaign was drawn"):
            include(world, tenant_of(1))

    def test_waits_until_what_was_begun_is_read_back(self, world: World) -> None:
        one = a_member(world, a_campaign(world), 1, M.RUNNING, O.APPLYING)
        exclude(world, tenant_of(1))
        with pytest.raises(InputError, match="still being read back"):
            include(world, tenant_of(1))
        assert standing(world, one).state is M.EXCLUDED

    def test_of_who_is_not_excluded_is_refused(self, world: World) -> None:
        a_member(world, a_campaign(world), 1)
        with pytest.raises(InputError, match="None of them is excluded"):
            include(world, tenant_of(1))


class TestRetrying:
    @pytest.mark.parametrize("state", [C.RUNNING, C.PAUSED, C.STOPPED, C.COMPLETED])
    def test_lets_who_is_left_wait_for_its_turn_again(self, world: World, state: CampaignState) -> None:
        made = a_campaign(world, state)
        failed = a_member(world, made, 1, M.FAILED, O.FAILED, failed=9, is_seen=True, wave=2)
        partly = a_member(world, made, 2, M.PARTIALLY_COMPLETED, O.PARTIALLY_COMPLETED, right=30, left=10)
        done = a_member(world, made, 3, M.COMPLETED, O.COMPLETED)
        assert retry(world).members == 2
        for one in (failed, partly):
            again = standing(world, one)
            assert (again.state, again.failed, again.left, again.is_seen) == (M.WAITING, 0, 0, False)
            assert (again.wave, again.operation_id) == (one.wave, one.operation_id)
            assert again.hands == (OPERATOR.actor,)
        assert standing(world, done) == done
        assert world.campaigns[CAMPAIGN].state is (C.RUNNING if state is C.COMPLETED else state)

    def test_lets_what_is_held_go_on(self, world: World) -> None:
        held = a_member(world, a_campaign(world), 1, M.HELD, O.HELD, reason=Reason.SELECTOR_SHRANK)
        waiting = a_member(world, a_campaign(world), 2, M.HELD, O.AWAITING_SEATS)
        assert retry(world).members == 1
        assert world.operations[held.operation_id].state is not O.HELD
        assert world.operations[held.operation_id].hands == (OPERATOR.actor,)
        assert world.operations[waiting.operation_id].state is O.AWAITING_SEATS
        assert standing(world, held).is_seen

    def test_twice_by_the_same_person_is_one_hand_in_it(self, world: World) -> None:
        once = a_member(world, a_campaign(world), 1, M.FAILED, O.FAILED, hands=(OPERATOR.actor,))
        retry(world)
        assert standing(world, once).hands == (OPERATOR.actor,)

    def test_with_nobody_left_is_refused(self, world: World) -> None:
        a_member(world, a_campaign(world), 1, M.COMPLETED, O.COMPLETED)
        with pytest.raises(InputError, match="Nobody is left"):
            retry(world)

    @pytest.mark.parametrize("state", [C.NEW, C.APPROVED, C.CALLED_OFF])
    def test_of_one_that_left_nobody_is_refused(self, world: World, state: CampaignState) -> None:
        a_campaign(world, state)
        with pytest.raises(InputError, match="nobody was left by it"):
            retry(world)

    def test_takes_an_approval_that_stands(self, world: World) -> None:
        a_member(world, a_campaign(world), 1, M.FAILED, O.FAILED)
        with pytest.raises(InputError, match="mappings changed"):
            retry(world, mappings=msgspec.structs.replace(MAPPINGS, remaps=MAPPINGS.remaps[1:], digest="others"))
