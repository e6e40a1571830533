"""What a tenant is and what it bought: organization, subscribedSkus, directory/subscriptions, discovery."""

import re
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

import msgspec
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import PermanentError, RetryableError
from provisioning.domain.ids import ServicePlanId, SkuId, TenantId
from provisioning.domain.observation import SeatCount, Seats, Subscription, TenantProfile
from provisioning.domain.reasons import Reason
from provisioning.graph import wire
from provisioning.graph.catalogue import NO_SUCH_TENANT
from provisioning.graph.client import GraphClient
from provisioning.graph.errors import aadsts_code
from provisioning.graph.paging import pages, unreadable
from provisioning.graph.retries import with_patience

T = TypeVar("T")

FRESH = timedelta(minutes=1)  # permissions reach us only with a new token, so a profile is never of an older one
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_GUID_IN_PATH = re.compile(r"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")


async def observe_tenant(client: GraphClient, tenant: TenantId) -> TenantProfile:
    token = await client.tokens.get(tenant, max_age=FRESH)
    organizations = await _collect(client, tenant, client.requests.organization(), wire.Organization)
    found = next((each for each in organizations if each.id.lower() == tenant.lower()), None)
    if found is None:
        raise PermanentError(f"Microsoft Graph shows another organisation than {tenant}.", Reason.TENANT_MISMATCH)
    return TenantProfile(
        tenant_id=tenant,
        initial_domain=next((domain.name for domain in found.verifiedDomains if domain.isInitial), ""),
        verified_domains=tuple(domain.name.lower() for domain in found.verifiedDomains),
        country=found.countryLetterCode,
        default_usage_location=found.defaultUsageLocation,
        permissions=token.roles,
    )


async def observe_seats(client: GraphClient, tenant: TenantId) -> Seats:
    observed_at = client.clock.now()
    skus = await _collect(client, tenant, client.requests.subscribed_skus(), wire.SubscribedSku)
    subscriptions = await _collect(client, tenant, client.requests.subscriptions(), wire.CompanySubscription)
    return Seats(
        tenant_id=tenant,
        observed_at=observed_at,
        counts={count.sku_id: count for count in map(_to_count, skus)},
        subscriptions=tuple(map(_to_subscription, subscriptions)),
    )


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


async def _collect(client: GraphClient, tenant: TenantId, request: RequestInformation, kind: type[T]) -> list[T]:
    found: list[T] = []
    async for value in pages(client, tenant, request):
        try:
            found += msgspec.json.decode(value, type=list[kind])  # type: ignore[valid-type]  # a type at run time
        except msgspec.DecodeError:
            raise unreadable() from None
    return found


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


def _to_subscription(subscription: wire.CompanySubscription) -> Subscription:
    return Subscription(
        subscription_id=subscription.id,
        sku_id=SkuId(subscription.skuId.lower()),
        status=subscription.status,
        total=subscription.totalLicenses,
        next_lifecycle_at=subscription.nextLifecycleDateTime,
    )
