"""A ticket as some desk writes it, put into our fields: by configuration, and without understanding anything of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from provisioning.domain.errors import InputError


class DeskMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which field of the desk is which of ours.

    `fields`: path in the desk's message (`issue.fields.board`) → our path (`organisation`, `wish.to_sku`). `values`:
    our path → what the desk writes → what we write, where they differ. `constants`: our path → what always holds.
    `lists`: our paths whose text holds several values between commas. What is not named is left where it is.
    """

    fields: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = {}
    constants: Mapping[str, str] = {}
    lists: tuple[str, ...] = ()


def translated(message: Mapping[str, Any], mapping: DeskMapping) -> dict[str, Any]:
    """A ticket in our fields. A field that the message does not have, or leaves empty, is missing in it too."""
    ticket: dict[str, Any] = {}
    for path, constant in mapping.constants.items():
        _put(ticket, path, constant)
    for path, ours in mapping.fields.items():
        value = _at(message, path)
        if value not in (None, "", []):
            _put(ticket, ours, _ours(value, ours, mapping))
    return ticket


def _ours(value: Any, path: str, mapping: DeskMapping) -> Any:
    words = [word.strip() for word in value.split(",")] if path in mapping.lists and isinstance(value, str) else value
    if isinstance(words, list):
        return [_word(one, path, mapping) for one in words if one not in (None, "")]
    return _word(words, path, mapping)


def _word(value: Any, path: str, mapping: DeskMapping) -> Any:
    return mapping.values.get(path, {}).get(value.strip(), value) if isinstance(value, str) else value


def _at(message: Any, path: str) -> Any:
    for name in path.split("."):
        message = message.get(name) if isinstance(message, Mapping) else None
    return message


def _put(ticket: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        ticket = ticket.setdefault(parent, {})
        if not isinstance(ticket, dict):
            raise InputError(f"The desk's mapping fills {path} and also {parent} itself; keep one of them.")
    ticket[name] = value
