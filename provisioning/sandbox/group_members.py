"""Who is in a group or an administrative unit, and which groups a person is in: reads."""

from collections.abc import Callable

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import not_found
from provisioning.sandbox.groups import GROUP_PROPERTIES, failing_members, group_row
from provisioning.sandbox.model import User
from provisioning.sandbox.object_pages import RowOf, page_of_objects
from provisioning.sandbox.paging import page_of_users
from provisioning.sandbox.selection import Row, row_maker
from provisioning.sandbox.wire import Response

_USER_CASTS = frozenset({"microsoft.graph.user", "graph.user"})


def list_group_members(call: Call) -> Response:
    return _people_or_objects(call, call.members(call.get_group().id))


def list_transitive_members(call: Call) -> Response:
    """Members, and members of the groups among them, each once; nested groups are listed as well."""
    return _people_or_objects(call, _transitive(call, call.get_group().id))


def _transitive(call: Call, group_id: str) -> list[str]:
    found: dict[str, None] = {}
    places: list[str] = []
    waiting = [group_id]
    for group in waiting:
        for member in call.members(group):
            places.append("" if member in found else member)
            if member and member not in found and call.find_group(member):
                waiting.append(member)
            found[member] = None
    return [member if member != group_id else "" for member in places]


def list_failing_members(call: Call) -> Response:
    """membersWithLicenseErrors: the members who did not get what the group gives, or do not lose what it takes."""
    group = call.get_group()
    failing = failing_members(call, group.id)
    places = [member if member in failing else "" for member in call.members(group.id)]
    return page_of_objects(call, places, "directoryObjects", _any_object(call))


def list_unit_members(call: Call) -> Response:
    unit = call.tenant.units.get(call.ids[0].lower())
    if unit is None:
        raise not_found(call.ids[0])
    return _people(call, unit.members)


def list_groups_of_user(call: Call) -> Response:
    """memberOf: the groups with this person as a direct member, in the order of joining."""
    user = call.get_user(call.ids[0])
    groups = [group for group in call.tenant.groups.of(user.id) if call.is_member(group, user.id)]
    return page_of_objects(call, groups, "directoryObjects", _any_object(call))


def _people_or_objects(call: Call, members: list[str]) -> Response:
    """Users alone when the path casts to them, a filter asks about them, or nothing else is there."""
    groups = call.tenant.groups.by_id
    if _is_cast(call) or "$filter" in call.request.options or not any(member in groups for member in members):
        return _people(call, members)
    return page_of_objects(call, members, "directoryObjects", _any_object(call))


def _people(call: Call, members: list[str]) -> Response:
    if _is_cast(call):
        return page_of_users(call, members, "users")
    return page_of_users(call, members, "directoryObjects", _typed_users)


def _is_cast(call: Call) -> bool:
    return call.request.path.rsplit("/", 1)[-1].lower() in _USER_CASTS


def _typed_users(select: str | None) -> Callable[[User], Row]:
    row = row_maker(select)
    return lambda user: {"@odata.type": "#microsoft.graph.user", **row(user)}


def _any_object(call: Call) -> RowOf:
    """Users and groups as directory objects; of a `$select` each shows what it has."""
    select = call.request.options.get("$select")
    names = [name.strip() for name in select.split(",")] if select else []
    of_groups = ",".join(name for name in names if name in GROUP_PROPERTIES) or ("id" if select else None)
    only_of_groups = {"groupTypes", "securityEnabled", "mailEnabled", "description", "membershipRule"}
    of_users = ",".join(name for name in names if name not in only_of_groups) or ("id" if select else None)
    typed = _typed_users(of_users)

    def row_of(object_id: str) -> Row | None:
        if user := call.find_user(object_id):
            return typed(user)
        group = call.find_group(object_id)
        return {"@odata.type": "#microsoft.graph.group", **group_row(group, of_groups)} if group else None

    return row_of
