"""Which paths exist, who may call them, and what they cost.

Costs: learn.microsoft.com, "Microsoft Graph service-specific throttling limits". Permissions: the tables of each page.
"""

from collections import defaultdict
from collections.abc import Callable

import msgspec

from provisioning.sandbox import education, group_licensing, group_members, group_writes, groups, inventory, users
from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import no_such_route, wrong_method
from provisioning.sandbox.quotas import Family
from provisioning.sandbox.wire import Response

_READ_ALL = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_READ_ORGANISATION = _READ_ALL | {"Organization.Read.All", "Organization.ReadWrite.All"}
_READ_SKUS = _READ_ORGANISATION | {"LicenseAssignment.Read.All"}
_READ_USERS = _READ_ALL | {"User.Read.All", "User.ReadWrite.All"}
_WRITE_USERS = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
_WRITE_LICENCES = _WRITE_USERS | {"LicenseAssignment.ReadWrite.All"}
_READ_GROUPS = frozenset({"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All"})
_READ_MEMBERS = _READ_ALL | _READ_GROUPS
_READ_UNITS = _READ_ALL | {"AdministrativeUnit.Read.All", "AdministrativeUnit.ReadWrite.All"}
_READ_ROSTER = frozenset({"EduRoster.Read.All", "EduRoster.ReadWrite.All"})


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is what faults call it; `pattern` has `{}` for each id; costs before the modifiers of `$select`."""

    kind: str
    method: str
    pattern: str
    answer: Callable[[Call], Response]
    permissions: frozenset[str]
    units: int = 1
    writes: int = 0
    family: Family = "identity"


def _get(
    kind: str, pattern: str, answer: Callable[[Call], Response], permissions: frozenset[str], units: int = 1
) -> Route:
    family: Family = "education" if pattern.startswith("education") else "identity"
    return Route(
        kind=kind, method="GET", pattern=pattern, answer=answer, permissions=permissions, units=units, family=family
    )


def _write(
    kind: str, method: str, pattern: str, answer: Callable[[Call], Response], permissions: frozenset[str]
) -> Route:
    return Route(kind=kind, method=method, pattern=pattern, answer=answer, permissions=permissions, writes=1)


ROUTES = (
    _get("subscribedSkus", "subscribedSkus", inventory.list_subscribed_skus, _READ_SKUS, 3),
    _get("subscribedSkus", "subscribedSkus/{}", inventory.get_subscribed_sku, _READ_SKUS),
    _get("subscriptions", "directory/subscriptions", inventory.list_subscriptions, _READ_ORGANISATION),
    _get("organization", "organization", inventory.list_organization, _READ_ORGANISATION),
    _get("users", "users", users.list_users, _READ_USERS, 2),
    _get("users", "users/$count", users.count_users, _READ_USERS),
    _get("user", "users/{}", users.get_user, _READ_USERS),
    _get("licenseDetails", "users/{}/licenseDetails", users.list_licence_details, _READ_USERS, 2),
    Route(
        kind="patchUser",
        method="PATCH",
        pattern="users/{}",
        answer=users.patch_user,
        permissions=_WRITE_USERS,
        writes=1,
    ),
    Route(
        kind="assignLicense",
        method="POST",
        pattern="users/{}/assignLicense",
        answer=users.assign_license,
        permissions=_WRITE_LICENCES,
        writes=1,
    ),
    _get("groups", "groups", groups.list_groups, _READ_MEMBERS),
    _get("group", "groups/{}", groups.get_group, _READ_MEMBERS),
    *(
        _get(kind, f"groups/{{}}/{name}{cast}", answer, _READ_MEMBERS, units)
        for kind, name, answer, units in (
            ("groupMembers", "members", group_members.list_group_members, 3),
            ("transitiveMembers", "transitiveMembers", group_members.list_transitive_members, 5),
        )
        for cast in ("", "/microsoft.graph.user", "/graph.user")
    ),
    _get(
        "membersWithLicenseErrors",
        "groups/{}/membersWithLicenseErrors",
        group_members.list_failing_members,
        _READ_MEMBERS,
    ),
    _get("memberOf", "users/{}/memberOf", group_members.list_groups_of_user, _READ_MEMBERS | _READ_USERS, 2),
    _write("createGroup", "POST", "groups", group_writes.create_group, group_writes.CREATE_GROUPS),
    _write("patchGroup", "PATCH", "groups/{}", group_writes.patch_group, group_writes.WRITE_MEMBERS),
    _write("deleteGroup", "DELETE", "groups/{}", group_writes.delete_group, group_writes.WRITE_GROUPS),
    _write("addMember", "POST", "groups/{}/members/$ref", group_writes.add_member, group_writes.WRITE_MEMBERS),
    _write(
        "removeMember", "DELETE", "groups/{}/members/{}/$ref", group_writes.remove_member, group_writes.WRITE_MEMBERS
    ),
    _write(
        "assignGroupLicense",
        "POST",
        "groups/{}/assignLicense",
        group_licensing.assign_group_license,
        group_writes.WRITE_GROUPS | {"LicenseAssignment.ReadWrite.All"},
    ),
    _write("reprocess", "POST", "users/{}/reprocessLicenseAssignment", group_licensing.reprocess, _WRITE_USERS),
    *(
        _get(
            "unitMembers",
            f"{prefix}administrativeUnits/{{}}/members{cast}",
            group_members.list_unit_members,
            _READ_UNITS,
        )
        for prefix in ("", "directory/")
        for cast in ("", "/microsoft.graph.user", "/graph.user")
    ),
    _get("educationUsers", "education/users", education.list_education_users, _READ_ROSTER),
    _get("educationSchools", "education/schools", education.list_schools, _READ_ROSTER),
    _get("educationSchoolUsers", "education/schools/{}/users", education.list_school_users, _READ_ROSTER),
)


def _index() -> dict[tuple[str, int], list[tuple[list[str], Route]]]:
    index = defaultdict(list)
    for route in ROUTES:
        segments = route.pattern.lower().split("/")
        index[segments[0], len(segments)].append((segments, route))
    return index


_INDEX = _index()


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route of `path` (below the version root) and its ids; raises Graph's refusal of unknown paths and methods."""
    segments = path.strip("/").split("/")
    fitting = _fitting(segments)
    for ids, route in fitting:
        if route.method == method:
            return route, ids
    raise wrong_method() if fitting else no_such_route(segments[0])


def _fitting(segments: list[str]) -> list[tuple[tuple[str, ...], Route]]:
    found = []
    for pattern, route in _INDEX.get((segments[0].lower(), len(segments)), ()):
        pairs = list(zip(pattern, segments, strict=True))
        if all(wanted in ("{}", given.lower()) for wanted, given in pairs):
            found.append((tuple(given for wanted, given in pairs if wanted == "{}"), route))
    # A literal segment outranks an id: users/$count is not a user.
    return sorted(found, key=lambda match: len(match[0]))


def resource_units(route: Route, query: str) -> int:
    """What a request costs: `$select` saves one, `$expand` adds one, a small `$top` saves one; never below one."""
    units = route.units
    if query:
        options = dict(part.partition("=")[::2] for part in query.replace("%24", "$").split("&"))
        top = options.get("$top", "")
        units += ("$expand" in options) - ("$select" in options) - (top.isdigit() and int(top) < 20)  # noqa: PLR2004 - documented
    return max(units, 1)
