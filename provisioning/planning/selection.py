"""Whose people an operation speaks of, person by person, and who cannot be decided."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import BindingId, OrganisationId, SubjectId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Census, Membership, Person
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding
from provisioning.planning.selectors import Predicate, Selector, compile_selector, parse_selector

_OPPOSITE = {Audience.FACULTY: Audience.STUDENT, Audience.STUDENT: Audience.FACULTY}


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone selected with the school that selected them, and everyone whom nobody can decide about."""

    chosen: tuple[tuple[Person, OrganisationId], ...]
    undecidable: dict[SubjectId, tuple[OrganisationId, Reason]]
    sizes: dict[tuple[BindingId, Audience], int]
    is_complete: bool

    @property
    def is_empty(self) -> bool:
        return not self.chosen and not self.undecidable


def selectors_of(binding: Binding, audience: Audience) -> dict[Audience, Selector]:
    """The binding's selectors that speak of this audience (all of them for `any`)."""
    wanted = set(binding.selectors) if audience is Audience.ANY else {audience}
    return {one: parse_selector(binding.selectors[one]) for one in wanted if one in binding.selectors}


def keys_needed(bindings: Iterable[Binding]) -> frozenset[str]:
    """Every membership that must be read to answer all selectors of these bindings."""
    return frozenset(
        key for binding in bindings for text in binding.selectors.values() for key in parse_selector(text).keys
    )


def select(
    census: Census,
    memberships: Mapping[str, Membership],
    own: Sequence[Binding],
    strangers: Sequence[Binding],
    audience: Audience,
) -> Selection:
    """People of `own` bindings; `strangers` are the bindings of other boards in the same tenant (S45).

    An unreadable membership makes the selection incomplete and empty: no plan may follow from it.
    """
    needed = keys_needed([*own, *strangers])
    if not census.is_complete or any(key not in memberships or not memberships[key].is_complete for key in needed):
        return Selection(chosen=(), undecidable={}, sizes={}, is_complete=False)
    doubts = [
        *((answer, Reason.SCOPE_UNDECIDABLE) for answer in _stranger_predicates(strangers, memberships)),
        *((answer, Reason.AUDIENCE_MISMATCH) for answer in _opposite_predicates(own, audience, memberships)),
    ]
    return _sorted_out(census.people, _own_predicates(own, audience, memberships), doubts)


_Own = tuple[Binding, Audience, Predicate]


def _sorted_out(people: Sequence[Person], own: Sequence[_Own], doubts: Sequence[tuple[Predicate, Reason]]) -> Selection:
    chosen: list[tuple[Person, OrganisationId]] = []
    undecidable: dict[SubjectId, tuple[OrganisationId, Reason]] = {}
    sizes = {(binding.binding_id, audience): 0 for binding, audience, _ in own}
    for person in people:
        matched = [(binding, audience) for binding, audience, answer in own if answer(person)]
        if not matched:
            continue
        for binding, audience in matched:
            sizes[binding.binding_id, audience] += 1
        first = matched[0][0].organisation_id  # a teacher at two schools takes one seat, at the first
        doubt = next((reason for answer, reason in doubts if answer(person)), None)
        if doubt:
            undecidable[person.subject_id] = (first, doubt)
        else:
            chosen.append((person, first))
    return Selection(chosen=tuple(chosen), undecidable=undecidable, sizes=sizes, is_complete=True)


def _own_predicates(own: Sequence[Binding], audience: Audience, memberships: Mapping[str, Membership]) -> list[_Own]:
    return [
        (binding, one, compile_selector(selector, memberships))
        for binding in own
        for one, selector in selectors_of(binding, audience).items()
    ]


def _stranger_predicates(strangers: Sequence[Binding], memberships: Mapping[str, Membership]) -> list[Predicate]:
    return [
        compile_selector(parse_selector(text), memberships)
        for binding in strangers
        for text in binding.selectors.values()
    ]


def _opposite_predicates(
    own: Sequence[Binding], audience: Audience, memberships: Mapping[str, Membership]
) -> list[Predicate]:
    opposite = _OPPOSITE.get(audience)
    return [
        compile_selector(parse_selector(binding.selectors[opposite]), memberships)
        for binding in own
        if opposite is not None and opposite in binding.selectors
    ]


def has_shrunk(before: int | None, now: int, limits: Limits) -> bool:
    """Whether a selection lost more people since its last run than chance explains (SELECTOR_SHRANK)."""
    if before is None or now >= before:
        return False
    gone = before - now
    return gone > limits.shrink_people or gone > limits.shrink_share * before
