"""`$filter` on groups: the clauses that find a licensed group, joined by `and`.

learn.microsoft.com: "group resource type" and "Advanced query capabilities on Microsoft Entra ID objects".
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from provisioning.sandbox.errors import unsupported
from provisioning.sandbox.model import Group

_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)")
_EQUAL = re.compile(r"(id|displayName|mailNickname) eq '((?:[^']|'')*)'")
_PREFIX = re.compile(r"startswith\(\s*(displayName|mailNickname)\s*,\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)
_IS = re.compile(r"(securityEnabled|mailEnabled) eq (true|false)")
_LICENCE = re.compile(r"assignedLicenses/any\(\s*(\w+)\s*:\s*\1/skuId eq '?([0-9A-Fa-f-]{36})'?\s*\)")
_ERRORS = re.compile(r"hasMembersWithLicenseErrors eq (true|false)")


class GroupFilter(msgspec.Struct, frozen=True):
    """A compiled filter. `has_errors` is a question that the group alone cannot answer."""

    matches: Callable[[Group], bool]
    is_about_licences: bool
    has_errors: bool | None


def compile_group_filter(text: str) -> GroupFilter:
    """The filter in `text`; raises Graph's 400 for what it does not support on groups."""
    clauses = _AND.split(text.strip())
    errors = [found[1] == "true" for clause in clauses if (found := _ERRORS.fullmatch(clause))]
    tests = [_test(clause) for clause in clauses if not _ERRORS.fullmatch(clause)]
    is_about_licences = any(_LICENCE.fullmatch(clause) for clause in clauses)
    return GroupFilter(
        lambda group: all(test(group) for test in tests), is_about_licences, errors[0] if errors else None
    )


def _test(clause: str) -> Callable[[Group], bool]:
    if found := _EQUAL.fullmatch(clause):
        name, wanted = found[1], _unquoted(found[2])
        return lambda group: _text(group, name) == wanted
    if found := _PREFIX.fullmatch(clause):
        return _prefix_test(found[1], _unquoted(found[2]))
    if found := _IS.fullmatch(clause):
        return _state_test(found[1], found[2] == "true")
    if found := _LICENCE.fullmatch(clause):
        sku_id = found[2].lower()
        return lambda group: any(held.skuId == sku_id for held in group.assignedLicenses)
    raise unsupported()


def _prefix_test(name: str, prefix: str) -> Callable[[Group], bool]:
    return lambda group: _text(group, name).startswith(prefix)


def _state_test(name: str, wanted: Any) -> Callable[[Group], bool]:
    return lambda group: bool(getattr(group, name)) == wanted


def _text(group: Group, name: str) -> str:
    return str(getattr(group, name) or "").lower()


def _unquoted(text: str) -> str:
    return text.replace("''", "'").lower()
