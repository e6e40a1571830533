"""Bringing a database to the schema of this release, and saying how far it is from it.

Alembic is loaded when there is something to do: every process asks whether there is, and mostly there is not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from provisioning.database.engine import create

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE_ROLE = "provisioning_service"


def upgrade(owner_url: str, service_role: str = SERVICE_ROLE) -> None:
    """Run all migrations that are not in yet, in one transaction, as the owner of the database.

    Raises ConfigurationError when the service role does not exist, UnavailableError when the database is away,
    or when somebody else migrates or a table stays locked.
    """
    from alembic import command

    with _connected(owner_url) as connection:
        command.upgrade(_configuration(connection, service_role), "head")


def downgrade(owner_url: str, to: str = "base", service_role: str = SERVICE_ROLE) -> None:
    """Back to an earlier revision; what its successors stored is lost."""
    from alembic import command

    with _connected(owner_url) as connection:
        command.downgrade(_configuration(connection, service_role), to)


def pending(url: str) -> list[str]:
    """Revisions of this release that the database does not have yet, oldest first; empty: it is up to date."""
    with _connected(url) as connection:
        return [] if _is_at_head(connection) else _missing(connection)


def _is_at_head(connection: Connection) -> bool:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return False
    return list(connection.scalars(text("SELECT version_num FROM alembic_version"))) == [_head()]


def _head() -> str:
    """The newest revision of this release."""
    return (MIGRATIONS / "HEAD").read_text("utf-8").strip()


def _missing(connection: Connection) -> list[str]:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS))
    present = MigrationContext.configure(connection).get_current_heads()
    known = {revision.revision for head in present for revision in script.iterate_revisions(head, "base")}
    return [r.revision for r in reversed(list(script.walk_revisions())) if r.revision not in known]


def _configuration(connection: Connection, service_role: str) -> "Config":
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.attributes.update(connection=connection, service_role=service_role)
    return configuration


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create(url, pool_size=1)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
