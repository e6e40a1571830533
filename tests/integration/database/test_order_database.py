"""The shop's view as we read it and as we offer it, on both kinds of database that are promised."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, text

from provisioning.database import order_database, order_source
from provisioning.database.order_database import SqlOrderDesk
from provisioning.database.order_source import SqlOrderSource
from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import LineKey
from provisioning.domain.order import ShopLine
from provisioning.local.databases import Role
from provisioning.local.engines import Engines
from tests.engines import temporary_database
from tests.factories import NOW, TODAY, orders

A_DAY = timedelta(days=1)


@pytest.fixture(params=["postgresql", "sqlite"])
def owner_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'orders.db'}"
        return
    engines: Engines = request.getfixturevalue("engines")
    with temporary_database(engines) as name:
        yield engines.url_of(name, Role.OWNER)


@pytest.fixture
def shop(owner_url: str) -> Iterator[Engine]:
    order_database.create(owner_url)
    engine = order_source.create(owner_url)
    yield engine
    engine.dispose()


@pytest.fixture
def source(shop: Engine) -> SqlOrderSource:
    return SqlOrderSource(shop)


@pytest.fixture
def desk(shop: Engine) -> SqlOrderDesk:
    return SqlOrderDesk(shop)


def line(number: str = "1", **fields: Any) -> ShopLine:
    return orders.shop_line(key=LineKey("orders", "2026-1", number), **fields)


def same(one: ShopLine, other: ShopLine) -> bool:
    return msgspec.structs.replace(one, digest="") == msgspec.structs.replace(other, digest="")


class TestDesk:
    def test_what_is_submitted_is_read_back_as_it_was(self, desk: SqlOrderDesk, source: SqlOrderSource) -> None:
        full = line(
            quantity_is_total=True,
            unit_price_cents=0,
            starts_on=TODAY,
            ends_on=TODAY + A_DAY,
            tenant_hint="school.example",
            reference_number="R-1",
            subjects=("ü@school.example", "b@school.example"),
            requester_reference="ticket 7",
        )
        assert desk.submit([full, line("2", quantity="ten")]) == 2
        first, second = source.changed_since(None)
        assert same(first, full)
        assert second.quantity == "ten"

    def test_the_same_again_changes_nothing(self, desk: SqlOrderDesk, source: SqlOrderSource) -> None:
        desk.submit([line()])
        later = msgspec.structs.replace(line(), changed_at=NOW + A_DAY)
        assert desk.submit([later]) == 0
        [read] = source.changed_since(None)
        assert read.changed_at == NOW

    def test_a_changed_line_is_seen_as_changed(self, desk: SqlOrderDesk, source: SqlOrderSource) -> None:
        desk.submit([line(), line("2")])
        before = source.all_digests()
        assert desk.submit([line(status="cancelled", changed_at=NOW + A_DAY), line("2")]) == 1
        [changed] = source.changed_since(NOW + A_DAY)
        assert (changed.status, changed.changed_at) == ("cancelled", NOW + A_DAY)
        after = source.all_digests()
        assert {key for key in after if after[key] != before[key]} == {changed.key}

    def test_is_whole_or_not_at_all(self, desk: SqlOrderDesk, source: SqlOrderSource) -> None:
        broken = msgspec.structs.replace(line("2"), organisation_code=None)
        with pytest.raises(Exception, match=r"(?i)null|order database|in between"):
            desk.submit([line(), broken])
        assert source.all_digests() == {}

    def test_making_it_again_keeps_what_is_there(
        self, owner_url: str, desk: SqlOrderDesk, source: SqlOrderSource
    ) -> None:
        desk.submit([line()])
        order_database.create(owner_url)
        assert len(source.all_digests()) == 1


class TestSource:
    def test_reads_from_a_moment_on_in_the_order_of_change(self, desk: SqlOrderDesk, source: SqlOrderSource) -> None:
        days = {"1": 2, "2": 0, "3": 1}
        desk.submit([line(number, changed_at=NOW + day * A_DAY) for number, day in days.items()])
        assert [x.key.line_number for x in source.changed_since(NOW + A_DAY)] == ["3", "1"]
        assert [x.key.line_number for x in source.changed_since(None)] == ["2", "3", "1"]

    def test_reads_lines_by_key_however_many_and_only_its_own(self, desk: SqlOrderDesk, source: SqlOrderSource) -> None:
        desk.submit([line(str(number)) for number in range(900)])
        wanted = [LineKey("orders", "2026-1", str(number)) for number in range(0, 900, 2)]
        found = source.lines([*wanted, LineKey("another", "2026-1", "1"), LineKey("orders", "2026-1", "none")])
        assert {x.key for x in found} == set(wanted)
        assert {x.key: x.digest for x in found}.items() <= source.all_digests().items()
        assert source.lines([]) == []

    def test_names_its_lines_after_itself(self, desk: SqlOrderDesk, shop: Engine) -> None:
        desk.submit([line()])
        [read] = SqlOrderSource(shop, "acme").changed_since(None)
        assert str(read.key) == "acme/2026-1/1"

    def test_a_shop_without_the_view_is_away_and_it_says_why(self, owner_url: str) -> None:
        engine = order_source.create(owner_url)
        with pytest.raises(UnavailableError, match=r"order database cannot be read now: .*licence_order_lines"):
            list(SqlOrderSource(engine).changed_since(None))
        engine.dispose()

    def test_a_shop_that_does_not_answer_is_away(self) -> None:
        source = SqlOrderSource(order_source.create("postgresql+psycopg://nobody@/nothing?host=/nowhere"))
        with pytest.raises(UnavailableError, match="cannot be read now"):
            source.all_digests()


class TestForeignShop:
    """A view of somebody else's making: numbers as keys, moments without a zone, people as text."""

    @pytest.fixture
    def foreign(self, owner_url: str) -> Iterator[SqlOrderSource]:
        engine = order_source.create(owner_url)
        moment = "TEXT" if engine.dialect.name == "sqlite" else "TIMESTAMP"
        amount = "REAL" if engine.dialect.name == "sqlite" else "NUMERIC(10, 2)"
        with engine.begin() as connection:
            connection.execute(
                text(f"""
                CREATE TABLE licence_order_lines (
                    order_number INTEGER, line_number INTEGER, status VARCHAR(20), placed_at {moment},
                    changed_at {moment}, organisation_code CHAR(8), actor TEXT, article_code TEXT, quantity {amount},
                    quantity_is_total INTEGER, unit_price_cents {amount}, starts_on DATE, ends_on DATE,
                    tenant_hint TEXT, reference_number TEXT, subjects TEXT, requester_reference TEXT)""")
            )
            connection.execute(
                text("""
                INSERT INTO licence_order_lines VALUES (
                    1042, 1, ' placed ', '2026-08-03 09:00:00', '2026-08-03 09:00:00.5', '41000', 'shop', 'M365-A3-FAC',
                    10.0, 1, 1250.00, '2026-08-01', NULL, '', NULL, 'one@school.example; two@school.example', NULL)""")
            )
        yield SqlOrderSource(engine)
        engine.dispose()

    def test_is_read_all_the_same(self, foreign: SqlOrderSource) -> None:
        [read] = foreign.changed_since(NOW)
        assert read.key == LineKey("orders", "1042", "1")
        assert (read.placed_at, read.changed_at) == (NOW, NOW + timedelta(milliseconds=500))
        assert (read.status, read.organisation_code, read.quantity, read.unit_price_cents) == (
            "placed",
            "41000",
            10,
            1250,
        )
        assert (read.quantity_is_total, read.tenant_hint) == (True, None)
        assert read.subjects == ("one@school.example; two@school.example",)
        assert foreign.lines([read.key]) == [read]
        assert list(foreign.changed_since(NOW + timedelta(seconds=1))) == []


class TestReader:
    def test_the_service_reads_the_view_and_writes_nothing(self, engines: Engines) -> None:
        with temporary_database(engines) as name:
            order_database.create(engines.url_of(name, Role.OWNER), reader=Role.SERVICE)
            engine = order_source.create(engines.url_of(name, Role.SERVICE))
            assert SqlOrderSource(engine).all_digests() == {}
            with pytest.raises(UnavailableError, match="permission denied"):
                SqlOrderDesk(engine).submit([line()])
            engine.dispose()
