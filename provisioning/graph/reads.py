"""People as Graph shows them, with whether it was all of them."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote

import msgspec
import structlog

from provisioning.domain.errors import PermanentError, RetryableError
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.observation import Census, PeoplePage, Person
from provisioning.graph import wire
from provisioning.graph.client import GraphClient
from provisioning.graph.paging import PAGE, decoded, pages
from provisioning.graph.parts import read_parts
from provisioning.graph.people import decode_people, decode_person

_log = structlog.get_logger()
_SELECT = ",".join(wire.USER_FIELDS)
_MEMBER = msgspec.json.Decoder(wire.Member)
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


async def observe_page(client: GraphClient, tenant: TenantId, after: str | None) -> PeoplePage:
    """The part of everybody behind `after`, or the first; raises our GraphErrors."""
    request = client.follow(after) if after else client.requests.users()
    page = decoded(PAGE.decode, await client.read(tenant, request))
    return PeoplePage(people=tuple(decoded(decode_people, page.value)), after=page.next_link)


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
