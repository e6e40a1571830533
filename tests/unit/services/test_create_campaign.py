"""A campaign is drawn from what the ledger, agreements and lists say, whole or not at all."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from provisioning.domain.campaign import (
    CampaignPair,
    CampaignSelection,
    CampaignState,
    MemberState,
    SelectedBy,
)
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Agreement, Participant
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.remapping import remap_for as remap_by
from provisioning.services.create_campaign import CreateCampaign, CreatedCampaign
from tests.factories import TODAY
from tests.factories.campaigns import FROM, TO, definition
from tests.unit.services.campaign_scene import MAPPINGS, a_customer, board_of, tenant_of
from tests.unit.services.fakes_access import APPROVER, OPERATOR, FakeClock, World

RETIRED = next(sku.sku_id for sku in MAPPINGS.skus.values() if sku.is_retired)


@pytest.fixture
def world() -> World:
    made = World()
    for number in range(1, 5):
        a_customer(made, number)
    return made


def create(world: World, identity: Any = OPERATOR, exception: str = "", **known: Any) -> CreatedCampaign:
    def remap_for(sku: SkuId, whose: Sequence[OrganisationId], day: Any) -> SkuId | None:
        row = remap_by(MAPPINGS, sku, whose, day)
        return row.to_sku if row and exception not in whose else None

    service = CreateCampaign(open_uow=world.open, clock=FakeClock(), mappings=MAPPINGS, remap_for=remap_for)
    return service(identity, definition(**known))


def by(selected: SelectedBy, **known: Any) -> CampaignSelection:
    return CampaignSelection(by=selected, **known)


class TestCreating:
    def test_keeps_it_with_its_tenants_in_waves_and_on_record(self, world: World) -> None:
        made = create(world, canaries=1, widening=2)
        assert (made.tenants, made.people, made.waves, made.left_out) == (4, 160, (1, 2, 1), 0)
        kept = world.campaigns[made.campaign.campaign_id]
        assert (kept.state, kept.requested_by, kept.due_at) == (CampaignState.NEW, OPERATOR.actor, None)
        assert {one.state for one in world.members.values()} == {MemberState.WAITING}
        assert world.kinds == ["campaign.created"]
        assert world.intents == []

    def test_keeps_how_each_tenant_licenses(self, world: World) -> None:
        a_customer(world, 5, assignment_mode=AssignmentMode.GROUP)
        create(world)
        modes = {one.tenant_id: one.mode for one in world.members.values()}
        assert modes.pop(tenant_of(5)) is AssignmentMode.GROUP
        assert set(modes.values()) == {AssignmentMode.DIRECT}

    def test_reads_no_tenant_and_begins_nothing(self, world: World) -> None:
        create(world)
        assert world.operations == {}

    def test_takes_an_operator(self, world: World) -> None:
        with pytest.raises(NotAllowedError, match="prepare a campaign"):
            create(world, APPROVER)
        assert world.campaigns == {}

    def test_has_a_digest_of_what_was_asked_and_who_goes_when(self, world: World) -> None:
        first, again, other = create(world), create(world), create(world, canaries=1)
        assert first.campaign.digest == again.campaign.digest != other.campaign.digest

    def test_with_nobody_to_go_is_refused(self) -> None:
        with pytest.raises(InputError, match="Nobody would go"):
            create(World())

    @pytest.mark.parametrize(
        ("pair", "complaint"),
        [
            pytest.param({"from_sku": SkuId("x"), "to_sku": TO}, "not in skus.csv", id="an unknown product"),
            pytest.param({"from_sku": FROM, "to_sku": RETIRED}, "retired", id="a retired target"),
        ],
    )
    def test_of_products_that_cannot_be_is_refused(self, world: World, pair: dict[str, SkuId], complaint: str) -> None:
        with pytest.raises(InputError, match=complaint):
            create(world, pairs=(CampaignPair(**pair),))


class TestChoosing:
    def test_by_list_takes_tenants_by_domain_and_organisations_by_code(self, world: World) -> None:
        selection = by(SelectedBy.LIST, tenants=(TenantId("school1.example"),), organisations=(board_of(2),))
        made = create(world, selection=selection)
        assert {one.tenant_id for one in world.members.values()} == {tenant_of(1), tenant_of(2)}
        assert made.campaign.definition.selection.tenants == (tenant_of(1),)

    def test_by_list_takes_who_has_no_seats_on_record(self, world: World) -> None:
        a_customer(world, 9, seats=0)
        create(world, selection=by(SelectedBy.LIST, tenants=(tenant_of(9),)))
        (member,) = world.members.values()
        assert (member.holder_id, member.people) == (board_of(9), 0)

    def test_by_agreement_takes_who_takes_part(self, world: World) -> None:
        world.records += [
            Agreement(
                record_id="a1", organisation_id=board_of(1), supplier="s", licence_form="school", starts_on=TODAY
            ),
            Participant(record_id="p1", organisation_id=board_of(3), agreement_id="a1", valid_from=TODAY),
        ]
        selection = by(SelectedBy.AGREEMENT, agreements=("a1",))
        create(world, selection=selection, begins_at=FakeClock().now())
        assert {one.holder_id for one in world.members.values()} == {board_of(1), board_of(3)}

    def test_by_an_unknown_agreement_is_refused(self, world: World) -> None:
        with pytest.raises(InputError, match="No agreement a9"):
            create(world, selection=by(SelectedBy.AGREEMENT, agreements=("a9",)))

    @pytest.mark.parametrize("named", ["school1.example", "41001"])
    def test_lists_who_is_left_out_with_why(self, world: World, named: str) -> None:
        made = create(world, selection=by(SelectedBy.MAPPING, excluded={named: "merges"}))
        (out,) = [one for one in world.members.values() if one.tenant_id == tenant_of(1)]
        assert (out.state, out.reason, out.told) == (MemberState.EXCLUDED, Reason.LEFT_OUT, "merges")
        assert (made.tenants, made.left_out) == (3, 1)

    @pytest.mark.parametrize("named", ["nowhere.example", "99999"])
    def test_of_somebody_unknown_is_refused(self, world: World, named: str) -> None:
        with pytest.raises(InputError):
            create(world, selection=by(SelectedBy.MAPPING, excluded={named: "x"}))

    def test_lists_a_board_with_an_exception_in_the_table_as_left_out(self, world: World) -> None:
        row = MAPPINGS.remaps[0]
        world.ledger = [msgspec.structs.replace(one, sku_id=row.from_sku) for one in world.ledger]
        pair = CampaignPair(from_sku=row.from_sku, to_sku=row.to_sku, from_table=True)
        made = create(world, exception=board_of(2), pairs=(pair,))
        assert (made.tenants, made.left_out) == (3, 1)
