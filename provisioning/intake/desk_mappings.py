"""Desk mappings: a TOML file that says which field of a desk is which of ours."""

from pathlib import Path

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ticket import TicketKind
from provisioning.intake.branches import nearest
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import as_text, read_bytes
from provisioning.intake.ticket_fields import TICKET_FIELDS, WISH_FIELDS
from provisioning.planning.desk_fields import DeskMapping

OUR_PATHS = (
    *(name for name in TICKET_FIELDS if name != "wish"),
    *dict.fromkeys(f"wish.{name}" for kind in TicketKind for name in WISH_FIELDS[kind]),
)


def read_desk_mapping(path: Path) -> DeskMapping:
    """Raises InputError naming every path that is none of ours."""
    text = as_text(path.name, read_bytes(path))
    try:
        mapping = msgspec.toml.decode(text, type=DeskMapping)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise InputError(
            f"{path.name} is no desk mapping: {error}. It has the tables fields, values and constants, and lists."
        ) from error
    _check(path.name, mapping)
    return mapping


def _check(name: str, mapping: DeskMapping) -> None:
    said = [
        *((f"fields.{desk}", ours) for desk, ours in mapping.fields.items()),
        *((f"values.{ours}", ours) for ours in mapping.values),
        *((f"constants.{ours}", ours) for ours in mapping.constants),
        *(("lists", ours) for ours in mapping.lists),
    ]
    problems = [
        Problem(place, "", f"{ours} is no field of a ticket; {nearest(ours, OUR_PATHS)}.")
        for place, ours in said
        if not _is_known(ours)
    ]
    refuse_if_any(name, problems)


def _is_known(ours: str) -> bool:
    """A field of ours, or one below it: selectors and product pairs have words of their own under them."""
    return any(ours == known or ours.startswith(f"{known}.") for known in OUR_PATHS)
