"""The use cases of campaigns: what workers do with them, and what people decide about them."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property

from provisioning.bootstrap.migrations import Migrations
from provisioning.domain.campaign import CampaignApproval
from provisioning.domain.ids import CampaignId, OrganisationId, SkuId
from provisioning.planning.remapping import remap_for
from provisioning.ports import UnitOfWork
from provisioning.services.advance_campaign import AdvanceCampaign
from provisioning.services.approve_campaign import ApproveCampaign, approval_of
from provisioning.services.begin_member import BeginMember
from provisioning.services.check_campaign import CheckCampaign
from provisioning.services.choose_members import ExcludeMembers, IncludeMembers, RetryLeftovers
from provisioning.services.create_campaign import CreateCampaign
from provisioning.services.look_at_tenant import LookAtTenant
from provisioning.services.show_campaigns import ShowCampaigns
from provisioning.services.steer_campaign import StartCampaign, SteerCampaign
from provisioning.services.sweep_campaigns import SweepCampaigns


class Campaigns(Migrations):
    @cached_property
    def create_campaign(self) -> CreateCampaign:
        return CreateCampaign(
            open_uow=self.open_uow, clock=self.clock, mappings=self.mappings, remap_for=self._remap_for
        )

    def _remap_for(self, sku: SkuId, whose: Sequence[OrganisationId], day: date) -> SkuId | None:
        row = remap_for(self.mappings, sku, whose, day)
        return row.to_sku if row else None

    @cached_property
    def look_at_tenant(self) -> LookAtTenant:
        return LookAtTenant(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            mappings=self.mappings,
            limits=self.limits,
        )

    @cached_property
    def check_campaign(self) -> CheckCampaign:
        return CheckCampaign(open_uow=self.open_uow, clock=self.clock, limits=self.limits, look=self.look_at_tenant)

    @cached_property
    def approve_campaign(self) -> ApproveCampaign:
        return ApproveCampaign(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings, limits=self.limits)

    def campaign_approval(self, uow: UnitOfWork, campaign: CampaignId) -> CampaignApproval | None:
        """What a plan of a campaign's operation may rest on, beside an approval of its own."""
        return approval_of(uow, campaign)

    @cached_property
    def start_campaign(self) -> StartCampaign:
        return StartCampaign(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings)

    @cached_property
    def steer_campaign(self) -> SteerCampaign:
        return SteerCampaign(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings)

    @cached_property
    def exclude_members(self) -> ExcludeMembers:
        return ExcludeMembers(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def include_members(self) -> IncludeMembers:
        return IncludeMembers(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def retry_leftovers(self) -> RetryLeftovers:
        return RetryLeftovers(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings)

    @cached_property
    def show_campaigns(self) -> ShowCampaigns:
        return ShowCampaigns(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings, limits=self.limits)

    @cached_property
    def begin_member(self) -> BeginMember:
        return BeginMember(mappings=self.mappings)

    @cached_property
    def advance_campaign(self) -> AdvanceCampaign:
        return AdvanceCampaign(
            open_uow=self.open_uow,
            clock=self.clock,
            dispatcher=self.dispatcher,
            limits=self.limits,
            mappings=self.mappings,
            begin=self.begin_member,
            opening=self._opening,
        )

    @cached_property
    def sweep_campaigns(self) -> SweepCampaigns:
        return SweepCampaigns(
            open_uow=self.open_uow, clock=self.clock, limits=self.limits, advance=self.advance_campaign
        )
