"""`$search` on users: words of a few indexed names (learn.microsoft.com: "Use the $search query parameter")."""

import re
from collections.abc import Callable
from functools import lru_cache

from provisioning.sandbox.errors import GraphError, bad_request, unsupported
from provisioning.sandbox.model import User

Predicate = Callable[[User], bool]

_CLAUSE = re.compile(r'\s*"(\w+):([^"]+)"\s*')
_SEARCHABLE = frozenset({"displayName", "givenName", "mail", "surname", "userPrincipalName"})
_WORDS = re.compile(r"[^\w]+|_")


@lru_cache(maxsize=256)
def compile_search(text: str) -> Predicate:
    """The search in `text`: quoted clauses "property:words", joined by AND and OR; raises Graph's 400."""
    alternatives = [
        [_clause(clause, text) for clause in re.split(r"\s+AND\s+", part)] for part in re.split(r"\s+OR\s+", text)
    ]
    return lambda user: any(all(test(user) for test in tests) for tests in alternatives)


def _clause(clause: str, text: str) -> Predicate:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        raise _invalid(text)
    name, wanted = match[1], _words(match[2])
    if name not in _SEARCHABLE:
        raise unsupported(f"Property '{name}' does not support search.")
    return lambda user: _has_words(_words(getattr(user, name) or ""), wanted)


def _invalid(text: str) -> GraphError:
    position = text.find(":")
    return bad_request(f"Syntax error: character ':' is not valid at position {position} in '{text}'.")


def _words(value: str) -> list[str]:
    return [word for word in _WORDS.split(value.lower()) if word]


def _has_words(held: list[str], wanted: list[str]) -> bool:
    """Every word that is asked for begins some word that is there."""
    return all(any(word.startswith(start) for word in held) for start in wanted)
