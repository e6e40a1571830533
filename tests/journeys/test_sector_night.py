"""`make bench-sector` broken off in the middle: the same command goes on, and at the end everybody is accounted for."""

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.sector_record import SectorRecord
from tests.engines import temporary_folder
from tests.journeys.patience import until

_TENANTS, _PEOPLE = 30, 20
_WITHIN = 120.0


def begin(folder: Path) -> subprocess.Popen[bytes]:
    figures = [f"--tenants={_TENANTS}", f"--people={_PEOPLE}", "--factor=2"]
    command = [sys.executable, "-m", "tests.benchmarks.sector_night", *figures, f"--folder={folder}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def record_in(folder: Path) -> SectorRecord | None:
    file = folder / "sector.json"
    return msgspec.json.decode(file.read_bytes(), type=SectorRecord) if file.exists() else None


def has_written(folder: Path, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "it ended by itself"
    found = record_in(folder)
    return found is not None and found.calls > 0


@pytest.mark.slow
@pytest.mark.parametrize(("request_", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_goes_on_where_it_was_left(request_: signal.Signals, code: int) -> None:
    with temporary_folder() as folder:
        first = begin(folder)
        until(lambda: has_written(folder, first), "the first writes", within=_WITHIN)
        first.send_signal(request_)
        first.communicate(timeout=_WITHIN)
        assert first.returncode == code
        told = begin(folder).communicate(timeout=_WITHIN)[1].decode()
        found = record_in(folder)
        assert found is not None, told
        assert (folder / "rows.jsonl").exists(), told  # everybody was as the twin's ledger says
        assert len(found.shifts) == 2
        lost = _PEOPLE * 3 if request_ is signal.SIGKILL else 0  # not counted, or written once more
        assert abs(found.calls - _TENANTS * _PEOPLE) <= lost
