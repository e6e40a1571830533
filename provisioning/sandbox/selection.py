"""`$select` on users: which properties exist, and a fast way from a state to a row."""

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from provisioning.sandbox.errors import bad_request
from provisioning.sandbox.model import User

DEFAULT_PROPERTIES = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
MODELLED = frozenset(
    {
        *DEFAULT_PROPERTIES,
        *("accountEnabled", "assignedLicenses", "companyName", "createdDateTime", "department", "employeeId"),
        *("employeeType", "isManagementRestricted", "licenseAssignmentStates", "onPremisesExtensionAttributes"),
        *("mailNickname", "onPremisesImmutableId", "onPremisesSyncEnabled", "usageLocation", "userType"),
    }
)
# Real properties of a user that the twin has no use for; they are always null.
_EMPTY_NAMES = """
ageGroup city consentProvidedForMinor country creationType deletedDateTime employeeHireDate externalUserState
faxNumber legalAgeGroupClassification onPremisesDomainName onPremisesLastSyncDateTime onPremisesSamAccountName
onPremisesUserPrincipalName otherMails postalCode proxyAddresses showInAddressList signInActivity state streetAddress
"""
EMPTY = frozenset(_EMPTY_NAMES.split())
EXTENSION_PREFIX = "extension_"

Row = dict[str, Any]


@lru_cache(maxsize=256)
def row_maker(select: str | None) -> Callable[[User], Row]:
    """A function from user to row for a `$select`, or the default properties; raises Graph's 400 for unknown names."""
    names = tuple(name.strip() for name in select.split(",")) if select else DEFAULT_PROPERTIES
    _require_known(names)
    modelled = tuple(name for name in names if name in MODELLED)
    rest = tuple(name for name in names if name not in MODELLED)
    plain = _plain_rows(modelled)
    if not rest:
        return plain
    return lambda user: {**plain(user), **_rest_of(user, rest)}


def _require_known(names: tuple[str, ...]) -> None:
    for name in names:
        if name not in MODELLED and name not in EMPTY and not name.startswith(EXTENSION_PREFIX):
            raise bad_request(
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{name}' on type 'microsoft.graph.user'."
            )


def _plain_rows(names: tuple[str, ...]) -> Callable[[User], Row]:
    if len(names) <= 1:  # attrgetter gives a bare value for a single name, and none at all for no name
        return lambda user: {name: getattr(user, name) for name in names}
    values = attrgetter(*names)
    return lambda user: dict(zip(names, values(user), strict=True))


def _rest_of(user: User, names: tuple[str, ...]) -> Row:
    extensions = user.extensions or {}
    empty: Row = {name: None for name in names if name in EMPTY}
    return empty | {name: extensions[name] for name in names if name in extensions}
