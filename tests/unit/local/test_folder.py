import os
from pathlib import Path

import pytest

from provisioning.local.errors import EnginesError
from provisioning.local.folder import Folder, fresh_sockets, opened
from tests.engines import temporary_folder

LONGEST_ON_ANY_SYSTEM = 103


def open_and_close(folder: Path) -> Folder:
    with opened(folder, folder / "elsewhere") as made:
        return made


class TestOpened:
    @pytest.mark.parametrize("depth", [0, 1, 20])
    def test_sockets_fit_however_deep_the_folder(self, depth: int) -> None:
        with temporary_folder() as folder:
            sockets = open_and_close(folder.joinpath(*["a-long-name"] * depth)).sockets
        assert len(os.fsencode(sockets / ".s.PGSQL.5432.lock")) <= LONGEST_ON_ANY_SYSTEM

    def test_a_long_temporary_folder_is_avoided(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with temporary_folder() as folder:
            long = folder / ("long" * 25)
            long.mkdir()
            monkeypatch.setattr("tempfile.tempdir", str(long))
            assert not open_and_close(folder).sockets.is_relative_to(long)

    def test_one_folder_has_one_name_by_whatever_path(self) -> None:
        with temporary_folder() as folder:
            (folder / "link").symlink_to(folder / "real")
            (folder / "real").mkdir()
            assert open_and_close(folder / "link").name == open_and_close(folder / "real").name

    def test_other_folders_have_other_names(self) -> None:
        with temporary_folder() as folder:
            names = {open_and_close(folder / name).name for name in ("a", "b", "a/b", "b/a")}
        assert len(names) == 4

    def test_is_free_again_afterwards(self) -> None:
        with temporary_folder() as folder:
            open_and_close(folder)
            with opened(folder, folder), pytest.raises(EnginesError, match="already in use"):
                open_and_close(folder)
            open_and_close(folder)

    def test_moving_the_folder_keeps_what_is_in_it(self) -> None:
        with temporary_folder() as folder:
            (open_and_close(folder / "before").path / "kept").touch()
            (folder / "before").rename(folder / "after")
            assert (open_and_close(folder / "after").path / "kept").exists()


class TestFreshSockets:
    def test_are_private_and_gone_afterwards(self) -> None:
        with temporary_folder() as folder, opened(folder, folder) as place:
            with fresh_sockets(place):
                status = place.sockets.stat()
                assert (status.st_mode & 0o777, status.st_uid) == (0o700, place.account.uid)
            assert not place.sockets.exists()

    def test_never_go_where_a_link_leads(self) -> None:
        with temporary_folder() as folder, opened(folder, folder) as place:
            (folder / "trap").mkdir()
            (folder / "trap/precious").touch()
            place.sockets.symlink_to(folder / "trap")
            with pytest.raises(OSError, match="symbolic link"), fresh_sockets(place):
                pass
            place.sockets.unlink()
            assert (folder / "trap/precious").exists()
