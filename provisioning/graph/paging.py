"""Collections, page by page; the SDK's iterator stops at an empty page and drops what follows."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import AmbiguousOutcomeError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.graph import wire
from provisioning.graph.client import GraphClient

T = TypeVar("T")
D = TypeVar("D")

PAGE = msgspec.json.Decoder(wire.Page)


async def pages(client: GraphClient, tenant: TenantId, request: RequestInformation) -> AsyncIterator[msgspec.Raw]:
    """The `value` of each page, empty ones in the middle included; raises our GraphErrors."""
    followed: set[str] = set()
    while True:
        page = decoded(PAGE.decode, await client.read(tenant, request))
        yield page.value
        if page.next_link is None:
            return
        if page.next_link in followed:
            raise RetryableError("Microsoft Graph's pages go round in circles.", Reason.TRANSIENT)
        followed.add(page.next_link)
        request = client.follow(page.next_link)


def decoded(decode: Callable[[D], T], body: D) -> T:
    """What `decode` makes of an answer; raises RetryableError when that is nothing."""
    try:
        return decode(body)
    except (msgspec.DecodeError, AmbiguousOutcomeError):
        raise unreadable() from None


def unreadable() -> RetryableError:
    """A success whose body makes no sense: a cut answer, or a proxy in between."""
    return RetryableError("Microsoft Graph's answer cannot be read.", Reason.TRANSIENT)
