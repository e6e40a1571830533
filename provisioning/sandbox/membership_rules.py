"""Rules of dynamic groups: comparisons of a person's properties, joined by `-and` or by `-or`, never both.

learn.microsoft.com: "Dynamic membership rules for groups". The twin knows a part of the language and refuses the rest.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from provisioning.sandbox.errors import bad_request
from provisioning.sandbox.model import User

Rule = Callable[[User], bool]

_PROPERTIES = frozenset(
    {
        *("accountEnabled", "companyName", "department", "displayName", "employeeId", "employeeType", "givenName"),
        *("jobTitle", "mail", "officeLocation", "surname", "usageLocation", "userPrincipalName", "userType"),
    }
)
_CLAUSE = re.compile(
    r"\(?\s*user\.(?P<name>\w+)\s+-(?P<operator>eq|ne|startsWith|contains)\s+(?:\"(?P<text>[^\"]*)\"|(?P<word>\w+))\s*\)?",
    re.IGNORECASE,
)
_JOINT = re.compile(r"\s+-(and|or)\s+(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", re.IGNORECASE)
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda have, want: have == want,
    "ne": lambda have, want: have != want,
    "startswith": str.startswith,
    "contains": str.__contains__,
}


@lru_cache(maxsize=256)
def compile_rule(text: str) -> Rule:
    """The rule in `text`; raises Graph's 400 for what the twin does not know."""
    clauses, *joints = _JOINT.split(text.strip())[::2], *_JOINT.split(text.strip())[1::2]
    kinds = {joint.lower() for joint in joints}
    if len(kinds) > 1:
        raise _invalid(text)
    tests = [_test(clause, text) for clause in clauses]
    if kinds == {"or"}:
        return lambda user: any(test(user) for test in tests)
    return lambda user: all(test(user) for test in tests)


def _test(clause: str, rule: str) -> Rule:
    found = _CLAUSE.fullmatch(clause.strip())
    if found is None or found["name"] not in _PROPERTIES:
        raise _invalid(rule)
    name, test = found["name"], _TESTS[found["operator"].lower()]
    wanted = _folded(found["text"] if found["text"] is not None else _constant(found["word"], rule))
    return lambda user: test(_folded(getattr(user, name)), wanted)


def _constant(word: str, rule: str) -> Any:
    constants = {"true": True, "false": False, "null": None}
    if word.lower() not in constants:
        raise _invalid(rule)
    return constants[word.lower()]


def _folded(value: Any) -> str:
    return "" if value is None else str(value).lower()


def _invalid(rule: str) -> Exception:
    return bad_request(f"Invalid dynamic membership rule syntax: '{rule}'.")
