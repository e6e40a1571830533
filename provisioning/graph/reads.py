"""People and memberships as Graph shows them, each with whether it was all of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import msgspec
import structlog
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import AmbiguousOutcomeError, GraphError, PermanentError, RetryableError
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.observation import Census, Membership, Person
from provisioning.domain.reasons import Reason
from provisioning.graph import batch, wire
from provisioning.graph.client import GraphClient
from provisioning.graph.errors import is_refusal, read_failure
from provisioning.graph.paging import pages, unreadable
from provisioning.graph.people import decode_people, decode_person
from provisioning.graph.retries import with_patience
from provisioning.graph.together import together

T = TypeVar("T")
D = TypeVar("D")
K = TypeVar("K", bound=str)

_log = structlog.get_logger()
_SELECT = ",".join(wire.USER_FIELDS)
_MEMBERS = msgspec.json.Decoder(list[wire.Member])
_MEMBER = msgspec.json.Decoder(wire.Member)
_USER_TYPE = "#microsoft.graph.user"
_STOPS_TENANT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_NOBODY = {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}  # 400: it is not even a possible id or UPN


async def observe_census(client: GraphClient, tenant: TenantId) -> Census:
    """Everybody. No filter on licences: filtered pages expire and come from an index that lags further."""
    observed_at = client.clock.now()
    people: dict[SubjectId, Person] = {}
    is_complete = True
    try:
        async for value in pages(client, tenant, client.requests.users()):
            people |= {person.subject_id: person for person in _decoded(decode_people, value)}
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
    parts = await _read_parts(client, tenant, urls)
    return {
        subject: _decoded(decode_person, part.body) if part.status == HTTPStatus.OK else None
        for subject, part in parts.items()
        if part.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}
    }


async def resolve_subjects(
    client: GraphClient, tenant: TenantId, references: Sequence[str]
) -> dict[str, SubjectId | None]:
    """In batches, so that a UPN never stands in a URL that somebody logs."""
    urls = {reference: f"/users/{quote(reference, safe='')}?$select=id" for reference in references}
    parts = await _read_parts(client, tenant, urls)
    return {
        reference: SubjectId(_decoded(_MEMBER.decode, part.body).id) if part.status == HTTPStatus.OK else None
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
            members |= {SubjectId(each.id) for each in _decoded(_MEMBERS.decode, value) if belongs(each)}
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


# ── reading many things by themselves ────────────────────────────────────────────────────────────────────


async def _read_parts(client: GraphClient, tenant: TenantId, urls: Mapping[K, str]) -> dict[K, wire.BatchPart]:
    """Final answers by key; a key whose answer stayed unreadable is absent. Raises what stops the whole tenant."""
    await client.tokens.get(tenant)
    found = await together(
        lambda pairs: _read_batch(client, tenant, dict(pairs)),
        batch.in_parts(list(urls.items()), client.settings.batch_size),
        at_once=client.settings.batches_at_once,
    )
    return {key: part for parts in found for key, part in parts.items()}


async def _read_batch(client: GraphClient, tenant: TenantId, urls: Mapping[K, str]) -> dict[K, wire.BatchPart]:
    """One batch, its failed items asked again while patience lasts."""
    found: dict[K, wire.BatchPart] = {}

    async def ask_for_the_rest() -> None:
        rest = {key: url for key, url in urls.items() if key not in found}
        found.update(await _ask(client, tenant, rest))
        if missing := len(urls) - len(found):
            raise RetryableError(f"{missing} answers of a batch are still missing.", Reason.TRANSIENT)

    try:
        await with_patience(ask_for_the_rest, client.settings.patience, client.sleep)
    except RetryableError as error:
        if not found:
            raise
        _log.warning("graph.people_unreadable", tenant=tenant, count=len(urls) - len(found), reason=error.reason)
    return found


async def _ask(client: GraphClient, tenant: TenantId, urls: Mapping[K, str]) -> dict[K, wire.BatchPart]:
    """The final answers of one envelope: those that trying again would not change."""
    keys = {str(place): key for place, key in enumerate(urls)}
    items = [wire.BatchItem(place, "GET", urls[key]) for place, key in keys.items()]
    parts = _decoded(
        batch.open_envelope, await client.read_once(tenant, batch.envelope(client.settings.base_url, items))
    )
    final = {}
    for place, part in parts.items():
        if part.status in _STOPS_TENANT:
            raise read_failure(tenant, part.status, batch.headers_of(part), part.body, client.clock.wall())
        if part.status == HTTPStatus.OK or (is_refusal(part.status) and part.status != HTTPStatus.TOO_MANY_REQUESTS):
            final[keys[place]] = part
    return final


def _decoded(decode: Callable[[D], T], body: D) -> T:
    try:
        return decode(body)
    except (msgspec.DecodeError, AmbiguousOutcomeError):
        raise unreadable() from None
