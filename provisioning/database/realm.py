"""A database serves one realm for good: live, or the sandbox."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.tables.realm import realm as table
from provisioning.domain.errors import ConfigurationError


class Realm(StrEnum):
    LIVE = "live"
    SANDBOX = "sandbox"


def read_realm(engine: Engine) -> Realm | None:
    """None: nobody has claimed this database yet."""
    with engine.connect() as connection:
        name = connection.scalar(select(table.c.name))
    return None if name is None else Realm(name)


def claim_realm(engine: Engine, realm: Realm, at: datetime) -> None:
    """Write it once; raises ConfigurationError when the database serves the other one."""
    with engine.begin() as connection:
        connection.execute(insert(table).values(name=realm, claimed_at=at).on_conflict_do_nothing())
    present = read_realm(engine)
    if present is not realm:
        raise ConfigurationError(
            f"This database belongs to the {present} realm, and the service is set up for the {realm} realm. "
            "Give it the database of its own realm; neither may ever write in the other's."
        )
