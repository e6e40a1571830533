"""One migrated database per test process; each test that asks for it finds it empty."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, MetaData, create_engine, text

from provisioning.database import migrate
from provisioning.database.engine import create
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.local.databases import Role
from provisioning.local.engines import Engines
from tests.engines import engines, temporary_database

__all__ = ["engines"]


@dataclass(frozen=True)
class Database:
    """Where it is: for the service, and for the owner, who may do what the service may not."""

    name: str
    url: str
    owner_url: str


@pytest.fixture(scope="session")
def database(engines: Engines) -> Iterator[Database]:  # pytest finds a fixture by the name of its import
    with temporary_database(engines) as name:
        made = Database(name, engines.url_of(name), engines.url_of(name, Role.OWNER))
        migrate.upgrade(made.owner_url)
        yield made


@pytest.fixture(scope="session")
def emptying_order(database: Database) -> list[str]:
    """All tables, those that point at others first."""
    engine = create_engine(database.owner_url)  # ours leaves JSON undecoded, which reflection does not expect
    found = MetaData()
    found.reflect(engine)
    engine.dispose()
    return [table.name for table in reversed(found.sorted_tables) if table.name != "alembic_version"]


@pytest.fixture(scope="session")
def service_engine(database: Database) -> Iterator[Engine]:
    yield from _disposed(create(database.url, pool_size=4))


@pytest.fixture(scope="session")
def owner_engine(database: Database) -> Iterator[Engine]:
    yield from _disposed(create(database.owner_url))


@pytest.fixture
def clean(owner_engine: Engine, emptying_order: list[str]) -> Iterator[None]:
    """Empties the tables that the test wrote to; TRUNCATE would take longer than most tests do."""
    yield
    looks = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in emptying_order)  # noqa: S608  # our names
    with owner_engine.begin() as connection:
        written = frozenset(connection.scalars(text(" UNION ALL ".join(looks))))
        for name in (name for name in emptying_order if name in written):
            connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608  # the same


@pytest.fixture
def engine(service_engine: Engine, clean: None) -> Engine:  # noqa: ARG001  # asked for what it does afterwards
    """As the service connects; the database is empty."""
    return service_engine


@pytest.fixture
def open_uow(engine: Engine) -> Callable[[], SqlUnitOfWork]:
    """Each call opens a unit of work in the same, at first empty, database."""
    return lambda: SqlUnitOfWork(engine)


def _disposed(engine: Engine) -> Iterator[Engine]:
    yield engine
    engine.dispose()
