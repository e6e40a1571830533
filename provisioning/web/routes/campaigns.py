"""Campaigns: one remap for many tenants, from what was asked for to the report."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import Query
from pydantic import AwareDatetime

from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.errors import NotFoundError
from provisioning.domain.ids import OrganisationId
from provisioning.intake.campaign_files import parse_campaign
from provisioning.planning.campaign_letter import to_letter
from provisioning.planning.campaign_report import CampaignReport
from provisioning.services.check_campaign import Checked
from provisioning.services.create_campaign import CreatedCampaign
from provisioning.services.paging import Page, cut
from provisioning.services.show_campaigns import CampaignRow, CampaignSheet, MemberRow, ReadinessRow
from provisioning.web.calls import Anybody, Body, Named, PageWanted, Person
from provisioning.web.routing import router as routes_about
from provisioning.words.campaigns import tongue_of_campaigns
from provisioning.words.catalogue import Language

router = routes_about("campaigns")

_ONE_REQUEST = timedelta(seconds=10)


class NewCampaign(Body):
    """`campaign`: the fields of docs/campaigns.md."""

    campaign: dict[str, Any]


class Since(Body):
    """`since`: of an answer that left some; left out, everybody who waits is looked at anew."""

    since: AwareDatetime | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What one board is to know, in Dutch."""

    board: OrganisationId
    letter: str


@router.post("")
def create(caller: Person, asked: NewCampaign) -> CreatedCampaign:
    """Prepare a campaign: its tenants are found and put in waves. No tenant is read and nothing is written."""
    content = msgspec.json.encode(asked.campaign)
    definition = parse_campaign("campaign.json", content, caller.services.mappings)
    return caller.services.create_campaign(caller.identity, definition)


@router.get("")
def list_all(
    caller: Person, wanted: PageWanted, state: Annotated[list[CampaignState] | None, Query()] = None
) -> Page[CampaignRow]:
    """Campaigns and where they stand, oldest first."""
    return cut(caller.services.show_campaigns(state or ()), wanted, tuple[str, str], _age)


@router.get("/{campaign}")
def show(caller: Person, campaign: Named) -> CampaignSheet:
    """One campaign: its waves, its readiness and its night."""
    return caller.services.show_campaigns.one(campaign)


@router.get("/{campaign}/readiness")
def readiness(caller: Person, campaign: Named, wanted: PageWanted, unready: bool = False) -> Page[ReadinessRow]:
    """What is in whose way, where most people are at stake first. `unready`: nothing that is only worth knowing."""
    rows = caller.services.show_campaigns.readiness(campaign, unready_only=unready)
    return cut(sorted(rows, key=_urgency), wanted, tuple[int, int, str, str, str, str], _urgency)


@router.get("/{campaign}/members")
def members(
    caller: Person, campaign: Named, wanted: PageWanted, state: Annotated[list[MemberState] | None, Query()] = None
) -> Page[MemberRow]:
    """Its tenants, by wave."""
    rows = caller.services.show_campaigns.members(campaign, state or ())
    return cut(sorted(rows, key=_place), wanted, tuple[int, str, str, str], _place)


@router.post("/{campaign}/check")
def check(caller: Person, campaign: Named, asked: Since) -> Checked:
    """Look at tenants that wait, for ten seconds: would their remap succeed? Nothing is written to them.

    While `left` is not 0, ask again with `since` of the answer.
    """
    return caller.services.check_campaign(caller.identity, campaign, since=asked.since, within=_ONE_REQUEST)


@router.get("/{campaign}/report")
def report(caller: Person, campaign: Named) -> CampaignReport:
    """What it came to, and who is left with which reason. Nobody is named."""
    return caller.services.show_campaigns.report(campaign)


@router.get("/{campaign}/letters/{board}")
def letter(caller: Anybody, campaign: Named, board: Named) -> Letter:
    """What a board is to know, before and after: for the board itself, and for whoever passes it on."""
    code = OrganisationId(board.strip())
    made = caller.services.show_campaigns.report_for(caller.identity, campaign, code)
    text = to_letter(made, code, tongue_of_campaigns(Language.DUTCH))
    if not text:
        raise NotFoundError(f"{board} is no board of this campaign.")
    return Letter(board=code, letter=text)


def _age(row: CampaignRow) -> tuple[str, str]:
    return _moment(row.campaign.created_at), row.campaign.campaign_id


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}"


def _urgency(row: ReadinessRow) -> tuple[int, int, str, str, str, str]:
    rank = 0 if row.is_blocking else 1 if row.checked_at is None else 2
    return rank, -row.at_stake, row.tenant_id, row.holder_id, row.product, row.reason or ""


def _place(row: MemberRow) -> tuple[int, str, str, str]:
    return row.member.wave, *msgspec.structs.astuple(row.member.key)
