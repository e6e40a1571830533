"""Roles and databases of the embedded PostgreSQL, as an installation would have them."""

from enum import StrEnum
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier

from provisioning.local.folder import Folder

PORT = 5432  # only a part of the socket's name, but said everywhere, or PGPORT would change it
SUPERUSER = "postgres"


class Role(StrEnum):
    OWNER = "provisioning_owner"  # owns the database and runs the migrations
    SERVICE = "provisioning_service"  # may do what the migrations grant
    ORDERS = "orders"  # owns the default order database
    ORDERS_READER = "orders_reader"  # the service, as a guest of the order database


class Database(StrEnum):
    PROVISIONING = "provisioning"
    ORDERS = "orders"


def url(folder: Folder, role: Role, database: str) -> str:
    """For SQLAlchemy with psycopg, over the Unix socket."""
    return f"postgresql+psycopg://{role}@/{quote(database)}?host={quote(str(folder.sockets))}&port={PORT}"


def connected(folder: Folder, database: str = "postgres") -> psycopg.Connection[Any]:
    """As superuser, each statement its own transaction."""
    return psycopg.connect(
        host=str(folder.sockets), port=PORT, user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=5
    )


def furnish(folder: Folder) -> None:
    """All roles and databases, each unless it is there: a start that was cut short is completed by the next."""
    with connected(folder) as server:
        for role in Role:
            if not _is_known(server, "select 1 from pg_roles where rolname = %s", role):
                _run(server, "create role {} login", role)
        _ensure_database(server, Database.PROVISIONING, owner=Role.OWNER, guest=Role.SERVICE)
        _ensure_database(server, Database.ORDERS, owner=Role.ORDERS, guest=Role.ORDERS_READER)
        _run(server, "alter role {} set default_transaction_read_only = on", Role.ORDERS_READER)
    with connected(folder, Database.ORDERS) as orders:
        _run(
            orders,
            "alter default privileges for role {} grant select on tables to {}",
            Role.ORDERS,
            Role.ORDERS_READER,
        )


def create(folder: Folder, name: str, template: str | None) -> None:
    """A database with the same roles as `provisioning`; a copy of `template`, to which nobody may be connected."""
    with connected(folder) as server:
        _create(server, name, owner=Role.OWNER, guest=Role.SERVICE, template=template)


def drop(folder: Folder, name: str) -> None:
    """Gone, with its sessions; no complaint when it was not there."""
    with connected(folder) as server:
        _run(server, "drop database if exists {} with (force)", name)


def _ensure_database(server: psycopg.Connection[Any], name: str, *, owner: Role, guest: Role) -> None:
    if not _is_known(server, "select 1 from pg_database where datname = %s", name):
        _create(server, name, owner=owner, guest=guest)


def _create(
    server: psycopg.Connection[Any], name: str, *, owner: Role, guest: Role, template: str | None = None
) -> None:
    _run(server, "create database {} owner {} template {}", name, owner, template or "template1")
    _run(server, "revoke all on database {} from public", name)
    _run(server, "grant connect on database {} to {}", name, guest)


def _is_known(server: psycopg.Connection[Any], query: LiteralString, name: str) -> bool:
    return server.execute(query, [name]).fetchone() is not None


def _run(server: psycopg.Connection[Any], statement: LiteralString, *names: str) -> None:
    server.execute(SQL(statement).format(*map(Identifier, names)))
