import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.local.engines import Engines
from provisioning.local.errors import EnginesError
from tests.integration.local.observing import are_over, connect, engines_on, recall, remember

START_AND_STOP = "import sys; from pathlib import Path; from provisioning.local.engines import Engines; " \
    "Engines.start(Path(sys.argv[1]), durable=False).stop()"


class TestStart:
    def test_keeps_what_was_there(self, folder: Path) -> None:
        with Engines.start(folder) as first:
            remember(first.owner_url, "kept")
        with Engines.start(folder) as second:
            assert recall(second.owner_url) == ["kept"]

    def test_two_folders_do_not_meet(self, folder: Path) -> None:
        with (
            Engines.start(folder / "one", durable=False) as one,
            Engines.start(folder / "two", durable=False) as two,
        ):
            remember(one.owner_url, "one")
            remember(two.owner_url, "two")
            assert (recall(one.owner_url), recall(two.owner_url)) == (["one"], ["two"])
            assert one.redis_url != two.redis_url

    def test_refuses_a_folder_that_this_process_uses(self, folder: Path) -> None:
        with Engines.start(folder, durable=False) as running:
            with pytest.raises(EnginesError, match=re.escape(f"The engines in {folder} are already in use")) as refusal:
                Engines.start(folder)
            assert f"process {os.getpid()}." in str(refusal.value)
            remember(running.owner_url, "undisturbed")

    def test_refuses_a_folder_that_another_process_uses(self, folder: Path) -> None:
        with Engines.start(folder, durable=False):
            command = [sys.executable, "-c", START_AND_STOP, str(folder)]
            other = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert f"already in use by process {os.getpid()}" in other.stderr

    def test_a_long_path_is_no_obstacle(self, folder: Path) -> None:
        deep = folder.joinpath(*["a-name-of-more-than-thirty-letters"] * 6)
        with Engines.start(deep, durable=False) as running:
            remember(running.owner_url, "deep")
            assert recall(running.owner_url) == ["deep"]

    def test_a_closed_folder_is_no_obstacle(self, folder: Path) -> None:
        """As in /root, where an engine that may not run as root cannot come."""
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        for _ in range(2):
            with Engines.start(closed / "world", durable=False, elsewhere=folder / "elsewhere") as running:
                remember(running.owner_url, "kept")
        with Engines.start(closed / "world", durable=False, elsewhere=folder / "elsewhere") as running:
            assert recall(running.owner_url) == ["kept", "kept"]

    def test_a_world_whose_far_part_was_thrown_away_begins_anew(self, folder: Path) -> None:
        (folder / "engines").symlink_to(folder / "thrown-away")
        with Engines.start(folder, durable=False) as running:
            remember(running.owner_url, "anew")
            assert recall(running.owner_url) == ["anew"]

    def test_nothing_runs_as_root(self, folder: Path) -> None:
        with Engines.start(folder, durable=False):
            running = engines_on(folder)
            assert sorted(engine.name() for engine in running) == ["postgres", "valkey-server"]
            assert all(0 not in engine.uids() for engine in running)

    def test_nothing_listens_to_the_network(self, folder: Path) -> None:
        with Engines.start(folder, durable=False):
            assert [engine.net_connections("inet") for engine in engines_on(folder)] == [[], []]

    def test_only_their_account_reaches_the_sockets(self, folder: Path) -> None:
        with Engines.start(folder, durable=False) as running:
            sockets = Path(running.redis_url.removeprefix("unix://").partition("?")[0]).parent
            assert stat.S_IMODE(sockets.stat().st_mode) == 0o700

    def test_the_environment_of_the_caller_does_not_leak_in(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGDATA", "/nowhere")
        monkeypatch.setenv("PGPORT", "1")
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        with Engines.start(folder, durable=False) as running, connect(running.database_url) as session:
            assert session.execute("show timezone").fetchone() == ("UTC",)

    @pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
    def test_durable_means_written_to_disk(self, folder: Path, durable: bool, expected: str) -> None:
        with Engines.start(folder, durable=durable) as running, connect(running.database_url) as session:
            shown = [
                session.execute("select current_setting(%s)", [name]).fetchone()
                for name in ("fsync", "synchronous_commit", "full_page_writes")
            ]
        assert shown == [(expected,)] * 3


class TestFailure:
    def test_quotes_the_end_of_the_log_and_leaves_nothing_running(self, folder: Path) -> None:
        Engines.start(folder, durable=False).stop()
        (folder / "engines/postgres/PG_VERSION").write_text("9.6\n")
        with pytest.raises(EnginesError, match="postgres ended while starting") as failure:
            Engines.start(folder, durable=False)
        assert "database files are incompatible with server" in str(failure.value)
        assert engines_on(folder) == []

    def test_frees_the_folder_for_the_next_start(self, folder: Path) -> None:
        Engines.start(folder, durable=False).stop()
        version = folder / "engines/postgres/PG_VERSION"
        right = version.read_text()
        version.write_text("9.6\n")
        with pytest.raises(EnginesError):
            Engines.start(folder, durable=False)
        version.write_text(right)
        Engines.start(folder, durable=False).stop()

    def test_a_file_in_the_place_of_the_folder_is_named(self, folder: Path) -> None:
        file = folder / "file"
        file.touch()
        with pytest.raises(EnginesError, match=re.escape(f"The engines cannot run in {file}")):
            Engines.start(file)


class TestStop:
    def test_removes_the_sockets_and_every_process(self, folder: Path) -> None:
        running = Engines.start(folder, durable=False)
        sockets = Path(running.redis_url.removeprefix("unix://").partition("?")[0]).parent
        engines = engines_on(folder)
        running.stop()
        assert not sockets.exists()
        assert are_over(engines)

    def test_does_not_wait_for_open_sessions(self, folder: Path) -> None:
        with Engines.start(folder, durable=False) as running:
            session = connect(running.database_url)
        session.close()
        assert "received fast shutdown request" in (folder / "engines/postgres.log").read_text()

    def test_a_second_time_does_nothing(self, folder: Path) -> None:
        running = Engines.start(folder, durable=False)
        running.stop()
        with Engines.start(folder, durable=False) as next_one:
            running.stop()
            remember(next_one.owner_url, "undisturbed")
