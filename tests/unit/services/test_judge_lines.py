"""Held lines are judged again when what they wait for arrives, in whatever order everything comes."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.ids import SkuId, TenantId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.reasons import Reason
from provisioning.domain.records import (
    Agreement,
    AnnualCount,
    Declaration,
    Membership,
    Record,
    RelationRecord,
    SupplierDecision,
)
from provisioning.domain.tenancy import RelationKind
from tests.factories.trade import (
    BOARD,
    OTHER_TENANT,
    PHONE,
    PUPILS,
    SCHOOL,
    SISTER,
    STAFF,
    STAFF_MORE,
    STEP_UP,
    TENANT,
    binding,
    count,
    declaration,
    licence,
    organisation,
    sku_of,
    tenant,
)
from tests.unit.services.trade import OPERATOR, Trade

ELSEWHERE = TenantId("33333333-3333-4333-8333-333333333333")
ACCEPTED = (LineState.ACCEPTED, None)


@pytest.fixture
def trade() -> Trade:
    return Trade()


class TestS14OutOfOrder:
    @pytest.mark.parametrize(
        ("article", "reason"),
        [
            (STAFF_MORE, Reason.EXTENSION_WITHOUT_BASE),
            (STEP_UP, Reason.STEP_UP_WITHOUT_BASE),
            (PHONE, Reason.BASE_PACKAGE_REQUIRED),
            (PUPILS, Reason.SUB_RATIO_EXCEEDED),
        ],
    )
    def test_what_needs_a_base_waits_and_goes_on_when_it_arrives(
        self, trade: Trade, article: str, reason: Reason
    ) -> None:
        early = trade.order(1, article_code=article, quantity=5)
        assert trade.state_of(early) == (LineState.HELD, reason)
        trade.order(2, article_code=STAFF, quantity=40)
        assert trade.state_of(early) == ACCEPTED
        assert len(trade.world.operations) == 2

    def test_a_chain_of_waits_resolves_to_the_end(self, trade: Trade) -> None:
        step_up = trade.order(1, article_code=STEP_UP, quantity=50)
        more = trade.order(2, article_code=STAFF_MORE, quantity=10)
        trade.order(3, article_code=STAFF, quantity=40)
        assert trade.state_of(more) == trade.state_of(step_up) == ACCEPTED

    def test_the_base_of_another_customer_cures_nothing(self, trade: Trade) -> None:
        trade.world.organisations[SISTER] = organisation(SISTER)
        trade.world.bindings.append(binding(SISTER))
        early = trade.order(1, article_code=STAFF_MORE)
        trade.order(2, organisation_code=SISTER)
        assert trade.state_of(early) == (LineState.HELD, Reason.EXTENSION_WITHOUT_BASE)


class TestRecordsCure:
    def imported(self, trade: Trade, *records: Record) -> int:
        return trade.import_records(OPERATOR, records).lines

    def test_s16_the_suppliers_word_releases_or_rejects(self, trade: Trade) -> None:
        trade.world.organisations[SCHOOL] = organisation(eligibility="supporting_institution")
        key = trade.order()
        assert trade.state_of(key) == (LineState.HELD, Reason.SUPPLIER_APPROVAL_PENDING)
        self.imported(trade, supplier("somebody", "approved"))
        assert trade.state_of(key) == (LineState.HELD, Reason.SUPPLIER_APPROVAL_PENDING)
        self.imported(trade, supplier("microsoft", "rejected"))
        assert trade.state_of(key) == (LineState.REJECTED, Reason.SUPPLIER_REJECTED)
        assert trade.world.topics() == ["order_rejected"]

    def test_s15_orders_wait_for_the_declaration_and_go_in_order_of_arrival(self, trade: Trade) -> None:
        trade.world.organisations[BOARD] = organisation(BOARD)
        first = trade.order(1, organisation_code=BOARD, article_code="MS-APPS-MED")
        trade.later(minutes=1)
        second = trade.order(2, organisation_code=BOARD, article_code="MS-APPS-MED")
        assert trade.state_of(first) == (LineState.HELD, Reason.BOARD_DECLARATION_MISSING)
        assert self.imported(trade, declaration(SCHOOL)) == 2
        assert trade.state_of(first) == ACCEPTED
        assert trade.state_of(second) == (LineState.HELD, Reason.DUPLICATE_ORDER_SUSPECTED)

    def test_a_membership_cures_and_is_written_at_the_organisation(self, trade: Trade) -> None:
        trade.world.organisations[SCHOOL] = organisation(membership="none")
        key = trade.order()
        assert trade.world.topics() == ["order_held"]
        self.imported(trade, Membership(record_id="m1", organisation_id=SCHOOL, status="active"))
        assert trade.state_of(key) == ACCEPTED
        assert trade.world.organisations[SCHOOL].membership == "active"

    def test_s48_a_succession_cures_an_order_for_the_old_code(self, trade: Trade) -> None:
        trade.world.organisations[SCHOOL] = organisation(operational_until=date(2026, 7, 31))
        trade.world.organisations[SISTER] = organisation(SISTER)
        trade.world.bindings.append(binding(SISTER))
        key = trade.order()
        assert trade.state_of(key) == (LineState.HELD, Reason.ORGANISATION_UNKNOWN)
        self.imported(trade, succession())
        assert trade.state_of(key) == ACCEPTED
        assert [entry.holder_id for entry in trade.world.ledger] == [SISTER]
        assert "order_redirected" in trade.world.topics()

    def test_the_same_records_again_have_no_effect(self, trade: Trade) -> None:
        record = Membership(record_id="m1", organisation_id=SCHOOL, status="active")
        assert trade.import_records(OPERATOR, [record]).changed == 1
        assert trade.import_records(OPERATOR, [record]).changed == 0


class TestBindingsCure:
    def test_a_confirmed_binding_lets_the_schools_line_go_on(self, trade: Trade) -> None:
        trade.world.bindings = [binding(is_confirmed=False)]
        key = trade.order()
        assert trade.state_of(key) == (LineState.HELD, Reason.BINDING_UNCONFIRMED)
        trade.world.bindings = [binding()]
        assert trade.judge.binding_arrived(SCHOOL) == 1
        assert trade.state_of(key) == ACCEPTED

    def test_and_the_line_of_the_board_above(self, trade: Trade) -> None:
        trade.world.organisations[BOARD] = organisation(BOARD)
        trade.world.bindings = [binding(is_confirmed=False)]
        relation = RelationRecord(
            record_id="r1",
            organisation_id=SCHOOL,
            parent_id=BOARD,
            relation=RelationKind.PARTICIPATES,
            valid_from=date(2026, 1, 1),
        )
        trade.import_records(OPERATOR, [declaration(SCHOOL), relation])
        key = trade.order(organisation_code=BOARD)
        trade.world.bindings = [binding()]
        trade.judge.binding_arrived(SCHOOL)
        assert trade.state_of(key) == ACCEPTED


class TestS2PartsOfABoardOrder:
    def board_order(self, trade: Trade) -> None:
        trade.world.organisations |= {BOARD: organisation(BOARD), SISTER: organisation(SISTER)}
        trade.world.tenants[OTHER_TENANT] = tenant(OTHER_TENANT, "sister.example")
        trade.world.bindings = [binding(), binding(SISTER, OTHER_TENANT)]
        records = [declaration(SCHOOL, SISTER), count(SCHOOL, 20), count(SISTER, 10), licence(1)]
        trade.import_records(OPERATOR, records)
        trade.order(organisation_code=BOARD, quantity=30)

    def states(self, trade: Trade) -> dict[str, OperationState]:
        return {operation.tenant_id: operation.state for operation in trade.world.operations.values()}

    def test_the_part_without_a_license_id_is_held_and_the_other_runs(self, trade: Trade) -> None:
        self.board_order(trade)
        assert self.states(trade) == {TENANT: OperationState.NEW, OTHER_TENANT: OperationState.HELD}
        assert len(trade.dispatcher.sent) == 1

    def test_a_license_id_of_its_own_sets_the_held_part_free(self, trade: Trade) -> None:
        self.board_order(trade)
        assert trade.import_records(OPERATOR, [licence(2)]).parts == 1
        assert self.states(trade) == {TENANT: OperationState.NEW, OTHER_TENANT: OperationState.NEW}
        assert len(trade.dispatcher.sent) == 2

    def test_one_that_lives_elsewhere_sets_nothing_free(self, trade: Trade) -> None:
        self.board_order(trade)
        assert trade.import_records(OPERATOR, [licence(2, tenant_id=ELSEWHERE)]).parts == 0

    def test_one_for_the_running_part_leaves_the_unmapped_one_for_the_other(self, trade: Trade) -> None:
        self.board_order(trade)
        assert trade.import_records(OPERATOR, [licence(2, tenant_id=TENANT)]).parts == 1


def supplier(name: str, word: str) -> SupplierDecision:
    return SupplierDecision(record_id=f"s-{name}", organisation_id=SCHOOL, supplier=name, decision=word)


def succession() -> RelationRecord:
    return RelationRecord(
        record_id="r1",
        organisation_id=SCHOOL,
        parent_id=SISTER,
        relation=RelationKind.SUCCEEDED_BY,
        valid_from=date(2026, 8, 1),
    )


# ── records and orders in random order ───────────────────────────────────────────────────────────────────

RECORDS: list[Record] = [
    Membership(record_id="m1", organisation_id=SCHOOL, status="active", eligibility="supporting_institution"),
    Membership(record_id="m2", organisation_id=BOARD, status="active"),
    supplier("microsoft", "approved"),
    Declaration(record_id="d1", organisation_id=BOARD, signed_on=date(2026, 1, 1), participants=(SCHOOL, SISTER)),
    Agreement(
        record_id="a1",
        organisation_id=SCHOOL,
        supplier="microsoft",
        licence_form="group",
        starts_on=date(2026, 1, 1),
        processing="agreed",
    ),
    AnnualCount(record_id="c1", organisation_id=SCHOOL, licence_year=2026, staff=20, pupils=200),
    AnnualCount(record_id="c2", organisation_id=SISTER, licence_year=2026, staff=10, pupils=100),
]
ORDERS: list[dict[str, Any]] = [
    {"number": 1, "article_code": STAFF, "quantity": 40},
    {"number": 2, "article_code": STAFF_MORE, "quantity": 10},
    {"number": 3, "article_code": STEP_UP, "quantity": 50},
    {"number": 4, "article_code": PHONE, "quantity": 3},
    {"number": 5, "article_code": PUPILS, "quantity": 900, "unit_price_cents": 0},
    {"number": 6, "article_code": "MS-APPS-MED", "quantity": 30, "organisation_code": BOARD},
    {"number": 7, "article_code": "A3", "quantity": 1},
    {"number": 8, "article_code": STAFF, "quantity": -5},
]


def play(news: list[Any]) -> tuple[dict[str, Any], list[Any]]:
    """Everything arrives in this order; the end: the state of each line, and the ledger without its order."""
    trade = Trade()
    trade.world.organisations = {
        SCHOOL: organisation(membership="none"),
        SISTER: organisation(SISTER),
        BOARD: organisation(BOARD, membership="none"),
    }
    trade.world.tenants[OTHER_TENANT] = tenant(OTHER_TENANT, "sister.example")
    trade.world.bindings = [binding(), binding(SISTER, OTHER_TENANT)]
    for one in news:
        if isinstance(one, dict):
            trade.order(**one)
        else:
            trade.import_records(OPERATOR, [one])
    states = {str(key): trade.state_of(key) for key in sorted(trade.world.lines)}
    ledger = sorted((e.cause_ref, str(e.tenant_id), e.delta, str(e.ends_on)) for e in trade.world.ledger)
    return states, ledger


class TestRandomOrder:
    expected = play([*RECORDS, *ORDERS])

    def test_the_straight_order_delivers_all_that_can_be(self) -> None:
        states, ledger = self.expected
        accepted = [key for key, state in states.items() if state == ACCEPTED]
        assert len(accepted) == 6
        assert sum(delta for _, _, delta, _ in ledger) == 40 + 10 + 50 + 3 + 900 + 30

    @settings(max_examples=40, deadline=None)
    @given(st.permutations([*RECORDS, *ORDERS]))
    def test_every_other_order_ends_the_same(self, news: list[Any]) -> None:
        assert play(news) == self.expected


class TestWhoAsked:
    """Whoever asked may not approve (four eyes): a person who submitted the order is on record as its requester."""

    @pytest.mark.parametrize(
        ("reference", "requester"),
        [
            pytest.param("person:duty", "person:duty", id="one of our own people"),
            pytest.param("ticket 12", "system", id="a school's own reference is nobody of ours"),
            pytest.param(None, "system", id="nobody in particular"),
        ],
    )
    def test_the_operation_says_so(self, trade: Trade, reference: str | None, requester: str) -> None:
        trade.place(requester_reference=reference)
        trade.collect()
        (operation,) = trade.world.operations.values()
        assert operation.requested_by == requester


class TestWhatStoodThereBefore:
    """A delivery is what comes on top of it: see decision 0024."""

    @pytest.mark.parametrize(
        ("looked", "expected"),
        [
            pytest.param(timedelta(hours=-1), 30, id="an hour before the order"),
            pytest.param(timedelta(0), 30, id="at the same moment"),
            pytest.param(timedelta(seconds=1), None, id="a look after it may have seen its seats"),
            pytest.param(None, None, id="nobody looked"),
        ],
    )
    def test_is_on_the_wish(self, trade: Trade, looked: timedelta | None, expected: int | None) -> None:
        if looked is not None:
            trade.world.baselines[TENANT, sku_of(STAFF), trade.clock.now() + looked] = 30
        trade.place()
        trade.later(hours=1)
        trade.collect()
        (operation,) = trade.world.operations.values()
        assert operation.wish.seats_before == expected

    def test_of_another_product_or_tenant_is_not(self, trade: Trade) -> None:
        earlier = trade.clock.now() - timedelta(days=1)
        trade.world.baselines |= {(OTHER_TENANT, sku_of(STAFF), earlier): 30, (TENANT, SkuId("another"), earlier): 30}
        trade.order()
        (operation,) = trade.world.operations.values()
        assert operation.wish.seats_before is None


class TestRulesThatAreNotInForce:
    RECEIVED = (LineState.RECEIVED, None)

    @pytest.mark.parametrize("kind", ConfigurationKind)
    def test_a_new_line_stays_received_and_is_judged_once_they_are(self, trade: Trade, kind: ConfigurationKind) -> None:
        trade.unapproved = {kind}
        key = trade.order()
        assert trade.state_of(key) == self.RECEIVED
        assert trade.world.operations == {}
        trade.unapproved.clear()
        trade.collect()
        assert trade.state_of(key) == ACCEPTED

    def test_what_may_be_cured_meanwhile_is_as_good_as_new_and_never_forgotten(self, trade: Trade) -> None:
        trade.world.organisations[SCHOOL] = organisation(eligibility="supporting_institution")
        key = trade.order()
        assert trade.state_of(key) == (LineState.HELD, Reason.SUPPLIER_APPROVAL_PENDING)
        trade.unapproved = {ConfigurationKind.MAPPINGS}
        done = trade.import_records(OPERATOR, [supplier("microsoft", "approved")])
        assert (done.lines, trade.state_of(key)) == (0, self.RECEIVED)
        assert trade.world.events[-1].reason == Reason.CONFIGURATION_UNAPPROVED
        trade.unapproved.clear()
        trade.collect()
        assert trade.state_of(key) == ACCEPTED

    def test_the_nightly_round_leaves_held_lines_as_they_are(self, trade: Trade) -> None:
        key = trade.order(article_code=STAFF_MORE)
        trade.unapproved = {ConfigurationKind.MAPPINGS}
        trade.compare()
        assert trade.state_of(key) == (LineState.HELD, Reason.EXTENSION_WITHOUT_BASE)
