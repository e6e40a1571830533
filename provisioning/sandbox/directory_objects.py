"""POST /directoryObjects/getByIds: users and groups by their ids, whichever of them exist."""

import msgspec

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import bad_request
from provisioning.sandbox.groups import group_row
from provisioning.sandbox.selection import Row, row_maker
from provisioning.sandbox.wire import Response, json_response

MOST_IDS = 1_000  # learn.microsoft.com: directoryObject: getByIds


class Wanted(msgspec.Struct):
    ids: list[str]
    types: list[str] = []


def get_by_ids(call: Call) -> Response:
    wanted = _read(call)
    types = {name.lower() for name in wanted.types} or {"user", "group"}
    rows: list[Row] = []
    for object_id in dict.fromkeys(object_id.lower() for object_id in wanted.ids):
        rows += _found(call, object_id, types)
    return json_response({"@odata.context": f"{call.root}/$metadata#directoryObjects", "value": rows})


def _read(call: Call) -> Wanted:
    try:
        wanted = msgspec.convert(call.body, Wanted)
    except msgspec.ValidationError as error:
        raise bad_request(
            f"Invalid value specified for property 'ids' of resource 'DirectoryObject'. {error}"
        ) from error
    if not 1 <= len(wanted.ids) <= MOST_IDS:
        raise bad_request(f"The number of ids must be between 1 and {MOST_IDS}.")
    return wanted


def _found(call: Call, object_id: str, types: set[str]) -> list[Row]:
    user, group = call.find_user(object_id), call.find_group(object_id)
    select = call.request.options.get("$select")
    if user is not None and "user" in types:
        return [{"@odata.type": "#microsoft.graph.user", **row_maker(select)(user)}]
    if group is not None and "group" in types:
        return [{"@odata.type": "#microsoft.graph.group", **group_row(group, select)}]
    return []
