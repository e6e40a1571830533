"""People and memberships as Graph shows them, each with whether it was all of it."""

from collections.abc import Callable, Collection, Sequence
from http import HTTPStatus
from urllib.parse import quote

import msgspec
import structlog
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import GraphError, PermanentError, RetryableError
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.observation import Census, Membership, Person
from provisioning.domain.reasons import Reason
from provisioning.graph import wire
from provisioning.graph.client import GraphClient
from provisioning.graph.paging import decoded, pages
from provisioning.graph.parts import read_parts
from provisioning.graph.people import decode_people, decode_person
from provisioning.graph.together import together

_log = structlog.get_logger()
_SELECT = ",".join(wire.USER_FIELDS)
_MEMBERS = msgspec.json.Decoder(list[wire.Member])
_MEMBER = msgspec.json.Decoder(wire.Member)
_USER_TYPE = "#microsoft.graph.user"
_NOBODY = {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}  # 400: it is not even a possible id or UPN


async def observe_census(client: GraphClient, tenant: TenantId) -> Census:
    """Everybody. No filter on licences: filtered pages expire and come from an index that lags further."""
    observed_at = client.clock.now()
    people: dict[SubjectId, Person] = {}
    is_complete = True
    try:
        async for value in pages(client, tenant, client.requests.users()):
            people |= {person.subject_id: person for person in decoded(decode_people, value)}
    except (RetryableError, PermanentError) as error:
        if not people:
            raise
        _log.warning("graph.census_incomplete", tenant=tenant, people=len(people), reason=error.reason)
        is_complete = False
    return Census(tenant_id=tenant, observed_at=observed_at, is_complete=is_complete, people=tuple(people.values()))


async def observe_people(
    client: GraphClient, tenant: TenantId, subjects: Sequence[SubjectId]
) -> dict[SubjectId, Person | None]:
    urls = {subject: f"/users/{quote(subject, safe='')}?$select={_SELECT}" for subject in subjects}
    parts = await read_parts(client, tenant, urls)
    return {
        subject: decoded(decode_person, part.body) if part.status == HTTPStatus.OK else None
        for subject, part in parts.items()
        if part.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}
    }


async def resolve_subjects(
    client: GraphClient, tenant: TenantId, references: Sequence[str]
) -> dict[str, SubjectId | None]:
    """In batches, so that a UPN never stands in a URL that somebody logs."""
    urls = {reference: f"/users/{quote(reference, safe='')}?$select=id" for reference in references}
    parts = await read_parts(client, tenant, urls)
    return {
        reference: SubjectId(decoded(_MEMBER.decode, part.body).id) if part.status == HTTPStatus.OK else None
        for reference, part in parts.items()
        if part.status == HTTPStatus.OK or part.status in _NOBODY
    }


async def observe_memberships(client: GraphClient, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
    await client.tokens.get(tenant)  # once, before many requests ask for it; without it nothing is readable
    at_once = client.settings.batches_at_once
    memberships = await together(lambda key: _membership(client, tenant, key), keys, at_once=at_once)
    return {membership.key: membership for membership in memberships}


async def _membership(client: GraphClient, tenant: TenantId, key: str) -> Membership:
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
