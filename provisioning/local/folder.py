"""Where one world of engines lives: its data, logs and lock in one folder, its sockets in another, short one."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec

from provisioning.local.accounts import PASSABLE, Account, account_for, make_passable
from provisioning.local.errors import EnginesError

ELSEWHERE = Path("/var/lib/licence-provisioning")  # for root only: what another account must be able to reach
LONGEST_SOCKET_PATH = 103  # sockaddr_un.sun_path holds 104 bytes on macOS, 108 on Linux, the closing zero included
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """`asked` is the folder the caller named; `path` is where it really is."""

    asked: Path
    path: Path
    account: Account
    sockets: Path

    @property
    def name(self) -> str:
        """Differs between any two folders, however alike or long their paths."""
        return self.sockets.name

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def postgres_draft(self) -> Path:
        return self.path / "postgres.draft"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    def log(self, engine: str) -> Path:
        return self.path / f"{engine}.log"

    def make_private(self, path: Path) -> None:
        """A new folder that only the engines' account and root can enter."""
        path.mkdir(mode=0o700)
        os.chown(path, self.account.uid, self.account.gid)


@contextmanager
def opened(asked: Path, elsewhere: Path) -> Iterator[Folder]:
    """The folder, made when missing and locked for as long as the context lasts.

    Raises EnginesError when another process has it open.
    """
    asked.mkdir(parents=True, exist_ok=True)
    path = _place(asked.resolve() / "engines", elsewhere)
    account = account_for(path / "postgres")
    folder = Folder(asked=asked, path=path, account=account, sockets=_sockets_of(path, account))
    with _locked(folder):
        yield folder


@contextmanager
def fresh_sockets(folder: Folder) -> Iterator[None]:
    """The short folder, empty: never one that another account of this machine may have laid ready in /tmp."""
    _remove(folder.sockets)
    try:
        folder.make_private(folder.sockets)
        yield
    finally:
        _remove(folder.sockets)


def _place(path: Path, elsewhere: Path) -> Path:
    """`path`; if the engines' account cannot come there (a project in /root), it points to a folder `elsewhere`."""
    if not path.exists():
        path.unlink(missing_ok=True)  # it may point to what was thrown away
        if account_for(path).can_reach(path.parent):
            make_passable(path)
        else:
            _point(path, elsewhere)
    return path.resolve()


def _point(path: Path, elsewhere: Path) -> None:
    make_passable(elsewhere)
    target = Path(tempfile.mkdtemp(prefix="engines-", dir=elsewhere))
    target.chmod(PASSABLE)
    path.symlink_to(target)


def _sockets_of(path: Path, account: Account) -> Path:
    name = f"provisioning-{_digest(path)}"
    for place in (Path(tempfile.gettempdir()).resolve(), Path("/tmp")):  # noqa: S108  the folder made in it is private
        if _fits(place / name) and account.can_reach(place):
            return place / name
    raise EnginesError(f"No temporary folder is short and open enough for sockets; set TMPDIR (now {place}).")


def _fits(sockets: Path) -> bool:
    return len(os.fsencode(sockets)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


@contextmanager
def _locked(folder: Folder) -> Iterator[None]:
    with (folder.path / "lock").open("a+") as lock:
        _take(lock, folder)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _take(lock: TextIO, folder: Folder) -> None:
    try:
        # flock, not lockf: it also refuses a second start inside the same process
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read() or "unknown"
        raise EnginesError(
            f"The engines in {folder.asked} are already in use by process {holder}. "
            "Stop that process, or name another folder."
        ) from None
