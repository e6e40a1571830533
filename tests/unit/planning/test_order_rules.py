"""Judging order lines. The tables are the specification; ids name the rule or scenario of the trade."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.catalogue import Audience, LicenceForm, Metric
from provisioning.domain.ids import Actor, ArticleCode, OrganisationId, TenantId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.records import (
    Agreement,
    Mandate,
    Membership,
    Record,
    SupplierDecision,
    VolumeLicence,
)
from provisioning.domain.tenancy import Binding, OrganisationKind, Tenant
from provisioning.planning.mapping_digest import row_digest
from provisioning.planning.order_context import Judgement, OrderContext
from provisioning.planning.order_rules import RELEASABLE, after_acceptance, judge
from tests.factories.trade import (
    BOARD,
    MAPPINGS,
    NAMED,
    NOW,
    OTHER_TENANT,
    PHONE,
    PUPILS,
    SCHOOL,
    SISTER,
    STAFF,
    STAFF_AGAIN,
    STAFF_MORE,
    STEP_UP,
    TENANT,
    THIRD,
    TODAY,
    YEAR_END,
    binding,
    board_context,
    context,
    count,
    declaration,
    entry,
    licence,
    order_line,
    organisation,
    shop_line,
    sku_of,
    tenant,
)

Outcome = tuple[LineState, Reason | None]

OPERATOR = Actor("person:duty")
A3, A5 = sku_of(STAFF), sku_of(STEP_UP)


def supporting(*decisions: SupplierDecision) -> OrderContext:
    return context(*decisions, organisation=organisation(eligibility="supporting_institution"))


def decision(word: str, supplier: str = "microsoft") -> SupplierDecision:
    return SupplierDecision(record_id=f"s-{supplier}", organisation_id=SCHOOL, supplier=supplier, decision=word)


def agreement(**fields: Any) -> Agreement:
    plain = {"record_id": "a1", "organisation_id": SCHOOL, "supplier": "microsoft", "licence_form": "group"}
    return Agreement(**{**plain, "starts_on": date(2026, 1, 1), **fields})


def outcome(judgement: Judgement) -> Outcome:
    return judgement.state, judgement.reason


def held(reason: Reason) -> Outcome:
    return LineState.HELD, reason


def rejected(reason: Reason) -> Outcome:
    return LineState.REJECTED, reason


ACCEPTED = (LineState.ACCEPTED, None)


class TestTheRowItself:
    @pytest.mark.parametrize(
        ("columns", "expected"),
        [
            pytest.param({"quantity": "twelve"}, held(Reason.QUANTITY_INVALID), id="text is no quantity"),
            pytest.param({"quantity": 0}, held(Reason.QUANTITY_INVALID), id="zero is no quantity"),
            pytest.param({"quantity": 10**12}, held(Reason.QUANTITY_INVALID), id="more seats than there are people"),
            pytest.param({"quantity": -10}, rejected(Reason.DECREASE_NOT_ALLOWED), id="S4 a negative number"),
            pytest.param(
                {"starts_on": date(2026, 10, 2), "ends_on": date(2026, 10, 1)},
                held(Reason.DATES_REVERSED),
                id="dates reversed",
            ),
            pytest.param({"ends_on": date(2026, 8, 31)}, rejected(Reason.TERM_INVALID), id="R5 a term that is over"),
            pytest.param({"status": "cancelled"}, (LineState.CANCELLED, None), id="R10 cancelled before acceptance"),
            pytest.param({"unit_price_cents": 0}, ACCEPTED, id="P7 price zero is a real delivery"),
        ],
    )
    def test_is_judged_by_its_columns(self, columns: dict[str, Any], expected: Outcome) -> None:
        assert outcome(judge(order_line(**columns), context())) == expected

    @pytest.mark.parametrize(
        ("orders_from", "expected"),
        [
            pytest.param(NOW + timedelta(seconds=1), (LineState.RECORDED_ONLY, Reason.PLACED_BEFORE_START), id="older"),
            pytest.param(NOW, ACCEPTED, id="placed at that very moment"),
        ],
    )
    def test_lines_from_before_the_start_are_only_recorded(self, orders_from: datetime, expected: Outcome) -> None:
        assert outcome(judge(order_line(), context(orders_from=orders_from))) == expected


class TestTheCustomer:
    @pytest.mark.parametrize(
        ("known", "expected"),
        [
            pytest.param({"organisation": None}, held(Reason.ORGANISATION_UNKNOWN), id="a code nobody knows"),
            pytest.param(
                {"organisation": organisation(operational_until=date(2026, 7, 31))},
                held(Reason.ORGANISATION_UNKNOWN),
                id="S48 ended, and nobody took over",
            ),
            pytest.param(
                {"organisation": organisation(operational_until=TODAY)}, ACCEPTED, id="its last day is still a day"
            ),
            pytest.param(
                {"organisation": organisation(membership="ended")}, held(Reason.NOT_A_MEMBER), id="R23 no member"
            ),
            pytest.param(
                {"organisation": organisation(membership="none")}, held(Reason.NOT_A_MEMBER), id="R23 never was one"
            ),
        ],
    )
    def test_must_be_known_and_a_member(self, known: dict[str, Any], expected: Outcome) -> None:
        assert outcome(judge(order_line(), context(**known))) == expected

    def test_a_membership_on_record_counts_before_the_register_does(self) -> None:
        active = Membership(record_id="m1", organisation_id=SCHOOL, status="active")
        given = context(active, organisation=organisation(membership="none"))
        assert outcome(judge(order_line(), given)) == ACCEPTED

    def test_s48_an_order_for_a_school_that_was_merged_goes_to_its_successor(self) -> None:
        given = context(
            organisation=organisation(operational_until=date(2026, 7, 31)),
            successor=organisation(SISTER, membership="none"),
            bindings={SISTER: (binding(SISTER),)},
        )
        judgement = judge(order_line(), given)
        assert outcome(judgement) == ACCEPTED
        assert judgement.holder_id == SISTER
        assert judgement.entries[0].holder_id == SISTER
        assert judgement.details == {"ordered_for": SCHOOL}

    @pytest.mark.parametrize(
        ("decisions", "expected"),
        [
            pytest.param((), held(Reason.SUPPLIER_APPROVAL_PENDING), id="S16 no decision yet"),
            pytest.param((decision("pending"),), held(Reason.SUPPLIER_APPROVAL_PENDING), id="S16 pending"),
            pytest.param((decision("approved"),), ACCEPTED, id="S16 approved"),
            pytest.param((decision("rejected"),), rejected(Reason.SUPPLIER_REJECTED), id="S16 rejected"),
            pytest.param(
                (decision("approved", "somebody else"),),
                held(Reason.SUPPLIER_APPROVAL_PENDING),
                id="S16 the approval of one supplier does not release orders of another",
            ),
        ],
    )
    def test_r24_a_supporting_institution_needs_its_supplier(
        self, decisions: tuple[SupplierDecision, ...], expected: Outcome
    ) -> None:
        assert outcome(judge(order_line(), supporting(*decisions))) == expected

    @pytest.mark.parametrize(
        ("processing", "expected", "warnings"),
        [
            pytest.param("refused", held(Reason.AGREEMENT_REFUSED), (), id="refused blocks"),
            pytest.param("absent", ACCEPTED, (Reason.AGREEMENT_ABSENT,), id="absent warns"),
            pytest.param("agreed", ACCEPTED, (), id="agreed"),
        ],
    )
    def test_r25_the_processing_agreement(
        self, processing: str, expected: Outcome, warnings: tuple[Reason, ...]
    ) -> None:
        judgement = judge(order_line(), context(agreement(processing=processing)))
        assert (outcome(judgement), judgement.warnings) == (expected, warnings)


class TestWhoActs:
    acting = organisation(BOARD)

    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            pytest.param((declaration(SCHOOL),), ACCEPTED, id="R19 a board for a participant"),
            pytest.param(
                (declaration(SISTER),),
                rejected(Reason.ACTOR_NOT_AUTHORISED),
                id="R19 a board for somebody else's school",
            ),
            pytest.param(
                (declaration(SCHOOL, revoked_on=TODAY),),
                rejected(Reason.ACTOR_NOT_AUTHORISED),
                id="R19 on the day of revocation it is over",
            ),
            pytest.param(
                (declaration(SCHOOL, revoked_on=TODAY + timedelta(days=1)),), ACCEPTED, id="R19 revoked tomorrow"
            ),
            pytest.param((), held(Reason.BOARD_DECLARATION_MISSING), id="R19 the declaration may be on its way"),
        ],
    )
    def test_a_board_acts_for_its_participants_while_the_declaration_is_in_force(
        self, records: tuple[Record, ...], expected: Outcome
    ) -> None:
        given = context(*records, acting=self.acting)
        assert outcome(judge(order_line(actor=BOARD), given)) == expected

    def test_another_school_may_not(self) -> None:
        given = context(acting=organisation(SISTER))
        assert outcome(judge(order_line(actor=SISTER), given)) == rejected(Reason.ACTOR_NOT_AUTHORISED)

    @pytest.mark.parametrize(
        ("until", "expected"),
        [
            pytest.param(TODAY, ACCEPTED, id="its last day"),
            pytest.param(TODAY - timedelta(days=1), rejected(Reason.ACTOR_NOT_AUTHORISED), id="the day after"),
        ],
    )
    def test_a_mandate_lets_a_third_party_act(self, until: date, expected: Outcome) -> None:
        mandate = Mandate(
            record_id="m1",
            organisation_id=SCHOOL,
            actor=SISTER,
            scope="order",
            valid_from=date(2026, 1, 1),
            valid_until=until,
        )
        given = context(mandate, acting=organisation(SISTER))
        assert outcome(judge(order_line(actor=SISTER), given)) == expected

    def test_the_school_itself_always_may(self) -> None:
        assert outcome(judge(order_line(actor=SCHOOL), context(acting=organisation()))) == ACCEPTED


class TestTheBoard:
    def test_s1_twelve_schools_in_one_tenant_are_one_part(self) -> None:
        schools = tuple(f"{number:02d}YY00" for number in range(12))
        judgement = judge(order_line(organisation_code=BOARD, quantity=310), board_context(schools=schools))
        assert outcome(judgement) == ACCEPTED
        (part,) = judgement.parts
        assert (part.tenant_id, part.wish.organisations, part.wish.seats_wanted) == (TENANT, schools, 310)
        assert [(e.holder_id, e.delta) for e in judgement.entries] == [(BOARD, 310)]

    def test_r14_a_school_that_does_not_take_part_is_not_touched(self) -> None:
        given = board_context(bindings={one: (binding(one),) for one in (SCHOOL, SISTER, THIRD)})
        (part,) = judge(order_line(organisation_code=BOARD), given).parts
        assert THIRD not in part.wish.organisations

    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            pytest.param((), held(Reason.BOARD_DECLARATION_MISSING), id="S15 no declaration"),
            pytest.param((declaration(SCHOOL, signed_on=TODAY),), ACCEPTED, id="S15 signed after the order was placed"),
            pytest.param(
                (declaration(SCHOOL, signed_on=TODAY + timedelta(days=1)),),
                held(Reason.BOARD_DECLARATION_MISSING),
                id="S15 signed tomorrow",
            ),
            pytest.param((declaration(),), held(Reason.ORGANISATION_NOT_PARTICIPANT), id="R14 nobody takes part"),
        ],
    )
    def test_r17_needs_its_declaration(self, records: tuple[Record, ...], expected: Outcome) -> None:
        given = context(
            *records,
            organisation=organisation(BOARD),
            placed_on=TODAY - timedelta(days=3),
            bindings={SCHOOL: (binding(),)},
        )
        assert outcome(judge(order_line(organisation_code=BOARD), given)) == expected

    @pytest.mark.parametrize(
        ("ordered", "declared", "warns"),
        [
            pytest.param(None, None, False, id="both empty: one invoice"),
            pytest.param("  ", None, False, id="blank is empty"),
            pytest.param("4711", "4711", False, id="the same number"),
            pytest.param("4711", None, True, id="S15 filled against an empty one"),
            pytest.param("4711", "4712", True, id="two numbers"),
            pytest.param(None, "4711", False, id="the declaration decides"),
        ],
    )
    def test_r18_a_reference_number_warns_only_where_it_conflicts(
        self, ordered: Any, declared: str | None, warns: bool
    ) -> None:
        given = context(
            declaration(SCHOOL, reference_number=declared),
            organisation=organisation(BOARD),
            bindings={SCHOOL: (binding(),)},
        )
        judgement = judge(order_line(organisation_code=BOARD, reference_number=ordered), given)
        assert outcome(judgement) == ACCEPTED
        assert (Reason.INVOICE_MODE_CONFLICT in judgement.warnings) is warns


class TestTheArticle:
    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            pytest.param("A1", held(Reason.SKU_AMBIGUOUS), id="S17 A1 may be three products"),
            pytest.param(" a3 ", held(Reason.SKU_AMBIGUOUS), id="S17 capitals and blanks do not make it clear"),
            pytest.param("NO-SUCH-ARTICLE", held(Reason.ARTICLE_UNKNOWN), id="unknown"),
            pytest.param("ms-bp-a3-med", ACCEPTED, id="capitals do not matter"),
            pytest.param(
                " E97C048C-37A4-45FB-AB50- 922FBF07A370\u00a0", held(Reason.STEP_UP_WITHOUT_BASE), id="S17 odd GUID"
            ),
            pytest.param(A3, held(Reason.SKU_AMBIGUOUS), id="S17 a GUID that three articles deliver"),
            pytest.param("0" * 8 + "-0000-4000-8000-" + "0" * 12, held(Reason.SKU_UNKNOWN), id="S17 unknown GUID"),
            pytest.param("MS-O365-A1PLUS-MED", held(Reason.ARTICLE_UNKNOWN), id="M11 A1 Plus is not sold any more"),
        ],
    )
    def test_is_found_or_never_guessed(self, code: str, expected: Outcome) -> None:
        assert outcome(judge(order_line(article_code=code), context())) == expected

    def test_a_retired_product_is_never_delivered_even_when_the_order_is_old(self) -> None:
        given = context(placed_on=date(2024, 7, 31))
        assert outcome(judge(order_line(article_code="MS-O365-A1PLUS-MED"), given)) == held(Reason.SKU_RETIRED)

    def test_the_candidates_are_told(self) -> None:
        judgement = judge(order_line(article_code="A1"), context())
        assert "MS-M365-A1-DEV" in judgement.details["candidates"].split()

    def test_r6_what_the_supplier_delivers_is_only_recorded(self) -> None:
        judgement = judge(order_line(article_code="DIGIBORD-SCHOOL", quantity=3), context())
        assert outcome(judgement) == (LineState.RECORDED_ONLY, Reason.NOT_PROVISIONABLE)
        assert (judgement.entries, judgement.parts) == ((), ())

    def test_s20_a_perpetual_server_licence_is_a_right_without_end_tenant_or_operation(self) -> None:
        judgement = judge(order_line(article_code="MS-WINSRV-STD", quantity=2), context(bindings={}))
        assert outcome(judgement) == (LineState.RECORDED_ONLY, Reason.NOT_PROVISIONABLE)
        (right,) = judgement.entries
        assert (right.delta, right.ends_on, right.tenant_id, right.sku_id) == (2, None, None, None)
        assert judgement.parts == ()

    def test_r5_a_perpetual_right_has_no_end_date(self) -> None:
        line = order_line(article_code="MS-WINSRV-STD", ends_on=YEAR_END)
        assert outcome(judge(line, context())) == rejected(Reason.TERM_INVALID)

    def test_s19_device_licences_wish_for_devices(self) -> None:
        judgement = judge(order_line(article_code="MS-M365-A1-DEV", quantity=30), context())
        assert outcome(judgement) == ACCEPTED
        assert judgement.parts[0].wish.audience is Audience.DEVICE
        assert judgement.entries[0].ends_on == date(2031, 12, 31)  # six licence years

    def test_r3_an_article_that_counts_users_for_devices_is_held(self) -> None:
        articles = tuple(
            msgspec.structs.replace(a, metric=Metric.USER) if a.code == "MS-M365-A1-DEV" else a
            for a in MAPPINGS.articles
        )
        given = context(mappings=msgspec.structs.replace(MAPPINGS, articles=articles))
        assert outcome(judge(order_line(article_code="MS-M365-A1-DEV"), given)) == held(Reason.METRIC_MISMATCH)


class TestQuantities:
    @pytest.mark.parametrize(
        ("total", "expected", "added"),
        [
            pytest.param(90, rejected(Reason.DECREASE_NOT_ALLOWED), (), id="S4 a lower total is a decrease"),
            pytest.param(100, (LineState.RECORDED_ONLY, Reason.ALREADY_HELD), (), id="the total that stands"),
            pytest.param(101, ACCEPTED, (1,), id="one more"),
        ],
    )
    def test_r8_a_total_is_compared_with_what_stands(
        self, total: int, expected: Outcome, added: tuple[int, ...]
    ) -> None:
        line = order_line(quantity=total, quantity_is_total=True)
        judgement = judge(line, context(entries=(entry(delta=92), entry(STAFF_MORE, 8))))
        assert outcome(judgement) == expected
        assert tuple(one.delta for one in judgement.entries) == added

    def test_s4_the_answer_names_the_number_and_the_end_date(self) -> None:
        judgement = judge(order_line(quantity=-10), context(entries=(entry(delta=100),)))
        assert judgement.details == {"entitlement": "100", "until": "2026-12-31"}

    @pytest.mark.parametrize(
        ("entries", "expected"),
        [
            pytest.param((), ACCEPTED, id="the first base"),
            pytest.param((entry(),), held(Reason.BASE_ORDERED_AGAIN), id="R9 while one runs"),
            pytest.param((entry(ends_on=date(2026, 8, 31)),), ACCEPTED, id="the old one ended yesterday"),
            pytest.param((entry(ends_on=TODAY),), held(Reason.BASE_ORDERED_AGAIN), id="it ends today"),
        ],
    )
    def test_r9_a_second_base_is_suspicious(self, entries: tuple[LedgerEntry, ...], expected: Outcome) -> None:
        assert outcome(judge(order_line(), context(entries=entries))) == expected

    def test_r1_a_site_licence_follows_the_registered_count(self) -> None:
        articles = tuple(
            msgspec.structs.replace(a, metric=Metric.SITE) if a.code == STAFF else a for a in MAPPINGS.articles
        )
        mappings = msgspec.structs.replace(MAPPINGS, articles=articles)
        site = order_line(quantity=1)
        assert outcome(judge(site, context(mappings=mappings))) == held(Reason.SCOPE_UNDECIDABLE)
        assert judge(site, context(count(SCHOOL, 37), mappings=mappings)).entries[0].delta == 37
        twice = order_line(quantity=2)
        assert outcome(judge(twice, context(count(SCHOOL, 37), mappings=mappings))) == held(Reason.METRIC_MISMATCH)

    @pytest.mark.parametrize(
        ("ordered", "staff", "duo", "warnings"),
        [
            pytest.param(60, 60, 60, (), id="all staff"),
            pytest.param(45, 60, None, (Reason.SEATS_INSUFFICIENT,), id="S8 fewer than there are staff"),
            pytest.param(60, 60, 61, (Reason.COUNT_BELOW_DUO,), id="P4 the count is below DUO's"),
        ],
    )
    def test_p4_p5_the_annual_count_warns(
        self, ordered: Any, staff: int, duo: int | None, warnings: tuple[Reason, ...]
    ) -> None:
        given = context(count(SCHOOL, staff, duo_staff=duo), agreement(processing="agreed"))
        judgement = judge(order_line(quantity=ordered), given)
        assert (outcome(judgement), judgement.warnings) == (ACCEPTED, warnings)

    def test_r7_the_same_product_in_another_form_is_held_for_the_term(self) -> None:
        other = next(a for a in MAPPINGS.articles if a.code == STAFF)
        school_form = msgspec.structs.replace(
            other, code=ArticleCode("MS-BP-A3-SCHOOL"), licence_form=LicenceForm.SCHOOL
        )
        mappings = msgspec.structs.replace(MAPPINGS, articles=(*MAPPINGS.articles, school_form))
        given = context(entries=(entry(),), mappings=mappings)
        line = order_line(article_code="MS-BP-A3-SCHOOL")
        assert outcome(judge(line, given)) == held(Reason.LICENCE_FORM_LOCKED)


class TestWhatRestsOnABase:
    @pytest.mark.parametrize(
        ("article", "reason"),
        [
            pytest.param(STAFF_MORE, Reason.EXTENSION_WITHOUT_BASE, id="R9 S14 an extension"),
            pytest.param(STEP_UP, Reason.STEP_UP_WITHOUT_BASE, id="P8 a step-up"),
            pytest.param(PHONE, Reason.BASE_PACKAGE_REQUIRED, id="P9 an additional product"),
            pytest.param(STAFF_AGAIN, Reason.EXTENSION_WITHOUT_BASE, id="R12 a renewal of nothing"),
        ],
    )
    def test_waits_for_it(self, article: str, reason: Reason) -> None:
        assert outcome(judge(order_line(article_code=article), context())) == held(reason)

    @pytest.mark.parametrize("article", [STAFF_MORE, STEP_UP, PHONE])
    def test_s3_takes_over_its_end_date(self, article: str) -> None:
        line = order_line(article_code=article, quantity=8, ends_on=date(2027, 6, 30))
        judgement = judge(line, context(entries=(entry(ends_on=date(2026, 12, 31)),)))
        assert outcome(judgement) == ACCEPTED
        assert (judgement.entries[0].delta, judgement.entries[0].ends_on) == (8, date(2026, 12, 31))

    def test_an_ended_base_is_none(self) -> None:
        given = context(entries=(entry(ends_on=date(2026, 8, 31)),))
        assert outcome(judge(order_line(article_code=STAFF_MORE), given)) == held(Reason.EXTENSION_WITHOUT_BASE)

    def test_a_base_that_starts_later_can_be_extended_and_starts_the_extension(self) -> None:
        later = entry(effective_on=date(2027, 1, 1), ends_on=date(2027, 12, 31))
        judgement = judge(order_line(article_code=STAFF_MORE), context(entries=(later,)))
        assert judgement.entries[0].effective_on == date(2027, 1, 1)
        assert judgement.parts[0].wish.starts_on == date(2027, 1, 1)

    @pytest.mark.parametrize(
        ("base", "stepped", "ordered", "expected"),
        [
            pytest.param(40, 0, 50, held(Reason.STEP_UP_WITHOUT_BASE), id="S6 50 on 40"),
            pytest.param(50, 0, 50, ACCEPTED, id="S6 50 on 50"),
            pytest.param(50, 1, 50, held(Reason.STEP_UP_WITHOUT_BASE), id="P8 earlier step-ups count"),
        ],
    )
    def test_p8_never_more_step_ups_than_base(self, base: int, stepped: int, ordered: Any, expected: Outcome) -> None:
        entries = (entry(delta=base), entry(STEP_UP, stepped, cause=LedgerCause.STEP_UP))
        judgement = judge(order_line(article_code=STEP_UP, quantity=ordered), context(entries=entries))
        assert outcome(judgement) == expected

    def test_s6_extensions_of_the_base_count(self) -> None:
        entries = (entry(delta=40), entry(STAFF_MORE, 10))
        judgement = judge(order_line(article_code=STEP_UP, quantity=50), context(entries=entries))
        assert outcome(judgement) == ACCEPTED
        assert judgement.entries[0].cause is LedgerCause.STEP_UP
        assert judgement.parts[0].wish.replaces == {A3}

    def test_s35_a_renewal_follows_on_the_base(self) -> None:
        judgement = judge(order_line(article_code=STAFF_AGAIN, quantity=60), context(entries=(entry(),)))
        (renewed,) = judgement.entries
        assert (renewed.effective_on, renewed.ends_on, renewed.cause) == (
            date(2027, 1, 1),
            date(2027, 12, 31),
            LedgerCause.RENEWAL,
        )


class TestUseBenefit:
    @pytest.mark.parametrize(
        ("staff", "pupils", "expected"),
        [
            pytest.param(60, 900, ACCEPTED, id="S7 900 pupils on 60 staff"),
            pytest.param(60, 2400, ACCEPTED, id="M10 exactly forty each"),
            pytest.param(60, 2401, held(Reason.SUB_RATIO_EXCEEDED), id="M10 one more"),
        ],
    )
    def test_m10_free_pupil_licences_are_bounded_by_paid_staff_licences(
        self, staff: int, pupils: int, expected: Outcome
    ) -> None:
        line = order_line(article_code=PUPILS, quantity=pupils, unit_price_cents=0)
        assert outcome(judge(line, context(entries=(entry(delta=staff),)))) == expected

    def test_step_ups_are_no_extra_staff(self) -> None:
        entries = (entry(delta=60), entry(STEP_UP, 60, cause=LedgerCause.STEP_UP))
        line = order_line(article_code=PUPILS, quantity=2401)
        assert outcome(judge(line, context(entries=entries))) == held(Reason.SUB_RATIO_EXCEEDED)

    def test_pupils_get_a_pupil_product_in_a_lane_of_its_own_audience(self) -> None:
        (part,) = judge(order_line(article_code=PUPILS, quantity=900), context(entries=(entry(delta=60),))).parts
        assert part.wish.audience is Audience.STUDENT

    def test_a_released_line_passes_with_a_warning(self) -> None:
        line = order_line(article_code=PUPILS, quantity=3000, released_by=OPERATOR)
        judgement = judge(line, context(entries=(entry(delta=60),)))
        assert outcome(judgement) == ACCEPTED
        assert Reason.SUB_RATIO_EXCEEDED in judgement.warnings


class TestNamedLicences:
    five = tuple(f"teacher{number}@school.example" for number in range(5))

    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            pytest.param((), held(Reason.NAMED_LIST_MISSING), id="R2 no list"),
            pytest.param(five, ACCEPTED, id="S18 five for five"),
            pytest.param((*five, "six@school.example"), held(Reason.NAMED_LIST_SIZE), id="S18 six for five"),
            pytest.param((*five[:4], five[0].upper()), held(Reason.NAMED_LIST_SIZE), id="the same person twice"),
        ],
    )
    def test_r2_need_as_many_names_as_seats(self, names: tuple[str, ...], expected: Outcome) -> None:
        line = order_line(article_code=NAMED, quantity=5, subjects=names)
        assert outcome(judge(line, context())) == expected

    def test_names_never_leave_the_line(self) -> None:
        judgement = judge(order_line(article_code=NAMED, quantity=5, subjects=self.five), context())
        assert b"@" not in msgspec.json.encode(judgement)


class TestDuplicates:
    other = shop_line(9).key

    def test_s13_the_same_wish_under_another_id_is_held_and_named(self) -> None:
        judgement = judge(order_line(), context(similar=(self.other,)))
        assert outcome(judgement) == held(Reason.DUPLICATE_ORDER_SUSPECTED)
        assert judgement.details == {"similar": "shop/1009/1"}

    def test_s13_an_operator_may_release_it(self) -> None:
        released = order_line(released_by=OPERATOR)
        assert outcome(judge(released, context(similar=(self.other,)))) == ACCEPTED

    def test_what_can_be_released_are_suspicions_only(self) -> None:
        assert Reason.NOT_A_MEMBER not in RELEASABLE
        assert {Reason.DUPLICATE_ORDER_SUSPECTED, Reason.BASE_ORDERED_AGAIN} <= RELEASABLE


class TestTheTenant:
    @pytest.mark.parametrize(
        ("hint", "hinted", "bindings", "expected"),
        [
            pytest.param(None, None, {}, held(Reason.TENANT_NOT_BOUND), id="no binding"),
            pytest.param(
                None,
                None,
                {SCHOOL: (binding(is_confirmed=False),)},
                held(Reason.BINDING_UNCONFIRMED),
                id="a binding that nobody confirmed",
            ),
            pytest.param("school.example", tenant(), {SCHOOL: (binding(),)}, ACCEPTED, id="the hint agrees"),
            pytest.param(
                "sister.example",
                tenant(OTHER_TENANT, "sister.example"),
                {SCHOOL: (binding(),)},
                held(Reason.TENANT_MISMATCH),
                id="S12 the domain of a sister school",
            ),
            pytest.param(
                "scool.example", None, {SCHOOL: (binding(),)}, held(Reason.TENANT_UNKNOWN), id="S12 a typing error"
            ),
            pytest.param(
                "school.example",
                tenant(),
                {},
                held(Reason.TENANT_NOT_BOUND),
                id="S12 a stranger's domain never gets any",
            ),
        ],
    )
    def test_s12_is_that_of_a_confirmed_binding_and_of_the_hint(
        self,
        hint: str | None,
        hinted: Tenant | None,
        bindings: dict[OrganisationId, tuple[Binding, ...]],
        expected: Outcome,
    ) -> None:
        line = order_line(tenant_hint=hint)
        assert outcome(judge(line, context(hinted=hinted, bindings=bindings))) == expected

    def test_s12_both_candidates_are_told(self) -> None:
        given = context(hinted=tenant(OTHER_TENANT, "sister.example"))
        judgement = judge(order_line(tenant_hint="sister.example"), given)
        assert judgement.details == {"hinted": OTHER_TENANT, "bound": TENANT}

    def test_of_a_hint_with_a_person_in_it_only_the_domain_is_told(self) -> None:
        judgement = judge(order_line(tenant_hint="Head@School.example"), context())
        assert judgement.details["hinted"] == "school.example"

    @pytest.mark.parametrize(
        ("hinted", "expected"),
        [
            pytest.param(None, TENANT, id="the steady one"),
            pytest.param(tenant(OTHER_TENANT), OTHER_TENANT, id="the hinted"),
        ],
    )
    def test_in_a_transition_the_hint_chooses(self, hinted: Tenant | None, expected: Outcome) -> None:
        two = (binding(), binding(tenant=OTHER_TENANT, is_transition=True, valid_from=date(2026, 8, 1)))
        line = order_line(tenant_hint=hinted and hinted.verified_domains[0])
        (part,) = judge(line, context(hinted=hinted, bindings={SCHOOL: two})).parts
        assert part.tenant_id == expected


TWO_TENANTS = {SCHOOL: (binding(),), SISTER: (binding(SISTER, OTHER_TENANT),)}


class TestSeveralTenants:
    def test_s2_each_tenant_gets_its_part_by_the_annual_counts(self) -> None:
        given = board_context(count(SCHOOL, 20), count(SISTER, 10), bindings=TWO_TENANTS)
        judgement = judge(order_line(organisation_code=BOARD, quantity=31), given)
        assert {part.tenant_id: part.wish.seats_wanted for part in judgement.parts} == {TENANT: 21, OTHER_TENANT: 10}
        assert {one.tenant_id: one.delta for one in judgement.entries} == {TENANT: 21, OTHER_TENANT: 10}

    def test_without_counts_the_parts_cannot_be_told(self) -> None:
        given = board_context(count(SCHOOL, 20), bindings=TWO_TENANTS)
        assert outcome(judge(order_line(organisation_code=BOARD), given)) == held(Reason.SCOPE_UNDECIDABLE)

    @pytest.mark.parametrize(
        ("licences", "unserved"),
        [
            pytest.param((), set(), id="none known: nothing to check"),
            pytest.param((licence(1),), {OTHER_TENANT}, id="R16 one for two tenants"),
            pytest.param((licence(1, tenant_id=OTHER_TENANT),), {TENANT}, id="R16 the other one has it"),
            pytest.param((licence(1), licence(2)), set(), id="one each"),
            pytest.param((licence(1), licence(2, SISTER, OTHER_TENANT)), set(), id="a school brings its own"),
        ],
    )
    def test_r16_the_part_without_a_license_id_is_held_and_the_others_run(
        self, licences: tuple[VolumeLicence, ...], unserved: set[TenantId]
    ) -> None:
        given = board_context(count(SCHOOL, 20), count(SISTER, 10), *licences, bindings=TWO_TENANTS)
        judgement = judge(order_line(organisation_code=BOARD, quantity=30), given)
        assert outcome(judgement) == ACCEPTED
        assert {p.tenant_id for p in judgement.parts if p.held is Reason.ONE_LICENSE_ID_MANY_TENANTS} == unserved

    def test_schools_without_a_binding_are_covered_by_the_boards_own(self) -> None:
        given = board_context(bindings={BOARD: (binding(BOARD),), SCHOOL: (binding(),), SISTER: ()})
        (part,) = judge(order_line(organisation_code=BOARD), given).parts
        assert part.wish.organisations == (BOARD, SCHOOL)

    def test_a_school_without_any_binding_holds_the_line_and_is_named(self) -> None:
        judgement = judge(
            order_line(organisation_code=BOARD), board_context(bindings={SCHOOL: (binding(),), SISTER: ()})
        )
        assert outcome(judgement) == held(Reason.TENANT_NOT_BOUND)
        assert judgement.details == {"organisations": SISTER}


class TestTheWish:
    def test_says_everything_that_the_delivery_needs(self) -> None:
        line = order_line(quantity=25, starts_on=date(2026, 10, 1))
        (part,) = judge(line, context()).parts
        article = next(a for a in MAPPINGS.articles if a.code == STAFF)
        wish = part.wish
        assert (wish.sku_id, wish.replaces, wish.article_code) == (article.sku_id, article.replaces, STAFF)
        assert (wish.holder_id, wish.organisations, wish.seats_wanted) == (SCHOOL, (SCHOOL,), 25)
        assert (wish.line, wish.starts_on) == (line.shop.key, date(2026, 10, 1))
        assert wish.mapping_digest == row_digest(article, MAPPINGS)

    def test_a_base_lasts_until_the_end_of_its_licence_year(self) -> None:
        assert judge(order_line(), context()).entries[0].ends_on == YEAR_END


class TestAfterAcceptance:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            pytest.param("cancelled", Reason.CANCELLATION_NOT_ALLOWED, id="R10 an agreement cannot be cancelled"),
            pytest.param("placed", Reason.LINE_CHANGED, id="another change"),
        ],
    )
    def test_the_answer_names_the_rule(self, status: str, expected: Outcome) -> None:
        assert after_acceptance(shop_line(status=status)) is expected


def test_an_organisation_kind_that_supports_needs_its_supplier_too() -> None:
    given = context(organisation=organisation(kind=OrganisationKind.SUPPORTING_INSTITUTION))
    assert outcome(judge(order_line(), given)) == held(Reason.SUPPLIER_APPROVAL_PENDING)


def test_the_moment_of_the_order_is_read_in_dutch_days() -> None:
    late = datetime(2026, 8, 31, 22, 30, tzinfo=UTC)  # half past midnight on the first of September in Amsterdam
    assert outcome(judge(order_line(placed_at=late), context())) == ACCEPTED
