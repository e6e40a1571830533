"""The JSON language of selectors, as values: who belongs to a school.

    {"all": […]}  {"any": […]}  {"group": id}  {"domain": name}  {"unit": id}  {"attribute": n, "equals": v}
    {"school": id, "role": "teacher" | "student"}  {"ids": […]}  {"everyone": true}

The outermost object may carry "include": ["guests", "disabled"]. Comparison ignores case.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId
from provisioning.domain.observation import Membership, Person

ATTRIBUTES = frozenset(
    {"department", "companyName", "officeLocation", "employeeType"} | {f"extensionAttribute{n}" for n in range(1, 16)}
)
INCLUDABLE = frozenset({"guests", "disabled"})


class AllOf(msgspec.Struct, frozen=True):
    parts: tuple["Rule", ...]


class AnyOf(msgspec.Struct, frozen=True):
    parts: tuple["Rule", ...]


class MemberOf(msgspec.Struct, frozen=True):
    """A group, unit or school role; `key` as in `observation.Membership`."""

    key: str


class InDomain(msgspec.Struct, frozen=True):
    name: str


class HasAttribute(msgspec.Struct, frozen=True):
    name: str
    value: str


class OneOf(msgspec.Struct, frozen=True):
    ids: frozenset[SubjectId]


class Everyone(msgspec.Struct, frozen=True):
    pass


Rule = AllOf | AnyOf | MemberOf | InDomain | HasAttribute | OneOf | Everyone


class Selector(msgspec.Struct, frozen=True):
    """A rule, and whether guests or disabled accounts may match it."""

    rule: Rule
    include: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        """The memberships that must be observed before it can be answered."""
        return frozenset(leaf.key for leaf in _leaves(self.rule) if isinstance(leaf, MemberOf))


def parse_selector(text: str | bytes) -> Selector:
    """Raises InputError that names the unreadable leaf."""
    try:
        tree = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InputError(f"The selector is not JSON: {error}.") from error
    if not isinstance(tree, dict):
        raise InputError('A selector is an object such as {"group": "…"} or {"everyone": true}.')
    include = tree.pop("include", [])
    if not isinstance(include, list) or not INCLUDABLE.issuperset(include):
        raise InputError('"include" takes a list of "guests" and "disabled".')
    return Selector(_rule(tree), frozenset(include))


def _rule(tree: Any) -> Rule:
    if isinstance(tree, dict):
        for name, (fields, build) in _FORMS.items():
            if name in tree and set(tree) == fields:
                return build(tree)
    raise InputError(f"The selector has a part that cannot be read: {msgspec.json.encode(tree).decode()}.")


def _parts(tree: Any) -> tuple[Rule, ...]:
    if not isinstance(tree, list) or not tree:
        raise InputError('"all" and "any" take a list with at least one selector.')
    return tuple(_rule(part) for part in tree)


def _text(tree: dict[str, Any], name: str) -> str:
    value = tree[name]
    if not isinstance(value, str) or not value.strip():
        raise InputError(f'"{name}" takes a text that is not empty.')
    return value.strip()


def _attribute(tree: dict[str, Any]) -> HasAttribute:
    by_folded = {name.casefold(): name for name in ATTRIBUTES}
    name = by_folded.get(_text(tree, "attribute").casefold())
    if name is None:
        raise InputError(f"Unknown attribute {tree['attribute']!r}; known are {', '.join(sorted(ATTRIBUTES))}.")
    return HasAttribute(name, _text(tree, "equals").casefold())


def _school(tree: dict[str, Any]) -> MemberOf:
    role = _text(tree, "role").casefold()
    if role not in {"teacher", "student"}:
        raise InputError('"role" is "teacher" or "student".')
    return MemberOf(f"school:{_text(tree, 'school')}:{role}")


def _ids(tree: dict[str, Any]) -> OneOf:
    ids = tree["ids"]
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise InputError('"ids" takes a list of directory object ids.')
    return OneOf(frozenset(SubjectId(one.strip().lower()) for one in ids))


def _everyone(tree: dict[str, Any]) -> Everyone:
    if tree["everyone"] is not True:
        raise InputError('"everyone" can only be true.')
    return Everyone()


_FORMS: Mapping[str, tuple[set[str], Callable[[dict[str, Any]], Rule]]] = {
    "all": ({"all"}, lambda tree: AllOf(_parts(tree["all"]))),
    "any": ({"any"}, lambda tree: AnyOf(_parts(tree["any"]))),
    "group": ({"group"}, lambda tree: MemberOf(f"group:{_text(tree, 'group').lower()}")),
    "unit": ({"unit"}, lambda tree: MemberOf(f"unit:{_text(tree, 'unit').lower()}")),
    "domain": ({"domain"}, lambda tree: InDomain(_text(tree, "domain").casefold())),
    "attribute": ({"attribute", "equals"}, _attribute),
    "school": ({"school", "role"}, _school),
    "ids": ({"ids"}, _ids),
    "everyone": ({"everyone"}, _everyone),
}


def _leaves(rule: Rule) -> Iterator[Rule]:
    if isinstance(rule, AllOf | AnyOf):
        for part in rule.parts:
            yield from _leaves(part)
    else:
        yield rule


Predicate = Callable[[Person], bool]


def compile_selector(selector: Selector, memberships: Mapping[str, Membership]) -> Predicate:
    """One function that answers for a person; every membership of `selector.keys` must be there."""
    answer = _compiled(selector.rule, memberships)
    guests, disabled = "guests" in selector.include, "disabled" in selector.include
    return lambda person: (guests or not person.is_guest) and (disabled or person.is_enabled) and answer(person)


def _compiled(rule: Rule, memberships: Mapping[str, Membership]) -> Predicate:
    match rule:
        case AllOf(parts):
            every = [_compiled(part, memberships) for part in parts]
            return lambda person: all(answer(person) for answer in every)
        case AnyOf(parts):
            some = [_compiled(part, memberships) for part in parts]
            return lambda person: any(answer(person) for answer in some)
        case MemberOf(key):
            members = memberships[key].members
            return lambda person: person.subject_id in members
        case InDomain(name):
            return lambda person: person.domain.casefold() == name
        case HasAttribute(name, value):
            return lambda person: person.attributes.get(name, "").casefold() == value
        case OneOf(ids):
            return lambda person: person.subject_id in ids
        case Everyone():
            return lambda _: True
