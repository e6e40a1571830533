"""/subscribedSkus, /directory/subscriptions and /organization."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from provisioning.sandbox.call import Call
from provisioning.sandbox.catalogue import Sku
from provisioning.sandbox.errors import not_found, unsupported
from provisioning.sandbox.subscriptions import Subscription, prepaid_units
from provisioning.sandbox.wire import Response, json_response

Row = dict[str, Any]


def list_subscribed_skus(call: Call) -> Response:
    options = call.request.options
    for name in ("$filter", "$top", "$orderby", "$search"):
        if name in options:
            raise unsupported(f"Query option '{name}' is not supported for this resource.")
    rows = _selected([_subscribed_sku(call, sku, held) for sku, held in _owned(call)], options.get("$select"))
    return json_response({"@odata.context": f"{call.root}/$metadata#subscribedSkus", "value": rows})


def get_subscribed_sku(call: Call) -> Response:
    for sku, held in _owned(call):
        if call.ids[0].lower() == f"{call.tenant.id}_{sku.skuId}":
            context = f"{call.root}/$metadata#subscribedSkus/$entity"
            return json_response({"@odata.context": context, **_subscribed_sku(call, sku, held)})
    raise not_found(call.ids[0])


def list_subscriptions(call: Call) -> Response:
    skus = call.world.catalogue.skus
    listed = call.tenant.listed_subscriptions(call.now, with_deleted=call.world.switches.deleted_subscriptions_listed)
    rows = [_company_subscription(held, skus[held.skuId]) for held in listed]
    rows = _selected(rows, call.request.options.get("$select"))
    return json_response({"@odata.context": f"{call.root}/$metadata#directory/subscriptions", "value": rows})


def list_organization(call: Call) -> Response:
    tenant = call.tenant
    row = {
        "id": tenant.id,
        "displayName": tenant.name,
        "tenantType": "AAD",
        "country": None,
        "countryLetterCode": tenant.country,
        "createdDateTime": tenant.created,
        "defaultUsageLocation": tenant.default_usage_location,
        "onPremisesSyncEnabled": None,
        "onPremisesLastSyncDateTime": None,
        "partnerTenantType": None,
        "assignedPlans": [],
        "provisionedPlans": [],
        "verifiedDomains": _verified_domains(tenant.domains),
    }
    rows = _selected([row], call.request.options.get("$select"))
    return json_response({"@odata.context": f"{call.root}/$metadata#organization", "value": rows})


def sku_row(sku: Sku, enabled: Collection[str] | None = None) -> list[Row]:
    """The service plans of a SKU as Graph lists them; those outside `enabled` are Disabled."""
    return [
        {
            "servicePlanId": plan.servicePlanId,
            "servicePlanName": plan.servicePlanName,
            "provisioningStatus": "Success" if enabled is None or plan.servicePlanId in enabled else "Disabled",
            "appliesTo": plan.appliesTo,
        }
        for plan in sku.servicePlans
    ]


def _owned(call: Call) -> list[tuple[Sku, list[Subscription]]]:
    """The tenant's subscriptions by SKU: one row per SKU, however many subscriptions it has."""
    by_sku = defaultdict(list)
    for subscription in call.tenant.visible_subscriptions(call.now):
        by_sku[subscription.skuId].append(subscription)
    return [(call.world.catalogue.skus[sku_id], held) for sku_id, held in by_sku.items()]


def _subscribed_sku(call: Call, sku: Sku, held: list[Subscription]) -> Row:
    units = prepaid_units(held)
    return {
        "accountName": call.tenant.domains[0].partition(".")[0],
        "accountId": call.tenant.id,
        "appliesTo": sku.appliesTo,
        "capabilityStatus": units.capabilityStatus,
        "consumedUnits": _consumed_units(call, sku.skuId),
        "id": f"{call.tenant.id}_{sku.skuId}",
        "skuId": sku.skuId,
        "skuPartNumber": sku.skuPartNumber,
        "subscriptionIds": [subscription.id for subscription in held],
        "prepaidUnits": units,
        "servicePlans": sku_row(sku),
    }


def _consumed_units(call: Call, sku_id: str) -> int:
    current = call.tenant.directory.consumed[sku_id]
    if call.world.switches.consumed_units == "immediate":
        return current
    seen: int = call.copy.see(("consumed", sku_id), current)
    return seen


def _company_subscription(held: Subscription, sku: Sku) -> Row:
    return {
        "id": held.id,
        "commerceSubscriptionId": held.commerceSubscriptionId,
        "createdDateTime": held.createdDateTime,
        "isTrial": held.isTrial,
        "nextLifecycleDateTime": held.nextLifecycleDateTime,
        "ownerId": None,
        "ownerTenantId": held.ownerTenantId,
        "ownerType": None,
        "skuId": held.skuId,
        "skuPartNumber": sku.skuPartNumber,
        "status": held.status,
        "totalLicenses": held.totalLicenses,
        "serviceStatus": sku_row(sku),
    }


def _verified_domains(domains: tuple[str, ...]) -> list[Row]:
    initial = next((name for name in domains if name.endswith(".onmicrosoft.com")), None)
    return [
        {
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": number == 0,
            "isInitial": name == initial,
            "name": name,
            "type": "Managed",
        }
        for number, name in enumerate(domains)
    ]


def _selected(rows: list[Row], select: str | None) -> list[Row]:
    if not select:
        return rows
    names = [name.strip() for name in select.split(",")]
    return [{name: row[name] for name in names if name in row} for row in rows]
