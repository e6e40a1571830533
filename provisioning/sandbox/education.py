"""/education: the roster that School Data Sync writes (learn.microsoft.com: educationUser, educationSchool)."""

from collections.abc import Callable, Iterator
from typing import Any

from provisioning.sandbox.call import Call
from provisioning.sandbox.delta import Collection, answer_delta
from provisioning.sandbox.errors import bad_request, not_found
from provisioning.sandbox.model import School, User
from provisioning.sandbox.paging import page_of_users
from provisioning.sandbox.rows import page_of_rows, select_row
from provisioning.sandbox.selection import Row
from provisioning.sandbox.wire import Response, json_response

_OF_THE_DIRECTORY = (
    *("id", "displayName", "givenName", "surname", "mail", "userPrincipalName", "accountEnabled", "userType"),
    *("usageLocation", "department", "primaryRole", "assignedLicenses", "mobilePhone", "officeLocation"),
    *("preferredLanguage", "businessPhones"),
)
_OF_THE_ROSTER = ("externalSource", "student", "teacher")
_USER_PROPERTIES = (*_OF_THE_DIRECTORY, *_OF_THE_ROSTER)
_SCHOOL_PROPERTIES = ("id", "displayName", "externalId", "schoolNumber", "externalSource", "status")
_SOURCE = "sis"
_STUDENT_FIELDS = {"birthDate", "externalId", "gender", "grade", "graduationYear", "studentNumber"}
# School Data Sync keeps these on the directory user as well, under names of its own.
_GRADE = "extension_fe2174665583431c953114ff7268b7b3_Education_Grade"


def list_education_users(call: Call) -> Response:
    return page_of_users(call, call.tenant.directory.order, "education/users", _education_rows)


def get_education_user(call: Call) -> Response:
    row = _education_rows(call.request.options.get("$select"))(call.get_user(call.ids[0]))
    return json_response({"@odata.context": f"{call.root}/$metadata#education/users/$entity", **row})


def list_schools_of_user(call: Call) -> Response:
    user = call.get_user(call.ids[0])
    rows = [_school(school) for school in call.tenant.schools.values() if user.id in school.members]
    return page_of_rows(call, rows, f"education/users('{user.id}')/schools")


def list_schools(call: Call) -> Response:
    return page_of_rows(call, [_school(school) for school in call.tenant.schools.values()], "education/schools")


def get_school(call: Call) -> Response:
    row = select_row(_school(_get_school(call)), call.request.options.get("$select"))
    return json_response({"@odata.context": f"{call.root}/$metadata#education/schools/$entity", **row})


def list_school_users(call: Call) -> Response:
    school = _get_school(call)
    return page_of_users(call, school.members, f"education/schools('{school.id}')/users", _education_rows)


def get_administrative_unit(call: Call) -> Response:
    """The administrative unit of a school; a school without one has nothing there."""
    school = _get_school(call)
    unit = call.tenant.units.get(school.administrativeUnit or "")
    if unit is None:
        raise not_found(call.ids[0])
    context = f"{call.root}/$metadata#education/schools('{school.id}')/administrativeUnit/$entity"
    return json_response({"@odata.context": context, "id": unit.id, "displayName": unit.displayName})


def education_users_delta(call: Call) -> Response:
    directory = call.tenant.directory
    roster = Collection(
        "education/users", directory.order, directory.users, call.tenant.changes, _OF_THE_DIRECTORY, _education_rows
    )
    return answer_delta(call, roster)


def schools_delta(call: Call) -> Response:
    schools, log = call.tenant.schools, call.tenant.school_changes
    roster = Collection("education/schools", tuple(schools), schools, log, _SCHOOL_PROPERTIES, _school_rows)
    return answer_delta(call, roster)


def _get_school(call: Call) -> School:
    school = call.tenant.schools.get(call.ids[0])
    if school is None:
        raise not_found(call.ids[0])
    return school


def _school(school: School) -> Row:
    return {
        "id": school.id,
        "displayName": school.displayName,
        "externalId": school.externalId,
        "schoolNumber": school.schoolNumber,
        "externalSource": _SOURCE,
        "status": "active",
    }


def _school_rows(select: str | None) -> Callable[[School], Row]:
    return lambda school: select_row(_school(school), select)


def _education_rows(select: str | None) -> Callable[[User], Row]:
    names = [name.strip() for name in select.split(",")] if select else _USER_PROPERTIES
    for name in names:
        if name not in _USER_PROPERTIES:
            raise bad_request(
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{name}' on type 'microsoft.graph.educationUser'."
            )
    return lambda user: {name: _value(user, name) for name in names}


def _value(user: User, name: str) -> Any:
    if name not in _OF_THE_ROSTER:
        return getattr(user, name)
    return dict(_roster(user))[name]


def _roster(user: User) -> Iterator[tuple[str, Any]]:
    """What only School Data Sync knows of a person; nothing of people whom it never wrote."""
    is_known = user.primaryRole != "none"
    yield "externalSource", _SOURCE if is_known else None
    yield "teacher", _person(user, {"externalId", "teacherNumber"}) if user.primaryRole == "teacher" else None
    yield "student", _person(user, _STUDENT_FIELDS) if user.primaryRole == "student" else None


def _person(user: User, fields: set[str]) -> Row:
    known = {"externalId": user.employeeId, "grade": (user.extensions or {}).get(_GRADE)}
    return {name: known.get(name) for name in sorted(fields)}
