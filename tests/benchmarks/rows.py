"""One measured figure and its budget."""

from collections.abc import Iterator
from typing import Literal

import msgspec

SEED = 1


class Bound(msgspec.Struct, frozen=True):
    """The budget: at most, or at least, so much."""

    side: Literal["≤", "≥"]
    limit: float

    def holds(self, value: float) -> bool:
        return value <= self.limit if self.side == "≤" else value >= self.limit

    def __str__(self) -> str:
        return f"{self.side} {self.limit:,.6g}"


def at_most(limit: float) -> Bound:
    return Bound("≤", limit)


def at_least(limit: float) -> Bound:
    return Bound("≥", limit)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`cpu`: the share of the whole machine that was busy meanwhile, whoever used it.

    `ok` is None without a budget, and when the machine was too busy for the figure to mean anything.
    """

    name: str
    value: float
    unit: str
    bound: Bound | None = None
    note: str = ""
    seed: int = SEED
    lag: float = 0.0
    clock_factor: float = 1.0
    paced: bool = False  # whether a busy machine makes the figure void
    cpu: float = 0.0

    @property
    def is_void(self) -> bool:
        return self.paced and self.cpu > BUSY

    @property
    def ok(self) -> bool | None:
        return None if self.bound is None or self.is_void else self.bound.holds(self.value)


BUSY = 0.8
Rows = Iterator[Row]


def to_json(row: Row) -> bytes:
    """One line for a machine."""
    columns = {
        "name": row.name,
        "value": round(row.value, 6),
        "unit": row.unit,
        "bound": row.bound and str(row.bound),
        "ok": row.ok,
        "seed": row.seed,
        "lag": row.lag,
        "clock_factor": row.clock_factor,
        "cpu": round(row.cpu, 3),
        "note": "void: the machine was too busy. " + row.note if row.is_void else row.note,
    }
    return msgspec.json.encode(columns)
