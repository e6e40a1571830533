"""POST /groups/{id}/assignLicense and POST /users/{id}/reprocessLicenseAssignment.

learn.microsoft.com: "group: assignLicense", "user: reprocessLicenseAssignment". A group is checked at once against its
own set of SKUs, never against seats; what its members get of it is found out later, person by person.
"""

import msgspec

from provisioning.sandbox.background import inheritance_of
from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import bad_request
from provisioning.sandbox.group_writes import primary_group
from provisioning.sandbox.licensing import LicenceRequest, plan_violation, read_request, require_offered
from provisioning.sandbox.model import Assignment, Group, GroupLicence, User
from provisioning.sandbox.offers import offer_of
from provisioning.sandbox.selection import row_maker
from provisioning.sandbox.users import primary_user
from provisioning.sandbox.wire import Response, json_response

_SHORTENED = ("id", "createdDateTime", "groupTypes", "securityEnabled")


def assign_group_license(call: Call) -> Response:
    """202 and the shortened group; raises Graph's refusal of what the group cannot be."""
    request = read_request(call.body, call.world.switches)
    group = primary_group(call)
    if not group.securityEnabled:
        raise bad_request("License assignment is not supported for a group that is not security enabled.")
    offer = offer_of(call.world, call.tenant, call.now)
    request = require_offered(request, offer, call.world.switches)
    licences = _after(group, request)
    if violation := plan_violation(tuple(_as_held(licence) for licence in licences), offer):
        raise bad_request(violation.message)
    after = msgspec.structs.replace(group, assignedLicenses=licences)
    call.world.write_group(call.tenant, after, call.author)
    return _accepted(call, after)


def _after(group: Group, request: LicenceRequest) -> tuple[GroupLicence, ...]:
    held = {licence.skuId: licence for licence in group.assignedLicenses}
    for sku_id in request.removals:
        if sku_id not in held:
            raise bad_request("Group does not have a corresponding license.")
        del held[sku_id]
    held.update({sku_id: GroupLicence(sku_id, disabled) for sku_id, disabled in request.additions.items()})
    return tuple(held.values())


def _as_held(licence: GroupLicence) -> Assignment:
    """As a person would hold it who has nothing else."""
    return Assignment(licence.skuId, "", licence.disabledPlans)


def _accepted(call: Call, group: Group) -> Response:
    row = {name: getattr(group, name) for name in _SHORTENED}
    location = (
        f"https://graph.microsoft.com/v2/{call.tenant.id}/directoryObjects/{group.id}/Microsoft.DirectoryServices.Group"
    )
    return json_response(
        {"@odata.context": f"{call.root}/$metadata#groups/$entity", **row}, 202, {"location": location}
    )


def reprocess(call: Call) -> Response:
    """200 and the user, all licences from groups seen to anew; raises the 400 of what stands in their way.

    A refused call changes nothing itself; the tenant sees later to the licences that nothing stands in the way of.
    """
    user = primary_user(call)
    after, groups = user, _groups_of(call, user)
    for group_id in groups:
        found = inheritance_of(call.world, call.tenant, after, group_id, call.now)
        if found.violation:
            _see_to_later(call, user, groups)
            raise bad_request(found.violation.message)
        after = msgspec.structs.replace(after, assignments=found.assignments)
    call.world.put_user(call.tenant, after, call.author)
    row = row_maker(None)(after)
    return json_response({"@odata.context": f"{call.root}/$metadata#users/$entity", **row})


def _groups_of(call: Call, user: User) -> list[str]:
    """Those the person is in, and those that left a licence behind."""
    givers = [held.assignedByGroup for held in user.assignments if held.assignedByGroup]
    return list(dict.fromkeys([*call.tenant.groups.of(user.id), *givers]))


def _see_to_later(call: Call, user: User, groups: list[str]) -> None:
    for group_id in groups:
        call.world.enqueue(call.tenant, group_id, [user.id], call.now)
