"""How files name a person: by object id, or by user principal name. Neither is ever shown: they are people."""

import re

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UPN = re.compile(r"[^\s@;,]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}")
_LONGEST_UPN = 113  # 64 before the sign, 48 after it (learn.microsoft.com, "Prepare for directory synchronization")

NOBODY = "is neither an object id nor a sign-in name such as name@school.example"


def as_person(cell: str) -> str | None:
    """The id or UPN in lower case, as both are compared; None when it is neither."""
    word = cell.strip().lower()
    if _GUID.fullmatch(word) or (len(word) <= _LONGEST_UPN and _UPN.fullmatch(word)):
        return word
    return None
