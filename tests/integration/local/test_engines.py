import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.local.engines import Engines
from provisioning.local.errors import EnginesError
from tests.integration.local.observing import are_over, connect, engines_on, recall, remember, sockets_of

START = "import sys, pathlib, provisioning.local.engines as e; e.Engines.start(pathlib.Path(sys.argv[1])).stop()"


class TestStart:
    def test_keeps_what_was_there(self, used_folder: Path) -> None:
        with Engines.start(used_folder) as first:
            remember(first.owner_url, "of the first run")
        with Engines.start(used_folder) as second:
            assert "of the first run" in recall(second.owner_url)

    def test_two_folders_do_not_meet(self, engines: Engines, used_folder: Path) -> None:
        with Engines.start(used_folder, durable=False) as others:
            remember(engines.owner_url, "of one")
            remember(others.owner_url, "of the other")
            assert "of the other" not in recall(engines.owner_url)
            assert "of one" not in recall(others.owner_url)
            assert engines.redis_url != others.redis_url

    def test_refuses_a_folder_that_this_process_uses(self, engines: Engines) -> None:
        sentence = f"The engines in {engines.folder} are already in use by process {os.getpid()}."
        with pytest.raises(EnginesError, match=re.escape(sentence)):
            Engines.start(engines.folder)
        remember(engines.owner_url, "undisturbed")

    def test_refuses_a_folder_that_another_process_uses(self, engines: Engines) -> None:
        command = [sys.executable, "-c", START, str(engines.folder)]
        other = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert f"already in use by process {os.getpid()}." in other.stderr
        remember(engines.owner_url, "undisturbed")

    def test_a_long_path_is_no_obstacle(self, folder: Path) -> None:
        deep = folder.joinpath(*["a-name-of-more-than-thirty-letters"] * 6)
        with Engines.start(deep, durable=False) as running:
            remember(running.owner_url, "deep")
            assert recall(running.owner_url) == {"deep"}

    def test_a_closed_folder_is_no_obstacle(self, folder: Path) -> None:
        """As in /root, where an engine that may not run as root cannot come."""
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        for run in ("first", "second"):
            with Engines.start(closed / "world", durable=False, elsewhere=folder / "elsewhere") as running:
                remember(running.owner_url, run)
                kept = recall(running.owner_url)
        assert kept == {"first", "second"}

    def test_a_folder_whose_far_part_was_thrown_away_begins_anew(self, folder: Path) -> None:
        (folder / "engines").symlink_to(folder / "thrown-away")
        with Engines.start(folder, durable=False) as running:
            remember(running.owner_url, "anew")
            assert recall(running.owner_url) == {"anew"}

    def test_nothing_runs_as_root(self, engines: Engines) -> None:
        running = engines_on(engines.folder)
        assert sorted(engine.name() for engine in running) == ["postgres", "valkey-server"]
        assert all(0 not in engine.uids() for engine in running)

    def test_nothing_listens_to_the_network(self, engines: Engines) -> None:
        assert [engine.net_connections("inet") for engine in engines_on(engines.folder)] == [[], []]

    def test_only_their_account_and_root_reach_the_sockets(self, engines: Engines) -> None:
        assert stat.S_IMODE(sockets_of(engines).stat().st_mode) == 0o700

    def test_the_environment_of_the_caller_stays_outside(
        self, used_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "TZ": "Asia/Tokyo"}.items():
            monkeypatch.setenv(name, value)
        with Engines.start(used_folder, durable=False) as running, connect(running.database_url) as session:
            assert session.execute("show timezone").fetchone() == ("UTC",)

    @pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
    def test_durable_means_written_to_disk(self, used_folder: Path, durable: bool, expected: str) -> None:
        with Engines.start(used_folder, durable=durable) as running, connect(running.database_url) as session:
            names = ("fsync", "synchronous_commit", "full_page_writes")
            shown = [session.execute("select current_setting(%s)", [name]).fetchone() for name in names]
        assert shown == [(expected,)] * 3


class TestFailure:
    def test_quotes_the_log_and_leaves_nothing_behind(self, used_folder: Path) -> None:
        version = used_folder / "engines/postgres/PG_VERSION"
        right = version.read_text()
        version.write_text("9.6\n")
        with pytest.raises(EnginesError, match="postgres ended while starting") as failure:
            Engines.start(used_folder, durable=False)
        version.write_text(right)
        assert "database files are incompatible with server" in str(failure.value)
        assert engines_on(used_folder) == []
        Engines.start(used_folder, durable=False).stop()

    def test_a_file_in_the_place_of_the_folder_is_named(self, folder: Path) -> None:
        file = folder / "file"
        file.touch()
        with pytest.raises(EnginesError, match=re.escape(f"The engines cannot run in {file}")):
            Engines.start(file)


class TestStop:
    def test_removes_the_sockets_and_every_process(self, used_folder: Path) -> None:
        running = Engines.start(used_folder, durable=False)
        sockets, processes = sockets_of(running), engines_on(used_folder)
        running.stop()
        assert not sockets.exists()
        assert are_over(processes)

    def test_does_not_wait_for_open_sessions(self, used_folder: Path) -> None:
        with Engines.start(used_folder, durable=False) as running:
            session = connect(running.database_url)
        session.close()
        log = (used_folder / "engines/postgres.log").read_text()
        assert "received fast shutdown request" in log
        assert "database system is shut down" in log

    def test_a_second_time_does_nothing(self, used_folder: Path) -> None:
        running = Engines.start(used_folder, durable=False)
        running.stop()
        with Engines.start(used_folder, durable=False) as next_one:
            running.stop()
            remember(next_one.owner_url, "undisturbed")
