"""S36: a product of the sector becomes another in many tenants, canaries first; it stops by itself and goes on."""

from collections import Counter
from datetime import timedelta

from provisioning.domain.actors import Identity, Role
from provisioning.domain.campaign import (
    Campaign,
    CampaignDefinition,
    CampaignMember,
    CampaignPair,
    CampaignSelection,
    CampaignState,
    MemberState,
    SelectedBy,
)
from provisioning.domain.ids import Actor, ArticleCode, CampaignId, SkuId
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.local.world import APP
from tests.journeys.customers import A1, A3, LONG_AGO, READ, ROLES, Customer
from tests.journeys.furniture import Town
from tests.journeys.patience import until
from tests.journeys.promises import check_log, check_promises, events_of

_OPERATOR = Identity(actor=Actor("person:third"), roles=frozenset({Role.OPERATOR}))
_APPROVER = Identity(actor=Actor("person:fourth"), roles=frozenset({Role.APPROVER}))
_PEOPLE = 12


def test_s36_a_sector_changes_product_in_a_night(town: Town) -> None:
    """Readiness names who will not succeed; a canary fails and stops it; cured, the others follow, and all is told."""
    schools = [town.school(_PEOPLE) for _ in range(7)]
    silent = town.school(_PEOPLE, roles=READ)  # its administrator never consented to writing
    for school in (*schools, silent):
        _entitle(town, school)
    campaign = _prepared(town, [*schools, silent])
    assert _unready(town, campaign) == {silent.tenant: {Reason.CONSENT_INSUFFICIENT}}
    town.services.exclude_members(_OPERATOR, campaign.campaign_id, "no consent", [silent.tenant])

    town.services.approve_campaign(_APPROVER, campaign.campaign_id, campaign.digest)
    canary = _canary(town, campaign, schools)
    town.control.withdraw_consent(canary.tenant, APP)
    town.services.start_campaign(_OPERATOR, campaign.campaign_id)
    stopped = _await(town, campaign, CampaignState.STOPPED)
    assert stopped.reason is Reason.CAMPAIGN_STOPPED
    later = {one.state for one in _members(town, campaign) if one.wave > 0}
    assert later <= {MemberState.WAITING, MemberState.EXCLUDED}

    town.control.grant_consent(canary.tenant, APP, list(ROLES))
    town.services.steer_campaign(_OPERATOR, campaign.campaign_id, CampaignState.RUNNING, "the school consented again")
    _await(town, campaign, CampaignState.COMPLETED)
    states = Counter(one.state for one in _members(town, campaign))
    assert states == {MemberState.COMPLETED: 7, MemberState.EXCLUDED: 1}
    for school in schools:
        assert town.holders(school, A3) == set(school.people)
        assert town.holders(school, A1) == set()
        check_promises(town, school, goal=A3)
        approvals = [one for one in events_of(town, school) if one.kind == "plan.approved"]
        assert {(one.actor, one.details["within"]) for one in approvals} == {(_APPROVER.actor, campaign.campaign_id)}
    assert town.holders(silent, A1) == set(silent.people)
    assert town.writes(silent) == 0
    _boards_were_told(town, schools)
    check_log(town)


def _entitle(town: Town, school: Customer) -> None:
    """The old product was bought once, and the new one has been ordered for everybody."""
    entries = [
        LedgerEntry(
            holder_id=school.code,
            tenant_id=school.tenant,
            article_code=ArticleCode(""),
            sku_id=SkuId(sku),
            delta=_PEOPLE,
            effective_on=LONG_AGO,
            ends_on=None,
            cause=LedgerCause.ORDER_LINE,
            cause_ref=f"{school.code} {sku}",
        )
        for sku in (A1, A3)
    ]
    with town.services.open_uow() as uow:
        uow.ledger.append(entries)
        uow.commit()


def _prepared(town: Town, schools: list[Customer]) -> Campaign:
    definition = CampaignDefinition(
        name="sector 2027",
        asked_by="letter 7",
        why="The contract ends.",
        pairs=(CampaignPair(from_sku=SkuId(A1), to_sku=SkuId(A3)),),
        selection=CampaignSelection(by=SelectedBy.LIST, tenants=tuple(one.tenant for one in schools)),
        begins_at=town.services.clock.now() - timedelta(minutes=1),
        canaries=3,
    )
    return town.services.create_campaign(_OPERATOR, definition).campaign


def _unready(town: Town, campaign: Campaign) -> dict[str, set[Reason]]:
    town.services.check_campaign(_OPERATOR, campaign.campaign_id)
    until(lambda: _were_looked_at(town, campaign), "all were looked at, for a worker may be at some of them, too")
    found: dict[str, set[Reason]] = {}
    for row in town.services.show_campaigns.readiness(campaign.campaign_id, unready_only=True):
        if row.reason:
            found.setdefault(row.tenant_id, set()).add(row.reason)
    return found


def _were_looked_at(town: Town, campaign: Campaign) -> bool:
    with town.services.open_uow() as uow:
        members = uow.campaigns.members(campaign.campaign_id)
        return {one.key for one in members} == uow.campaigns.readiness(campaign.campaign_id).keys()


def _members(town: Town, campaign: Campaign) -> list[CampaignMember]:
    with town.services.open_uow() as uow:
        return uow.campaigns.members(campaign.campaign_id)


def _canary(town: Town, campaign: Campaign, schools: list[Customer]) -> Customer:
    first = {one.tenant_id for one in _members(town, campaign) if one.wave == 0}
    return next(one for one in schools if one.tenant in first)


def _await(town: Town, campaign: Campaign, state: CampaignState) -> Campaign:
    def look() -> Campaign | None:
        found = _find(town, campaign.campaign_id)
        return found if found.state is state else None

    def story() -> str:
        members = [(one.wave, one.state, one.reason, one.right, one.failed) for one in _members(town, campaign)]
        return f"campaign {state}: {_find(town, campaign.campaign_id).told} {members}"

    return until(look, story, within=90.0)


def _find(town: Town, campaign: CampaignId) -> Campaign:
    with town.services.open_uow() as uow:
        return uow.campaigns.get(campaign)


def _boards_were_told(town: Town, schools: list[Customer]) -> None:
    """Before and after, once each."""

    def told() -> bool:
        with town.services.open_uow() as uow:
            topics = {one.code: Counter(x.topic for x in uow.outbox.notices(one.code)) for one in schools}
        return all(x[Topic.CAMPAIGN_ANNOUNCED] == x[Topic.CAMPAIGN_ENDED] == 1 for x in topics.values())

    until(told, "boards were told")
