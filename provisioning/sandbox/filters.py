"""`$filter` on users: the part of OData that Entra supports, compiled to a predicate.

learn.microsoft.com: "Advanced query capabilities on Microsoft Entra ID objects". What the default index cannot answer
needs `ConsistencyLevel: eventual` and `$count=true`.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from provisioning.sandbox.errors import GraphError, unsupported
from provisioning.sandbox.selection import EXTENSION_PREFIX

Predicate = Callable[[Any], bool]

_TOKEN = re.compile(r"\s*(\d{4}-\d\d-\d\dT[\d:.]+Z?|'(?:[^']|'')*'|[()\,:]|[\w$./@-]+)")
_NAMES = frozenset({"id", "userPrincipalName", "displayName", "mail", "givenName", "surname"})
_PLACES = frozenset(
    {"department", "companyName", "officeLocation", "jobTitle", "employeeId", "employeeType", "usageLocation"}
)
_STATES = frozenset({"accountEnabled", "userType", "onPremisesSyncEnabled"})
_FILTERABLE = _NAMES | _PLACES | _STATES
_EXTENSION_PATH = "onPremisesExtensionAttributes/"


class Filter(msgspec.Struct, frozen=True):
    """A compiled filter: does it need the advanced index, does it look at licences."""

    matches: Predicate
    is_advanced: bool
    is_about_licences: bool


@lru_cache(maxsize=256)
def compile_filter(text: str) -> Filter:
    """The filter in `text`; raises Graph's 400 for what Entra does not support."""
    parser = FilterParser(text)
    return Filter(parser.whole(), parser.is_advanced, parser.is_about_licences)


def _invalid(text: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid filter clause: syntax error in '{text}'.")


def _tokens(text: str) -> list[str]:
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
        raise _invalid(text)
    return tokens


class FilterParser:
    """Reads a filter on users; collections of other things override what a property is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.tokens = _tokens(text)
        self.is_advanced = False
        self.is_about_licences = False

    def whole(self) -> Predicate:
        """The whole text as one predicate; raises Graph's 400 when something is left over."""
        matches = self.disjunction()
        if self.tokens:
            raise _invalid(self._text)
        return matches

    def disjunction(self) -> Predicate:
        parts = [self._conjunction()]
        while self._accept("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda user: any(part(user) for part in parts)

    def _conjunction(self) -> Predicate:
        parts = [self._negation()]
        while self._accept("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else lambda user: all(part(user) for part in parts)

    def _negation(self) -> Predicate:
        if not self._accept("not"):
            return self._term()
        self.is_advanced = True
        inner = self._term()
        return lambda user: not inner(user)

    def _term(self) -> Predicate:
        if self._accept("("):
            inner = self.disjunction()
            self._expect(")")
            return inner
        word = self._next()
        if word.lower() in {"startswith", "endswith"}:
            return self._affix(word.lower())
        if word == "assignedLicenses/any":
            return self._any_licence()
        if word == "assignedLicenses/$count":
            return self._licence_count()
        return self._comparison(word)

    def _affix(self, function: str) -> Predicate:
        self._expect("(")
        name = self._property(self._next())
        self._expect(",")
        wanted = str(self._literal()).lower()
        self._expect(")")
        self.is_advanced |= function == "endswith" or name not in _NAMES
        test = str.startswith if function == "startswith" else str.endswith
        return lambda user: test(str(self._value(user, name) or "").lower(), wanted)

    def _any_licence(self) -> Predicate:
        self.is_about_licences = True
        self._expect("(")
        variable = self._next()
        self._expect(":")
        self._expect(f"{variable}/skuId")
        self._expect("eq")
        wanted = self._guid()
        self._expect(")")
        return lambda user: wanted in user.consumed_skus

    def _guid(self) -> str:
        if self.tokens and self.tokens[0].startswith("'"):
            raise GraphError(
                400,
                "Request_BadRequest",
                "A binary operator with incompatible types was detected. Found operand types 'Edm.Guid' and "
                "'Edm.String' for operator kind 'Equal'.",
            )
        return str(self._literal()).lower()

    def _licence_count(self) -> Predicate:
        self.is_advanced = self.is_about_licences = True
        operator, number = self._next(), self._literal()
        if operator not in {"eq", "ne"} or number != 0:
            raise unsupported()
        return lambda user: bool(user.consumed_skus) == (operator == "ne")

    def _comparison(self, word: str) -> Predicate:
        name, operator = self._property(word), self._next()
        if operator == "in":
            return self._membership(name)
        if operator not in {"eq", "ne"}:
            raise unsupported()
        self.is_advanced |= operator == "ne"
        wanted = folded(self._literal())
        return lambda user: (folded(self._value(user, name)) == wanted) == (operator == "eq")

    def _membership(self, name: str) -> Predicate:
        self.is_advanced |= name in _PLACES
        self._expect("(")
        wanted = {folded(self._literal())}
        while self._accept(","):
            wanted.add(folded(self._literal()))
        self._expect(")")
        return lambda user: folded(self._value(user, name)) in wanted

    def _property(self, word: str) -> str:
        if word not in _FILTERABLE and not word.startswith((_EXTENSION_PATH, EXTENSION_PREFIX)):
            raise unsupported("The request uses a filter property that is not indexed.")
        return word

    def _literal(self) -> Any:
        token = self._next()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        constants = {"null": None, "true": True, "false": False}
        if token in constants:
            return constants[token]
        return int(token) if token.isdigit() else token

    def _next(self) -> str:
        if not self.tokens:
            raise _invalid(self._text)
        return self.tokens.pop(0)

    def _accept(self, token: str) -> bool:
        if self.tokens and self.tokens[0].lower() == token:
            self.tokens.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise _invalid(self._text)

    def _value(self, user: Any, name: str) -> Any:
        if name.startswith(_EXTENSION_PATH):
            return (user.extensions or {}).get(name.removeprefix(_EXTENSION_PATH))
        if name.startswith(EXTENSION_PREFIX):
            return (user.extensions or {}).get(name)
        return getattr(user, name)


def folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
