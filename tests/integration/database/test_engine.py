from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from provisioning.database.engine import check_skew, create, measure_skew
from provisioning.database.realm import Realm, claim_realm, read_realm
from provisioning.domain.errors import ConfigurationError, InputError, UnavailableError
from provisioning.domain.ids import OperationId
from tests.factories import NOW, orders
from tests.integration.conftest import Database
from tests.integration.database.conftest import Open

TWO_SECONDS = timedelta(seconds=2)


@dataclass(frozen=True)
class ShiftedClock:
    """The machine's clock, so many seconds ahead."""

    ahead: timedelta

    def now(self) -> datetime:
        return NOW

    def wall(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class TestConnecting:
    def test_to_where_nobody_answers_says_that_the_database_is_away(self) -> None:
        engine = create("postgresql+psycopg://nobody@/nothing?host=/nowhere")
        with pytest.raises(UnavailableError, match="The database does not answer"):
            engine.connect()

    def test_an_error_quotes_no_value_that_was_asked_for(self, database: Database) -> None:
        engine = create(database.url)
        with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
            connection.execute(text("SELECT 1 FROM nothing WHERE name = :name"), {"name": "a person"})
        engine.dispose()
        assert "a person" not in str(caught.value)

    def test_a_statement_that_takes_too_long_is_ended(self, database: Database) -> None:
        engine = create(database.url, statement_timeout=timedelta(milliseconds=50))
        with engine.connect() as connection, pytest.raises(UnavailableError, match="statement timeout"):
            connection.execute(text("SELECT count(*) FROM generate_series(1, 1000000000)"))
        engine.dispose()

    def test_moments_are_utc_and_nobody_waits_in_an_open_transaction(self, engine: Engine) -> None:
        with engine.connect() as connection:
            settings = {
                name: connection.scalar(text(f"SHOW {name}"))
                for name in ("timezone", "lock_timeout", "idle_in_transaction_session_timeout")
            }
        assert settings == {
            "timezone": "UTC",
            "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "30s",
        }


class TestSkew:
    @pytest.mark.parametrize("ahead", [-1.5, 0, 1.5])
    def test_within_bounds_is_told(self, engine: Engine, ahead: float) -> None:
        clock = ShiftedClock(timedelta(seconds=ahead))
        check_skew(engine, clock, TWO_SECONDS)
        assert measure_skew(engine, clock) == pytest.approx(timedelta(seconds=-ahead), abs=timedelta(seconds=0.4))

    @pytest.mark.parametrize("ahead", [-3, 3])
    def test_beyond_bounds_blocks(self, engine: Engine, ahead: float) -> None:
        with pytest.raises(UnavailableError, match="differ by"):
            check_skew(engine, ShiftedClock(timedelta(seconds=ahead)), TWO_SECONDS)

    def test_an_answer_that_takes_long_is_no_skew(self, engine: Engine) -> None:
        """Ten seconds passed on the way, and nobody knows before or after which of them the database looked."""
        on_the_way = iter([timedelta(0), timedelta(seconds=10)])

        class Slow(ShiftedClock):
            def wall(self) -> datetime:
                return super().wall() + next(on_the_way)

        assert measure_skew(engine, Slow(timedelta(0))) == timedelta(0)


class TestRealm:
    def test_nobody_claimed_a_new_database(self, engine: Engine) -> None:
        assert read_realm(engine) is None

    def test_is_claimed_once_and_again_by_its_own_kind(self, engine: Engine) -> None:
        claim_realm(engine, Realm.SANDBOX, NOW)
        claim_realm(engine, Realm.SANDBOX, NOW)
        assert read_realm(engine) is Realm.SANDBOX

    @pytest.mark.parametrize(("first", "second"), [(Realm.LIVE, Realm.SANDBOX), (Realm.SANDBOX, Realm.LIVE)])
    def test_is_never_changed(self, engine: Engine, first: Realm, second: Realm) -> None:
        claim_realm(engine, first, NOW)
        with pytest.raises(ConfigurationError, match=f"belongs to the {first} realm"):
            claim_realm(engine, second, NOW)
        assert read_realm(engine) is first


class TestUnitOfWork:
    def test_what_is_not_committed_never_was(self, open_uow: Open) -> None:
        with open_uow() as uow:
            uow.orders.receive(orders.shop_line(), NOW)
        with open_uow() as uow:
            assert uow.orders.list_by() == []

    def test_what_is_committed_is_seen_by_all(self, open_uow: Open) -> None:
        with open_uow() as uow:
            uow.orders.receive(orders.shop_line(), NOW)
            uow.commit()
        with open_uow() as uow:
            assert len(uow.orders.list_by()) == 1

    def test_an_error_rolls_back(self, open_uow: Open) -> None:
        def fail_half_way() -> None:
            with open_uow() as uow:
                uow.orders.receive(orders.shop_line(), NOW)
                uow.operations.get(OperationId("none"))

        with pytest.raises(InputError):
            fail_half_way()
        with open_uow() as uow:
            assert uow.orders.list_by() == []
