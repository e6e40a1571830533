"""What POST /users/{id}/assignLicense decides. Pure: a state and a request in, new assignments or a refusal out.

learn.microsoft.com: "user: assignLicense". Nothing is applied unless everything is accepted. The order in which
several problems are noticed is not documented; this one is: ownership, removals, location, plans, seats.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from provisioning.sandbox.catalogue import PlanRules, Sku
from provisioning.sandbox.countries import COUNTRIES
from provisioning.sandbox.errors import bad_request, denied
from provisioning.sandbox.model import Assignment, User
from provisioning.sandbox.switches import Switches

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class AddLicence(msgspec.Struct):
    skuId: str
    disabledPlans: list[str] = []


class LicenceChange(msgspec.Struct):
    addLicenses: list[AddLicence] | msgspec.UnsetType = msgspec.UNSET
    removeLicenses: list[str] | msgspec.UnsetType = msgspec.UNSET


class LicenceRequest(msgspec.Struct, frozen=True):
    """A well-formed request: lower-case ids; disabled plans per SKU to add, and SKUs to remove."""

    additions: dict[str, tuple[str, ...]]
    removals: tuple[str, ...]


class Violation(msgspec.Struct, frozen=True):
    """Why licences cannot be: the name in licenseAssignmentStates, the refusal, and the SKU or plans it is about."""

    error: str
    message: str
    sku: str | None = None
    plans: tuple[str, ...] = ()


class Offer(msgspec.Struct, frozen=True):
    """What the tenant can give: its assignable SKUs, every SKU known, free seats, plan rules."""

    owned: frozenset[str]
    skus: Mapping[str, Sku]
    free_seats: Callable[[str], int]
    rules: PlanRules


def read_request(body: Any, switches: Switches) -> LicenceRequest:
    """The request in a decoded body; raises the 400 that Graph answers to a malformed one."""
    change = _converted(body)
    missing = [name for name in ("addLicenses", "removeLicenses") if getattr(change, name) is msgspec.UNSET]
    if missing:
        raise bad_request(
            "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
            f"The missing parameters are: {', '.join(missing)}."
        )
    request = _lowered(change)
    _require_sane(request, switches)
    return request


def _converted(body: Any) -> LicenceChange:
    try:
        return msgspec.convert(body, LicenceChange)
    except msgspec.ValidationError as error:
        raise bad_request(f"An error has occurred while reading the request payload: {error}") from error


def _lowered(change: LicenceChange) -> LicenceRequest:
    additions = {_guid(added.skuId): tuple(map(_guid, added.disabledPlans)) for added in change.addLicenses or ()}
    return LicenceRequest(additions, tuple(_guid(sku_id) for sku_id in change.removeLicenses or ()))


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise bad_request(f"Cannot convert the literal '{text}' to the expected type 'Edm.Guid'.")
    return text.lower()


def _require_sane(request: LicenceRequest, switches: Switches) -> None:
    both = [sku_id for sku_id in request.additions if sku_id in request.removals]
    if both and switches.same_sku_in_add_and_remove == "refuse":
        raise bad_request(f"License {both[0]} cannot be added and removed in one request.")
    limit = switches.max_skus_per_call
    if limit is not None and len(request.additions) + len(request.removals) > limit:
        raise bad_request(f"A request may change at most {limit} licenses.")


def decide(
    user: User, request: LicenceRequest, offer: Offer, switches: Switches, moment: str
) -> tuple[Assignment, ...]:
    """The assignments after the request; raises the refusal of the first rule it breaks."""
    _require_writable(user, switches)
    request = require_offered(request, offer, switches)
    _require_removable(user, request)
    if request.additions:
        _require_location(user, switches)
    after = _after(user, request, moment)
    _refuse(plan_violation(after, offer))
    _refuse(seat_violation(user, after, offer))
    _require_room(user, request, after, switches)
    return after


def _require_writable(user: User, switches: Switches) -> None:
    if user.isManagementRestricted and switches.restricted_units_refuse:
        raise denied()
    if user.onPremisesSyncEnabled and not switches.synced_accounts_assignable:
        raise bad_request("Unable to update the specified properties for on-premises mastered Directory Sync objects.")


def require_offered(request: LicenceRequest, offer: Offer, switches: Switches) -> LicenceRequest:
    """The request, if the tenant owns what it adds and the plans it disables are in there; else raises the refusal."""
    _require_owned(request, offer)
    return _known_plans(request, offer, switches)


def _require_owned(request: LicenceRequest, offer: Offer) -> None:
    for sku_id in request.additions:
        if sku_id not in offer.owned:
            raise bad_request(f"License {sku_id} does not correspond to a valid company License.")


def _known_plans(request: LicenceRequest, offer: Offer, switches: Switches) -> LicenceRequest:
    foreign = [
        (sku_id, plan)
        for sku_id, disabled in request.additions.items()
        for plan in disabled
        if plan not in offer.skus[sku_id].plan_ids
    ]
    if not foreign:
        return request
    if switches.invalid_disabled_plan == "refuse":
        sku_id, plan = foreign[0]
        raise bad_request(f"Service plan {plan} is not part of the license {sku_id}.")
    kept = {
        sku_id: tuple(plan for plan in disabled if (sku_id, plan) not in foreign)
        for sku_id, disabled in request.additions.items()
    }
    return LicenceRequest(kept, request.removals)


def _require_removable(user: User, request: LicenceRequest) -> None:
    for sku_id in request.removals:
        held = [assignment for assignment in user.assignments if assignment.skuId == sku_id]
        if not held:
            raise bad_request("User does not have a corresponding license.")
        if not any(assignment.is_direct for assignment in held):
            raise bad_request(
                "User license is inherited from a group membership and it cannot be removed directly from the user."
            )


def _require_location(user: User, switches: Switches) -> None:
    location = (user.usageLocation or "").upper()
    if location not in COUNTRIES:
        raise bad_request("License assignment cannot be done for user with invalid usage location.")
    if location in switches.unsupported_locations:
        raise bad_request(switches.unsupported_location_message)


def _after(user: User, request: LicenceRequest, moment: str) -> tuple[Assignment, ...]:
    """Direct assignments replaced, removed or appended; inherited ones as they were."""
    dropped = {*request.removals, *request.additions}
    kept = (held for held in user.assignments if not (held.is_direct and held.skuId in dropped))
    added = (Assignment(sku_id, moment, disabled) for sku_id, disabled in request.additions.items())
    return (*kept, *added)


def enabled_plans(assignments: tuple[Assignment, ...], skus: Mapping[str, Sku]) -> frozenset[str]:
    """The service plans that work for the person: the union over all assignments that hold."""
    plans: frozenset[str] = frozenset()
    for held in assignments:
        if held.consumes and held.skuId in skus:
            plans |= skus[held.skuId].plan_ids.difference(held.disabledPlans)
    return plans


def plan_violation(after: tuple[Assignment, ...], offer: Offer) -> Violation | None:
    """The first rule of service plans that these assignments break."""
    return next(plan_violations(after, offer), None)


def plan_violations(after: tuple[Assignment, ...], offer: Offer) -> Iterator[Violation]:
    """Every rule of service plans that these assignments break."""
    plans = enabled_plans(after, offer.skus)
    for pair in offer.rules.conflicts(plans):
        text = f"License assignment failed because service plans {pair[0]}, {pair[1]} are mutually exclusive."
        yield Violation("MutuallyExclusiveViolation", text, plans=tuple(pair))
    for unmet in offer.rules.unmet(plans):
        text = (
            f"License assignment failed because service plan {unmet.plan} depends on the service plan(s) "
            f"{', '.join(unmet.anyOf)}"
        )
        yield Violation("DependencyViolation", text, plans=(unmet.plan,))


def seat_violation(user: User, after: tuple[Assignment, ...], offer: Offer) -> Violation | None:
    """The first SKU of `after` that the person has no seat of, and that has none left."""
    consumed = user.consumed_skus
    for held in after:
        if held.consumes and held.skuId not in consumed and offer.free_seats(held.skuId) <= 0:
            text = f"Subscription with SKU {held.skuId} does not have any available licenses."
            return Violation("CountViolation", text, sku=held.skuId)
    return None


def _refuse(violation: Violation | None) -> None:
    if violation:
        raise bad_request(violation.message)


def _require_room(user: User, request: LicenceRequest, after: tuple[Assignment, ...], switches: Switches) -> None:
    if request.additions and user.id in switches.proxy_address_clashes:
        raise bad_request("Another object with the same value for property proxyAddresses already exists.")
    limit = switches.max_licences_per_user
    if limit is not None and len({held.skuId for held in after}) > limit:
        raise bad_request(f"A user may have at most {limit} licenses.")


def is_same(before: tuple[Assignment, ...], after: tuple[Assignment, ...]) -> bool:
    """Whether nothing but lastUpdatedDateTime differs."""
    return _facts(before) == _facts(after)


def _facts(assignments: tuple[Assignment, ...]) -> set[tuple[Any, ...]]:
    return {
        (held.skuId, held.assignedByGroup, frozenset(held.disabledPlans), held.state, held.error)
        for held in assignments
    }
