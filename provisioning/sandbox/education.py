"""/education: the roster that School Data Sync writes (learn.microsoft.com: educationUser, educationSchool)."""

from collections.abc import Callable

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import not_found
from provisioning.sandbox.model import School, User
from provisioning.sandbox.paging import page_of_users, refuse_options
from provisioning.sandbox.selection import Row
from provisioning.sandbox.wire import Response, json_response

_USER_PROPERTIES = (
    *("id", "displayName", "givenName", "surname", "mail", "userPrincipalName", "accountEnabled", "userType"),
    *("usageLocation", "department", "primaryRole", "assignedLicenses"),
)


def list_education_users(call: Call) -> Response:
    return _page(call, call.tenant.directory.order, "education/users")


def list_schools(call: Call) -> Response:
    rows = [_school(school) for school in call.tenant.schools.values()]
    return json_response({"@odata.context": f"{call.root}/$metadata#education/schools", "value": rows})


def list_school_users(call: Call) -> Response:
    school = call.tenant.schools.get(call.ids[0])
    if school is None:
        raise not_found(call.ids[0])
    return _page(call, school.members, f"education/schools('{school.id}')/users")


def _school(school: School) -> Row:
    return {
        "id": school.id,
        "displayName": school.displayName,
        "externalId": school.externalId,
        "schoolNumber": school.schoolNumber,
        "externalSource": "sis",
    }


def _page(call: Call, ids: list[str], context: str) -> Response:
    refuse_options(call.request.options, "$filter")
    return page_of_users(call, ids, context, _education_rows)


def _education_rows(select: str | None) -> Callable[[User], Row]:
    wanted = [name.strip() for name in select.split(",")] if select else _USER_PROPERTIES
    names = [name for name in wanted if name in _USER_PROPERTIES]
    return lambda user: {name: getattr(user, name) for name in names}
