"""Collections, page by page; the SDK's iterator stops at an empty page and drops what follows."""

from collections.abc import AsyncIterator

import msgspec
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.graph import wire
from provisioning.graph.client import GraphClient

_PAGE = msgspec.json.Decoder(wire.Page)


async def pages(client: GraphClient, tenant: TenantId, request: RequestInformation) -> AsyncIterator[msgspec.Raw]:
    """The `value` of each page, empty ones in the middle included; raises our GraphErrors."""
    followed: set[str] = set()
    while True:
        page = _decoded(await client.read(tenant, request))
        yield page.value
        if page.next_link is None:
            return
        if page.next_link in followed:
            raise RetryableError("Microsoft Graph's pages go round in circles.", Reason.TRANSIENT)
        followed.add(page.next_link)
        request = client.follow(page.next_link)


def _decoded(body: bytes) -> wire.Page:
    try:
        return _PAGE.decode(body)
    except msgspec.DecodeError:
        raise unreadable() from None


def unreadable() -> RetryableError:
    """A success whose body makes no sense: a cut answer, or a proxy in between."""
    return RetryableError("Microsoft Graph's answer cannot be read.", Reason.TRANSIENT)
