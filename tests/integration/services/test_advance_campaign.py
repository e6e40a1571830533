"""Two looks at one campaign at the same time, on PostgreSQL: each tenant is begun once, whoever is first."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from mappings.loader import load_mappings
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberState
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import CampaignId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.planning.mapping_digest import campaign_digest
from provisioning.services.advance_campaign import AdvanceCampaign
from provisioning.services.begin_member import BeginMember
from provisioning.services.sweep_campaigns import SweepCampaigns
from tests.factories import NOW, campaigns, tenancy
from tests.unit.services.fakes_access import FakeClock, FakeDispatcher

Open = Callable[[], SqlUnitOfWork]
MAPPINGS = load_mappings()
LIMITS = default_limits()
BEGIN = BeginMember(mappings=MAPPINGS)


@pytest.fixture
def campaign(open_uow: Open) -> Campaign:
    """Running, with three tenants that wait."""
    made = campaigns.campaign(CampaignState.RUNNING, due_at=NOW)
    made = msgspec.structs.replace(
        made, approval=campaigns.approval(made, mapping=campaign_digest(made.definition.pairs, MAPPINGS))
    )
    with open_uow() as uow:
        members = [_settled(uow, made) for _ in range(3)]
        uow.campaigns.add(made, members)
        uow.commit()
    return made


def _settled(uow: SqlUnitOfWork, campaign: Campaign) -> CampaignMember:
    """A board with a tenant that it is bound to."""
    tenant, board = tenancy.tenant(), tenancy.organisation()
    uow.tenants.save(tenant)
    uow.organisations.save([board])
    uow.tenants.add_binding(tenancy.binding(board.organisation_id, tenant.tenant_id))
    place = {"holder_id": board.organisation_id, "board_id": board.organisation_id}
    return campaigns.member(campaign, tenant.tenant_id, **place)


def advance(open_uow: Open, begin: Any = BEGIN) -> AdvanceCampaign:
    return AdvanceCampaign(
        open_uow=open_uow,
        clock=FakeClock(NOW),
        dispatcher=FakeDispatcher(),
        limits=LIMITS,
        mappings=MAPPINGS,
        begin=begin,
        opening=lambda _window, moment: moment,
    )


def operations(open_uow: Open, campaign: Campaign) -> list[Operation]:
    with open_uow() as uow:
        members = uow.campaigns.members(campaign.campaign_id)
        assert {one.state for one in members} == {MemberState.RUNNING}
        return [uow.operations.get(one.operation_id) for one in members if one.operation_id]


class TestTwoAtOnce:
    def test_the_second_is_told_that_the_first_was_quicker(self, open_uow: Open, campaign: Campaign) -> None:
        begun: list[int] = []

        def overtaken(uow: Any, of: Campaign, member: CampaignMember, now: datetime) -> Operation:
            if not begun:
                begun.append(advance(open_uow)(campaign.campaign_id))
            return BEGIN(uow, of, member, now)

        with pytest.raises(ConflictError):
            advance(open_uow, overtaken)(campaign.campaign_id)
        assert begun == [3]
        found = operations(open_uow, campaign)
        assert {one.state for one in found} == {OperationState.NEW}
        assert len({one.operation_id for one in found}) == 3

    def test_of_two_sweeps_one_looks(self, open_uow: Open, campaign: Campaign) -> None:
        looked: list[CampaignId] = []

        def look(named: CampaignId) -> int:
            looked.append(named)
            assert second() == 0
            return advance(open_uow)(named)

        first, second = (
            SweepCampaigns(open_uow=open_uow, clock=FakeClock(NOW), limits=LIMITS, advance=one)
            for one in (look, looked.append)  # type: ignore[list-item]  # it must not be called
        )
        assert first() == 3
        assert looked == [campaign.campaign_id]

    def test_a_look_that_broke_off_is_made_again_and_begins_nothing_twice(
        self, open_uow: Open, campaign: Campaign
    ) -> None:
        calls: list[str] = []

        def breaks(uow: Any, of: Campaign, member: CampaignMember, now: datetime) -> Operation:
            calls.append(member.tenant_id)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return BEGIN(uow, of, member, now)

        with pytest.raises(KeyboardInterrupt):
            advance(open_uow, breaks)(campaign.campaign_id)
        assert advance(open_uow)(campaign.campaign_id) == 3
        assert advance(open_uow)(campaign.campaign_id) == 0
        assert len(operations(open_uow, campaign)) == 3
