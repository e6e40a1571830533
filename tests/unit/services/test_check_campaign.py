"""Looking at a campaign's tenants: each is kept at once, old looks first, and a broken-off round goes on."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberKey, MemberState
from provisioning.domain.errors import ActionRequiredError, NotAllowedError
from provisioning.domain.ids import TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from provisioning.planning.campaign_readiness import Readiness, ReadinessFinding
from provisioning.services.check_campaign import CheckCampaign
from provisioning.services.look_at_tenant import LookAtTenant
from tests.unit.services.campaign_scene import CAMPAIGN, MAPPINGS, a_campaign, a_member, tenant_of
from tests.unit.services.fakes_access import AUDITOR, NOW, OPERATOR, FakeClock, World

LIMITS = default_limits()
UNREADY = ReadinessFinding(reason=Reason.CONSENT_MISSING)


class Looks:
    """Finds tenant 2 unready; remembers whom it looked at."""

    def __init__(self, clock: FakeClock, breaks_at: int | None = None) -> None:
        self.clock = clock
        self.breaks_at = breaks_at
        self.seen: list[str] = []

    def __call__(self, campaign: Campaign, members: Sequence[CampaignMember]) -> dict[MemberKey, Readiness]:
        if len(self.seen) == self.breaks_at:
            raise KeyboardInterrupt
        tenants = {one.tenant_id for one in members}
        assert len(tenants) == 1, "members of one tenant are looked at together"
        self.seen += tenants
        findings = (UNREADY,) if tenant_of(2) in tenants else ()
        return {one.key: Readiness(checked_at=self.clock.now(), findings=findings) for one in members}


@pytest.fixture
def world() -> World:
    return World()


def service(world: World, clock: FakeClock, look: Any) -> CheckCampaign:
    return CheckCampaign(open_uow=world.open, clock=clock, limits=LIMITS, look=look)


class TestAsked:
    def test_looks_at_everybody_who_waits_and_counts(self, world: World) -> None:
        made = a_campaign(world, CampaignState.NEW)
        for number in (1, 2, 3):
            a_member(world, made, number)
        a_member(world, made, 3, holder_id="00AA")
        a_member(world, made, 4, MemberState.EXCLUDED)
        a_member(world, made, 5, MemberState.RUNNING, OperationState.APPLYING)
        clock = FakeClock()
        looks = Looks(clock)
        checked = service(world, clock, looks)(OPERATOR, "5f0c")
        assert sorted(looks.seen) == [tenant_of(number) for number in (1, 2, 3)]
        assert (checked.tenants, checked.unready) == (3, 1)
        assert len(world.looks) == 4

    def test_broken_off_it_goes_on_with_the_others(self, world: World) -> None:
        made = a_campaign(world, CampaignState.NEW)
        for number in (1, 2, 3):
            a_member(world, made, number)
        clock = FakeClock()
        with pytest.raises(KeyboardInterrupt):
            service(world, clock, Looks(clock, breaks_at=2))(OPERATOR, "5f0c")
        assert len(world.looks) == 2
        clock.moment += timedelta(minutes=5)  # whoever broke off does not hold the tenant for longer
        looks = Looks(clock)
        service(world, clock, looks).round()
        assert looks.seen == [tenant_of(3)]

    def test_takes_a_right(self, world: World) -> None:
        a_campaign(world, CampaignState.NEW)
        with pytest.raises(NotAllowedError):
            service(world, FakeClock(), Looks(FakeClock()))(AUDITOR, "5f0c")


class TestInParts:
    """Over HTTP nobody waits for three thousand tenants: a part, and the others in the requests that follow."""

    def test_a_part_says_how_many_are_left_and_the_next_goes_on(self, world: World) -> None:
        made, clock = a_campaign(world, CampaignState.NEW), FakeClock()
        for number in range(1, 6):
            a_member(world, made, number)
        looks = Looks(clock)

        def slow(campaign: Campaign, members: Sequence[CampaignMember]) -> dict[MemberKey, Readiness]:
            clock.moment += timedelta(seconds=6)
            return looks(campaign, members)

        part = service(world, clock, slow)(OPERATOR, "5f0c", within=timedelta(seconds=10))
        assert (part.tenants, part.unready, part.left) == (2, 1, 3)
        rest = service(world, clock, slow)(OPERATOR, "5f0c", since=part.since)
        assert (rest.tenants, rest.left) == (3, 0)
        assert sorted(looks.seen) == [tenant_of(number) for number in range(1, 6)]

    def test_what_somebody_else_is_looking_at_is_left(self, world: World) -> None:
        made, clock = a_campaign(world, CampaignState.NEW), FakeClock()
        for number in (1, 2):
            a_member(world, made, number)
        world.looking[CAMPAIGN, TenantId(tenant_of(1))] = clock.wall() + timedelta(minutes=1)
        checked = service(world, clock, Looks(clock))(OPERATOR, "5f0c")
        assert (checked.tenants, checked.left) == (1, 1)

    def test_a_look_that_fails_keeps_no_other_tenant_waiting(self, world: World) -> None:
        made, clock = a_campaign(world, CampaignState.NEW), FakeClock()
        for number in (1, 2):
            a_member(world, made, number)
        with pytest.raises(KeyboardInterrupt):
            service(world, clock, Looks(clock, breaks_at=0)).round()
        looks = Looks(clock)
        assert service(world, clock, looks).round() == 1
        clock.moment += timedelta(minutes=5)
        assert service(world, clock, looks).round() == 1


class TestRounds:
    @pytest.mark.parametrize(
        ("age", "looked"),
        [
            pytest.param(LIMITS.campaign_recheck, 0, id="a day old"),
            pytest.param(LIMITS.campaign_recheck + timedelta(seconds=1), 1, id="older"),
        ],
    )
    def test_look_again_at_what_is_old(self, world: World, age: timedelta, looked: int) -> None:
        member = a_member(world, a_campaign(world, CampaignState.APPROVED), 1)
        world.looks[CAMPAIGN, member.key] = Readiness(checked_at=NOW - age)
        assert service(world, FakeClock(), Looks(FakeClock())).round() == looked

    @pytest.mark.parametrize(("ahead", "looked"), [(timedelta(days=14), 1), (timedelta(0), 0), (-timedelta(1), 0)])
    def test_one_that_was_started_is_looked_at_until_it_begins(
        self, world: World, ahead: timedelta, looked: int
    ) -> None:
        made = a_campaign(world, CampaignState.RUNNING)
        later = msgspec.structs.replace(made.definition, begins_at=NOW + ahead)
        world.campaigns[CAMPAIGN] = msgspec.structs.replace(made, definition=later)
        a_member(world, world.campaigns[CAMPAIGN], 1)
        assert service(world, FakeClock(), Looks(FakeClock())).round() == looked

    @pytest.mark.parametrize("state", [CampaignState.COMPLETED, CampaignState.CALLED_OFF])
    def test_leave_alone_what_is_over(self, world: World, state: CampaignState) -> None:
        a_member(world, a_campaign(world, state), 1)
        assert service(world, FakeClock(), Looks(FakeClock())).round() == 0

    def test_last_no_longer_than_a_task_may(self, world: World) -> None:
        made, clock = a_campaign(world, CampaignState.NEW), FakeClock()
        for number in range(1, 6):
            a_member(world, made, number)

        def slow(campaign: Campaign, members: Sequence[CampaignMember]) -> dict[MemberKey, Readiness]:
            clock.moment += timedelta(seconds=6)
            return Looks(clock)(campaign, members)

        assert service(world, clock, slow).round() == 2


class TestATenantThatCannotBeRead:
    def test_is_a_finding_and_no_error(self, world: World) -> None:
        class Away:
            def observe_readiness(self, tenant: str) -> None:
                raise ActionRequiredError("no consent", Reason.CONSENT_MISSING)

        made = a_campaign(world, CampaignState.NEW)
        member = a_member(world, made, 1)
        look = LookAtTenant(
            open_uow=world.open,
            gateway=Away(),  # type: ignore[arg-type]  # nothing else is asked of it
            clock=FakeClock(),
            mappings=MAPPINGS,
            limits=LIMITS,
        )
        found = look(made, [member])[member.key]
        assert Reason.CONSENT_MISSING in {one.reason for one in found.findings}
