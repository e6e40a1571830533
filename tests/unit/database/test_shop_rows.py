import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from provisioning.database.shop_rows import COLUMNS, digest_of, shop_line
from provisioning.domain.errors import InputError
from provisioning.domain.ids import LineKey
from provisioning.domain.order import LONGEST_TEXT

NOW = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
ROW: dict[str, Any] = dict.fromkeys(COLUMNS) | {
    "order_number": "1042",
    "line_number": "1",
    "status": "placed",
    "placed_at": NOW,
    "changed_at": NOW,
    "organisation_code": "41000",
    "actor": "client:shop",
    "article_code": "M365-A3-FAC",
    "quantity": 10,
    "quantity_is_total": False,
}
TODAY = date(2026, 8, 3)


def read(**columns: Any) -> Any:
    return shop_line("orders", ROW | columns)


class TestText:
    def test_is_trimmed_and_otherwise_left_alone(self) -> None:
        line = read(order_number=1042, status="  Placed", tenant_hint=" ", reference_number=" R 1 ")
        assert line.key == LineKey("orders", "1042", "1")
        assert (line.status, line.tenant_hint, line.reference_number) == ("Placed", None, "R 1")

    def test_no_row_is_too_odd_to_be_kept(self) -> None:
        one, other = (read(order_number=last, organisation_code="\0x") for last in ("7" * 9000, "7" * 8999 + "8"))
        assert len(one.key.order_number) <= LONGEST_TEXT
        assert one.key != other.key
        assert one.organisation_code == "\ufffdx"


class TestQuantity:
    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (10, 10),
            ("10", 10),
            (" 010 ", 10),
            ("-3", -3),
            (Decimal("10.00"), 10),
            (10.0, 10),
            ("2.5", "2.5"),
            (Decimal("2.50"), "2.50"),
            ("ten", "ten"),
            ("1e3", "1e3"),
            ("١٠", "١٠"),
            ("", ""),
            (None, ""),
        ],
    )
    def test_is_a_number_only_when_it_is_a_whole_one(self, found: object, expected: object) -> None:
        assert read(quantity=found).quantity == expected


class TestMoments:
    @pytest.mark.parametrize(
        "found",
        [
            NOW,
            NOW.replace(tzinfo=None),
            NOW.astimezone(timezone(timedelta(hours=2))),
            "2026-08-03 09:00:00",
            "2026-08-03T09:00:00Z",
            "2026-08-03T11:00:00+02:00",
        ],
    )
    def test_without_a_zone_are_utc(self, found: object) -> None:
        line = read(placed_at=found, changed_at=found)
        assert line.placed_at == line.changed_at == NOW
        assert line.placed_at.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("found", ["yesterday", "", None, 1042])
    def test_that_are_none_are_named(self, found: object) -> None:
        with pytest.raises(InputError, match="Order line orders/1042/1: placed_at is no moment"):
            read(placed_at=found)


class TestDays:
    @pytest.mark.parametrize("found", [TODAY, NOW, "2026-08-03", "2026-08-03 00:00:00"])
    def test_are_read_in_any_notation_of_a_database(self, found: object) -> None:
        assert read(starts_on=found).starts_on == TODAY

    @pytest.mark.parametrize("found", [None, "", "  "])
    def test_may_be_missing(self, found: object) -> None:
        assert read(ends_on=found).ends_on is None

    def test_that_are_none_hold_the_line_in_sight_instead_of_stopping_all_others(self) -> None:
        line = read(ends_on="31-12-2026")
        assert line.ends_on is None
        assert line.quantity == "10 (ends_on cannot be read)"


class TestPrice:
    @pytest.mark.parametrize(("found", "cents"), [(None, None), (0, 0), ("1250", 1250), (Decimal("1250.00"), 1250)])
    def test_is_in_whole_cents(self, found: object, cents: int | None) -> None:
        assert read(unit_price_cents=found).unit_price_cents == cents

    def test_that_is_none_holds_the_line(self) -> None:
        assert read(unit_price_cents="12,50").quantity == "10 (unit_price_cents cannot be read)"


class TestTotal:
    @pytest.mark.parametrize("found", [True, 1, "1", "true", "T", "yes"])
    def test_yes(self, found: object) -> None:
        assert read(quantity_is_total=found).quantity_is_total

    @pytest.mark.parametrize("found", [False, 0, "0", "false", "", None, "perhaps"])
    def test_no(self, found: object) -> None:
        assert not read(quantity_is_total=found).quantity_is_total


class TestSubjects:
    @pytest.mark.parametrize(
        ("found", "subjects"),
        [
            ('["a@x.example", " b@x.example "]', ("a@x.example", "b@x.example")),
            (["a@x.example"], ("a@x.example",)),
            ("[]", ()),
            ("", ()),
            (None, ()),
            ("null", ()),
            ("a@x.example", ("a@x.example",)),
            ('["unclosed"', ('["unclosed"',)),
            ('"a@x.example"', ("a@x.example",)),
        ],
    )
    def test_none_of_them_is_lost(self, found: object, subjects: tuple[str, ...]) -> None:
        assert read(subjects=found).subjects == subjects

    @given(some.lists(some.text(min_size=1, max_size=LONGEST_TEXT).map(str.strip).filter(bool)))
    def test_a_list_survives_the_way_through_json(self, names: list[str]) -> None:
        assert read(subjects=json.dumps(names)).subjects == tuple(name.replace("\0", "\ufffd") for name in names)


class TestDigest:
    @pytest.mark.parametrize("column", [name for name in COLUMNS if name != "changed_at"])
    def test_changes_with_every_column(self, column: str) -> None:
        others: dict[str, object] = {
            "placed_at": NOW + timedelta(seconds=1),
            "starts_on": TODAY,
            "ends_on": TODAY,
            "quantity_is_total": True,
            "unit_price_cents": 1,
            "quantity": "ten",
        }
        assert read(**{column: others.get(column, "another")}).digest != read().digest

    def test_stays_when_a_row_is_only_touched(self) -> None:
        assert read(changed_at=NOW + timedelta(days=1)).digest == read().digest

    def test_does_not_depend_on_how_a_driver_hands_values_over(self) -> None:
        text = read(placed_at="2026-08-03 09:00:00", quantity="10", quantity_is_total=0, subjects="[]")
        assert text.digest == read().digest

    def test_does_not_depend_on_what_we_call_the_shop(self) -> None:
        assert shop_line("acme", ROW).digest == read().digest

    def test_is_that_of_the_line(self) -> None:
        assert digest_of(read()) == read().digest
