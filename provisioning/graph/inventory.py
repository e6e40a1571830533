"""What a tenant is and what it bought: organization, subscribedSkus, directory/subscriptions, discovery."""

import re
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

import msgspec
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import PermanentError, RetryableError
from provisioning.domain.ids import ServicePlanId, SkuId, TenantId
from provisioning.domain.observation import Product, ProductPlan, SeatCount, Seats, Subscription, TenantProfile
from provisioning.domain.reasons import Reason
from provisioning.graph import batch, wire
from provisioning.graph.catalogue import NO_SUCH_TENANT
from provisioning.graph.client import GraphClient
from provisioning.graph.errors import aadsts_code, read_failure
from provisioning.graph.paging import PAGE, decoded, pages, unreadable
from provisioning.graph.parts import read_parts
from provisioning.graph.retries import with_patience

T = TypeVar("T")

FRESH = timedelta(minutes=1)  # permissions reach us only with a new token, so a profile is never of an older one
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_GUID_IN_PATH = re.compile(r"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")


async def observe_tenant(client: GraphClient, tenant: TenantId) -> TenantProfile:
    token = await client.tokens.get(tenant, max_age=FRESH)
    [organizations] = await _read_together(client, tenant, client.requests.organization())
    return _to_profile(tenant, token.roles, _rows(organizations, wire.Organization))


async def observe_seats(client: GraphClient, tenant: TenantId) -> Seats:
    observed_at = client.clock.now()
    requests = (client.requests.subscribed_skus(), client.requests.subscriptions())
    skus, subscriptions = await _read_together(client, tenant, *requests)
    return _to_seats(tenant, observed_at, skus, subscriptions)


async def observe_readiness(client: GraphClient, tenant: TenantId) -> tuple[TenantProfile, Seats]:
    token = await client.tokens.get(tenant, max_age=FRESH)
    observed_at = client.clock.now()
    of = client.requests
    organizations, skus, subscriptions = await _read_together(
        client, tenant, of.organization(), of.subscribed_skus(), of.subscriptions()
    )
    profile = _to_profile(tenant, token.roles, _rows(organizations, wire.Organization))
    return profile, _to_seats(tenant, observed_at, skus, subscriptions)


async def observe_products(client: GraphClient, tenant: TenantId) -> tuple[Product, ...]:
    [skus] = await _read_together(client, tenant, client.requests.subscribed_skus())
    return tuple(map(_to_product, _rows(skus, wire.SubscribedSku)))


async def find_tenant(client: GraphClient, domain: str) -> TenantId | None:
    if not _DOMAIN.fullmatch(domain.lower()):
        return None
    return await with_patience(lambda: _discover(client, domain.lower()), client.settings.patience, client.sleep)


async def _discover(client: GraphClient, domain: str) -> TenantId | None:
    authority = client.settings.authority.rstrip("/")
    answer = await client.fetch_openly(f"{authority}/{domain}/v2.0/.well-known/openid-configuration")
    if answer.is_success:
        return _tenant_in(answer.body)
    text = answer.body.decode(errors="replace")
    if answer.status == HTTPStatus.BAD_REQUEST and aadsts_code(text) in NO_SUCH_TENANT:
        return None
    raise RetryableError(f"Entra's discovery answered {answer.status} for {domain}.", Reason.TRANSIENT)


def _tenant_in(body: bytes) -> TenantId:
    try:
        issuer = msgspec.json.decode(body, type=wire.Discovery).issuer
    except msgspec.DecodeError:
        raise unreadable() from None
    match = _GUID_IN_PATH.search(issuer.lower())
    if match is None:
        raise unreadable()
    return TenantId(match.group(1))


# ── whole collections, several in one call ───────────────────────────────────────────────────────────────


async def _read_together(
    client: GraphClient, tenant: TenantId, *requests: RequestInformation
) -> list[list[msgspec.Raw]]:
    """The pages of each collection, all of them or a GraphError: half a tenant is none."""
    urls = [request.url.removeprefix(client.settings.base_url) for request in requests]
    parts = await read_parts(client, tenant, {url: url for url in urls})
    return [await _whole(client, tenant, parts.get(url)) for url in urls]


async def _whole(client: GraphClient, tenant: TenantId, part: wire.BatchPart | None) -> list[msgspec.Raw]:
    if part is None:
        raise unreadable()
    if part.status != HTTPStatus.OK:
        raise read_failure(tenant, part.status, batch.headers_of(part), part.body, client.clock.wall())
    first = decoded(PAGE.decode, part.body)
    if first.next_link is None:
        return [first.value]
    return [first.value, *[value async for value in pages(client, tenant, client.follow(first.next_link))]]


def _rows(values: list[msgspec.Raw], kind: type[T]) -> list[T]:
    decode = msgspec.json.Decoder(list[kind]).decode  # type: ignore[valid-type]  # a type at run time
    return [row for value in values for row in decoded(decode, value)]


# ── into our words ───────────────────────────────────────────────────────────────────────────────────────


def _to_profile(tenant: TenantId, roles: frozenset[str], organizations: list[wire.Organization]) -> TenantProfile:
    found = next((each for each in organizations if each.id.lower() == tenant.lower()), None)
    if found is None:
        raise PermanentError(f"Microsoft Graph shows another organisation than {tenant}.", Reason.TENANT_MISMATCH)
    return TenantProfile(
        tenant_id=tenant,
        initial_domain=next((domain.name for domain in found.verifiedDomains if domain.isInitial), ""),
        verified_domains=tuple(domain.name.lower() for domain in found.verifiedDomains),
        country=found.countryLetterCode,
        default_usage_location=found.defaultUsageLocation,
        permissions=roles,
    )


def _to_seats(
    tenant: TenantId, observed_at: datetime, skus: list[msgspec.Raw], subscriptions: list[msgspec.Raw]
) -> Seats:
    return Seats(
        tenant_id=tenant,
        observed_at=observed_at,
        counts={count.sku_id: count for count in map(_to_count, _rows(skus, wire.SubscribedSku))},
        subscriptions=tuple(map(_to_subscription, _rows(subscriptions, wire.CompanySubscription))),
    )


def _to_count(sku: wire.SubscribedSku) -> SeatCount:
    units = sku.prepaidUnits
    return SeatCount(
        sku_id=SkuId(sku.skuId.lower()),
        part_number=sku.skuPartNumber,
        capability=sku.capabilityStatus,
        enabled=units.enabled,
        warning=units.warning,
        suspended=units.suspended,
        locked_out=units.lockedOut,
        consumed=sku.consumedUnits,
        plan_ids=frozenset(ServicePlanId(plan.servicePlanId.lower()) for plan in sku.servicePlans),
    )


def _to_product(sku: wire.SubscribedSku) -> Product:
    return Product(
        sku_id=SkuId(sku.skuId.lower()),
        part_number=sku.skuPartNumber,
        scope=sku.appliesTo,
        plans=tuple(
            ProductPlan(ServicePlanId(plan.servicePlanId.lower()), plan.servicePlanName, plan.appliesTo)
            for plan in sku.servicePlans
        ),
    )


def _to_subscription(subscription: wire.CompanySubscription) -> Subscription:
    return Subscription(
        subscription_id=subscription.id,
        sku_id=SkuId(subscription.skuId.lower()),
        status=subscription.status,
        total=subscription.totalLicenses,
        next_lifecycle_at=subscription.nextLifecycleDateTime,
    )
