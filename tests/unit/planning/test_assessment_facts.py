"""Each fact by what decides it: what cannot be, and what somebody should know."""

from datetime import date, timedelta

import msgspec
import pytest

from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.records import VolumeLicence
from provisioning.planning.assessment_facts import (
    BLOCKING,
    AgreementMove,
    Fact,
    FactKind,
    ProductChange,
    agreement_facts,
    product_facts,
)
from tests.unit.planning.scene import A1, A1_PLUS, A3, A5, A5_PUPIL, EMS, MAPPINGS

TODAY = date(2026, 8, 17)
PART = {sku.part_number: sku.sku_id for sku in MAPPINGS.skus.values()}
BENEFIT, PAID_PUPIL, A1_PUPIL = (
    PART[name] for name in ("M365EDU_A3_STUUSEBNFT", "M365EDU_A3_STUDENT", "STANDARDWOFFPACK_STUDENT")
)
X, Y = TenantId("x"), TenantId("y")
K = FactKind


def of(from_sku: SkuId | None, to_sku: SkuId, **known: object) -> list[Fact]:
    return product_facts(ProductChange(from_sku=from_sku, to_sku=to_sku, people=7, **known), MAPPINGS, TODAY)  # type: ignore[arg-type]


def kinds(facts: list[Fact]) -> list[FactKind]:
    return [fact.kind for fact in facts]


class TestProducts:
    @pytest.mark.parametrize(
        ("from_sku", "to_sku", "expected"),
        [
            pytest.param(A1, A3, [], id="an upgrade needs no warning"),
            pytest.param(None, A3, [], id="nor does a first licence"),
            pytest.param(A1, A1_PLUS, [K.RETIRED_PRODUCT], id="nothing becomes what Microsoft delivers no more"),
            pytest.param(None, A1_PLUS, [K.RETIRED_PRODUCT], id="nor does anybody get it first"),
            pytest.param(A5_PUPIL, A3, [K.AUDIENCE_MISMATCH], id="a pupil's licence is no staff's"),
            pytest.param(A3, A5_PUPIL, [K.AUDIENCE_MISMATCH], id="nor the other way round"),
            pytest.param(EMS, A5, [], id="two products for staff"),
            pytest.param(PAID_PUPIL, BENEFIT, [K.PAID_TO_BENEFIT], id="the free pupil licence has less"),
            pytest.param(A1_PUPIL, BENEFIT, [], id="who had a free one loses nothing by it"),
            pytest.param(BENEFIT, PAID_PUPIL, [], id="from free to paid"),
            pytest.param(A1, SkuId("strange"), [K.UNKNOWN_PRODUCT], id="a product of nobody's list"),
            pytest.param(SkuId("strange"), A3, [], id="a foreign product goes"),
        ],
    )
    def test_what_speaks_against_a_change(self, from_sku: SkuId | None, to_sku: SkuId, expected: list[K]) -> None:
        assert kinds(of(from_sku, to_sku)) == expected

    def test_a_retired_product_says_what_to_ask_instead(self) -> None:
        [fact] = of(None, A1_PLUS)
        assert fact.names == ("Office 365 A1 Plus for faculty",)
        assert fact.instead == ("Office 365 A1 for faculty",)

    def test_before_its_replacement_is_in_force_there_is_none(self) -> None:
        change = ProductChange(from_sku=None, to_sku=A1_PLUS)
        [fact] = product_facts(change, MAPPINGS, date(2024, 7, 31))
        assert fact.instead == ()

    def test_the_benefit_names_every_plan_that_is_lost(self) -> None:
        [fact] = of(PAID_PUPIL, BENEFIT)
        paid, free = MAPPINGS.skus[PAID_PUPIL], MAPPINGS.skus[BENEFIT]
        assert set(fact.names) == {plan.name for plan in paid.plans if plan.plan_id not in free.plan_ids}
        assert fact.names
        assert fact.services
        assert fact.people == 7

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            pytest.param(1, [K.REASSIGNED_SOON], id="yesterday"),
            pytest.param(89, [K.REASSIGNED_SOON], id="on the last day"),
            pytest.param(90, [], id="ninety days later it is free"),
        ],
    )
    def test_within_ninety_days_a_licence_stays(self, days: int, expected: list[K]) -> None:
        facts = of(A1, A3, given_on=TODAY - timedelta(days=days))
        assert kinds(facts) == expected
        assert all(fact.day == TODAY - timedelta(days=days) for fact in facts)


def licence(name: str, number: str = "P1", tenant: TenantId | None = X, agreement: str = "A1") -> VolumeLicence:
    return VolumeLicence(
        record_id=name,
        organisation_id=OrganisationId("board"),
        agreement_id=agreement,
        public_customer_number=number,
        tenant_id=tenant,
    )


def move(*wanted: str, licences: tuple[VolumeLicence, ...] = (licence("L1"),), **known: object) -> AgreementMove:
    return AgreementMove(wanted=wanted, source_tenant=X, target_tenant=Y, licences=licences, **known)  # type: ignore[arg-type]


class TestAgreements:
    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            pytest.param(move("L1"), [], id="all of a customer number can move"),
            pytest.param(move("L1", seats_wanted=10), [K.PART_OF_LICENSE_ID], id="part of a License ID cannot (S31)"),
            pytest.param(
                move("L1", licences=(licence("L1"), licence("L2"))),
                [K.PART_OF_CUSTOMER_NUMBER],
                id="part of a customer number cannot (S28)",
            ),
            pytest.param(
                move("L1", licences=(licence("L1"), licence("L2", tenant=None))),
                [K.PART_OF_CUSTOMER_NUMBER],
                id="nor while nobody knows where the other lives",
            ),
            pytest.param(
                move("L1", licences=(licence("L1"), licence("L2", tenant=Y))), [], id="what is elsewhere stays there"
            ),
            pytest.param(
                move("L1", licences=(licence("L1"), licence("L2", "P2"))), [], id="another number is another matter"
            ),
            pytest.param(move("L9"), [K.LICENSE_ID_UNKNOWN], id="a number that the customer does not have"),
            pytest.param(
                move("L1", licences=(licence("L1", tenant=Y),)), [K.LICENSE_ID_ELSEWHERE], id="it is not where they say"
            ),
            pytest.param(
                move("L1", "L2", licences=(licence("L1"), licence("L2", agreement="A2"))),
                [K.MOVES_ALONG],
                id="two agreements move at once",
            ),
            pytest.param(
                move("L1", people_in_source=5, people_ready=5), [K.SERVICE_STOPS], id="people lose service at once"
            ),
            pytest.param(
                move("L1", people_in_source=5, people_ready=3),
                [K.SERVICE_STOPS, K.NOT_READY],
                id="some are not ready",
            ),
        ],
    )
    def test_what_is_the_case(self, asked: AgreementMove, expected: list[K]) -> None:
        assert kinds(agreement_facts(asked)) == [*expected, K.NO_FILES_MOVE]

    def test_counts_who_loses_and_who_lacks(self) -> None:
        facts = {fact.kind: fact for fact in agreement_facts(move("L1", people_in_source=40, people_ready=31))}
        assert (facts[K.SERVICE_STOPS].people, facts[K.NOT_READY].people) == (40, 9)

    def test_names_what_is_left_behind(self) -> None:
        [fact, _] = agreement_facts(move("L1", licences=(licence("L1"), licence("L2"), licence("L3"))))
        assert fact.names == ("L2", "L3")

    def test_of_another_customer_nothing_is_said(self) -> None:
        [fact, _] = agreement_facts(move("L9", licences=()))
        assert fact == Fact(kind=K.LICENSE_ID_UNKNOWN, names=("L9",))


class TestFact:
    @pytest.mark.parametrize("kind", FactKind)
    def test_blocks_or_only_tells(self, kind: FactKind) -> None:
        assert Fact(kind=kind).blocks is (kind in BLOCKING)

    def test_is_a_value_that_programs_read(self) -> None:
        fact = of(A1, A1_PLUS)[0]
        assert msgspec.json.decode(msgspec.json.encode(fact), type=Fact) == fact
