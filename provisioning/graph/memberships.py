"""Who belongs to a group, a unit or a school, each with whether it was all of them."""

from collections.abc import Callable, Collection

import msgspec
import structlog
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import GraphError, PermanentError
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.observation import Membership
from provisioning.domain.reasons import Reason
from provisioning.graph import wire
from provisioning.graph.client import GraphClient
from provisioning.graph.paging import decoded, pages
from provisioning.graph.together import together

_log = structlog.get_logger()
_MEMBERS = msgspec.json.Decoder(list[wire.Member])
_USER_TYPE = "#microsoft.graph.user"


async def observe_memberships(client: GraphClient, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
    await client.tokens.get(tenant)  # once, before many requests ask for it; without it nothing is readable
    at_once = client.settings.batches_at_once
    memberships = await together(lambda key: membership(client, tenant, key), keys, at_once=at_once)
    return {membership.key: membership for membership in memberships}


async def membership(client: GraphClient, tenant: TenantId, key: str) -> Membership:
    """Unreadable, forbidden and gone are alike: nobody knows who belongs to it, so no plan may rest on it."""
    request, belongs = _members_of(client, key)
    members: set[SubjectId] = set()
    is_complete = True
    try:
        async for value in pages(client, tenant, request):
            members |= {SubjectId(each.id) for each in decoded(_MEMBERS.decode, value) if belongs(each)}
    except GraphError as error:
        _log.warning("graph.membership_incomplete", tenant=tenant, kind=key.partition(":")[0], reason=error.reason)
        is_complete = False
    return Membership(key=key, is_complete=is_complete, members=frozenset(members))


def _members_of(client: GraphClient, key: str) -> tuple[RequestInformation, Callable[[wire.Member], bool]]:
    """The request for a membership key, and who of the answer is meant."""
    match key.split(":"):
        case ["group", group_id]:
            return client.requests.group_members(group_id), _is_user
        case ["unit", unit_id]:
            return client.requests.unit_members(unit_id), _is_user
        case ["school", school_id, role]:
            return client.requests.school_users(school_id), lambda member: member.primaryRole == role
    sentence = f"'{key}' is no membership: it is group:<id>, unit:<id> or school:<id>:<role>."
    raise PermanentError(sentence, Reason.REQUEST_MALFORMED)


def _is_user(member: wire.Member) -> bool:
    return member.type in {None, _USER_TYPE}
