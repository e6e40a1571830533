"""Who the people of two boards are: how many, and who of them is unlike the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.domain.ids import OrganisationId
from tests.journeys.customers import A3, Customer

_EXCHANGE = "efb87545-963c-4e0d-99df-69c6916d9eb0"  # EXCHANGE_S_ENTERPRISE


@dataclass(frozen=True)
class Crowd:
    """`people` of each of the two boards; `disputed`: so many rows of the map lead to a second person.

    Of these `left_out` stay disputed, because nobody can say who they are.
    """

    people: int
    waves: tuple[int, int]  # at most so many; the third takes the rest
    disputed: int
    left_out: int


# Of every ten who come two have no mailbox, two are licensed in the target already, two have no usage location there.


def without_mailbox(_customer: Customer, _school: OrganisationId, number: int) -> Mapping[str, Any]:
    return {"assignments": [{"skuId": A3, "disabledPlans": [_EXCHANGE]}]} if number % 5 == 1 else {}


def in_target(number: int, *, is_known: bool) -> Mapping[str, Any]:
    if is_licensed(number):
        return {"assignments": [{"skuId": A3}]} if is_known else {}
    return {"usageLocation": None} if number % 5 == 3 else {}


def is_licensed(number: int) -> bool:
    return number % 5 == 2


def own_hold(customer: Customer, school: OrganisationId, _number: int) -> Mapping[str, Any]:
    """The second of the target's schools is the target board's own."""
    return {"assignments": [{"skuId": A3}]} if school == list(customer.staff)[1] else {}
