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
    rebind_looks,
    tenant_migrations,
    tenants,
)
from provisioning.database.tables.columns import METADATA
from provisioning.domain.errors import ConfigurationError
from provisioning.local.databases import Role
from provisioning.local.engines import Engines
from tests.engines import temporary_database
from tests.factories import NOW
from tests.integration.conftest import Database

ALL = [f"{number:04}" for number in range(1, 27)]

_BOARD = """
    INSERT INTO organisations (organisation_id, kind, name, membership, eligibility)
    VALUES ('41000', 'board', 'A board', 'active', 'funded_school')"""
_TENANT = """
    INSERT INTO tenants (tenant_id, initial_domain, verified_domains, consent, permissions)
    VALUES ('t', 't.example', '{}', 'granted', '{}')"""


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

    def test_stops_where_it_is_told_step_by_step_all_the_way_down(self, empty: str) -> None:
        migrate.upgrade(empty)
        for to in reversed(ALL[:-1]):
            migrate.downgrade(empty, to)
            assert migrate.pending(empty) == ALL[ALL.index(to) + 1 :]

    def test_who_wrote_what_nobody_confirmed_yet_is_its_author_on_the_way_up(self, empty: str) -> None:
        """By the rule of then, the maker could confirm whom somebody else had chosen: that stands."""
        migrate.upgrade(empty)
        migrate.downgrade(empty, "0022")
        engine = create(empty)
        with engine.begin() as connection:
            connection.execute(text(_BOARD))
            connection.execute(text(_TENANT))
            connection.execute(
                text("""
                INSERT INTO bindings SELECT id, '41000', 't', :day, NULL, true, '{}', selected_by, 'person:a',
                    confirmed_by, CASE WHEN confirmed_by IS NULL THEN NULL ELSE :at END, '{a,b}'
                FROM (VALUES ('open', 'person:b', NULL), ('made', NULL, 'person:c'), ('chosen', 'person:b', 'person:a'))
                AS given (id, selected_by, confirmed_by)"""),
                {"at": NOW, "day": NOW.date()},
            )
        migrate.upgrade(empty)
        with engine.connect() as connection:
            authors = connection.execute(text("SELECT binding_id, authors FROM bindings")).all()
        engine.dispose()
        assert dict(map(tuple, authors)) == {
            "open": ["person:a", "person:b"],
            "made": ["person:a"],
            "chosen": ["person:b"],
        }

    def test_what_one_person_brought_back_stays_in_force_as_what_it_was(self, empty: str) -> None:
        migrate.upgrade(empty)
        engine = create(empty)
        with engine.begin() as connection:
            connection.execute(
                text("""
                INSERT INTO configuration_versions
                    (kind, digest, content, reason, proposed_by, proposed_at, approved_by, approved_at, retired_at)
                VALUES ('mappings', 'one', '{}', 'installed', 'system', :at, NULL, NULL, :at),
                       ('mappings', 'two', '{}', 'next year', 'person:a', :at, 'person:b', :at, :at)"""),
                {"at": NOW},
            )
            connection.execute(
                text("""
                INSERT INTO configuration_versions (kind, digest, content, reason, proposed_by, proposed_at, restores)
                SELECT kind, digest, content, 'mistake', 'person:c', :at, version_id
                FROM configuration_versions WHERE digest = 'one'"""),
                {"at": NOW},
            )
        migrate.downgrade(empty, "0010")
        with engine.connect() as connection:
            found = connection.execute(
                text("SELECT digest, proposed_by FROM configuration_versions WHERE retired_at IS NULL")
            ).all()
        engine.dispose()
        assert [tuple(row) for row in found] == [("one", "system")]


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
