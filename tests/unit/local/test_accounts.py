import os
from pathlib import Path

import pytest

from provisioning.local.accounts import ROOT, Account, account_for, make_passable
from tests.engines import temporary_folder

STRANGER = Account(uid=os.geteuid() + 4321, gid=os.getegid() + 4321)


class TestCanReach:
    @pytest.mark.parametrize(
        ("mode", "expected"),
        [
            pytest.param(0o711, True, id="passing is enough"),
            pytest.param(0o755, True, id="open to all"),
            pytest.param(0o744, False, id="reading is not passing"),
            pytest.param(0o750, False, id="the group's, and it is not in it"),
            pytest.param(0o700, False, id="closed, like /root"),
        ],
    )
    def test_a_stranger_needs_to_pass_every_folder(self, mode: int, expected: bool) -> None:
        with temporary_folder() as folder:
            inside = folder / "inside"
            inside.mkdir(mode=0o755)
            folder.chmod(mode)
            assert STRANGER.can_reach(inside) is expected

    def test_the_owner_counts_as_owner_not_as_everybody(self) -> None:
        with temporary_folder() as folder:
            status = folder.stat()
            folder.chmod(0o611)
            owner = Account(uid=status.st_uid, gid=status.st_gid)
            assert owner.can_reach(folder) is owner.is_ours

    def test_the_group_counts_as_group(self) -> None:
        with temporary_folder() as folder:
            folder.chmod(0o701)
            member = Account(uid=STRANGER.uid, gid=folder.stat().st_gid)
            assert (member.can_reach(folder), STRANGER.can_reach(folder)) == (False, True)

    def test_a_link_is_as_closed_as_what_it_leads_to(self) -> None:
        with temporary_folder() as closed, temporary_folder() as folder:
            (closed / "inside").mkdir(mode=0o755)
            closed.chmod(0o700)
            (folder / "link").symlink_to(closed / "inside")
            assert not STRANGER.can_reach(folder / "link")

    def test_we_reach_our_own(self, tmp_path: Path) -> None:
        assert Account(os.geteuid(), os.getegid()).can_reach(tmp_path)


class TestAccountFor:
    def test_is_never_root(self, tmp_path: Path) -> None:
        assert account_for(tmp_path).uid != ROOT

    def test_follows_the_owner_of_what_is_there(self, tmp_path: Path) -> None:
        account = account_for(tmp_path / "new")
        os.chown(tmp_path, account.uid, account.gid)
        assert account_for(tmp_path) == account


class TestMakePassable:
    def test_does_so_whatever_the_umask(self) -> None:
        with temporary_folder() as folder:
            before = os.umask(0o077)
            make_passable(folder / "made")
            os.umask(before)
            assert STRANGER.can_reach(folder / "made")

    def test_leaves_a_folder_that_is_there_as_it_is(self) -> None:
        with temporary_folder() as folder:
            folder.chmod(0o700)
            make_passable(folder)
            assert not STRANGER.can_reach(folder)
