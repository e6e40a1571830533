from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import InputError, TransitionError
from provisioning.domain.lifecycle import LINE_TRANSITIONS, LineState
from provisioning.domain.order import LedgerCause, ShopLine
from provisioning.domain.reasons import Reason
from tests.factories import NOW, TODAY, orders
from tests.factories.operations import A3

A_DAY = timedelta(days=1)
LATER = NOW + A_DAY


def received(uow: SqlUnitOfWork, **fields: Any) -> ShopLine:
    shop = orders.shop_line(**fields)
    uow.orders.receive(shop, NOW)
    return shop


class TestReceiving:
    @pytest.mark.parametrize("quantity", [10, 0, -3, "ten", "2.5", "", "1234567890123456789012"])
    def test_a_line_comes_back_as_the_shop_wrote_it(self, uow: SqlUnitOfWork, quantity: int | str) -> None:
        shop = received(uow, quantity=quantity, starts_on=TODAY, unit_price_cents=1250, tenant_hint="school.example")
        line = uow.orders.find(shop.key)
        assert line.shop == shop
        assert (line.state, line.received_at, line.reason) == (LineState.RECEIVED, NOW, None)

    def test_only_the_first_collector_takes_it(self, uow: SqlUnitOfWork) -> None:
        shop = orders.shop_line()
        assert uow.orders.receive(shop, NOW)
        assert not uow.orders.receive(shop, NOW)

    def test_the_people_it_names_rest_in_one_place_only(self, uow: SqlUnitOfWork) -> None:
        shop = received(uow, subjects=("b@school.example", "a@school.example"))
        assert uow.references.unresolved(shop.key) == ["b@school.example", "a@school.example"]
        assert uow.orders.find(shop.key).shop.subjects == ("b@school.example", "a@school.example")
        uow.references.purge(LATER)
        assert uow.orders.find(shop.key).shop.subjects == ()

    def test_a_correction_replaces_columns_and_people(self, uow: SqlUnitOfWork) -> None:
        shop = received(uow, subjects=("a@school.example",))
        corrected = msgspec.structs.replace(shop, quantity=3, subjects=("c@school.example",), digest="new")
        uow.orders.replace_shop(corrected)
        assert uow.orders.find(shop.key).shop == corrected

    def test_a_correction_of_nothing_is_an_error(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(InputError, match="There is no order line"):
            uow.orders.replace_shop(orders.shop_line())

    def test_a_late_change_is_noted_and_moves_nothing(self, uow: SqlUnitOfWork) -> None:
        shop = received(uow)
        uow.orders.set_state(shop.key, LineState.ACCEPTED, None, NOW, warnings=[Reason.AGREEMENT_ABSENT])
        late = msgspec.structs.replace(shop, status="cancelled", quantity=99, digest="late")
        uow.orders.note_late_change(late, Reason.CANCELLATION_NOT_ALLOWED)
        uow.orders.note_late_change(late, Reason.CANCELLATION_NOT_ALLOWED)
        line = uow.orders.find(shop.key)
        assert (line.shop.status, line.shop.digest, line.shop.quantity) == ("cancelled", "late", 10)
        assert line.warnings == (Reason.AGREEMENT_ABSENT, Reason.CANCELLATION_NOT_ALLOWED)
        assert line.state is LineState.ACCEPTED


class TestStates:
    def test_every_transition_of_the_table_and_no_other_is_made(self, uow: SqlUnitOfWork) -> None:
        for source in LineState:
            for target in LineState:
                shop = received(uow)
                for step in _way_to(source):
                    uow.orders.set_state(shop.key, step, _reason(step), NOW)
                if target in {source, *LINE_TRANSITIONS[source]}:
                    uow.orders.set_state(shop.key, target, _reason(target), NOW)
                    assert uow.orders.find(shop.key).state is target
                else:
                    with pytest.raises(TransitionError, match=f"from {source} to {target}"):
                        uow.orders.set_state(shop.key, target, _reason(target), NOW)

    def test_held_for_another_reason_is_held_since_the_first(self, uow: SqlUnitOfWork) -> None:
        shop = received(uow)
        uow.orders.set_state(shop.key, LineState.HELD, Reason.SKU_UNKNOWN, NOW)
        uow.orders.set_state(shop.key, LineState.HELD, Reason.TENANT_UNKNOWN, LATER)
        line = uow.orders.find(shop.key)
        assert (line.reason, line.held_since, line.judged_at) == (Reason.TENANT_UNKNOWN, NOW, LATER)

    def test_who_let_it_pass_stays_known(self, uow: SqlUnitOfWork) -> None:
        shop = received(uow)
        uow.orders.set_state(shop.key, LineState.HELD, Reason.SKU_UNKNOWN, NOW, released_by="person:operator")
        uow.orders.set_state(shop.key, LineState.ACCEPTED, None, NOW)
        line = uow.orders.find(shop.key)
        assert (line.released_by, line.held_since) == ("person:operator", None)

    def test_of_no_line_is_an_error(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(InputError, match="There is no order line"):
            uow.orders.set_state(orders.line_key(), LineState.ACCEPTED, None, NOW)


class TestLists:
    def test_open_keys_leave_out_what_has_ended(self, uow: SqlUnitOfWork) -> None:
        lines = {state: received(uow).key for state in LineState}
        for state, key in lines.items():
            for step in _way_to(state):
                uow.orders.set_state(key, step, _reason(step), NOW)
        is_open = {state for state, following in LINE_TRANSITIONS.items() if following}
        assert uow.orders.open_keys("shop") == {key for state, key in lines.items() if state in is_open}
        assert uow.orders.open_keys("another shop") == set()

    def test_digests_are_bounded_by_the_change_at_the_shop(self, uow: SqlUnitOfWork) -> None:
        old = received(uow, changed_at=NOW - A_DAY)
        new = received(uow, changed_at=NOW)
        assert uow.orders.digests("shop", NOW) == {new.key: new.digest}
        assert uow.orders.digests("shop", None) == {old.key: old.digest, new.key: new.digest}

    def test_held_lines_of_a_customer_come_oldest_first(self, uow: SqlUnitOfWork) -> None:
        second, first, other = received(uow), received(uow), received(uow, organisation_code="42000")
        uow.orders.set_state(first.key, LineState.HELD, Reason.SKU_UNKNOWN, NOW)
        uow.orders.set_state(second.key, LineState.HELD, Reason.TENANT_UNKNOWN, LATER)
        uow.orders.set_state(other.key, LineState.HELD, Reason.SKU_UNKNOWN, NOW)
        assert [line.shop.key for line in uow.orders.list_held("41000")] == [first.key, second.key]
        held = uow.orders.list_held("41000", [Reason.TENANT_UNKNOWN])
        assert [line.shop.key for line in held] == [second.key]

    def test_lines_are_listed_by_state_and_order(self, uow: SqlUnitOfWork) -> None:
        first, second = received(uow), received(uow)
        uow.orders.set_state(second.key, LineState.ACCEPTED, None, NOW)
        assert [x.shop for x in uow.orders.list_by([LineState.ACCEPTED])] == [second]
        assert [x.shop for x in uow.orders.list_by(order_number=first.key.order_number)] == [first]
        assert len(uow.orders.list_by(limit=1)) == 1

    @pytest.mark.parametrize(
        ("fields", "is_similar"),
        [
            ({}, True),
            ({"quantity": 11}, False),
            ({"article_code": "ANOTHER"}, False),
            ({"organisation_code": "42000"}, False),
            ({"placed_at": NOW - A_DAY - timedelta(seconds=1)}, False),
        ],
    )
    def test_similar_lines_are_accepted_and_say_the_same(
        self, uow: SqlUnitOfWork, fields: dict[str, Any], is_similar: bool
    ) -> None:
        shop = received(uow, **fields)
        assert uow.orders.similar("41000", "M365-A3-FAC", 10, NOW - A_DAY) == []
        uow.orders.set_state(shop.key, LineState.ACCEPTED, None, NOW)
        assert len(uow.orders.similar("41000", "M365-A3-FAC", 10, NOW - A_DAY)) == is_similar

    def test_the_watermark_is_kept_per_source(self, uow: SqlUnitOfWork) -> None:
        uow.orders.set_watermark("shop", NOW)
        uow.orders.set_watermark("shop", LATER)
        assert uow.orders.watermark("shop") == LATER
        assert uow.orders.watermark("another") is None


class TestReferences:
    def test_are_gone_once_resolved(self, uow: SqlUnitOfWork) -> None:
        key = orders.line_key()
        uow.references.keep(key, ["a@school.example", "b@school.example"], NOW)
        uow.references.resolve(key, {"b@school.example": "id-b"})
        assert uow.references.unresolved(key) == ["a@school.example"]
        assert uow.references.resolved(key) == ["id-b"]

    def test_keeping_or_resolving_again_changes_nothing(self, uow: SqlUnitOfWork) -> None:
        key = orders.line_key()
        for _ in range(2):
            uow.references.keep(key, ["a@school.example"], NOW)
            uow.references.resolve(key, {"a@school.example": "id-a"})
        uow.references.resolve(key, {})
        assert (uow.references.unresolved(key), uow.references.resolved(key)) == ([], ["id-a"])

    def test_too_old_ones_are_purged(self, uow: SqlUnitOfWork) -> None:
        old, new = orders.line_key(), orders.line_key()
        uow.references.keep(old, ["a@school.example"], NOW)
        uow.references.keep(new, ["a@school.example"], LATER)
        assert uow.references.purge(LATER) == 1
        assert uow.references.unresolved(new) == ["a@school.example"]


class TestLedger:
    def test_entitlement_is_the_sum_of_what_is_in_force(self, uow: SqlUnitOfWork) -> None:
        uow.ledger.append(
            [
                orders.ledger_entry("41000", "t", delta=10),
                orders.ledger_entry("41000", "t", delta=-3, effective_on=TODAY + A_DAY),
                orders.ledger_entry("41000", "t", delta=5, effective_on=TODAY - A_DAY, ends_on=TODAY),
                orders.ledger_entry("42000", "t", delta=100),
                orders.ledger_entry("41000", "another", delta=1000),
            ]
        )
        on = [uow.ledger.entitlement("41000", "t", A3, TODAY + days * A_DAY) for days in (-2, -1, 0, 1)]
        assert on == [0, 5, 15, 7]
        assert uow.ledger.tenant_total("t", A3, TODAY) == 115

    def test_entries_come_back_in_the_order_in_which_they_were_booked(self, uow: SqlUnitOfWork) -> None:
        booked = orders.ledger_entry("41000", "t", cause=LedgerCause.CORRECTION)
        code = msgspec.structs.replace(booked, sku_id=None, tenant_id=None)
        entries = [code, orders.ledger_entry("41000", "t")]
        uow.ledger.append(entries)
        assert uow.ledger.list_by("41000") == entries
        uow.ledger.append([])


def _way_to(state: LineState) -> list[LineState]:
    if state is LineState.RECEIVED:
        return []
    if state in LINE_TRANSITIONS[LineState.RECEIVED]:
        return [state]
    return [LineState.ACCEPTED, state]


def _reason(state: LineState) -> Reason | None:
    return Reason.SKU_UNKNOWN if state in {LineState.HELD, LineState.REJECTED} else None
