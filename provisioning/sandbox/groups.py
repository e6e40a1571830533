"""/groups and /administrativeUnits: reads of static membership."""

from collections.abc import Callable

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import not_found
from provisioning.sandbox.model import Group, User
from provisioning.sandbox.paging import page_of_users
from provisioning.sandbox.selection import Row, row_maker
from provisioning.sandbox.wire import Response, json_response

_BY_DEFAULT_HIDDEN = frozenset({"assignedLicenses", "licenseProcessingState"})


def get_group(call: Call) -> Response:
    row = _row(_group(call))
    select = call.request.options.get("$select")
    names = [name.strip() for name in select.split(",")] if select else row.keys() - _BY_DEFAULT_HIDDEN
    content = {name: value for name, value in row.items() if name in names}
    return json_response({"@odata.context": f"{call.root}/$metadata#groups/$entity", **content})


def list_group_members(call: Call) -> Response:
    return _members(call, _group(call).members)


def list_unit_members(call: Call) -> Response:
    unit = call.tenant.units.get(call.ids[0].lower())
    if unit is None:
        raise not_found(call.ids[0])
    return _members(call, unit.members)


def _group(call: Call) -> Group:
    group = call.tenant.groups.get(call.ids[0].lower())
    if group is None:
        raise not_found(call.ids[0])
    return group


def _members(call: Call, members: list[str]) -> Response:
    is_cast = call.request.path.rsplit("/", 1)[-1].lower() in {"microsoft.graph.user", "graph.user"}
    if is_cast:
        return page_of_users(call, members, "users")
    return page_of_users(call, members, "directoryObjects", _directory_objects)


def _directory_objects(select: str | None) -> Callable[[User], Row]:
    row = row_maker(select)
    return lambda user: {"@odata.type": "#microsoft.graph.user", **row(user)}


def _row(group: Group) -> Row:
    return {
        "id": group.id,
        "createdDateTime": group.createdDateTime,
        "description": group.description,
        "displayName": group.displayName,
        "groupTypes": group.groupTypes,
        "mail": None,
        "mailEnabled": group.mailEnabled,
        "mailNickname": group.mailNickname,
        "membershipRule": group.membershipRule,
        "membershipRuleProcessingState": "On" if group.membershipRule else None,
        "onPremisesSyncEnabled": group.onPremisesSyncEnabled,
        "securityEnabled": group.securityEnabled,
        "assignedLicenses": group.assignedLicenses,
        "licenseProcessingState": {"state": "ProcessingComplete"} if group.assignedLicenses else None,
    }
