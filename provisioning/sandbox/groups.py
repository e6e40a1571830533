"""/groups and /administrativeUnits: reads."""

from collections.abc import Callable
from typing import Any

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import bad_request, not_found
from provisioning.sandbox.group_filters import GroupFilter, compile_group_filter
from provisioning.sandbox.model import Group, User
from provisioning.sandbox.paging import PageRequest, page_of_users, refuse_options
from provisioning.sandbox.selection import Row, row_maker
from provisioning.sandbox.wire import Response, json_response

# Real properties of a group that the twin has no use for; they are always null or false.
_EMPTY: Row = {
    "classification": None,
    "deletedDateTime": None,
    "expirationDateTime": None,
    "isAssignableToRole": None,
    "mail": None,
    "onPremisesLastSyncDateTime": None,
    "renewedDateTime": None,
    "visibility": None,
}
_MODELLED = (
    *("id", "createdDateTime", "description", "displayName", "groupTypes", "mailEnabled", "mailNickname"),
    *("membershipRule", "membershipRuleProcessingState", "onPremisesSyncEnabled", "securityEnabled"),
)
_ONLY_SELECTED = ("assignedLicenses", "licenseProcessingState")
_NEVER_RETURNED = frozenset({"hasMembersWithLicenseErrors"})


def get_group(call: Call) -> Response:
    row = group_row(call.get_group(), call.request.options.get("$select"))
    return json_response({"@odata.context": f"{call.root}/$metadata#groups/$entity", **row})


def list_groups(call: Call) -> Response:
    options = call.request.options
    refuse_options(options, "$expand", "$orderby", "$search", "$skip", "$count")
    wanted = compile_group_filter(options["$filter"]) if options.get("$filter") else None
    request = PageRequest(call, is_about_licences=wanted is not None and wanted.is_about_licences)
    found, position = _collect(call, request, wanted)
    page: dict[str, Any] = {"@odata.context": f"{call.root}/$metadata#groups"}
    if position < len(call.tenant.groups.by_id):
        page["@odata.nextLink"] = request.next_link(position)
    page["value"] = [group_row(group, options.get("$select")) for group in found]
    return json_response(page)


def _collect(call: Call, request: PageRequest, wanted: GroupFilter | None) -> tuple[list[Group], int]:
    order, position = call.tenant.groups.order, request.token.position
    found: list[Group] = []
    while position < len(order) and len(found) < request.top:
        group = call.find_group(order[position])
        position += 1
        if group is not None and (wanted is None or _matches(call, group, wanted)):
            found.append(group)
    return found, position


def _matches(call: Call, group: Group, wanted: GroupFilter) -> bool:
    if wanted.has_errors is not None and bool(members_with_errors(call, group)) != wanted.has_errors:
        return False
    return wanted.matches(group)


def members_with_errors(call: Call, group: Group) -> list[str]:
    """The members whose licences from this group are in error, as this copy knows it."""
    members = call.members(group.id) if group.assignedLicenses else []
    return [user.id for user in call.users(members) if _is_in_error(user, group)]


def _is_in_error(user: User, group: Group) -> bool:
    return any(held.assignedByGroup == group.id and held.error != "None" for held in user.assignments)


def list_group_members(call: Call) -> Response:
    return _members(call, call.members(call.get_group().id))


def list_unit_members(call: Call) -> Response:
    unit = call.tenant.units.get(call.ids[0].lower())
    if unit is None:
        raise not_found(call.ids[0])
    return _members(call, unit.members)


def _members(call: Call, members: list[str]) -> Response:
    is_cast = call.request.path.rsplit("/", 1)[-1].lower() in {"microsoft.graph.user", "graph.user"}
    if is_cast:
        return page_of_users(call, members, "users")
    return page_of_users(call, members, "directoryObjects", _directory_objects)


def _directory_objects(select: str | None) -> Callable[[User], Row]:
    row = row_maker(select)
    return lambda user: {"@odata.type": "#microsoft.graph.user", **row(user)}


def group_row(group: Group, select: str | None = None) -> Row:
    """The properties that `$select` names, or the usual ones; raises Graph's 400 for unknown names."""
    if not select:
        return {**_EMPTY, **{name: getattr(group, name) for name in _MODELLED}}
    names = [name.strip() for name in select.split(",")]
    return {name: _value(group, name) for name in names if name not in _NEVER_RETURNED}


def _value(group: Group, name: str) -> Any:
    if name in _EMPTY:
        return _EMPTY[name]
    if name not in _MODELLED and name not in _ONLY_SELECTED:
        raise bad_request(
            "Parsing OData Select and Expand failed: Could not find a property named "
            f"'{name}' on type 'microsoft.graph.group'."
        )
    return getattr(group, name)
