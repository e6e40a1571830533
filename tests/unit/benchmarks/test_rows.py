import json
from typing import Any

import pytest

from tests.benchmarks.rows import Bound, Row, at_least, at_most, to_json
from tests.benchmarks.table import table


def row(**columns: Any) -> Row:
    return Row(**{"name": "one-seat order, during bulk work: p95", "value": 1.25, "unit": "s"} | columns)


class TestBound:
    @pytest.mark.parametrize(
        ("bound", "value", "holds"),
        [
            (at_most(56), 56, True),
            (at_most(56), 57, False),
            (at_least(5_000), 5_000, True),
            (at_least(5_000), 4_999, False),
        ],
    )
    def test_both_sides_of_the_limit(self, bound: Bound, value: float, holds: bool) -> None:
        assert bound.holds(value) is holds


class TestVerdict:
    def test_a_figure_without_a_budget_has_none(self) -> None:
        assert row().ok is None

    @pytest.mark.parametrize(("cpu", "ok"), [(0.8, False), (0.81, None)])
    def test_a_paced_figure_of_a_busy_machine_is_void(self, cpu: float, ok: bool | None) -> None:
        assert row(value=1.2, bound=at_most(1.05), paced=True, cpu=cpu).ok is ok

    def test_what_depends_on_no_pace_counts_on_a_busy_machine_too(self) -> None:
        assert row(value=0, bound=at_most(0), cpu=1.0).ok is True


class TestJson:
    def test_has_all_that_a_comparison_needs(self) -> None:
        written = json.loads(to_json(row(bound=at_most(10), cpu=0.25, clock_factor=10, lag=15, note="24 orders")))
        assert written == {
            "name": "one-seat order, during bulk work: p95",
            "value": 1.25,
            "unit": "s",
            "bound": "≤ 10",
            "ok": True,
            "seed": 1,
            "lag": 15.0,
            "clock_factor": 10.0,
            "cpu": 0.25,
            "note": "24 orders",
        }

    def test_says_why_there_is_no_verdict(self) -> None:
        written = json.loads(to_json(row(bound=at_most(10), cpu=0.9, paced=True)))
        assert written["ok"] is None
        assert written["note"].startswith("void")


class TestTable:
    @pytest.mark.parametrize("value", [0, 0.000123456, 999.999, 123_456_789.0])
    def test_fits_80_columns(self, value: float) -> None:
        lines = list(table([row(value=value, unit="events/s", bound=at_least(100_000), note="word " * 60, cpu=1.0)]))
        assert max(map(len, lines)) <= 80

    def test_tells_kept_broken_and_void_apart(self) -> None:
        rows = [
            row(bound=at_most(2)),
            row(bound=at_most(1)),
            row(bound=at_most(1), paced=True, cpu=0.9),
            row(),
        ]
        verdicts = [line.split()[-1] for line in table(rows) if line.startswith("one-seat")]
        assert verdicts == ["ok", "NO", "void", "–"]
