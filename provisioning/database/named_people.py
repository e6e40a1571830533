"""What of a migration's definition names people: it rests apart from the rest, because it has to go when they do."""

from collections.abc import Callable
from typing import Any

import msgspec

from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import MigrationDefinition


class NamedPeople(msgspec.Struct, frozen=True, kw_only=True):
    """The identity map, and the selectors: one of the migration, one of each wave in their order."""

    identity: tuple[tuple[SubjectId, SubjectId], ...] = ()
    people: str
    waves: tuple[str, ...] = ()

    @property
    def everybody(self) -> frozenset[str]:
        """Every id that stands here."""
        chosen = [each for selector in (self.people, *self.waves) for each in _named(msgspec.json.decode(selector))]
        return frozenset({*chosen, *(each for pair in self.identity for each in pair)})

    def without(self, is_gone: Callable[[str], bool]) -> "NamedPeople":
        return NamedPeople(
            identity=tuple(pair for pair in self.identity if not any(map(is_gone, pair))),
            people=_cleared(self.people, is_gone),
            waves=tuple(_cleared(selector, is_gone) for selector in self.waves),
        )


def set_apart(definition: MigrationDefinition) -> tuple[MigrationDefinition, NamedPeople]:
    """The definition without those who are named, and they."""
    named = NamedPeople(
        identity=definition.identity,
        people=definition.people,
        waves=tuple(wave.selector for wave in definition.waves),
    )
    nameless = tuple(msgspec.structs.replace(wave, selector="") for wave in definition.waves)
    return msgspec.structs.replace(definition, identity=(), people="", waves=nameless), named


def put_together(definition: MigrationDefinition, named: NamedPeople) -> MigrationDefinition:
    """The definition as it was asked for; of people who were forgotten since, nothing."""
    waves = tuple(
        msgspec.structs.replace(wave, selector=selector)
        for wave, selector in zip(definition.waves, named.waves, strict=True)
    )
    return msgspec.structs.replace(definition, identity=named.identity, people=named.people, waves=waves)


def _cleared(selector: str, is_gone: Callable[[str], bool]) -> str:
    """The same text when it names none of them."""
    asked = msgspec.json.decode(selector)
    if not any(map(is_gone, _named(asked))):
        return selector
    return msgspec.json.encode(_thinned(asked, is_gone)).decode()


def _named(part: Any) -> list[str]:
    if isinstance(part, list):
        return [each for inner in part for each in _named(inner)]
    if not isinstance(part, dict):
        return []
    inside = [each for name, inner in part.items() if name != "ids" for each in _named(inner)]
    return [*map(str, part.get("ids", ())), *inside]


def _thinned(part: Any, is_gone: Callable[[str], bool]) -> Any:
    if isinstance(part, list):
        return [_thinned(inner, is_gone) for inner in part]
    if not isinstance(part, dict):
        return part
    return {
        name: [each for each in inner if not is_gone(each)] if name == "ids" else _thinned(inner, is_gone)
        for name, inner in part.items()
    }
