"""Whose people an operation speaks of, person by person, and who cannot be decided."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Self

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import BindingId, OrganisationId, SubjectId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Census, Membership, Person
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding
from provisioning.planning.selectors import Register, Selector, parse_selector

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

    @property
    def on_their_way(self) -> frozenset[SubjectId]:
        """Whom a migration brings, and nobody else may write to."""
        found = self.undecidable.items()
        return frozenset(subject for subject, (_, reason) in found if reason is Reason.MIGRATION_UNDER_WAY)

    def leaving_to_migrations(self, awaited: Collection[SubjectId]) -> Self:
        """Nothing but the migration gives `awaited` a product: it would come with an empty mailbox."""
        spared = {
            person.subject_id: (school, Reason.MIGRATION_UNDER_WAY)
            for person, school in self.chosen
            if person.subject_id in awaited
        }
        chosen = tuple(one for one in self.chosen if one[0].subject_id not in spared)
        return msgspec.structs.replace(self, chosen=chosen, undecidable={**self.undecidable, **spared})


def selectors_of(binding: Binding, audience: Audience) -> dict[Audience, Selector]:
    """The binding's selectors that speak of this audience (all of them for `any`)."""
    return {
        one: parse_selector(text) for one, text in sorted(binding.selectors.items()) if audience in {one, Audience.ANY}
    }


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
    register = Register(census.people, memberships)
    matches = list(_own_matches(own, audience, register))
    schools = _first_schools(matches)
    doubts = _doubts(own, strangers, audience, register)
    return Selection(
        chosen=tuple(
            (person, schools[person.subject_id])
            for person in census.people
            if person.subject_id in schools and person.subject_id not in doubts
        ),
        undecidable={subject: (schools[subject], doubts[subject]) for subject in doubts.keys() & schools.keys()},
        sizes={(binding.binding_id, one): len(found) for binding, one, found in matches},
        is_complete=True,
    )


_Match = tuple[Binding, Audience, AbstractSet[SubjectId]]


def _own_matches(own: Sequence[Binding], audience: Audience, register: Register) -> Iterator[_Match]:
    for binding in own:
        for one, selector in selectors_of(binding, audience).items():
            yield binding, one, register.matching(selector)


def _first_schools(matches: Sequence[_Match]) -> dict[SubjectId, OrganisationId]:
    """A teacher at two schools takes one seat, at the first."""
    schools: dict[SubjectId, OrganisationId] = {}
    for binding, _, found in reversed(matches):
        schools |= dict.fromkeys(found, binding.organisation_id)
    return schools


def _doubts(
    own: Sequence[Binding], strangers: Sequence[Binding], audience: Audience, register: Register
) -> dict[SubjectId, Reason]:
    """Whoever matches as the opposite audience, or another board's selector; the other board weighs most."""
    doubts: dict[SubjectId, Reason] = {}
    for selector in _opposites(own, audience):
        doubts |= dict.fromkeys(register.matching(selector), Reason.AUDIENCE_MISMATCH)
    for text in (text for binding in strangers for text in binding.selectors.values()):
        doubts |= dict.fromkeys(register.matching(parse_selector(text)), Reason.SCOPE_UNDECIDABLE)
    return doubts


def _opposites(own: Sequence[Binding], audience: Audience) -> list[Selector]:
    opposite = _OPPOSITE.get(audience)
    if opposite is None:
        return []
    return [parse_selector(binding.selectors[opposite]) for binding in own if opposite in binding.selectors]


def has_shrunk(before: int | None, now: int, limits: Limits) -> bool:
    """Whether a selection lost more people since its last run than chance explains (SELECTOR_SHRANK)."""
    if before is None or now >= before:
        return False
    gone = before - now
    return gone > limits.shrink_people or gone > limits.shrink_share * before
