"""What people see of campaigns: waves, readiness as a list to work through, the night, and the report."""

from datetime import timedelta

import pytest

from config.limits import default_limits
from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.errors import InputError
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner
from provisioning.planning.campaign_forecast import Writes
from provisioning.planning.campaign_readiness import Readiness, ReadinessFinding
from provisioning.services.show_campaigns import ShowCampaigns
from tests.unit.services.campaign_scene import CAMPAIGN, MAPPINGS, a_campaign, a_member, people
from tests.unit.services.fakes_access import NOW, FakeClock, World

C, M = CampaignState, MemberState


@pytest.fixture
def world() -> World:
    return World()


def shown(world: World) -> ShowCampaigns:
    return ShowCampaigns(open_uow=world.open, clock=FakeClock(), mappings=MAPPINGS, limits=default_limits())


def look(*reasons: Reason, people: int = 0, **known: object) -> Readiness:
    found = tuple(ReadinessFinding(reason=reason, people=people) for reason in reasons)
    return Readiness(checked_at=NOW, findings=found, **({"people": 40} | known))  # type: ignore[arg-type]


class TestList:
    def test_has_each_with_its_tenants_by_state(self, world: World) -> None:
        made = a_campaign(world)
        a_member(world, made, 1)
        a_member(world, made, 2, M.EXCLUDED)
        (row,) = shown(world)()
        assert row.members == {M.WAITING: 1, M.EXCLUDED: 1}
        assert shown(world)([C.NEW]) == []


class TestSheet:
    def test_adds_up_each_wave(self, world: World) -> None:
        made = a_campaign(world)
        a_member(world, made, 1, M.COMPLETED, OperationState.COMPLETED, right=100)
        a_member(world, made, 2, M.RUNNING, OperationState.APPLYING, right=40, failed=3)
        a_member(world, made, 3, wave=1)
        first, second = shown(world).one("5f0c").waves
        assert (first.people, first.right, first.failed) == (200, 140, 3)
        assert (first.spent.failed_tenants, first.spent.failed_people) == (1, 3)
        assert (second.members, second.people) == ({M.WAITING: 1}, 100)

    def test_sums_up_readiness_of_who_waits(self, world: World) -> None:
        made = a_campaign(world, C.NEW)
        ready, unready, unseen = (a_member(world, made, number) for number in (1, 2, 3))
        world.looks[CAMPAIGN, ready.key] = look()
        world.looks[CAMPAIGN, unready.key] = look(Reason.SEATS_INSUFFICIENT, Reason.AGREEMENT_ABSENT, short=4)
        found = shown(world).one("5f0c").readiness
        assert (found.ready, found.unready, found.never_looked_at, found.seats_short) == (1, 1, 1, 4)
        assert found.by_reason == {Reason.SEATS_INSUFFICIENT: 1}
        assert unseen.key not in world.looks

    def test_foretells_the_night_of_what_is_still_to_come(self, world: World) -> None:
        made = a_campaign(world)
        seen = a_member(world, made, 1)
        world.looks[CAMPAIGN, seen.key] = look(writes=Writes(groups=1, moves=2))
        a_member(world, made, 2)  # nobody looked: a write for each seat
        half = a_member(world, made, 3, M.RUNNING, OperationState.APPLYING, right=50)
        world.looks[CAMPAIGN, half.key] = look(writes=Writes(clashing=100))
        a_member(world, made, 4, M.COMPLETED, OperationState.COMPLETED, right=100)
        sheet = shown(world).one("5f0c")
        (wave,) = sheet.night
        assert wave.writes == Writes(groups=1, clashing=150, moves=2)
        assert sheet.done_at == wave.done_at > NOW

    def test_says_why_nothing_can_begin(self, world: World) -> None:
        assert shown(world).one(a_campaign(world).campaign_id).void == ""
        a_campaign(world, C.NEW)
        assert "nobody approved it" in shown(world).one("5f0c").void

    def test_of_none_is_refused(self, world: World) -> None:
        with pytest.raises(InputError):
            shown(world).one("5f0c")


class TestReadinessList:
    def test_has_the_worst_first_with_who_must_act(self, world: World) -> None:
        made = a_campaign(world, C.NEW)
        ready, few, whole, unseen = (a_member(world, made, number) for number in (1, 2, 3, 4))
        world.looks[CAMPAIGN, ready.key] = look()
        world.looks[CAMPAIGN, few.key] = look(Reason.USAGE_LOCATION, people=2)
        world.looks[CAMPAIGN, whole.key] = look(Reason.SCHOOL_ASSIGNS)
        rows = shown(world).readiness("5f0c")
        assert [row.domain for row in rows] == [f"school{n}.example" for n in (3, 2, 4, 1)]
        assert [row.reason for row in rows] == [Reason.SCHOOL_ASSIGNS, Reason.USAGE_LOCATION, None, None]
        assert rows[0].owner is Owner.SCHOOL
        assert rows[2].checked_at is None
        assert unseen.key not in world.looks

    def test_can_be_of_what_is_in_the_way_alone(self, world: World) -> None:
        made = a_campaign(world, C.NEW)
        member = a_member(world, made, 1)
        world.looks[CAMPAIGN, member.key] = look(Reason.SCHOOL_ASSIGNS, Reason.AGREEMENT_ABSENT)
        rows = shown(world).readiness("5f0c", unready_only=True)
        assert [row.reason for row in rows] == [Reason.SCHOOL_ASSIGNS]


class TestMembers:
    def test_are_listed_by_wave_or_state(self, world: World) -> None:
        made = a_campaign(world)
        later, first = a_member(world, made, 1, wave=1), a_member(world, made, 2, M.FAILED, OperationState.FAILED)
        assert [row.member for row in shown(world).members("5f0c")] == [first, later]
        (row,) = shown(world).members("5f0c", [M.FAILED])
        assert (row.domain, row.member) == ("school2.example", first)
        assert "→" in row.product


class TestReport:
    def test_counts_who_is_left_by_reason(self, world: World) -> None:
        made = a_campaign(world, C.COMPLETED)
        member = a_member(
            world, made, 1, M.PARTIALLY_COMPLETED, OperationState.PARTIALLY_COMPLETED, right=98, left=1, failed=1
        )
        people(world, member, SubjectState.WAITING, 1, Reason.SEATS_INSUFFICIENT)
        people(world, member, SubjectState.REFUSED, 1, Reason.DEPENDENCY)
        report = shown(world).report("5f0c")
        (left,) = report.leftovers
        assert left.reasons == {Reason.SEATS_INSUFFICIENT: 1, Reason.DEPENDENCY: 1}
        assert (left.domain, left.holder) == ("school1.example", "Board 1")
        assert report.made_at - NOW == timedelta(0)
