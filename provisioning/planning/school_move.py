"""A school's move to another board, written as the migration file that an operator completes."""

from collections.abc import Iterator
from datetime import date

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import OrganisationId, SkuId
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import MoveSchool

_OPENING = """\
# Draft of ticket {key}. What the board asked is filled in; decide what is marked, then:
#   provisioning migrations create <this file>
# Leave asked_by as it is: by it the ticket finds its migration, and is answered when that has ended."""


def draft_of(ticket: Ticket, wish: MoveSchool, from_board: OrganisationId, mappings: Mappings) -> str:
    """YAML; every value that the ticket says is written as JSON, which YAML reads as it is meant."""
    return "\n".join([_OPENING.format(key=ticket.key), *_lines(ticket, wish, from_board, mappings), ""])


def _lines(ticket: Ticket, wish: MoveSchool, from_board: OrganisationId, mappings: Mappings) -> Iterator[str]:
    yield f"name: {_json(f'{wish.school} to {wish.to_board}')}"
    yield f"asked_by: {_json(ticket.cause)}"
    yield f"source: {{tenant: {_json(wish.from_tenant)}, holder: {_json(from_board)}}}"
    yield f"target: {{tenant: {_json(wish.to_tenant)}, holder: {_json(wish.to_board)}}}"
    yield f"people: {wish.people}"
    yield "products:"
    for source, target in wish.products.items():
        yield f"  - {{from: {_json(_name(source, mappings))}, to: {_json(_name(target, mappings))}}}"
    yield "waves:  # decide: who goes first, who later"
    yield f"  - {{name: pilot, at_most: 25{_not_before(wish.moves_on)}}}"
    yield f"  - {{name: the others{_not_before(wish.moves_on)}}}"
    yield "identity:  # decide: how people are found in the other tenant"
    yield "  rules: [employee_id]"


def _not_before(day: date | None) -> str:
    return f", not_before: {_json(f'{day} 08:00')}" if day else ""


def _name(sku_id: SkuId, mappings: Mappings) -> str:
    """The id, where a part number names several products."""
    part_number = mappings.skus[sku_id].part_number
    namesakes = [sku for sku in mappings.skus.values() if sku.part_number == part_number]
    return part_number if len(namesakes) == 1 else sku_id


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()
