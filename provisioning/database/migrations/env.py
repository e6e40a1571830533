"""Alembic's entry: one connection, one transaction, one migrator at a time. `migrate` hands in what is needed."""

from alembic import context
from sqlalchemy import Connection, text

LOCK_TIMEOUT = "5s"  # rather fail than queue the whole service behind a table lock
STATEMENT_TIMEOUT = "60s"
ADVISORY_LOCK = 0x6C6963656E63  # "licenc": ours alone in this database


def run(connection: Connection) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        context.run_migrations()


run(context.config.attributes["connection"])
