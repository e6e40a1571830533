"""PostgreSQL and Valkey on this machine, for `demo`, `up`, `rehearse` and tests; an installation brings its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil
import psycopg

from provisioning.local import binaries, databases, postgres, processes, valkey
from provisioning.local.databases import Database, Role
from provisioning.local.errors import EnginesError
from provisioning.local.folder import ELSEWHERE, Folder, fresh_sockets, opened


class Engines:
    """Both engines, running from `start` to `stop`, reachable over Unix sockets only. Also a context manager."""

    def __init__(self, folder: Folder, running: ExitStack) -> None:
        self._folder = folder
        self._running = running

    @classmethod
    def start(cls, folder: Path, *, durable: bool = True, elsewhere: Path = ELSEWHERE) -> Self:
        """Starts on what `folder` holds from earlier runs, or makes it.

        `durable=False` is faster and may lose everything in a power cut: for tests. `elsewhere` keeps, for root only,
        what the engines' account cannot reach. Start it from the main thread, and the engines end when this process
        is killed (Linux); otherwise the next start ends them. Raises EnginesError.
        """
        with _told_clearly(folder), ExitStack() as stack:
            place = stack.enter_context(opened(folder, elsewhere))
            programs = binaries.usable_by(place.account, binaries.installed(), elsewhere)
            processes.stop(place)
            stack.enter_context(fresh_sockets(place))
            _serve(place, programs, stack, durable=durable)
            return cls(place, stack.pop_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends both engines and removes their sockets; the folder stays. A second call does nothing."""
        self._running.close()

    @property
    def folder(self) -> Path:
        """As given to `start`; the engines' logs are in its `engines`."""
        return self._folder.asked

    @property
    def database_url(self) -> str:
        """What the service uses: its own role, without ownership."""
        return self.url_of(Database.PROVISIONING)

    @property
    def owner_url(self) -> str:
        """What migrations use."""
        return self.url_of(Database.PROVISIONING, Role.OWNER)

    @property
    def order_database_url(self) -> str:
        """The default order database, for reading."""
        return self.url_of(Database.ORDERS, Role.ORDERS_READER)

    @property
    def order_owner_url(self) -> str:
        """The default order database, for making its tables and writing orders."""
        return self.url_of(Database.ORDERS, Role.ORDERS)

    @property
    def redis_url(self) -> str:
        """For redis-py."""
        return f"unix://{self._broker_path}?db=0"

    @property
    def broker_url(self) -> str:
        """For Celery and kombu, which have words of their own for the same socket."""
        return f"redis+socket://{self._broker_path}?virtual_host=0"

    @property
    def _broker_path(self) -> str:
        return quote(str(valkey.socket_of(self._folder)))

    def url_of(self, database: str, role: Role = Role.SERVICE) -> str:
        """Of any database here, such as one from `create_database`."""
        return databases.url(self._folder, role, database)

    def create_database(self, name: str, template: str | None = None) -> None:
        """With owner and service role like the main one; a copy of `template`, to which nobody may be connected."""
        databases.create(self._folder, name, template)

    def drop_database(self, name: str) -> None:
        databases.drop(self._folder, name)


def _serve(folder: Folder, programs: binaries.Binaries, stack: ExitStack, *, durable: bool) -> None:
    children: list[processes.Child] = []
    stack.callback(processes.stop, folder, children)
    postgres.prepare(folder, programs.initdb, durable=durable)
    children.append(database := postgres.serve(folder, programs.postgres, durable=durable))
    children.append(broker := valkey.serve(folder, programs.valkey))
    database.await_ready(lambda: postgres.answers(folder))
    broker.await_ready(lambda: valkey.answers(folder))
    databases.furnish(folder)


@contextmanager
def _told_clearly(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, psycopg.Error, psutil.Error) as error:
        raise EnginesError(f"The engines cannot run in {folder}: {error}") from error
