"""As which account the engines run: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
from pathlib import Path

import msgspec

from provisioning.local.errors import EnginesError

ROOT = 0
PASSABLE = 0o711  # another account may walk through, and see nothing


class Account(msgspec.Struct, frozen=True):
    """A Unix account by its numbers."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    def can_reach(self, path: Path) -> bool:
        """Whether every folder above `path` lets this account pass, and `path` lets itself be entered or run."""
        real = path.resolve()
        return self.is_ours or all(map(self._may_pass, {path, *path.parents, real, *real.parents}))

    def _may_pass(self, path: Path) -> bool:
        status = path.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def make_passable(folder: Path) -> None:
    """Makes the folder, unless it is there; whatever our umask, any account can reach what it is given inside."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(PASSABLE)


def account_for(engine_folder: Path) -> Account:
    """We ourselves; as root the owner of what is already there, or else `nobody`.

    Raises EnginesError when this machine knows no account but root.
    """
    if os.geteuid() != ROOT:
        return Account(os.geteuid(), os.getegid())
    if engine_folder.exists() and (status := engine_folder.stat()).st_uid != ROOT:
        return Account(status.st_uid, status.st_gid)
    return _without_privileges()


def _without_privileges() -> Account:
    ordinary = [entry for entry in pwd.getpwall() if entry.pw_uid > ROOT]
    if not ordinary:
        raise EnginesError("PostgreSQL refuses to run as root, and this machine has no other account. Add one.")
    chosen = min(ordinary, key=lambda entry: entry.pw_name != "nobody")
    return Account(chosen.pw_uid, chosen.pw_gid)
