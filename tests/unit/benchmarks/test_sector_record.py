"""What a sector's night keeps, so that the same command goes on where it was."""

from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.sector_night import rows
from tests.benchmarks.sector_record import SectorRecord, Shift, Sizes, keep, read

WANTED = SectorRecord(tenants=3_000, people=20, factor=2.0)


def record(*shifts: Shift, **known: object) -> SectorRecord:
    return msgspec.structs.replace(WANTED, shifts=shifts, **known)


class TestTheFile:
    def test_is_what_was_wanted_in_a_new_folder(self, tmp_path: Path) -> None:
        assert read(tmp_path, WANTED) == WANTED

    def test_comes_back_as_it_was_kept(self, tmp_path: Path) -> None:
        kept = record(Shift(10, 20, calls=500), campaign_id="c", sizes=Sizes(twin=3))
        keep(tmp_path, kept)
        assert read(tmp_path, WANTED) == kept
        assert [file.name for file in tmp_path.iterdir()] == ["sector.json"]

    @pytest.mark.parametrize("other", [{"tenants": 10}, {"people": 21}, {"factor": 3.0}])
    def test_of_another_sector_is_not_gone_on_with(self, tmp_path: Path, other: dict[str, float]) -> None:
        keep(tmp_path, WANTED)
        with pytest.raises(ValueError, match="holds a sector of 3,000 tenants × 20 people"):
            read(tmp_path, msgspec.structs.replace(WANTED, **other))


class TestShifts:
    def test_add_up(self) -> None:
        found = record(Shift(10, 310, calls=35_000), Shift(400, 700, calls=35_000))
        assert (found.taken, found.calls, found.bound, found.ended_at) == (600, 70_000, 600, 700)

    def test_one_that_goes_on_takes_the_place_of_what_it_was(self) -> None:
        found = record(Shift(10, 20, calls=1)).with_shift(Shift(30, 31)).with_shift(Shift(30, 40, calls=9))
        assert found.shifts == (Shift(10, 20, calls=1), Shift(30, 40, calls=9))

    def test_the_most_of_each_size_is_kept(self) -> None:
        assert Sizes(worker=1, twin=5).at_least(Sizes(worker=2, twin=4)) == Sizes(worker=2, twin=5)


class TestRows:
    def test_tell_time_memory_and_growth_of_all_shifts_together(self) -> None:
        found = record(
            Shift(0, 306, calls=35_000, refused=7, busy=0.5),
            foretold=300.0,
            is_over=True,
            sizes=Sizes(worker=150, twin=400, postgres=300),
            database_before=50_000_000,
            database_after=120_000_000,
        )
        named = {row.name.split(": ")[1]: row for row in rows(found)}
        assert named["against the bound"].value == pytest.approx(1.02)
        assert named["against the bound"].ok
        assert named["refused"].value == pytest.approx(0.02)
        assert named["forecast off by"].value == pytest.approx(100 * 6 / 306)
        assert named["memory, twin"].value == 400
        assert named["database per person"].value == pytest.approx(2.0)
        assert {row.clock_factor for row in named.values()} == {2.0}

    def test_say_nothing_of_the_forecast_before_the_end(self) -> None:
        assert not [row for row in rows(record(Shift(0, 306, calls=35_000))) if "forecast" in row.name]

    def test_of_a_busy_machine_are_void(self) -> None:
        found = record(Shift(0, 600, calls=35_000, busy=0.95))
        assert next(iter(rows(found))).ok is None
