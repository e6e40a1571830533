"""The JSON language of selectors, as values: who belongs to a school.

    {"all": […]}  {"any": […]}  {"group": id}  {"domain": name}  {"unit": id}  {"attribute": n, "equals": v}
    {"school": id, "role": "teacher" | "student"}  {"ids": […]}  {"everyone": true}

The outermost object may carry "include": ["guests", "disabled"]. Comparison ignores case.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId
from provisioning.domain.observation import Membership, Person

ATTRIBUTES = frozenset(
    {"department", "companyName", "officeLocation", "employeeType"} | {f"extensionAttribute{n}" for n in range(1, 16)}
)
INCLUDABLE = frozenset({"guests", "disabled"})
_DOMAIN = "domain"  # beside the attributes, and none of them
_DEEPEST = 20  # nobody means more, and every walk over a rule must fit on the stack


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
        selector = _selector(msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"The selector is not JSON: {error}.") from error
    except RecursionError as error:
        raise InputError(_TOO_DEEP) from error
    if _depth(selector.rule) > _DEEPEST:
        raise InputError(_TOO_DEEP)
    return selector


_TOO_DEEP = f"The selector nests deeper than {_DEEPEST} levels; write it flatter."


def _selector(tree: Any) -> Selector:
    if not isinstance(tree, dict):
        raise InputError('A selector is an object such as {"group": "…"} or {"everyone": true}.')
    include = tree.pop("include", [])
    if not isinstance(include, list) or not all(one in INCLUDABLE for one in map(str, include)):
        raise InputError('"include" takes a list of "guests" and "disabled".')
    return Selector(_rule(tree), frozenset(include))


def _depth(rule: "Rule") -> int:
    return 1 + max(map(_depth, rule.parts)) if isinstance(rule, AllOf | AnyOf) else 1


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
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) and one.strip() for one in ids):
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


class Register:
    """The people of a census, indexed by what selectors ask, so that each is answered with whole sets.

    Every membership of a selector's `keys` must be there.
    """

    def __init__(self, people: Sequence[Person], memberships: Mapping[str, Membership]) -> None:
        self._people = people
        self._memberships = memberships
        self._traits: dict[str, Mapping[str, AbstractSet[SubjectId]]] = {}
        self._everyone = frozenset(person.subject_id for person in people)
        self._left_out = {
            "guests": frozenset(person.subject_id for person in people if person.is_guest),
            "disabled": frozenset(person.subject_id for person in people if not person.is_enabled),
        }

    def matching(self, selector: Selector) -> AbstractSet[SubjectId]:
        found = self._answer(selector.rule)
        for kind in INCLUDABLE - selector.include:
            found = found - self._left_out[kind]
        return found

    def _answer(self, rule: Rule) -> AbstractSet[SubjectId]:
        match rule:
            case AllOf(parts):
                return self._everyone.intersection(*map(self._answer, parts))
            case AnyOf(parts):
                return frozenset().union(*map(self._answer, parts))
            case MemberOf(key):
                return self._everyone & self._memberships[key].members
            case InDomain(name):
                return self._sharing(_DOMAIN, name)
            case HasAttribute(name, value):
                return self._sharing(name, value)
            case OneOf(ids):
                return self._everyone & ids
            case Everyone():
                return self._everyone

    def _sharing(self, trait: str, value: str) -> AbstractSet[SubjectId]:
        if trait not in self._traits:
            self._traits[trait] = self._indexed(trait)
        return self._traits[trait].get(value, frozenset())

    def _indexed(self, trait: str) -> Mapping[str, AbstractSet[SubjectId]]:
        index: dict[str, set[SubjectId]] = defaultdict(set)
        for person in self._people:
            text = person.domain if trait == _DOMAIN else person.attributes.get(trait, "")
            index[text.strip().casefold()].add(person.subject_id)
        return index
