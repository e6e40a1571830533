"""Copies of two tenants become the twin's world, and are made hard where that was asked for."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from provisioning.domain.ids import SkuId, SubjectId
from provisioning.domain.migration import MatchRule
from provisioning.local.sandbox import SandboxControl
from provisioning.local.world import APP
from provisioning.planning.rehearsal import Circumstances
from provisioning.services.prepare_rehearsal import Copied, Script

PLANTING_SECONDS = 600.0  # for two large boards on a busy machine
_NAMES = {
    MatchRule.EMPLOYEE_ID: "employeeId",
    MatchRule.IMMUTABLE_ID: "onPremisesImmutableId",
    MatchRule.MAIL_NICKNAME: "mailNickname",
}


def plant(control: SandboxControl, script: Script, circumstances: Circumstances, secret: str) -> None:
    """Both tenants, our application with their consent, and the faults."""
    control.register_app(APP, secrets=[{"value": secret}])
    products = [pair.target_sku for pair in script.asked.products]
    for copied in (script.source, script.target):
        document = seed_of(copied)
        if copied is script.target:
            shorten(document, dict.fromkeys(products, circumstances.seats_short))
        control.request("POST", "/seed", document, seconds=PLANTING_SECONDS)
    if circumstances.refusals:
        control.add_fault(kind="throttle", probability=circumstances.refusals, retryAfter=1)


def give_back(control: SandboxControl, script: Script, seats: int) -> None:
    """The seats that were taken out of each target product come after all."""
    tenant = script.target.tenant_id
    for sku in {pair.target_sku for pair in script.asked.products}:
        bought = next((x for x in control.subscriptions(tenant) if (x["skuId"], x["status"]) == (sku, "Enabled")), None)
        if bought:
            control.change_subscription(tenant, bought["id"], totalLicenses=bought["totalLicenses"] + seats)


def seed_of(copied: Copied) -> dict[str, Any]:
    """The seed as the twin takes it: our application is the one that was let in, and keys of matching are there."""
    document: dict[str, Any] = json.loads(copied.seed)
    for tenant in document["tenants"]:
        tenant["consents"] = [{**consent, "app": APP} for consent in tenant.get("consents", ())]
        for user in tenant["users"]:
            user.update({_NAMES[rule]: key for rule, key in copied.keys.get(SubjectId(user["id"]), {}).items()})
    shorten(document, {sku: len(_lacking(document, sku, people)) for sku, people in copied.promised.items()})
    return document


def shorten(seed: dict[str, Any], by: Mapping[SkuId, int]) -> None:
    """Take so many seats of each product out of the purchases that are in force."""
    left = dict(by)
    for tenant in seed["tenants"]:
        for bought in tenant.get("subscriptions", ()):
            if bought.get("status", "Enabled") == "Enabled":
                taken = min(bought["totalLicenses"], left.get(bought["skuId"], 0))
                bought["totalLicenses"] -= taken
                left[bought["skuId"]] = left.get(bought["skuId"], 0) - taken


def _lacking(seed: dict[str, Any], sku: SkuId, people: Collection[SubjectId]) -> set[SubjectId]:
    """Who is to get the product by other work and does not hold it yet: their seats are not free."""
    holders = {
        user["id"]
        for tenant in seed["tenants"]
        for user in tenant["users"]
        if any(held["skuId"] == sku for held in user.get("assignments", ()))
    }
    return {*people} - holders
