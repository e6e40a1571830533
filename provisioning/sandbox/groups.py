"""/groups: one group, and the listing with its filters."""

from typing import Any

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import bad_request
from provisioning.sandbox.group_filters import GroupFilter, compile_group_filter
from provisioning.sandbox.model import Group
from provisioning.sandbox.object_pages import page_of_objects
from provisioning.sandbox.selection import Row
from provisioning.sandbox.wire import Response, json_response

# Real properties of a group that the twin has no use for; they are always null.
_EMPTY: Row = dict.fromkeys(
    (
        *("classification", "deletedDateTime", "expirationDateTime", "isAssignableToRole", "mail"),
        *("onPremisesLastSyncDateTime", "renewedDateTime", "visibility"),
    )
)
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
    wanted = compile_group_filter(options["$filter"]) if options.get("$filter") else None

    def row_of(group_id: str) -> Row | None:
        group = call.find_group(group_id)
        fits = group is not None and (wanted is None or _fits(call, group, wanted))
        return group_row(group, options.get("$select")) if group and fits else None

    is_about_licences = wanted is not None and wanted.is_about_licences
    return page_of_objects(call, call.tenant.groups.order, "groups", row_of, is_about_licences=is_about_licences)


def _fits(call: Call, group: Group, wanted: GroupFilter) -> bool:
    if wanted.has_errors is not None and bool(failing_members(call, group.id)) != wanted.has_errors:
        return False
    return wanted.matches(group)


def failing_members(call: Call, group_id: str) -> set[str]:
    """The members whose licences from this group are in error, as this copy knows them."""
    failing = call.tenant.directory.failing.get(group_id, {})
    members = call.tenant.groups.members(group_id)
    users = call.users([user_id for user_id in failing if user_id in members])
    return {user.id for user in users if user.fails_in(group_id)}


def group_row(group: Group, select: str | None = None) -> Row:
    """The properties that `$select` names, or the usual ones; raises Graph's 400 for unknown names."""
    if not select:
        return {**_EMPTY, **{name: getattr(group, name) for name in _MODELLED}}
    names = [name.strip() for name in select.split(",")]
    for name in names:
        if name not in GROUP_PROPERTIES:
            raise bad_request(
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{name}' on type 'microsoft.graph.group'."
            )
    return {name: _value(group, name) for name in names if name not in _NEVER_RETURNED}


GROUP_PROPERTIES = frozenset({*_EMPTY, *_MODELLED, *_ONLY_SELECTED, *_NEVER_RETURNED})


def _value(group: Group, name: str) -> Any:
    return _EMPTY[name] if name in _EMPTY else getattr(group, name)
