"""The draft of a school's move is a file that the reader of migrations takes."""

from datetime import date

import msgspec

from provisioning.domain.ids import OrganisationId, SkuId
from provisioning.domain.ticket import TicketKind
from provisioning.domain.ticket_wishes import MoveSchool
from provisioning.intake.migration_files import parse_migration
from provisioning.planning.school_move import draft_of
from tests.factories import tickets
from tests.factories.trade import MAPPINGS, PUPILS, STAFF, sku_of

WISH = MoveSchool(
    school=OrganisationId("00XX00"),
    to_board=OrganisationId("42000"),
    from_tenant="old.example",
    to_tenant="new.example",
    people='{"any":[{"domain":"school.old.example"},{"attribute":"department","equals":"School \\"X\\""}]}',
    products={sku_of(STAFF): sku_of(STAFF), sku_of(PUPILS): SkuId(sku_of(PUPILS))},
    moves_on=date(2027, 8, 1),
)


def test_it_says_what_the_ticket_says() -> None:
    ticket = tickets.ticket(kind=TicketKind.MOVE_SCHOOL, given={}, reference="T-7")
    text = draft_of(ticket, WISH, OrganisationId("41000"), MAPPINGS)
    found = parse_migration("draft.yaml", text.encode(), MAPPINGS)
    assert (found.source.tenant, found.source.holder) == ("old.example", "41000")
    assert (found.target.tenant, found.target.holder) == ("new.example", "42000")
    assert found.asked_by == "ticket desk/T-7" == ticket.cause
    assert {(one.source_sku, one.target_sku) for one in found.products} == set(WISH.products.items())
    assert [wave.name for wave in found.waves] == ["pilot", "the others"]
    assert all(wave.not_before is not None for wave in found.waves)
    assert 'School \\"X\\"' in found.people


def test_without_a_day_the_waves_wait_for_none() -> None:
    undated = msgspec.structs.replace(WISH, moves_on=None)
    text = draft_of(tickets.ticket(kind=TicketKind.MOVE_SCHOOL, given={}), undated, OrganisationId("41000"), MAPPINGS)
    found = parse_migration("draft.yaml", text.encode(), MAPPINGS)
    assert all(wave.not_before is None for wave in found.waves)
