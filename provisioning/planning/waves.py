"""Whom a migration speaks of, and in which wave each of them goes."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import OrganisationId, SubjectId
from provisioning.domain.migration import MigrationDefinition, Traveller, WaveDefinition
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.observation import Census, Membership
from provisioning.domain.tenancy import Binding
from provisioning.planning.selectors import INCLUDABLE, Register, Selector, parse_selector


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the migration speaks of in the source, and whom of them another board's selector matches as well."""

    selected: frozenset[SubjectId]
    of_two_boards: frozenset[SubjectId]


def keys_of(definition: MigrationDefinition, bindings: Iterable[Binding]) -> frozenset[str]:
    """Every membership of the source that must be read to answer the migration's selectors and those of bindings."""
    texts = [definition.people, *(wave.selector for wave in definition.waves)]
    others = [text for binding in bindings for text in binding.selectors.values()]
    return frozenset(key for text in (*texts, *others) for key in parse_selector(text).keys)


def spoken_of(
    definition: MigrationDefinition,
    source: Census,
    memberships: Mapping[str, Membership],
    strangers: Sequence[Binding],
) -> Spoken:
    """Guests and disabled accounts too: they have a situation of their own, and nobody is left out in silence.

    `strangers` are the bindings in the source of everybody who does not go: other boards, and, when one school leaves
    a board, the schools that stay. Raises UnavailableError when something was not read.
    """
    register = _register(definition, source, memberships, strangers)
    selected = frozenset(register.matching(_whole(definition.people)))
    texts = {text for binding in strangers for text in binding.selectors.values()}
    others = frozenset[SubjectId]().union(*(register.matching(_whole(text)) for text in texts))
    return Spoken(selected=selected, of_two_boards=selected & others)


def schools_of(
    people: Collection[SubjectId],
    definition: MigrationDefinition,
    source: Census,
    memberships: Mapping[str, Membership],
    own: Sequence[Binding],
) -> dict[SubjectId, OrganisationId]:
    """The first of the holder's schools that selects each of them; who belongs to none counts for the holder.

    `own` in the order of the holder's schools. Raises UnavailableError when something was not read.
    """
    register = _register(definition, source, memberships, own)
    schools = dict.fromkeys(people, definition.source_holder)
    for binding in reversed(own):
        for text in binding.selectors.values():
            theirs = register.matching(_whole(text))
            schools |= {one: binding.organisation_id for one in people if one in theirs}
    return schools


def in_waves(
    travellers: Collection[Traveller],
    definition: MigrationDefinition,
    source: Census,
    memberships: Mapping[str, Membership],
) -> tuple[Traveller, ...]:
    """Each in the first wave that matches them and has room, by id; who goes nowhere is in wave 0.

    Raises UnavailableError when something was not read.
    """
    register = _register(definition, source, memberships, ())
    ordered = sorted(travellers, key=lambda one: one.source_id)
    going = [one.source_id for one in ordered if one.state is not PersonState.LEFT_OUT]
    places: dict[SubjectId, int] = {}
    for wave in sorted(definition.waves, key=lambda wave: wave.number):
        matching = register.matching(_whole(wave.selector))
        waiting = [one for one in going if one in matching and one not in places]
        places |= dict.fromkeys(_with_room(waiting, wave), wave.number)
    return tuple(msgspec.structs.replace(one, wave=places.get(one.source_id, 0)) for one in ordered)


def _with_room(people: Sequence[SubjectId], wave: WaveDefinition) -> Sequence[SubjectId]:
    return people if wave.limit is None else people[: wave.limit]


def without_wave(travellers: Iterable[Traveller]) -> tuple[SubjectId, ...]:
    """Who should go and is in no wave: to be told before anything begins."""
    return tuple(one.source_id for one in travellers if not one.wave and one.state is not PersonState.LEFT_OUT)


def _whole(text: str) -> Selector:
    return Selector(parse_selector(text).rule, INCLUDABLE)


def _register(
    definition: MigrationDefinition,
    source: Census,
    memberships: Mapping[str, Membership],
    bindings: Iterable[Binding],
) -> Register:
    needed = keys_of(definition, bindings)
    is_read = all(key in memberships and memberships[key].is_complete for key in needed)
    if not source.is_complete or not is_read:
        raise UnavailableError("The source could not be read as a whole, so nobody knows who goes. Try again later.")
    return Register(source.people, memberships)
