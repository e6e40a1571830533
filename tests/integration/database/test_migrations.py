from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from provisioning.database import migrate
from provisioning.database.engine import create
from provisioning.database.tables import (  # noqa: F401  # all tables register themselves
    access,
    agreement_moves,
    audit,
    configuration,
    journal,
    operations,
    orders,
    organisations,
    outbox,
    realm,
    tenant_migrations,
    tenants,
)
from provisioning.database.tables.columns import METADATA
from provisioning.domain.errors import ConfigurationError
from provisioning.local.databases import Role
from provisioning.local.engines import Engines
from tests.engines import temporary_database
from tests.integration.conftest import Database

ALL = ["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0012", "0018"]


@pytest.fixture
def empty(engines: Engines) -> Iterator[str]:
    """The owner's URL of a database without tables."""
    with temporary_database(engines) as name:
        yield engines.url_of(name, Role.OWNER)


def tables_in(url: str) -> set[str]:
    engine = create(url)
    with engine.connect() as connection:
        names = set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    engine.dispose()
    return names


class TestUpgrade:
    def test_brings_an_empty_database_to_the_head(self, empty: str) -> None:
        assert migrate.pending(empty) == ALL
        migrate.upgrade(empty)
        assert migrate.pending(empty) == []

    def test_again_changes_nothing(self, empty: str) -> None:
        migrate.upgrade(empty)
        before = tables_in(empty)
        migrate.upgrade(empty)
        assert tables_in(empty) == before

    def test_makes_exactly_the_tables_that_the_stores_speak_of(self, empty: str) -> None:
        migrate.upgrade(empty)
        assert tables_in(empty) == {*METADATA.tables, "alembic_version"}

    def test_makes_the_columns_that_the_stores_speak_of(self, empty: str) -> None:
        migrate.upgrade(empty)
        engine = create_engine(empty)  # ours leaves JSON undecoded, which reflection does not expect
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"include_object": _is_table_or_column})
            differences = compare_metadata(context, METADATA)
        engine.dispose()
        assert differences == []

    def test_names_the_role_that_is_missing(self, empty: str) -> None:
        with pytest.raises(ConfigurationError, match="role nobody_made_me does not exist"):
            migrate.upgrade(empty, service_role="nobody_made_me")
        assert migrate.pending(empty) == ALL


class TestDowngrade:
    def test_leaves_nothing_and_the_way_up_is_open_again(self, empty: str) -> None:
        migrate.upgrade(empty)
        migrate.downgrade(empty)
        assert tables_in(empty) == {"alembic_version"}
        migrate.upgrade(empty)
        assert migrate.pending(empty) == []

    @pytest.mark.parametrize("to", ALL[:-1])
    def test_stops_where_it_is_told(self, empty: str, to: str) -> None:
        migrate.upgrade(empty)
        migrate.downgrade(empty, to)
        assert migrate.pending(empty) == ALL[ALL.index(to) + 1 :]


class TestPending:
    def test_the_service_may_ask(self, database: Database) -> None:
        assert migrate.pending(database.url) == []


class TestHead:
    def test_is_recorded_so_that_two_branches_collide_when_they_are_merged(self) -> None:
        script = ScriptDirectory(str(migrate.MIGRATIONS))
        assert [*script.get_heads()] == [(migrate.MIGRATIONS / "HEAD").read_text().strip()]


class TestClock:
    def test_no_migration_lets_the_database_tell_the_time(self) -> None:
        for file in sorted(migrate.MIGRATIONS.glob("versions/*.py")):
            words = file.read_text().lower()
            assert "now()" not in words
            assert "current_timestamp" not in words


def _is_table_or_column(_object: object, _name: str, kind: str, *_: object) -> bool:
    return kind in {"table", "column"}
