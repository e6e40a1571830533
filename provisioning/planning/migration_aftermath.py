"""What a migration leaves for people to do once it is completed: it moved licences, and nobody's papers. Pure.

When one school leaves a board, who is bound where, who takes part in which agreement and who bought what stay as they
were; an order of tomorrow would go by that to the old tenant.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from provisioning.domain.ids import OrganisationId, SkuId
from provisioning.domain.records import Participant
from provisioning.domain.tenancy import Binding

_TICKET = "provisioning tickets submit"
_RECORDS = "provisioning records import"


class Matter(StrEnum):
    BINDING = "binding"  # who moved is still bound to the old tenant
    PARTICIPANT = "participant"  # and takes part in an agreement of the old board
    SEATS = "seats"  # what they used there is bought on


class LeftToDo(msgspec.Struct, frozen=True, kw_only=True):
    """`place`: the tenant's domain, or the agreement. `command`: with what it is done, and by which words."""

    matter: Matter
    organisation_id: OrganisationId
    name: str
    place: str
    command: str
    seats: int = 0
    product: str = ""


class AftermathFacts(msgspec.Struct, frozen=True, kw_only=True):
    """As it is today. `moved`: whose people were released; `bindings`: all that are in force in the source.

    `participants`: those of agreements of the board that people left; `seats`: what is held in the source, by holder
    and product.
    """

    moved: Collection[OrganisationId]
    source_domain: str
    target_domain: str
    bindings: Sequence[Binding]
    participants: Sequence[Participant]
    seats: Mapping[tuple[OrganisationId, SkuId], int]
    names: Mapping[OrganisationId, str]
    products: Mapping[SkuId, str]


def left_to_do(facts: AftermathFacts) -> tuple[LeftToDo, ...]:
    """In the order in which it is best done: first who is bound where."""
    return (*_bindings(facts), *_participants(facts), *_seats(facts))


def _bindings(facts: AftermathFacts) -> Iterator[LeftToDo]:
    for code in sorted({one.organisation_id for one in facts.bindings} & set(facts.moved)):
        yield LeftToDo(
            matter=Matter.BINDING,
            organisation_id=code,
            name=_name(facts, code),
            place=facts.source_domain,
            command=f"{_TICKET} (kind: rebind, organisation: {code}, tenant: {facts.target_domain})",
        )


def _participants(facts: AftermathFacts) -> Iterator[LeftToDo]:
    own = [one for one in facts.participants if one.organisation_id in facts.moved]
    for one in sorted(own, key=lambda each: (each.organisation_id, each.agreement_id)):
        yield LeftToDo(
            matter=Matter.PARTICIPANT,
            organisation_id=one.organisation_id,
            name=_name(facts, one.organisation_id),
            place=one.agreement_id,
            command=f"{_RECORDS} (participant {one.record_id} with a last day; a new one under the new agreement)",
        )


def _seats(facts: AftermathFacts) -> Iterator[LeftToDo]:
    for (holder, sku), seats in sorted(facts.seats.items()):
        if seats > 0:
            yield LeftToDo(
                matter=Matter.SEATS,
                organisation_id=holder,
                name=_name(facts, holder),
                place=facts.source_domain,
                seats=seats,
                product=facts.products.get(sku, sku),
                command=f"{_TICKET} (kind: remap_holder, from_holders: [{holder}]), or fewer seats in the shop",
            )


def _name(facts: AftermathFacts, code: OrganisationId) -> str:
    return facts.names.get(code, code)
