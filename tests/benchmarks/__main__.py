"""`python -m tests.benchmarks [NAME…] [--json FILE] [--strict]`: each budget measured, against the twin of Graph."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import psutil

from tests.benchmarks import (
    auditing,
    campaign_night,
    killing,
    latency,
    migration,
    pace,
    reading,
    sharing,
    swaps,
    twin,
    weather,
)
from tests.benchmarks.rows import Row, Rows, to_json
from tests.benchmarks.table import table

MEASURES: Mapping[str, Callable[[], Rows]] = {
    "calls": swaps.calls,
    "joins": swaps.joins,
    "cpu": swaps.cpu,
    "kill": killing.kill,
    "idle": latency.idle,
    "loaded": latency.loaded,
    "decode": reading.decode,
    "plan": reading.plan,
    "audit": auditing.audit,
    "quota": pace.quota,
    "pace": pace.pace,
    "refusals": weather.refusals,
    "foreign": weather.foreign,
    "campaign": sharing.campaign,
    "sector": sharing.sector,
    "migration": migration.migration,
    "night": campaign_night.night,
    "twin-speed": twin.twin_speed,
    "twin-size": twin.twin_size,
}


def main() -> int:
    options = _options()
    rows: list[Row] = []
    for name in options.names or MEASURES:
        sys.stderr.write(f"{name} …\n")
        for row in _measured(MEASURES[name]):
            rows.append(row)
            _say(to_json(row).decode())
    _say("", *table(rows))
    if options.json:
        options.json.write_bytes(b"".join(to_json(row) + b"\n" for row in rows))
    return int(options.strict and any(row.ok is False for row in rows))


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _measured(measure: Callable[[], Rows]) -> list[Row]:
    """The rows of one measurement, with how busy the machine was while they were taken."""
    psutil.cpu_percent()
    rows = list(measure())
    busy = psutil.cpu_percent() / 100
    return [row if row.cpu else msgspec.structs.replace(row, cpu=busy) for row in rows]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], help=", ".join(MEASURES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too, one a line")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a budget is not kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
