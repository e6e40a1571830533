"""What is next in a campaign: a table on both sides of every limit, and what never happens, as properties."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.campaign import CampaignMember, CampaignState, ErrorBudget, MemberState
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.campaign_turn import Pace, Progress, Standing, Turn, next_turn, spent_in
from tests.factories import NOW
from tests.factories.campaigns import campaign, definition, member

C, M, O, S = CampaignState, MemberState, OperationState, SubjectState  # noqa: E741  # as in the tables of the domain
RUNNING = campaign(C.RUNNING)
BUDGET = ErrorBudget(tenants=0.1, people=0.02)


def members(number: int, state: MemberState = M.WAITING, wave: int = 0, **known: Any) -> list[CampaignMember]:
    return [member(RUNNING, f"w{wave}-{state}-{place:03}", state=state, wave=wave, **known) for place in range(number)]


def turn(*some: CampaignMember, progress: Any = None, of: Any = RUNNING, **known: Any) -> Turn:
    fields: dict[str, Any] = {"pace": Pace(at_once=50, in_a_look=20), "is_open": True, "now": NOW}
    return next_turn(Standing(campaign=of, members=some, progress=progress or {}, **(fields | known)))


def after(state: OperationState, **known: Any) -> CampaignMember:
    """One running member whose operation came to this."""
    one = member(RUNNING, state=M.RUNNING)
    return turn(one, *members(99), progress={one.key: Progress(state=state, **known)}).members[0]


class TestFoldingIn:
    @pytest.mark.parametrize(
        ("operation", "standing"),
        [
            (O.NEW, M.RUNNING),
            (O.PLANNING, M.RUNNING),
            (O.AWAITING_DATE, M.RUNNING),
            (O.AWAITING_CONSENT, M.HELD),
            (O.AWAITING_SEATS, M.HELD),
            (O.AWAITING_APPROVAL, M.HELD),
            (O.APPLYING, M.RUNNING),
            (O.VERIFYING, M.RUNNING),
            (O.HELD, M.HELD),
            (O.COMPLETED, M.COMPLETED),
            (O.PARTIALLY_COMPLETED, M.PARTIALLY_COMPLETED),
            (O.FAILED, M.FAILED),
            (O.CANCELLED, M.FAILED),
        ],
    )
    def test_follows_the_operation(self, operation: OperationState, standing: MemberState) -> None:
        assert after(operation).state is standing

    @pytest.mark.parametrize("reason", [Reason.CAMPAIGN_CALLED_OFF, Reason.EXCLUDED_FROM_CAMPAIGN])
    def test_excludes_whom_it_was_called_off_for(self, reason: Reason) -> None:
        assert after(O.CANCELLED, reason=reason).state is M.EXCLUDED

    def test_counts_people_by_what_became_of_them(self) -> None:
        people = {S.VERIFIED: 3, S.ALREADY_RIGHT: 1, S.WAITING: 2, S.REFUSED: 1, S.FAILED: 1, S.CHANGED_MEANWHILE: 1}
        found = after(O.APPLYING, people=people | {S.PENDING: 200})
        assert (found.right, found.left, found.failed, found.people) == (4, 2, 3, 209)

    def test_calls_a_tenant_failed_in_which_it_went_wrong_for_everybody(self) -> None:
        assert after(O.PARTIALLY_COMPLETED, people={S.REFUSED: 3}).state is M.FAILED
        assert after(O.PARTIALLY_COMPLETED, people={S.REFUSED: 3, S.VERIFIED: 1}).state is M.PARTIALLY_COMPLETED

    def test_goes_back_to_work_when_a_person_let_the_operation_go_on(self) -> None:
        held = member(RUNNING, state=M.HELD, reason=Reason.GROUP_GONE, is_seen=True)
        found = turn(held, progress={held.key: Progress(state=O.APPLYING)}).members[0]
        assert (found.state, found.reason) == (M.RUNNING, None)

    def test_goes_on_in_a_campaign_that_stands_still(self) -> None:
        one = member(RUNNING, state=M.RUNNING)
        for state in (C.PAUSED, C.STOPPED, C.CALLED_OFF):
            found = turn(one, of=campaign(state), progress={one.key: Progress(state=O.COMPLETED)})
            assert found.members[0].state is M.COMPLETED
            assert found.campaign.state is state


class TestBudget:
    @pytest.mark.parametrize(
        ("failed", "stops"), [pytest.param(2, False, id="exactly the budget"), pytest.param(3, True, id="one more")]
    )
    def test_of_tenants(self, failed: int, stops: bool) -> None:
        some = [*members(failed, M.FAILED), *members(20 - failed, M.COMPLETED), *members(1, wave=1)]
        found = turn(*some, of=campaign(C.RUNNING, definition=definition(budget=BUDGET)))
        assert (found.campaign.state is C.STOPPED) is stops
        assert bool(found.begins) is not stops

    @pytest.mark.parametrize(
        ("failed", "stops"), [pytest.param(40, False, id="exactly the budget"), pytest.param(41, True, id="one more")]
    )
    def test_of_people(self, failed: int, stops: bool) -> None:
        """Spread thin: no tenant has failed, and still too many people have."""
        bad = [msgspec.structs.replace(one, failed=2) for one in members(20, M.PARTIALLY_COMPLETED)]
        bad[0] = msgspec.structs.replace(bad[0], failed=2 + failed - 40)
        found = turn(*bad, *members(1, wave=1), of=campaign(C.RUNNING, definition=definition(budget=BUDGET)))
        assert (found.campaign.state is C.STOPPED) is stops

    def test_counts_operations_that_are_still_at_work(self) -> None:
        one, *others = members(10, M.RUNNING)
        found = turn(one, *others, progress={one.key: Progress(state=O.APPLYING, people={S.FAILED: 60, S.PENDING: 40})})
        assert found.campaign.state is C.STOPPED
        assert found.campaign.reason is Reason.CAMPAIGN_STOPPED
        assert "60 of 1,000 people" in found.campaign.told

    def test_is_of_one_wave_at_a_time(self) -> None:
        waves = [*members(10, M.COMPLETED), *members(1, M.FAILED, wave=1), *members(29, M.COMPLETED, wave=1)]
        wide = ErrorBudget(tenants=0.04, people=0.04)
        assert turn(*waves, of=campaign(C.RUNNING, definition=definition(budget=wide))).campaign.state is C.COMPLETED
        assert [spent.failed_tenants for spent in spent_in(waves, wide)] == [0, 1]

    def test_counts_no_more_what_a_person_saw(self) -> None:
        found = turn(*members(1, M.FAILED, is_seen=True), *members(2, wave=1))
        assert found.campaign.state is C.RUNNING
        assert len(found.begins) == 2

    def test_counts_nobody_who_was_excluded(self) -> None:
        assert turn(*members(5, M.EXCLUDED, failed=100), *members(1)).campaign.state is C.RUNNING

    def test_counts_a_tenant_once_whatever_it_holds(self) -> None:
        twice = [member(RUNNING, "t1", state=M.FAILED), member(RUNNING, "t1", state=M.FAILED, holder_id="00AA")]
        assert spent_in(twice, BUDGET)[0].failed_tenants == 1

    @pytest.mark.parametrize("reason", sorted(ErrorBudget().always))
    def test_is_spent_at_once_by_some_reasons(self, reason: Reason) -> None:
        wide = campaign(C.RUNNING, definition=definition(budget=ErrorBudget(tenants=1, people=1)))
        one, *others = members(100, M.RUNNING)
        held = turn(one, *others, of=wide, progress={one.key: Progress(state=O.HELD, reason=reason)})
        person = turn(one, *others, of=wide, progress={one.key: Progress(state=O.APPLYING, wrong=frozenset({reason}))})
        assert held.campaign.state is person.campaign.state is C.STOPPED
        assert reason in held.campaign.told

    def test_is_not_spent_at_once_by_others(self) -> None:
        wide = campaign(C.RUNNING, definition=definition(budget=ErrorBudget(tenants=1, people=1)))
        one = member(RUNNING, state=M.RUNNING)
        held = turn(one, of=wide, progress={one.key: Progress(state=O.HELD, reason=Reason.SELECTOR_SHRANK)})
        assert held.campaign.state is C.RUNNING


class TestBeginning:
    def test_begins_with_the_canaries_alone(self) -> None:
        found = turn(*members(3), *members(9, wave=1))
        assert {one.wave for one in found.begins} == {0}
        assert len(found.begins) == 3

    @pytest.mark.parametrize("state", [M.WAITING, M.RUNNING])
    def test_widens_only_when_the_wave_before_is_over(self, state: MemberState) -> None:
        found = turn(*members(9, M.COMPLETED), *members(1, state), *members(5, wave=1))
        assert {one.wave for one in found.begins} <= {0}

    @pytest.mark.parametrize("state", [M.COMPLETED, M.PARTIALLY_COMPLETED, M.EXCLUDED])
    def test_widens_when_it_is(self, state: MemberState) -> None:
        assert {one.wave for one in turn(*members(3, state), *members(5, wave=1)).begins} == {1}

    @pytest.mark.parametrize(
        ("ended", "begun"),
        [
            pytest.param(0, 0, id="nobody ended"),
            pytest.param(1, 3, id="one makes room for three"),
            pytest.param(3, 9, id="three for nine"),
            pytest.param(4, 10, id="all of them for everybody"),
        ],
    )
    def test_after_the_canaries_a_wave_widens_as_tenants_end(self, ended: int, begun: int) -> None:
        """Nobody waits for the slowest tenant of the wave before; the quota would be idle."""
        canaries, before = members(2, M.COMPLETED), members(ended, M.COMPLETED, wave=1)
        slow = members(4 - ended, M.RUNNING, wave=1)
        assert len(turn(*canaries, *before, *slow, *members(10, wave=2)).begins) == begun

    def test_who_began_counts_in_the_room_that_others_made(self) -> None:
        known = [*members(2, M.COMPLETED), *members(2, M.COMPLETED, wave=1), *members(2, M.RUNNING, wave=1)]
        begun = members(5, M.RUNNING, wave=2)
        assert len(turn(*known, *begun, *members(10, wave=2)).begins) == 1

    def test_who_is_tried_again_needs_no_room(self) -> None:
        again = member(RUNNING, "again", wave=2, operation_id=OperationId("begun before"))
        found = turn(*members(2, M.RUNNING), *members(3, wave=1), again)
        assert [one.tenant_id for one in found.begins] == ["again"]

    def test_canaries_that_are_tried_again_do_not_shut_the_wave_after_them(self) -> None:
        found = turn(*members(1, M.RUNNING), *members(1, M.RUNNING, wave=1), *members(4, wave=1))
        assert len(found.begins) == 4

    def test_canaries_stand_for_tenants_that_license_as_they_do(self) -> None:
        """What a group brings takes Microsoft longer than a write: only tenants like that wait for it."""
        by_group = {"mode": AssignmentMode.GROUP}
        canaries = [*members(3, M.COMPLETED), member(RUNNING, "slow", state=M.RUNNING, **by_group)]
        later = [*members(4, wave=1), *(member(RUNNING, f"group-{n}", wave=1, **by_group) for n in range(4))]
        assert {one.mode for one in turn(*canaries, *later).begins} == {AssignmentMode.DIRECT}
        settled = [*canaries[:3], msgspec.structs.replace(canaries[3], state=M.COMPLETED)]
        assert len(turn(*settled, *later).begins) == 8

    @pytest.mark.parametrize(("state", "begun"), [(M.RUNNING, 0), (M.COMPLETED, 4)])
    def test_who_has_no_canary_of_their_kind_waits_for_all_of_them(self, state: MemberState, begun: int) -> None:
        others = [member(RUNNING, f"group-{n}", wave=1, mode=AssignmentMode.GROUP) for n in range(4)]
        assert len(turn(*members(2, M.COMPLETED), *members(1, state), *others).begins) == begun

    def test_another_product_of_a_tenant_that_is_held_keeps_nobody_waiting(self) -> None:
        held = member(RUNNING, "t1", state=M.HELD, is_seen=True, from_sku="a")
        behind = member(RUNNING, "t1", from_sku="b")
        assert len(turn(held, behind, *members(5, wave=1)).begins) == 5

    def test_is_not_kept_waiting_by_who_waits_for_a_person(self) -> None:
        assert len(turn(*members(1, M.HELD, is_seen=True), *members(5, wave=1)).begins) == 5

    @pytest.mark.parametrize(
        ("running", "begun"),
        [
            pytest.param(0, 20, id="no more in one look"),
            pytest.param(45, 5, id="as much as there is room"),
            pytest.param(50, 0, id="full"),
            pytest.param(60, 0, id="over full"),
        ],
    )
    def test_begins_so_many_at_once(self, running: int, begun: int) -> None:
        assert len(turn(*members(running, M.RUNNING), *members(100)).begins) == begun

    def test_begins_one_product_of_a_tenant_at_a_time(self) -> None:
        two = [member(RUNNING, "t1", from_sku=sku) for sku in ("a", "b")]
        assert [one.from_sku for one in turn(*two).begins] == ["a"]
        at_work = msgspec.structs.replace(two[0], state=M.RUNNING)
        assert not turn(at_work, two[1]).begins

    def test_waits_for_its_moment_and_its_window(self) -> None:
        early = campaign(C.RUNNING, definition=definition(begins_at=NOW + timedelta(seconds=1)))
        assert not turn(*members(3), of=early).begins
        assert turn(*members(3), of=early, now=NOW + timedelta(seconds=1)).begins
        assert not turn(*members(3), is_open=False).begins

    @pytest.mark.parametrize("state", sorted(set(C) - {C.RUNNING}))
    def test_begins_nothing_unless_it_runs(self, state: CampaignState) -> None:
        assert not turn(*members(3), of=campaign(state)).begins


class TestEnd:
    @pytest.mark.parametrize("state", [M.COMPLETED, M.PARTIALLY_COMPLETED, M.EXCLUDED])
    def test_comes_when_everybody_has_ended(self, state: MemberState) -> None:
        assert turn(*members(3, state)).campaign.state is C.COMPLETED

    def test_does_not_come_while_somebody_waits_for_a_person(self) -> None:
        assert turn(*members(3, M.COMPLETED), *members(1, M.HELD, is_seen=True)).campaign.state is C.RUNNING


ANYBODY = st.builds(
    lambda place, state, wave, failed, is_seen: member(
        RUNNING, f"t{place}", state=state, wave=wave, failed=failed, is_seen=is_seen
    ),
    st.integers(0, 30),
    st.sampled_from(list(M)),
    st.integers(0, 3),
    st.integers(0, 100),
    st.booleans(),
)
EVERYBODY = st.lists(ANYBODY, unique_by=lambda one: one.key, max_size=30)


class TestAlways:
    @given(EVERYBODY)
    def test_nobody_begins_beyond_the_budget(self, some: list[CampaignMember]) -> None:
        found = turn(*some)
        if any(spent.is_beyond(ErrorBudget()) for spent in spent_in(found.members, ErrorBudget())):
            assert found.campaign.state is C.STOPPED
            assert not found.begins

    @given(EVERYBODY)
    def test_only_who_waits_begins_and_each_tenant_once(self, some: list[CampaignMember]) -> None:
        begins = turn(*some).begins
        assert all(one.state is M.WAITING for one in begins)
        assert len({one.tenant_id for one in begins}) == len(begins)

    @given(st.integers(1, 9), st.integers(0, 9), st.lists(st.integers(0, 9), max_size=3))
    def test_nobody_is_tried_before_all_canaries_have_ended(self, running: int, ended: int, others: list[int]) -> None:
        canaries = [*members(running, M.RUNNING), *members(ended, M.COMPLETED)]
        later = [one for wave, number in enumerate(others, start=1) for one in members(number, wave=wave)]
        assert turn(*canaries, *later).begins == ()

    @given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 60), st.integers(0, 60))
    def test_no_wave_is_ahead_of_what_is_proven(self, ended: int, running: int, begun: int, waiting: int) -> None:
        before = [*members(ended, M.COMPLETED, wave=1), *members(running, M.RUNNING, wave=1)]
        after = [*members(begun, M.RUNNING, wave=2), *members(waiting, wave=2)]
        found = turn(*members(1, M.COMPLETED), *before, *after, pace=Pace(at_once=1_000, in_a_look=1_000))
        room = waiting if not running else min(waiting, max(0, 3 * ended - begun))
        assert len(found.begins) == room

    @given(EVERYBODY)
    def test_a_second_look_without_news_changes_nothing(self, some: list[CampaignMember]) -> None:
        once = turn(*some)
        again = turn(*once.members, of=once.campaign)
        assert (again.campaign, again.members, again.begins) == (once.campaign, once.members, once.begins)
