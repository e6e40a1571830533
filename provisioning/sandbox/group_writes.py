"""/groups: creation, properties, members, deletion.

learn.microsoft.com: "Create group", "Update group", "Add members", "Remove member", "Delete group".
"""

import re
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from provisioning.sandbox.call import Call
from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.errors import GraphError, bad_request, denied, not_found
from provisioning.sandbox.groups import group_row
from provisioning.sandbox.membership_rules import compile_rule
from provisioning.sandbox.model import Group
from provisioning.sandbox.wire import Response, json_response

MOST_MEMBERS = 20
MEMBERS = "members@odata.bind"
WRITE_GROUPS = frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"})
WRITE_MEMBERS = WRITE_GROUPS | {"GroupMember.ReadWrite.All"}
CREATE_GROUPS = WRITE_GROUPS | {"Group.Create"}

_REFERENCE = re.compile(
    r"(?P<root>https://[^/]+/v1\.0)/(?:directoryObjects|users|groups)/(?P<id>[0-9a-f-]{36})", re.IGNORECASE
)
_PUBLIC_ROOT = "https://graph.microsoft.com/v1.0"
_TYPES: dict[str, Any] = {
    "displayName": str,
    "description": str | None,
    "mailNickname": str,
    "mailEnabled": bool,
    "securityEnabled": bool,
    "groupTypes": tuple[str, ...],
    "membershipRule": str | None,
    "membershipRuleProcessingState": str | None,
}
_NEEDED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")


def create_group(call: Call) -> Response:
    """201 and the group; its members, if any, come with it."""
    body = _object(call.body)
    if missing := [name for name in _NEEDED if body.get(name) is None]:
        raise bad_request(f"A value is required for property '{missing[0]}' of resource 'Group'.")
    members = _new_members(call, body)
    properties = _properties(body)
    group = Group(id=_new_id(call), createdDateTime=to_moment(call.now), **properties)
    _require_possible(group, members)
    call.world.write_group(call.tenant, group, call.author, joining=members)
    row = {"@odata.context": f"{call.root}/$metadata#groups/$entity", **group_row(group)}
    return json_response(row, 201, {"Location": f"{call.root}/groups/{group.id}"})


def patch_group(call: Call) -> Response:
    """204: properties, up to twenty new members, or both; nothing unless everything is right."""
    body = _object(call.body)
    group = _known(call)
    members = _new_members(call, body)
    properties = _properties(body)
    if properties and WRITE_GROUPS.isdisjoint(call.caller.roles):
        raise denied()
    if MEMBERS in body:
        _require_open(call, group)
        _require_strangers(call, group, members)
    after = msgspec.structs.replace(group, **properties)
    _require_possible(after, [])
    call.world.write_group(call.tenant, after, call.author, joining=members)
    return Response(204)


def add_member(call: Call) -> Response:
    group = _known(call)
    reference = _object(call.body).get("@odata.id")
    if not isinstance(reference, str):
        raise bad_request("The property '@odata.id' is required to add a reference.")
    member = _referenced(call, reference)
    _require_open(call, group)
    _require_strangers(call, group, [member])
    call.world.write_group(call.tenant, group, call.author, joining=[member])
    return Response(204)


def remove_member(call: Call) -> Response:
    group, member = primary_group(call), call.ids[1].lower()
    if member not in call.tenant.groups.members(group.id):
        raise not_found(call.ids[1])
    _require_open(call, group)
    call.world.write_group(call.tenant, group, call.author, leaving=[member])
    return Response(204)


def delete_group(call: Call) -> Response:
    group = primary_group(call)
    if group.assignedLicenses or call.tenant.queue.is_pending(group.id):  # what was removed goes on until it is done
        raise bad_request(
            "Unable to delete the group because there is a product license assigned to the group. "
            "To delete this group, remove any product licenses first."
        )
    call.world.remove_group(call.tenant, group.id, call.author)
    return Response(204)


def primary_group(call: Call) -> Group:
    """The newest state of the group, once the copy at hand knows the group at all."""
    known = call.get_group()
    group = call.tenant.groups.get(known.id)
    if group is None:
        raise not_found(call.ids[0])
    return group


def _known(call: Call) -> Group:
    """The newest state of a group that may be too new to be written to; raises Graph's 404 and 400."""
    group_id = call.ids[0].lower()
    group = call.tenant.groups.get(group_id)
    if group is None:
        raise not_found(call.ids[0])
    age = call.now - call.tenant.groups.created_at[group_id]
    if call.find_group(group_id) is None or age < call.world.switches.group_known_after_seconds:
        raise bad_request("The source resource object or one of the objects being referenced do not exist.")
    return group


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bad_request("A JSON object was expected in the request payload.")
    return body


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    """The properties in a body, converted; raises Graph's 400 for what a group does not have or take."""
    found = {name: _property(name, value) for name, value in body.items() if not _is_annotation(name)}
    if "DynamicMembership" in found.get("groupTypes", ()):
        found = {"membershipRuleProcessingState": "On", **found}
    return found


def _is_annotation(name: str) -> bool:
    return "@odata." in name


def _property(name: str, value: Any) -> Any:
    if name not in _TYPES:
        raise bad_request(f"Property '{name}' does not exist as a declared property or extension property.")
    try:
        return msgspec.convert(value, _TYPES[name])
    except msgspec.ValidationError as error:
        raise bad_request(f"Invalid value specified for property '{name}' of resource 'Group'.") from error


def _new_members(call: Call, body: dict[str, Any]) -> list[str]:
    """The ids behind members@odata.bind; raises Graph's 400 for too many or none, its 404 for one it does not know."""
    if MEMBERS not in body:
        return []
    references = body[MEMBERS]
    if not isinstance(references, list) or not all(isinstance(one, str) for one in references):
        raise bad_request(f"Invalid value specified for property '{MEMBERS}' of resource 'Group'.")
    if not 1 <= len(references) <= MOST_MEMBERS:
        raise bad_request(f"A request may add 1 to {MOST_MEMBERS} references of 'members', not {len(references)}.")
    return [_referenced(call, reference) for reference in references]


def _referenced(call: Call, reference: str) -> str:
    found = _REFERENCE.fullmatch(reference)
    if found is None or found["root"].lower() not in {call.root.lower(), _PUBLIC_ROOT}:
        raise bad_request(f"Invalid URL format specified in payload: '{reference}'.")
    member = found["id"].lower()
    if call.find_user(member) is None and call.find_group(member) is None:
        raise not_found(found["id"])
    return member


def _require_possible(group: Group, members: Sequence[str]) -> None:
    if group.is_dynamic:
        compile_rule(group.membershipRule or "")
    if group.is_dynamic and members:
        raise bad_request("Members cannot be added to a group with dynamic membership.")
    if group.mailEnabled and "Unified" not in group.groupTypes:
        raise bad_request("The service does not currently support writes of mail-enabled groups.")


def _require_open(call: Call, group: Group) -> None:
    """Whether the members of this group are anybody's to change."""
    if group.onPremisesSyncEnabled:
        raise bad_request("Unable to update the specified properties for on-premises mastered Directory Sync objects.")
    if group.is_dynamic:
        message = "Members of a group with dynamic membership cannot be added or removed."
        status = call.world.switches.dynamic_group_refusal_status
        raise GraphError(status, "Authorization_RequestDenied" if status == 403 else "Request_BadRequest", message)  # noqa: PLR2004 - an HTTP status


def _require_strangers(call: Call, group: Group, members: Sequence[str]) -> None:
    present = call.tenant.groups.members(group.id)
    if len(set(members)) < len(members) or any(member in present for member in members):
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'members'."
        )


def _new_id(call: Call) -> str:
    return str(uuid.UUID(int=call.world.rng.getrandbits(128), version=4))
