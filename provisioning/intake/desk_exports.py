"""Tickets as a desk's own program exports them: its JSON, put into our fields by its mapping, read like any file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.ticket import TicketForm
from provisioning.intake.desk_mappings import read_desk_mapping
from provisioning.intake.reading import as_text, read_bytes
from provisioning.intake.ticket_files import forms_of
from provisioning.intake.trees import parse_json
from provisioning.planning.desk_fields import translated


def read_desk_export(path: Path, mapping: Path, mappings: Mappings) -> list[TicketForm]:
    """One message of the desk, or a list of them. Raises InputError, and then nothing is taken."""
    rules = read_desk_mapping(mapping)
    tree = parse_json(path.name, as_text(path.name, read_bytes(path)))
    messages = tree if isinstance(tree, list) else [tree]
    return forms_of(path.name, [translated(_message(path.name, one), rules) for one in messages], mappings)


def read_desk_message(name: str, content: bytes, mapping: Path | None, mappings: Mappings) -> list[TicketForm]:
    """One message of the desk over the wire, in our own fields where there is no mapping. Raises InputError.

    A mapping speaks of the whole message; without one, the ticket may stand in `data`, as Standard Webhooks has it.
    """
    message = _message(name, parse_json(name, as_text(name, content)))
    if mapping is not None:
        return forms_of(name, [translated(message, read_desk_mapping(mapping))], mappings)
    return forms_of(name, [message["data"] if {"type", "data"} <= message.keys() else message], mappings)


def _message(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{name} should hold one message of the desk, an object, or a list of them.")
    return value
