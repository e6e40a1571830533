"""`$orderby` on users (learn.microsoft.com: "Advanced query capabilities on Microsoft Entra ID objects")."""

from collections.abc import Iterable

import msgspec

from provisioning.sandbox.errors import unsupported
from provisioning.sandbox.model import User

_BY_DEFAULT = frozenset({"displayName", "userPrincipalName"})
_SORTABLE = _BY_DEFAULT | {
    *("createdDateTime", "givenName", "surname", "mail", "department", "companyName", "officeLocation", "jobTitle"),
    *("employeeId", "usageLocation"),
}


class Ordering(msgspec.Struct, frozen=True):
    name: str
    is_descending: bool

    @property
    def is_advanced(self) -> bool:
        return self.name not in _BY_DEFAULT

    def sort(self, users: Iterable[User]) -> list[str]:
        """The ids of the users in this order, people without a value first."""
        ordered = sorted(users, key=self._key, reverse=self.is_descending)
        return [user.id for user in ordered]

    def _key(self, user: User) -> tuple[str, str]:
        return (getattr(user, self.name) or "").lower(), user.id


def read_ordering(text: str) -> Ordering:
    """The order in `text`; raises Graph's 400 for a property without an index, and for more than one."""
    name, _, direction = text.strip().partition(" ")
    if name not in _SORTABLE or direction.strip().lower() not in {"", "asc", "desc"}:
        raise unsupported(f"Unsupported or invalid sort clause: '{text}'.")
    return Ordering(name, direction.strip().lower() == "desc")
