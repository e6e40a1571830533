"""What every decision about a campaign has in common: whom it names, that it is put on record, whom it tells."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256

import msgspec

from provisioning.domain.campaign import MEMBER_ENDS, Campaign, CampaignDefinition, CampaignMember, MemberKey
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, TenantId
from provisioning.domain.worklist import Intent, Topic
from provisioning.ports import UnitOfWork
from provisioning.services.lookup import get_tenant, prefix_of, the_only


def get_campaign(uow: UnitOfWork, named: str) -> Campaign:
    """The campaign whose id is or begins with this; raises InputError when none or several do."""
    prefix = prefix_of(named, "campaign")
    return uow.campaigns.get(the_only(uow.campaigns.starting_with(prefix), named, "campaign"))


def digest_of(definition: CampaignDefinition, members: Iterable[CampaignMember]) -> str:
    """What an approval rests on: what was asked for, and who goes when. Who is left out has no part in it."""
    listed = [(one.key, one.to_sku, one.wave) for one in members]
    return sha256(msgspec.json.encode([definition, listed], order="deterministic")).hexdigest()


def deed(kind: str, campaign: Campaign, actor: Actor, now: datetime, reason: str = "", **details: str) -> Event:
    """The audit line of a decision about a campaign."""
    return Event(
        at=now,
        actor=actor,
        kind=kind,
        reason=reason or None,
        details={"campaign": campaign.campaign_id, **details},
    )


def member_deed(
    kind: str, member: CampaignMember, actor: Actor, now: datetime, reason: str = "", before: str | None = None
) -> Event:
    """The audit line of what became of one of its members, in the words of its holder's own log."""
    return Event(
        at=now,
        actor=actor,
        kind=kind,
        organisation=member.holder_id,
        tenant=member.tenant_id,
        operation=member.operation_id,
        before=before,
        after=member.state,
        reason=reason or member.reason,
        details={"campaign": member.campaign_id, "wave": str(member.wave), "product": member.from_sku},
    )


def told(topic: Topic, members: Iterable[CampaignMember], now: datetime) -> Iterator[Intent]:
    """One for each board: it hears of a campaign once, however many schools and products it has in it."""
    campaigns = {member.board_id: member.campaign_id for member in members}
    return (Intent(topic=topic, organisation_id=board, reference=it, at=now) for board, it in sorted(campaigns.items()))


def told_of_end(
    before: Mapping[MemberKey, CampaignMember], after: Mapping[MemberKey, CampaignMember], now: datetime
) -> Iterator[Intent]:
    """To each board of which the last has just ended, also when it was called off: it was told that it would begin."""
    ended = {one.board_id for key, one in after.items() if _ends(before[key], one)}
    open_still = {one.board_id for one in after.values() if one.state not in MEMBER_ENDS}
    return told(Topic.CAMPAIGN_ENDED, [one for one in after.values() if one.board_id in ended - open_still], now)


def _ends(before: CampaignMember, after: CampaignMember) -> bool:
    return before.state not in MEMBER_ENDS and after.state in MEMBER_ENDS


def members_named(
    uow: UnitOfWork, campaign: Campaign, tenants: Iterable[str], holders: Iterable[str]
) -> list[CampaignMember]:
    """Those in these tenants or of these holders or boards; raises InputError for whoever is not in it."""
    members = uow.campaigns.members(campaign.campaign_id)
    found: dict[MemberKey, CampaignMember] = {}
    for named in tenants:
        tenant = get_tenant(uow, named).tenant_id
        found |= _matching(members, named, tenant=tenant)
    for named in holders:
        found |= _matching(members, named.strip())
    return list(found.values())


def _matching(
    members: Iterable[CampaignMember], named: str, tenant: TenantId | None = None
) -> dict[MemberKey, CampaignMember]:
    is_meant = (lambda one: one.tenant_id == tenant) if tenant else (lambda one: named in {one.holder_id, one.board_id})
    found = {one.key: one for one in members if is_meant(one)}
    if not found:
        raise InputError(f"{named} is not in this campaign; `campaigns show --members` lists who is.")
    return found
