"""Which account of the target an account of the source leads to: by the identity map, or else by the rules."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import MatchRule
from provisioning.domain.observation import Census, Person

_LINE = re.compile(r"line ([0-9]+)")

IdentityMap = tuple[tuple[SubjectId, SubjectId], ...]


class Column(StrEnum):
    """Of an identity map."""

    SOURCE = "source"
    TARGET = "target"


class Cell(msgspec.Struct, frozen=True, order=True):
    """One person of one row of the map."""

    line: int
    column: Column

    @property
    def placeholder(self) -> SubjectId:
        """Stands in the map for somebody whom the tenant did not know: no account has such an id, so nobody is found.

        Without it the row would be lost, and the rules would say who the person is.
        """
        return SubjectId(f"line {self.line}")


def open_cells(identity: IdentityMap) -> Iterator[Cell]:
    """Where a placeholder stands."""
    for pair in identity:
        for column, one in zip(Column, pair, strict=True):
            if named := _LINE.fullmatch(one):
                yield Cell(int(named[1]), column)


def filled_in(identity: IdentityMap, found: Mapping[Cell, SubjectId]) -> IdentityMap:
    """The map with whoever was found since in the place of their placeholders."""
    by_column = {
        column: {cell.placeholder: one for cell, one in found.items() if cell.column is column} for column in Column
    }
    here, there = by_column[Column.SOURCE], by_column[Column.TARGET]
    return tuple((here.get(one, one), there.get(other, other)) for one, other in identity)


class RuleReading(msgspec.Struct, frozen=True, kw_only=True):
    """What people carry in both tenants under one rule; read live, kept nowhere. Case and blanks mean nothing."""

    rule: MatchRule
    source: Mapping[SubjectId, str]
    target: Mapping[SubjectId, str]


class Counterpart(msgspec.Struct, frozen=True, kw_only=True):
    """Whom somebody leads to. Several: disputed. `is_shared`: somebody else leads to the same one."""

    target_ids: frozenset[SubjectId] = frozenset()
    is_shared: bool = False

    @property
    def is_disputed(self) -> bool:
        return len(self.target_ids) > 1

    @property
    def target_id(self) -> SubjectId | None:
        """The one account it leads to, if it is one."""
        return next(iter(self.target_ids)) if len(self.target_ids) == 1 else None


class Directory:
    """Both tenants by id, and how one leads to the other. Ids of the map are compared without case, as Graph does."""

    def __init__(
        self,
        source: Census,
        target: Census,
        identity: Iterable[tuple[SubjectId, SubjectId]],
        readings: Collection[RuleReading],
    ) -> None:
        self.source = {person.subject_id: person for person in source.people}
        self.target = {person.subject_id: person for person in target.people}
        self.mapped = _by_source(identity, self.source, self.target)
        self._found = _by_rules(readings, self.source, self.target)
        self._by_map = Counter(one for targets in self.mapped.values() for one in targets)
        self._by_rule = Counter(
            one for source_id, targets in self._found.items() if source_id not in self.mapped for one in targets
        )

    def counterpart(self, source_id: SubjectId) -> Counterpart:
        """The map's word where it has one; a rule's guess does not make a row of the map doubtful."""
        if source_id in self.mapped:
            targets = self.mapped[source_id]
            return Counterpart(target_ids=targets, is_shared=any(self._by_map[one] > 1 for one in targets))
        targets = self._found.get(source_id, frozenset())
        shared = any(self._by_map[one] or self._by_rule[one] > 1 for one in targets)
        return Counterpart(target_ids=targets, is_shared=shared)


_Leads = dict[SubjectId, frozenset[SubjectId]]


def _by_source(
    identity: Iterable[tuple[SubjectId, SubjectId]],
    source: Mapping[SubjectId, Person],
    target: Mapping[SubjectId, Person],
) -> _Leads:
    """The rows of the map, with ids as the tenants write them."""
    here, there = _folded(source), _folded(target)
    leads: dict[SubjectId, set[SubjectId]] = defaultdict(set)
    for one, other in identity:
        leads[_as_written(one, here)].add(_as_written(other, there))
    return {one: frozenset(others) for one, others in leads.items()}


def _folded(people: Iterable[SubjectId]) -> dict[str, SubjectId]:
    return {one.casefold(): one for one in people}


def _as_written(subject: SubjectId, known: Mapping[str, SubjectId]) -> SubjectId:
    folded = subject.strip().casefold()
    return known.get(folded, SubjectId(folded))


def _by_rules(readings: Iterable[RuleReading], source: Collection[SubjectId], target: Collection[SubjectId]) -> _Leads:
    """Everybody whom any rule finds, for every source account: who is not selected may be the same human too."""
    leads: dict[SubjectId, set[SubjectId]] = defaultdict(set)
    for reading in readings:
        holders = _holders(reading.target, target)
        for subject, key in reading.source.items():
            if subject in source and (found := holders.get(_key(key))):
                leads[subject] |= found
    return {subject: frozenset(found) for subject, found in leads.items()}


def _holders(keys: Mapping[SubjectId, str], present: Collection[SubjectId]) -> dict[str, set[SubjectId]]:
    holders: dict[str, set[SubjectId]] = defaultdict(set)
    for subject, key in keys.items():
        if subject in present and _key(key):
            holders[_key(key)].add(subject)
    return dict(holders)


def _key(text: str) -> str:
    return text.strip().casefold()
