"""Approving, starting, pausing, resuming and calling off: by whom, from where, with which words, and what follows."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.actors import Role
from provisioning.domain.campaign import Campaign, CampaignState, MemberState
from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.planning.campaign_readiness import Readiness
from provisioning.planning.mapping_digest import campaign_digest
from provisioning.services.approve_campaign import ApproveCampaign, approval_of, why_not_standing
from provisioning.services.steer_campaign import StartCampaign, SteerCampaign
from tests.unit.services.campaign_scene import CAMPAIGN, MAPPINGS, a_campaign, a_member, approved, board_of, standing
from tests.unit.services.fakes_access import APPROVER, AUDITOR, NOW, OPERATOR, SECOND, FakeClock, World, person

C, M, O = CampaignState, MemberState, OperationState  # noqa: E741  # as in the tables of the domain
OTHERS = msgspec.structs.replace(MAPPINGS, remaps=MAPPINGS.remaps[1:], digest="others")
BOTH = person("both", Role.OPERATOR, Role.APPROVER)


@pytest.fixture
def world() -> World:
    return World()


def approve(world: World, identity: Any = APPROVER, digest: str = "d" * 8) -> Campaign:
    service = ApproveCampaign(open_uow=world.open, clock=FakeClock(), mappings=MAPPINGS, limits=default_limits())
    return service(identity, "5f0c", digest)


def start(world: World, identity: Any = OPERATOR, mappings: Any = MAPPINGS, now: Any = NOW) -> Campaign:
    return StartCampaign(open_uow=world.open, clock=FakeClock(now), mappings=mappings)(identity, "5f0c")


def steer(world: World, goal: CampaignState, reason: str = "so", now: Any = NOW) -> Campaign:
    return SteerCampaign(open_uow=world.open, clock=FakeClock(now), mappings=MAPPINGS)(OPERATOR, "5f0c", goal, reason)


class TestApproving:
    def test_is_of_this_list_for_seven_days_from_its_beginning(self, world: World) -> None:
        made = a_campaign(world, C.NEW)
        later = NOW + timedelta(weeks=5)
        definition = msgspec.structs.replace(made.definition, begins_at=later)
        world.campaigns[CAMPAIGN] = msgspec.structs.replace(made, definition=definition)
        given = approve(world).approval
        assert given is not None
        assert (given.approved_by, given.digest) == (APPROVER.actor, made.digest)
        assert given.mapping == campaign_digest(made.definition.pairs, MAPPINGS)
        assert given.valid_until == later + timedelta(days=7)
        assert world.campaigns[CAMPAIGN].state is C.APPROVED
        assert world.kinds == ["campaign.approved"]

    def test_covers_the_kinds_of_loss_that_were_seen(self, world: World) -> None:
        made = a_campaign(world, C.NEW)
        member = a_member(world, made, 1)
        world.looks[CAMPAIGN, member.key] = Readiness(checked_at=NOW, losses=frozenset({"family:yammer"}))
        given = approve(world).approval
        assert given is not None
        assert given.losses == {"family:yammer"}

    def test_waits_until_every_tenant_was_looked_at(self, world: World) -> None:
        made = a_campaign(world, C.NEW)
        seen, _ = a_member(world, made, 1), a_member(world, made, 2)
        world.looks[CAMPAIGN, seen.key] = Readiness(checked_at=NOW)
        with pytest.raises(ConflictError, match=r"1 tenants of campaign .* were not looked at yet"):
            approve(world)
        assert world.campaigns[CAMPAIGN].state is C.NEW

    def test_tells_each_board_once(self, world: World) -> None:
        made = a_campaign(world, C.NEW)
        for member in (a_member(world, made, 1), a_member(world, made, 2, holder_id="00AA", board_id=board_of(1))):
            world.looks[CAMPAIGN, member.key] = Readiness(checked_at=NOW)
        a_member(world, made, 3, M.EXCLUDED)
        approve(world)
        approve(world)  # renewed
        assert [(one.topic, one.organisation_id) for one in world.intents] == [(Topic.CAMPAIGN_ANNOUNCED, board_of(1))]

    @pytest.mark.parametrize(
        ("identity", "complaint"),
        [
            pytest.param(OPERATOR, "may not approve a campaign", id="no approver"),
            pytest.param(AUDITOR, "may not approve a campaign", id="an auditor"),
        ],
    )
    def test_takes_the_right(self, world: World, identity: Any, complaint: str) -> None:
        a_campaign(world, C.NEW)
        with pytest.raises(NotAllowedError, match=complaint):
            approve(world, identity)

    def test_takes_somebody_else_than_who_asked(self, world: World) -> None:
        made = a_campaign(world, C.NEW)
        world.campaigns[CAMPAIGN] = msgspec.structs.replace(made, requested_by=BOTH.actor)
        with pytest.raises(NotAllowedError, match="asked for this campaign"):
            approve(world, BOTH)
        assert world.campaigns[CAMPAIGN].state is C.NEW

    def test_takes_somebody_else_than_who_wrote_the_mappings(self, world: World) -> None:
        a_campaign(world, C.NEW)
        world.configurations.append(
            ConfigurationVersion(
                kind=ConfigurationKind.MAPPINGS,
                digest="x",
                content={},
                reason="new",
                proposed_by=APPROVER.actor,
                proposed_at=NOW,
                approved_by=SECOND.actor,
                approved_at=NOW,
            )
        )
        with pytest.raises(NotAllowedError, match="proposed the mappings"):
            approve(world)

    @pytest.mark.parametrize(("digest", "error"), [("dddd", InputError), ("e" * 8, ConflictError)])
    def test_names_the_campaign_that_was_seen(self, world: World, digest: str, error: type[Exception]) -> None:
        a_campaign(world, C.NEW)
        with pytest.raises(error):
            approve(world, digest=digest)

    @pytest.mark.parametrize("state", [C.COMPLETED, C.CALLED_OFF])
    def test_of_one_that_is_over_makes_no_sense(self, world: World, state: CampaignState) -> None:
        a_campaign(world, state)
        with pytest.raises(ConflictError, match="nothing to approve"):
            approve(world)

    @pytest.mark.parametrize("state", [C.RUNNING, C.PAUSED, C.STOPPED])
    def test_of_one_that_goes_on_renews_it_and_moves_nothing(self, world: World, state: CampaignState) -> None:
        before = a_campaign(world, state)
        after = approve(world)
        assert (after.state, after.told, after.entered_at) == (state, before.told, before.entered_at)


class TestLending:
    @pytest.mark.parametrize("state", sorted(C))
    def test_only_while_it_runs(self, world: World, state: CampaignState) -> None:
        a_campaign(world, state)
        with world.open() as uow:
            assert (approval_of(uow, CAMPAIGN) is not None) is (state is C.RUNNING)


class TestStarting:
    def test_runs_from_now_on(self, world: World) -> None:
        a_campaign(world, C.APPROVED)
        started = start(world)
        assert (started.state, started.started_by, started.due_at) == (C.RUNNING, OPERATOR.actor, NOW)
        assert world.kinds == ["campaign.started"]

    @pytest.mark.parametrize("state", sorted(set(C) - {C.APPROVED}))
    def test_takes_an_approved_one(self, world: World, state: CampaignState) -> None:
        a_campaign(world, state)
        with pytest.raises(InputError, match="only an approved one"):
            start(world)

    def test_mappings_that_differ_in_what_it_does_not_rest_on_change_nothing(self, world: World) -> None:
        a_campaign(world, C.APPROVED)
        holidays = msgspec.structs.replace(MAPPINGS, school_holidays=MAPPINGS.school_holidays[1:], digest="others")
        assert start(world, mappings=holidays).state is C.RUNNING

    def test_takes_the_mappings_that_were_approved(self, world: World) -> None:
        a_campaign(world, C.APPROVED)
        with pytest.raises(InputError, match="mappings changed since"):
            start(world, mappings=OTHERS)

    @pytest.mark.parametrize(("late", "stands"), [(timedelta(seconds=-1), True), (timedelta(0), False)])
    def test_takes_an_approval_that_is_in_force(self, world: World, late: timedelta, stands: bool) -> None:
        made = a_campaign(world, C.APPROVED)
        assert made.approval is not None
        assert (not why_not_standing(made, MAPPINGS, made.approval.valid_until + late)) is stands

    def test_takes_an_operator(self, world: World) -> None:
        a_campaign(world, C.APPROVED)
        with pytest.raises(NotAllowedError):
            start(world, APPROVER)


class TestSteering:
    @pytest.mark.parametrize(
        ("before", "goal", "reason"),
        [
            (C.RUNNING, C.PAUSED, Reason.CAMPAIGN_PAUSED),
            (C.PAUSED, C.RUNNING, None),
            (C.STOPPED, C.RUNNING, None),
            *(
                (state, C.CALLED_OFF, Reason.CAMPAIGN_CALLED_OFF)
                for state in (C.NEW, C.APPROVED, C.RUNNING, C.PAUSED, C.STOPPED)
            ),
        ],
    )
    def test_goes_where_it_is_told_with_the_reason_on_record(
        self, world: World, before: CampaignState, goal: CampaignState, reason: Reason | None
    ) -> None:
        a_campaign(world, before)
        steered = steer(world, goal, "the helpdesk is closed")
        assert (steered.state, steered.reason, steered.due_at) == (goal, reason, NOW)
        (event,) = world.events
        assert (event.kind, event.reason, event.actor) == (f"campaign.{goal}", "the helpdesk is closed", OPERATOR.actor)

    @pytest.mark.parametrize(
        ("before", "goal"),
        [(C.NEW, C.PAUSED), (C.APPROVED, C.RUNNING), (C.COMPLETED, C.RUNNING), (C.COMPLETED, C.CALLED_OFF)]
        + [(C.CALLED_OFF, goal) for goal in (C.PAUSED, C.RUNNING, C.CALLED_OFF)],
    )
    def test_goes_nowhere_else(self, world: World, before: CampaignState, goal: CampaignState) -> None:
        a_campaign(world, before)
        with pytest.raises(InputError, match="makes no sense"):
            steer(world, goal)
        assert world.campaigns[CAMPAIGN].state is before

    @pytest.mark.parametrize("goal", [C.PAUSED, C.RUNNING, C.CALLED_OFF])
    def test_needs_a_reason(self, world: World, goal: CampaignState) -> None:
        a_campaign(world, C.PAUSED)
        with pytest.raises(InputError, match="needs a reason"):
            steer(world, goal, " ")

    def test_resuming_counts_what_went_wrong_as_seen(self, world: World) -> None:
        made = a_campaign(world, C.STOPPED)
        failed = a_member(world, made, 1, M.FAILED, O.FAILED)
        held = a_member(world, made, 2, M.HELD, O.HELD)
        partly = a_member(world, made, 3, M.PARTIALLY_COMPLETED, O.PARTIALLY_COMPLETED, failed=1)
        fine = a_member(world, made, 4, M.RUNNING, O.APPLYING)
        steer(world, C.RUNNING, "the cause is gone")
        assert [standing(world, one).is_seen for one in (failed, held, partly, fine)] == [True, True, True, False]

    @pytest.mark.parametrize(
        ("reason", "due"),
        [
            pytest.param(Reason.CAMPAIGN_STOPPED, timedelta(0), id="what stood still"),
            pytest.param(None, timedelta(minutes=5), id="what waits for something else"),
        ],
    )
    def test_resuming_wakes(self, world: World, reason: Reason | None, due: timedelta) -> None:
        made = a_campaign(world, C.STOPPED)
        one = a_member(world, made, 1, M.RUNNING, O.APPLYING, reason=reason)
        assert one.operation_id is not None
        later = msgspec.structs.replace(world.operations[one.operation_id], due_at=NOW + timedelta(minutes=5))
        world.operations[one.operation_id] = later
        steer(world, C.RUNNING, "repaired")
        assert world.operations[one.operation_id].due_at == NOW + due

    def test_resuming_takes_an_approval_that_stands(self, world: World) -> None:
        made = a_campaign(world, C.STOPPED)
        ended = msgspec.structs.replace(approved(made), valid_until=NOW)
        world.campaigns[CAMPAIGN] = msgspec.structs.replace(made, approval=ended)
        with pytest.raises(InputError, match="its approval ended"):
            steer(world, C.RUNNING)

    def test_calling_off_leaves_who_waits_and_ends_what_has_written_nothing(self, world: World) -> None:
        made = a_campaign(world, C.RUNNING)
        waiting = a_member(world, made, 1)
        begun = a_member(world, made, 2, M.RUNNING, O.PLANNING)
        writing = a_member(world, made, 3, M.RUNNING, O.APPLYING)
        done = a_member(world, made, 4, M.COMPLETED, O.COMPLETED)
        steer(world, C.CALLED_OFF, "the contract was extended")
        assert standing(world, waiting).state is M.EXCLUDED
        assert standing(world, waiting).reason is Reason.CAMPAIGN_CALLED_OFF
        told = [one.organisation_id for one in world.intents if one.topic is Topic.CAMPAIGN_ENDED]
        assert waiting.board_id in told  # it was told that it would begin
        assert standing(world, done) == done
        states = [world.operations[one.operation_id].state for one in (begun, writing)]
        assert states == [O.CANCELLED, O.APPLYING]  # a worker ends the other one, once it has read back
