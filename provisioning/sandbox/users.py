"""/users: reads, PATCH and assignLicense."""

from typing import Any

import msgspec

from provisioning.sandbox.call import Call
from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.countries import COUNTRIES
from provisioning.sandbox.errors import bad_request, denied, not_found
from provisioning.sandbox.inventory import sku_row
from provisioning.sandbox.licensing import Offer, decide, enabled_plans, read_request
from provisioning.sandbox.model import User
from provisioning.sandbox.paging import Query, page_of_users
from provisioning.sandbox.selection import row_maker
from provisioning.sandbox.wire import Response, json_response

_WRITABLE_TEXTS = """
companyName department displayName employeeId employeeType givenName jobTitle mobilePhone officeLocation
preferredLanguage surname usageLocation userPrincipalName userType
"""
_TEXTS = frozenset(_WRITABLE_TEXTS.split())
_NEVER_NULL = frozenset({"userPrincipalName", "userType"})
_READ_ONLY = frozenset({"assignedLicenses", "licenseAssignmentStates", "id", "createdDateTime", "mail"})


def list_users(call: Call) -> Response:
    return page_of_users(call, call.tenant.directory.order, "users")


def count_users(call: Call) -> Response:
    if call.request.headers.get("consistencylevel", "").lower() != "eventual":
        raise bad_request("$count is not currently supported.")
    query = Query(call, is_counting=True)
    total = sum(map(query.matches, call.users(call.tenant.directory.order)))
    return Response(200, str(total).encode(), {"Content-Type": "text/plain"})


def get_user(call: Call) -> Response:
    user = call.get_user(call.ids[0])
    row = row_maker(call.request.options.get("$select"))(user)
    return json_response({"@odata.context": f"{call.root}/$metadata#users/$entity", **row})


def list_licence_details(call: Call) -> Response:
    """The effective SKUs of a person, with each plan's state."""
    user, skus = call.get_user(call.ids[0]), call.world.catalogue.skus
    rows = []
    for sku_id in sorted(user.consumed_skus & skus.keys()):
        held = tuple(assignment for assignment in user.assignments if assignment.skuId == sku_id)
        details = {"id": f"{user.id[:8]}{sku_id[:8]}", "skuId": sku_id, "skuPartNumber": skus[sku_id].skuPartNumber}
        rows.append(details | {"servicePlans": sku_row(skus[sku_id], enabled_plans(held, skus))})
    context = f"{call.root}/$metadata#users('{user.id}')/licenseDetails"
    return json_response({"@odata.context": context, "value": rows})


def patch_user(call: Call) -> Response:
    user = _writable(call)
    changes = {name: value for name, value in _object(call.body).items() if not name.startswith("@odata.")}
    extensions = changes.pop("onPremisesExtensionAttributes", {})
    for name, value in changes.items():
        _require_valid(name, value)
    _require_free(call, user, changes.get("userPrincipalName", user.userPrincipalName))
    changes["extensions"] = {**(user.extensions or {}), **_texts(extensions)} or None
    call.world.put_user(call.tenant, msgspec.structs.replace(user, **changes), call.author)
    return Response(204)


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bad_request("A JSON object was expected in the request payload.")
    return body


def _texts(body: Any) -> dict[str, str]:
    try:
        return msgspec.convert(body, dict[str, str])
    except msgspec.ValidationError as error:
        raise bad_request("Invalid value specified for property 'onPremisesExtensionAttributes'.") from error


def _require_valid(name: str, value: Any) -> None:
    if name in _READ_ONLY:
        raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    if name not in _TEXTS and name != "accountEnabled":
        raise bad_request(f"Property '{name}' does not exist as a declared property or extension property.")
    if not _is_valid(name, value):
        raise bad_request(f"Invalid value specified for property '{name}' of resource 'User'.")


def _is_valid(name: str, value: Any) -> bool:
    if name == "accountEnabled":
        return isinstance(value, bool)
    if value is None:
        return name not in _NEVER_NULL
    if name == "usageLocation":
        return isinstance(value, str) and value.upper() in COUNTRIES
    return isinstance(value, str)


def _require_free(call: Call, user: User, user_principal_name: str) -> None:
    if call.tenant.directory.find_id(user_principal_name) not in {None, user.id}:
        raise bad_request("Another object with the same value for property userPrincipalName already exists.")


def assign_license(call: Call) -> Response:
    request = read_request(call.body, call.world.switches)
    user = _primary(call)
    moment = to_moment(call.now)
    after = decide(user, request, _offer(call), call.world.switches, moment)
    stored = msgspec.structs.replace(user, assignments=after)
    call.world.put_user(call.tenant, stored, call.author)
    row = row_maker(None)(stored)
    return json_response({"@odata.context": f"{call.root}/$metadata#users/$entity", **row})


def _primary(call: Call) -> User:
    """The newest state of the user: writes are decided on it, once the copy at hand knows the user at all."""
    known = call.get_user(call.ids[0])
    user = call.tenant.directory.users.get(known.id)
    if user is None:
        raise not_found(call.ids[0])
    return user


def _writable(call: Call) -> User:
    user = _primary(call)
    if user.isManagementRestricted and call.world.switches.restricted_units_refuse:
        raise denied()
    return user


def _offer(call: Call) -> Offer:
    tenant, skus = call.tenant, call.world.catalogue.skus
    owned = frozenset(sku for sku in tenant.owned_skus(call.now) if sku in skus and skus[sku].appliesTo == "User")
    if call.world.switches.dormant_skus_answer == "unknown_sku":
        owned -= tenant.dormant_skus(call.now)
    return Offer(owned, skus, lambda sku_id: _free_seats(call, sku_id), tenant.rules)


def _free_seats(call: Call, sku_id: str) -> int:
    units = call.tenant.units_of(sku_id, call.now)
    assignable = units.enabled + (units.warning if call.world.switches.warning_units_assignable else 0)
    return assignable - call.tenant.directory.consumed[sku_id]
