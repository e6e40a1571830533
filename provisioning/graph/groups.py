"""Groups as Graph shows them: what they are, what licences they bring, and who is directly in them."""

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import quote

import msgspec

from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId, ServicePlanId, SkuId, TenantId
from provisioning.domain.reasons import Reason
from provisioning.graph import wire
from provisioning.graph.client import GraphClient
from provisioning.graph.memberships import membership
from provisioning.graph.paging import decoded, pages
from provisioning.graph.parts import read_parts
from provisioning.graph.together import together

_GROUP = msgspec.json.Decoder(wire.Group)
_GROUPS = msgspec.json.Decoder(list[wire.Group])
_SELECT = ",".join(wire.GROUP_FIELDS)
_OK = HTTPStatus.OK
_DYNAMIC = "DynamicMembership"
_UNDER_WAY = frozenset({"QueuedForProcessing", "ProcessingInProgress"})


async def observe_groups(
    client: GraphClient, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool
) -> dict[GroupId, ObservedGroup | None]:
    """Twenty groups a call; their members are collections of their own."""
    urls = {group: f"/groups/{quote(group, safe='')}?$select={_SELECT}" for group in groups}
    parts = await read_parts(client, tenant, urls)
    shown = {key: to_group(decoded(_GROUP.decode, part.body)) for key, part in parts.items() if part.status == _OK}
    if with_members:
        at_once = client.settings.batches_at_once
        whole = await together(lambda group: _with_members(client, tenant, group), shown.values(), at_once=at_once)
        shown = dict(zip(shown, whole, strict=True))
    gone = [group for group, part in parts.items() if part.status == HTTPStatus.NOT_FOUND]
    return {**shown, **dict.fromkeys(gone)}


async def find_group(client: GraphClient, tenant: TenantId, nickname: str) -> ObservedGroup | None:
    """By the default index, which is the freshest: a plain `eq` needs no advanced query."""
    request = client.requests.groups_named(nickname)
    found = [group async for value in pages(client, tenant, request) for group in decoded(_GROUPS.decode, value)]
    if len(found) > 1:
        sentence = f"Tenant {tenant} has {len(found)} groups with the nickname '{nickname}'; ours cannot be told apart."
        raise ActionRequiredError(sentence, Reason.GROUP_CHANGED)
    if not found:
        return None
    return await _with_members(client, tenant, to_group(found[0]))


async def list_licensed(client: GraphClient, tenant: TenantId) -> frozenset[GroupId]:
    """Filtered here: filters on licences of groups expire on their second page, as those of people do."""
    request = client.requests.groups()
    rows = [row async for value in pages(client, tenant, request) for row in decoded(_GROUPS.decode, value)]
    return frozenset(GroupId(row.id.lower()) for row in rows if row.assignedLicenses)


def to_group(group: wire.Group) -> ObservedGroup:
    """Without members, and therefore not complete."""
    processing = group.licenseProcessingState.state if group.licenseProcessingState else None
    return ObservedGroup(
        group_id=GroupId(group.id.lower()),
        nickname=group.mailNickname or "",
        is_security=bool(group.securityEnabled),
        is_dynamic=_DYNAMIC in group.groupTypes,
        is_synced=bool(group.onPremisesSyncEnabled),
        rule=group.membershipRule,
        licences=tuple(sorted(_to_licence(licence) for licence in group.assignedLicenses)),
        is_processing=processing in _UNDER_WAY,
        is_complete=False,
    )


def _to_licence(licence: wire.GroupLicense) -> GroupLicence:
    plans = frozenset(ServicePlanId(plan.lower()) for plan in licence.disabledPlans)
    return GroupLicence(SkuId(licence.skuId.lower()), plans)


async def _with_members(client: GraphClient, tenant: TenantId, group: ObservedGroup) -> ObservedGroup:
    inside = await membership(client, tenant, f"group:{group.group_id}")
    return msgspec.structs.replace(group, members=inside.members, is_complete=inside.is_complete)
