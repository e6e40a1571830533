"""Many small reads in few calls: each thing asked for by itself, twenty to an envelope."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import structlog

from provisioning.domain.errors import RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.graph import batch, wire
from provisioning.graph.client import GraphClient
from provisioning.graph.errors import is_refusal, read_failure
from provisioning.graph.paging import decoded
from provisioning.graph.retries import with_patience
from provisioning.graph.together import together

K = TypeVar("K", bound=str)

_log = structlog.get_logger()
_STOPS_TENANT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


async def read_parts(client: GraphClient, tenant: TenantId, urls: Mapping[K, str]) -> dict[K, wire.BatchPart]:
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
        _log.warning("graph.parts_unreadable", tenant=tenant, count=len(urls) - len(found), reason=error.reason)
    return found


async def _ask(client: GraphClient, tenant: TenantId, urls: Mapping[K, str]) -> dict[K, wire.BatchPart]:
    """The final answers of one envelope: those that trying again would not change."""
    keys = {str(place): key for place, key in enumerate(urls)}
    items = [wire.BatchItem(place, "GET", urls[key]) for place, key in keys.items()]
    answer = await client.read_once(tenant, batch.envelope(client.settings.base_url, items))
    parts = decoded(batch.open_envelope, answer)
    final = {}
    for place, part in parts.items():
        if part.status in _STOPS_TENANT:
            raise read_failure(tenant, part.status, batch.headers_of(part), part.body, client.clock.wall())
        if part.status == HTTPStatus.OK or (is_refusal(part.status) and part.status != HTTPStatus.TOO_MANY_REQUESTS):
            final[keys[place]] = part
    return final
