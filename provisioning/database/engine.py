"""The way into PostgreSQL: pool, time-outs, and how its complaints become ours."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, create_engine, event, text

from provisioning.database.errors import translate
from provisioning.domain.errors import UnavailableError
from provisioning.ports import Clock

STATEMENT_TIMEOUT = timedelta(seconds=30)
LOCK_TIMEOUT = timedelta(seconds=5)
IDLE_IN_TRANSACTION_TIMEOUT = timedelta(seconds=30)  # nothing waits for Graph inside a transaction
CONNECT_TIMEOUT = timedelta(seconds=5)
POOL_TIMEOUT = timedelta(seconds=10)
RECYCLE = timedelta(minutes=30)


def create(url: str, *, pool_size: int = 2, statement_timeout: timedelta = STATEMENT_TIMEOUT) -> Engine:
    """An engine whose errors are ProvisioningErrors where the trade has a word for them."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=2,
        pool_pre_ping=True,
        pool_recycle=int(RECYCLE.total_seconds()),
        pool_timeout=POOL_TIMEOUT.total_seconds(),
        hide_parameters=True,  # an error's text goes to the log: orders name people
        execution_options={"preserve_rowcount": True},  # stores say how many rows an insert really made
        json_deserializer=bytes,  # JSON columns decode with msgspec, into what they hold (see `jsonb`)
        connect_args={
            "connect_timeout": int(CONNECT_TIMEOUT.total_seconds()),
            "application_name": "provisioning",
            "options": _options(statement_timeout),
        },
    )
    event.listen(engine, "handle_error", translate)
    return engine


def measure_skew(engine: Engine, clock: Clock) -> timedelta:
    """How far the database's clock is ahead of ours; what the way there and back leaves open speaks for the clocks."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))  # connecting is not part of what is measured
        asked = clock.wall()
        answered = ask_time(connection)
        got = clock.wall()
    margin = max((got - asked) / 2, timedelta(0))
    ahead = answered - (asked + margin)
    return max(ahead - margin, timedelta(0)) if ahead > timedelta(0) else min(ahead + margin, timedelta(0))


def check_skew(engine: Engine, clock: Clock, allowed: timedelta) -> None:
    """Raises UnavailableError when the database's clock and ours differ by more than `allowed`."""
    skew = abs(measure_skew(engine, clock))
    if skew > allowed:
        raise UnavailableError(
            f"The clocks of this machine and the database differ by {skew.total_seconds():.1f} s "
            f"({allowed.total_seconds():g} s is allowed). Check the time synchronisation of both; "
            "nothing is written until then."
        )


def ask_time(connection: Connection) -> datetime:
    """What the database's clock says: to compare clocks with, never to write down."""
    answered: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return answered


def _options(statement_timeout: timedelta) -> str:
    milliseconds = {
        "statement_timeout": statement_timeout,
        "lock_timeout": LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
    }
    settings = {name: str(int(value.total_seconds() * 1000)) for name, value in milliseconds.items()}
    return " ".join(f"-c {name}={value}" for name, value in ({"timezone": "UTC"} | settings).items())
