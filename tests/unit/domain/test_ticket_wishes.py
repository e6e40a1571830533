"""What a ticket can wish: how much of it is there, and whom it is about."""

from datetime import date
from typing import Any

import msgspec
import pytest

from provisioning.domain.ticket import TicketKind
from provisioning.domain.ticket_wishes import WISHES, ChangeSku, missing_in, organisations_in, wish_of
from tests.factories import tickets

LEAST: dict[TicketKind, dict[str, Any]] = {
    TicketKind.CHANGE_SKU: {"organisations": ["00XX00"], "from_sku": "a", "to_sku": "b"},
    TicketKind.REMAP_HOLDER: {"from_holders": ["00XX00", "01XX00"], "to_holder": "41000"},
    TicketKind.REMAP_AGREEMENT: {
        "public_customer_number": "P", "licence_ids": ["L"], "from_tenant": "a.example", "to_tenant": "b.example",
    },
    TicketKind.MOVE_SCHOOL: {
        "school": "00XX00", "to_board": "42000", "from_tenant": "a.example", "to_tenant": "b.example",
        "people": "{}", "products": {"a": "a"},
    },
    TicketKind.REBIND: {"organisation": "00XX00", "tenant": "a.example"},
    TicketKind.SERVICE_PLAN_POLICY: {"tenant": "a.example", "sku_id": "a", "off": ["X"]},
}  # fmt: skip
ABOUT = {
    TicketKind.CHANGE_SKU: ("00XX00",),
    TicketKind.REMAP_HOLDER: ("00XX00", "01XX00", "41000"),
    TicketKind.REMAP_AGREEMENT: (),
    TicketKind.MOVE_SCHOOL: ("00XX00", "42000"),
    TicketKind.REBIND: ("00XX00",),
    TicketKind.SERVICE_PLAN_POLICY: (),
}


def test_there_is_a_wish_for_every_kind() -> None:
    assert WISHES.keys() == LEAST.keys() == set(TicketKind)


@pytest.mark.parametrize("kind", TicketKind)
class TestEachKind:
    def test_has_enough_with_the_least(self, kind: TicketKind) -> None:
        assert missing_in(kind, LEAST[kind], "c-17") == ()
        assert organisations_in(wish_of(kind, LEAST[kind])) == ABOUT[kind]

    def test_lacks_each_of_them_alone(self, kind: TicketKind) -> None:
        for name in LEAST[kind]:
            for nothing in (None, "", [], {}):
                assert missing_in(kind, LEAST[kind] | {name: nothing}, "c-17") == (name,)
            less = {other: value for other, value in LEAST[kind].items() if other != name}
            assert missing_in(kind, less, "c-17") == (name,)

    def test_is_asked_for_by_somebody(self, kind: TicketKind) -> None:
        assert missing_in(kind, LEAST[kind], None) == missing_in(kind, LEAST[kind], "") == ("requester",)

    def test_is_no_wish_while_something_is_missing(self, kind: TicketKind) -> None:
        with pytest.raises(msgspec.ValidationError):
            wish_of(kind, {})


def test_plans_may_be_wanted_on_alone() -> None:
    wanted = {"tenant": "a.example", "sku_id": "a", "on": ["X"]}
    assert missing_in(TicketKind.SERVICE_PLAN_POLICY, wanted, "c-17") == ()


def test_days_and_audiences_are_what_they_say() -> None:
    wish = wish_of(
        TicketKind.CHANGE_SKU, LEAST[TicketKind.CHANGE_SKU] | {"starts_on": "2027-08-01", "audience": "faculty"}
    )
    assert isinstance(wish, ChangeSku)
    assert (wish.starts_on, wish.audience) == (date(2027, 8, 1), "faculty")


def test_a_ticket_is_named_as_its_desk_names_it() -> None:
    ticket = tickets.ticket(source="desk", reference="2027/1")
    assert (ticket.key, ticket.cause) == ("desk/2027/1", "ticket desk/2027/1")
