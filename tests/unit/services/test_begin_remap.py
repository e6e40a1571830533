"""A remap begun: once, with all that its plan will stand on, or refused with a sentence and nothing changed."""

from datetime import date
from typing import Any

import msgspec
import pytest

from provisioning.domain.catalogue import Audience, PlanRelation, PlanRule, Remap
from provisioning.domain.errors import InputError
from provisioning.domain.ids import CampaignId, OrganisationId, SkuId, TenantId, TicketId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane, Operation, OperationKind
from provisioning.planning.mapping_digest import remap_digest
from provisioning.services.begin_remap import AskedRemap, begin_remap
from tests.factories.trade import MAPPINGS
from tests.unit.services.fakes_access import NOW, OPERATOR, SCHOOL, TENANT, World, a_binding

SKUS = {sku.part_number: sku.sku_id for sku in MAPPINGS.skus.values()}
O365_A1, A1_PLUS = SKUS["STANDARDWOFFPACK_FACULTY"], SKUS["STANDARDWOFFPACK_IW_FACULTY"]
M365_A3, A3_PUPIL = SKUS["M365EDU_A3_FACULTY"], SKUS["M365EDU_A3_STUUSEBNFT"]
TICKET, CAMPAIGN = TicketId("11110000-0000-4000-8000-000000000001"), CampaignId("22220000-0000-4000-8000-000000000002")


def asked(**changes: Any) -> AskedRemap:
    plain = {
        "tenant_id": TENANT,
        "from_sku": O365_A1,
        "to_sku": M365_A3,
        "holder_id": SCHOOL,
        "organisations": (SCHOOL,),
        "requested_by": OPERATOR.actor,
        "ticket_id": TICKET,
    }
    return AskedRemap(**{**plain, **changes})


@pytest.fixture
def world() -> World:
    world = World()
    a_binding(world)
    return world


def begin(world: World, **changes: Any) -> Operation:
    with world.open() as uow:
        operation = begin_remap(uow, MAPPINGS, asked(**changes), NOW)
        uow.commit()
    return operation


def test_it_is_bulk_work_of_its_own_kind_that_replaces_the_old_product(world: World) -> None:
    operation = begin(world, starts_on=date(2026, 12, 1), wave=2)
    assert (operation.kind, operation.lane, operation.state) == (OperationKind.REMAP, Lane.BULK, OperationState.NEW)
    assert (operation.tenant_id, operation.requested_by, operation.due_at) == (TENANT, OPERATOR.actor, NOW)
    wish = operation.wish
    assert (wish.sku_id, wish.replaces, wish.audience) == (M365_A3, {O365_A1}, Audience.FACULTY)
    assert (wish.holder_id, wish.organisations, wish.seats_wanted, wish.line) == (SCHOOL, (SCHOOL,), 0, None)
    assert wish.starts_on == date(2026, 12, 1)
    assert wish.remap is not None
    assert (wish.remap.from_sku, wish.remap.ticket_id, wish.remap.wave) == (O365_A1, TICKET, 2)
    assert world.operations == {operation.operation_id: operation}


def test_it_is_put_on_record_with_whom_it_is_for(world: World) -> None:
    operation = begin(world)
    [event] = world.events
    assert (event.kind, event.actor, event.operation) == ("operation.created", OPERATOR.actor, operation.operation_id)
    assert event.details == {"from": O365_A1, "to": M365_A3, "ticket": TICKET}


def test_begun_twice_it_is_found_as_it_stands(world: World) -> None:
    first = begin(world)
    moved = msgspec.structs.replace(first, state=OperationState.COMPLETED, version=7)
    world.operations[first.operation_id] = moved
    assert begin(world) == moved
    assert len(world.events) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"ticket_id": TicketId("another")},
        {"ticket_id": None, "campaign_id": CAMPAIGN},
        {"from_sku": A1_PLUS},
        {"holder_id": OrganisationId("41000")},
    ],
    ids=["another ticket", "a campaign", "another product", "another holder"],
)
def test_what_differs_is_another_remap(world: World, changes: dict[str, Any]) -> None:
    assert begin(world).operation_id != begin(world, **changes).operation_id


def test_the_same_id_comes_out_of_a_ticket_and_a_campaign_never(world: World) -> None:
    of_ticket = begin(world, ticket_id=TicketId(CAMPAIGN))
    of_campaign = begin(world, ticket_id=None, campaign_id=CAMPAIGN)
    assert of_ticket.operation_id != of_campaign.operation_id


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "the same product": ({"to_sku": O365_A1}, "the same product"),
    "a retired target": ({"from_sku": O365_A1, "to_sku": A1_PLUS}, "retired"),
    "other people": ({"to_sku": A3_PUPIL}, "for faculty and .* for student"),
    "another audience than the product's": ({"audience": Audience.STUDENT}, "for faculty, not for student"),
    "an unknown product": ({"to_sku": SkuId("nobody-knows")}, "not in mappings/skus.csv"),
    "an unknown add-on": ({"along": {SkuId("nobody-knows"): SkuId("nobody-knows")}}, "not in mappings/skus.csv"),
    "a retired counterpart": ({"along": {SKUS["MCOEV_FACULTY"]: A1_PLUS}}, "retired"),
    "the product as its own add-on": ({"along": {O365_A1: M365_A3}}, "the remap itself"),
    "nobody's people": ({"organisations": ()}, "none was named"),
    "somebody who is not bound": ({"organisations": (SCHOOL, OrganisationId("00XX"))}, "00XX: not bound"),
    "another tenant": ({"tenant_id": TenantId("t2")}, f"{SCHOOL}: not bound to tenant t2"),
    "nobody's wish": ({"ticket_id": None}, "name one of the two"),
    "two masters": ({"campaign_id": CAMPAIGN}, "name one of the two"),
}


@pytest.mark.parametrize(("changes", "told"), REFUSED.values(), ids=REFUSED)
def test_what_can_never_be_planned_is_refused_with_a_sentence(world: World, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        begin(world, **changes)
    assert not world.operations
    assert not world.events


def test_who_is_bound_when_it_starts_need_not_be_bound_today(world: World) -> None:
    world.bindings = [msgspec.structs.replace(world.bindings[0], valid_from=date(2026, 11, 1))]
    with pytest.raises(InputError, match="not bound"):
        begin(world)
    assert begin(world, starts_on=date(2026, 11, 1)).state is OperationState.NEW


def test_add_ons_that_the_new_product_does_not_carry_go_along_as_the_tables_say(world: World) -> None:
    """What the ticket says of one weighs more; who is an exception of the row is none of it."""
    phone, game = SKUS["MCOEV_FACULTY"], SKUS["MEE_FACULTY"]
    only_here = min(MAPPINGS.skus[O365_A1].plan_ids - MAPPINGS.skus[M365_A3].plan_ids)
    plan = next(one.plan_id for one in MAPPINGS.skus[phone].plans if one.name == "MCOEV")
    rule = PlanRule(PlanRelation.REQUIRES_ANY, plan, frozenset({only_here}))
    row = Remap(from_sku=phone, to_sku=game, valid_from=date(2026, 1, 1), valid_until=None, exceptions=frozenset())
    tables = msgspec.structs.replace(MAPPINGS, plan_rules=(*MAPPINGS.plan_rules, rule), remaps=(row,))
    spared = msgspec.structs.replace(tables, remaps=(msgspec.structs.replace(row, exceptions=frozenset({SCHOOL})),))
    cases = ((tables, {}, {phone: game}), (tables, {phone: phone}, {phone: phone}), (spared, {}, {}))
    for number, (mappings, along, expected) in enumerate(cases):
        with world.open() as uow:
            wanted = asked(along=along, ticket_id=TicketId(f"t{number}"))
            part = begin_remap(uow, mappings, wanted, NOW).wish.remap
        assert part is not None
        assert part.along == expected


def test_its_digest_changes_with_any_row_it_stands_on_and_no_other(world: World) -> None:
    part = begin(world).wish.remap
    assert part is not None
    before = remap_digest(M365_A3, part, MAPPINGS)
    other = msgspec.structs.replace(MAPPINGS.skus[A3_PUPIL], name="renamed")
    ours = msgspec.structs.replace(MAPPINGS.skus[O365_A1], plans=())
    told = msgspec.structs.replace(MAPPINGS, skus={**MAPPINGS.skus, A3_PUPIL: other})
    assert remap_digest(M365_A3, part, told) == before
    told = msgspec.structs.replace(MAPPINGS, skus={**MAPPINGS.skus, O365_A1: ours})
    assert remap_digest(M365_A3, part, told) != before
    with_addon = msgspec.structs.replace(part, along={SKUS["MCOEV_FACULTY"]: SKUS["MCOEV_FACULTY"]})
    assert remap_digest(M365_A3, with_addon, MAPPINGS) != before
