"""Whom a campaign is for, by each way of choosing, and who is left out with which words."""

from collections.abc import Sequence
from datetime import date

import pytest

from provisioning.domain.campaign import CampaignPair, CampaignSelection, SelectedBy
from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.records import Agreement, Participant
from provisioning.planning.campaign_selection import Chosen, Holding, choose, participants_in
from tests.factories.campaigns import FROM, TO, definition

DAY = date(2027, 8, 1)


def holding(tenant: str = "t1", holder: str = "41234", board: str | None = None, **known: object) -> Holding:
    fields: dict[str, object] = {"sku_id": FROM, "seats": 20}
    return Holding(
        tenant_id=TenantId(tenant),
        holder_id=OrganisationId(holder),
        board_id=OrganisationId(board or holder),
        **(fields | known),  # type: ignore[arg-type]
    )


def stays(sku: SkuId, whose: Sequence[str], day: date) -> SkuId | None:
    assert (sku, day) == (FROM, DAY)
    return None if "49999" in whose else TO


def chosen(
    selection: CampaignSelection, *holdings: Holding, takers: tuple[str, ...] = (), **known: object
) -> list[Chosen]:
    return list(choose(definition(selection=selection, **known), holdings, DAY, stays, takers))


class TestByMapping:
    def test_takes_every_holder_of_a_product_that_goes(self) -> None:
        found = chosen(CampaignSelection(by=SelectedBy.MAPPING), holding("t2"), holding("t1"))
        assert [one.key.tenant_id for one in found] == ["t1", "t2"]
        assert {one.to_sku for one in found} == {TO}

    @pytest.mark.parametrize(("seats", "is_in"), [(0, False), (1, True)])
    def test_takes_who_has_a_seat_of_it(self, seats: int, is_in: bool) -> None:
        assert bool(chosen(CampaignSelection(by=SelectedBy.MAPPING), holding(seats=seats))) is is_in

    def test_leaves_other_products_alone(self) -> None:
        assert not chosen(CampaignSelection(by=SelectedBy.MAPPING), holding(sku_id=SkuId("another")))

    def test_lists_a_board_with_an_exception_as_left_out(self) -> None:
        table = (CampaignPair(from_sku=FROM, to_sku=TO, from_table=True),)
        found = chosen(CampaignSelection(by=SelectedBy.MAPPING), holding(holder="00AA", board="49999"), pairs=table)
        assert "exception" in found[0].excluded

    def test_knows_no_exceptions_where_the_file_itself_says_what_becomes_of_it(self) -> None:
        assert not chosen(CampaignSelection(by=SelectedBy.MAPPING), holding(board="49999"))[0].excluded


class TestByAgreement:
    def test_takes_those_who_take_part(self) -> None:
        by = CampaignSelection(by=SelectedBy.AGREEMENT, agreements=("a1",))
        found = chosen(by, holding(holder="41234"), holding(holder="55555"), takers=("41234",))
        assert [one.key.holder_id for one in found] == ["41234"]

    def test_takes_the_schools_of_a_board_that_takes_part(self) -> None:
        by = CampaignSelection(by=SelectedBy.AGREEMENT, agreements=("a1",))
        assert chosen(by, holding(holder="00AA", board="41234"), takers=("41234",))

    def test_finds_holder_and_participants_of_the_day(self) -> None:
        agreements = [
            Agreement(
                record_id=one,
                organisation_id=OrganisationId(of),
                supplier="s",
                licence_form="school",
                starts_on=date(2026, 8, 1),
            )
            for one, of in (("a1", "41234"), ("a2", "55555"))
        ]
        participants = [
            Participant(
                record_id=school,
                organisation_id=OrganisationId(school),
                agreement_id="a1",
                valid_from=date(2026, 8, 1),
                valid_until=until,
            )
            for school, until in (("00AA", DAY), ("00BB", date(2027, 7, 31)), ("00CC", None))
        ]
        assert participants_in(("a1",), agreements, participants, DAY) == {"41234", "00AA", "00CC"}

    def test_takes_nobody_who_comes_later(self) -> None:
        late = Participant(
            record_id="p", organisation_id=OrganisationId("00AA"), agreement_id="a1", valid_from=date(2027, 8, 2)
        )
        assert not participants_in(("a1",), [], [late], DAY)


class TestByList:
    @pytest.mark.parametrize(
        ("known", "is_in"),
        [
            pytest.param({"tenants": (TenantId("t1"),)}, True, id="its tenant is named"),
            pytest.param({"organisations": (OrganisationId("00AA"),)}, True, id="the holder is named"),
            pytest.param({"organisations": (OrganisationId("41234"),)}, True, id="its board is named"),
            pytest.param({"tenants": (TenantId("t2"),)}, False, id="another is named"),
        ],
    )
    def test_takes_whom_it_names_even_without_a_seat_on_record(self, known: dict[str, object], is_in: bool) -> None:
        selection = CampaignSelection(by=SelectedBy.LIST, **known)  # type: ignore[arg-type]
        assert bool(chosen(selection, holding("t1", "00AA", "41234", seats=0))) is is_in


class TestExcluding:
    @pytest.mark.parametrize("named", ["t1", "00AA", "41234"])
    def test_says_why_by_tenant_holder_or_board(self, named: str) -> None:
        selection = CampaignSelection(by=SelectedBy.MAPPING, excluded={named: "merges in August"})
        assert chosen(selection, holding("t1", "00AA", "41234"))[0].excluded == "merges in August"

    def test_concerns_nobody_else(self) -> None:
        selection = CampaignSelection(by=SelectedBy.MAPPING, excluded={"t1": "merges"})
        assert not chosen(selection, holding("t2"))[0].excluded
