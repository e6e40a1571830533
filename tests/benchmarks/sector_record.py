"""What a sector's night has come to so far: one small file in its folder, so that the same command goes on."""

from pathlib import Path

import msgspec

from tests.benchmarks.campaign_bound import APP_RATE

_NAME = "sector.json"


class Shift(msgspec.Struct, frozen=True):
    """One stretch of work, from the command to its end: seconds of the service's clock; `busy`, 0 to 1."""

    begins: float
    ends: float
    calls: int = 0
    refused: int = 0
    busy: float = 0.0

    @property
    def length(self) -> float:
        return self.ends - self.begins


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """The most that was seen of each, in megabytes."""

    worker: float = 0.0  # one of them
    twin: float = 0.0
    postgres: float = 0.0  # all of its processes, what they share counted once

    def at_least(self, other: "Sizes") -> "Sizes":
        return Sizes(**{name: max(getattr(self, name), getattr(other, name)) for name in self.__struct_fields__})


class SectorRecord(msgspec.Struct, frozen=True, kw_only=True):
    tenants: int
    people: int  # of each
    factor: float
    campaign_id: str = ""
    foretold: float = 0.0  # seconds, at the start
    shifts: tuple[Shift, ...] = ()
    sizes: Sizes = Sizes()
    database_before: int = 0  # bytes, with all tenants and nothing begun
    database_after: int = 0
    is_over: bool = False

    @property
    def everybody(self) -> int:
        return self.tenants * self.people

    @property
    def calls(self) -> int:
        return sum(shift.calls for shift in self.shifts)

    @property
    def taken(self) -> float:
        return sum(shift.length for shift in self.shifts)

    @property
    def bound(self) -> float:
        """What Microsoft's 35,000 in 300 s need for so many calls."""
        return self.calls / APP_RATE

    @property
    def ended_at(self) -> float:
        return max((shift.ends for shift in self.shifts), default=0.0)

    def with_shift(self, shift: Shift) -> "SectorRecord":
        """The shift that goes on, as it is now."""
        others = [one for one in self.shifts if one.begins != shift.begins]
        return msgspec.structs.replace(self, shifts=(*others, shift))


def read(folder: Path, wanted: SectorRecord) -> SectorRecord:
    """What is in the folder, or `wanted` when it is empty; raises ValueError when another sector lives there."""
    file = folder / _NAME
    if not file.exists():
        return wanted
    found = msgspec.json.decode(file.read_bytes(), type=SectorRecord)
    if (found.tenants, found.people, found.factor) != (wanted.tenants, wanted.people, wanted.factor):
        raise ValueError(
            f"{folder} holds a sector of {found.tenants:,} tenants × {found.people} people at clock ×{found.factor:g}. "
            "Give the same figures to go on with it, or name another folder."
        )
    return found


def keep(folder: Path, record: SectorRecord) -> None:
    """Whole, or as it was: a kill in between spoils nothing."""
    news = folder / f"{_NAME}.new"
    news.write_bytes(msgspec.json.encode(record))
    news.replace(folder / _NAME)
