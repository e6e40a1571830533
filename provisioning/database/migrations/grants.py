"""What the service role may do: every migration says it for the tables it makes."""

from alembic import op
from sqlalchemy import text

from provisioning.domain.errors import ConfigurationError


def service_role() -> str:
    """The role that the service connects as, quoted; raises ConfigurationError when it does not exist."""
    configuration = op.get_context().config
    if configuration is None:
        raise ConfigurationError("Migrations run through provisioning.database.migrate, which names the service role.")
    role: str = configuration.attributes["service_role"]
    connection = op.get_bind()
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}) is None:
        raise ConfigurationError(
            f"The database role {role} does not exist. Create it first (CREATE ROLE {role} LOGIN), then migrate again."
        )
    return connection.dialect.identifier_preparer.quote(role)


def grant(rights: str, *tables: str) -> None:
    op.execute(f"GRANT {rights} ON {', '.join(tables)} TO {service_role()}")


def revoke(rights: str, *tables: str) -> None:
    op.execute(f"REVOKE {rights} ON {', '.join(tables)} FROM {service_role()}")
