"""`python -m tests.benchmarks.sector_night --tenants N --people M --folder DIR`: a whole sector changes product.

Ctrl-C, or a kill, ends a shift; the same command begins the next one where the database in the folder is. The twin
lives in memory: it is planted anew with everybody as our journal knows them. Who was written to and not yet journalled
has the old product again then, and is looked at and written to once more: as after a write that was lost.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
from sqlalchemy import text

from provisioning.domain.campaign import CampaignState
from provisioning.domain.ids import CampaignId, SubjectId
from provisioning.local.interrupts import stopped_by_signals
from provisioning.local.world import LocalWorld
from tests.benchmarks import sector_record
from tests.benchmarks.campaign_bound import unaccounted
from tests.benchmarks.campaign_night import held_at_the_end, listed
from tests.benchmarks.campaign_stage import OPERATOR, Night, plant
from tests.benchmarks.remap_schools import RemapSchool, mixed, settle
from tests.benchmarks.rows import Row, Rows, at_most, to_json
from tests.benchmarks.school import A1, A3
from tests.benchmarks.sector_record import SectorRecord, Shift, Sizes
from tests.benchmarks.table import table
from tests.benchmarks.worker import options

_LOOK = 2.0  # seconds
_MEGABYTE = 1e6
_SERVED = text("""
    SELECT DISTINCT tenant_id, subject_id FROM steps WHERE kind = 'swap' AND state IN ('applied', 'verified')""")
_SIZE = text("SELECT pg_database_size(current_database())")


def perform(wanted: SectorRecord, folder: Path) -> SectorRecord:
    """One shift, to the end of the campaign. Raises KeyboardInterrupt; what was done by then is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    record = sector_record.read(folder, wanted)
    schools = mixed(record.tenants, 0, record.people, odd=0.0)
    with _stage(record, schools, folder) as of:
        record = _prepared(of, record, folder)
        of.start_workers()
        of.world.await_workers()
        _work(of, _on_its_way(of, record), folder)
        of.say("ended; the list is held against the ledger")
        wrong = sum(1 for _ in _wrong(of))
        if wrong:
            raise RuntimeError(f"{wrong:,} people are not as the twin's ledger says.")
        record = msgspec.structs.replace(sector_record.read(folder, record), is_over=True)
        sector_record.keep(folder, record)
    return record


@contextmanager
def _stage(record: SectorRecord, schools: Sequence[RemapSchool], folder: Path) -> Iterator[Night]:
    """The folder's world: engines as they were left, and the twin planted from them."""
    chosen = msgspec.structs.replace(options(factor=record.factor, collect_seconds=600), not_before=record.ended_at)
    with LocalWorld(folder, chosen) as world:
        campaign = CampaignId(record.campaign_id) if record.campaign_id else None
        night = Night(world, schools, campaign)
        night.services.make_ready()
        night.served = _served(night) if campaign else {}
        plant(night)
        night.say(f"{record.everybody:,} people stand in the twin")
        yield night


def _served(of: Night) -> dict[str, set[SubjectId]]:
    """By tenant, who has the new product by our journal."""
    served: dict[str, set[SubjectId]] = {}
    with of.services.engine.connect() as connection:
        for tenant, person in connection.execute(_SERVED):
            served.setdefault(tenant, set()).add(person)
    return served


def _prepared(of: Night, record: SectorRecord, folder: Path) -> SectorRecord:
    """A campaign that is approved: made now, or by an earlier shift."""
    if record.campaign_id:
        return record
    settle(of.services, of.schools)
    of.create(canaries=min(100, max(1, record.tenants // 6)))
    of.services.check_campaign(OPERATOR, of.campaign_id)
    of.say("every tenant was looked at")
    of.approve()
    record = msgspec.structs.replace(record, campaign_id=str(of.campaign_id), database_before=_bytes(of))
    sector_record.keep(folder, record)
    return record


def _on_its_way(of: Night, record: SectorRecord) -> SectorRecord:
    """Running, from drained buckets on both sides."""
    of.control.drain_quotas()
    of.control.reset_counters()
    if of.campaign().state is not CampaignState.APPROVED:
        return record.with_shift(Shift(of.now, of.now))
    begun = of.start()
    done_at = of.services.show_campaigns.one(of.campaign_id).done_at
    foretold = done_at.timestamp() - begun if done_at else 0.0
    return msgspec.structs.replace(record, foretold=foretold).with_shift(Shift(begun, begun))


def _work(of: Night, record: SectorRecord, folder: Path) -> None:
    """Until the campaign is over; every look is kept, and whatever ends it, what was written by then is counted."""
    psutil.cpu_percent()
    busy = _Mean()
    try:
        while True:
            is_over = _look_after(of)
            record = _counted(of, record, busy)
            sector_record.keep(folder, record)
            of.say(
                f"{record.calls:,} of {record.everybody:,} written, {100 * record.bound / max(1, record.taken):.0f}%"
            )
            if is_over:
                return
            time.sleep(_LOOK)
    finally:
        of.world.stop_children()
        record = _counted(of, record, busy)
        sector_record.keep(folder, record)


def _counted(of: Night, record: SectorRecord, busy: "_Mean") -> SectorRecord:
    """The shift as it is now. It ends with its last write: reading back costs no quota."""
    before, counted, share = record.shifts[-1], of.control.counters()["total"], psutil.cpu_percent() / 100
    calls = counted.get("writes", 0)
    grown = calls > before.calls
    shift = Shift(
        begins=before.begins,
        ends=of.now if grown else before.ends,
        calls=calls,
        refused=counted.get("refused", 0),
        busy=busy.with_value(share) if grown else busy.value,
    )
    sizes = record.sizes.at_least(_sizes(of))
    return msgspec.structs.replace(record.with_shift(shift), sizes=sizes, database_after=_bytes(of))


class _Mean:
    def __init__(self) -> None:
        self._values: list[float] = []

    @property
    def value(self) -> float:
        return sum(self._values) / len(self._values) if self._values else 0.0

    def with_value(self, value: float) -> float:
        self._values.append(value)
        return self.value


def _look_after(of: Night) -> bool:
    """Whether it is over; raises RuntimeError when it can go on no longer."""
    campaign = of.campaign()
    if gone := of.world.ended_by_themselves():
        raise RuntimeError(f"These processes ended by themselves: {', '.join(gone)}.")
    if campaign.state is CampaignState.STOPPED:
        raise RuntimeError(f"The campaign stopped by itself: {campaign.told}.")
    return campaign.is_over


def _bytes(of: Night) -> int:
    with of.services.engine.connect() as connection:
        return int(connection.scalar(_SIZE) or 0)


def _sizes(of: Night) -> Sizes:
    workers = [_resident(child.pid) for name, child in of.world.children.items() if name.startswith("worker")]
    return Sizes(worker=max(workers, default=0.0), twin=_resident(of.world.sandbox.pid), postgres=_postgres())


def _resident(pid: int) -> float:
    """A process with its children, the largest of them."""
    process = psutil.Process(pid)
    return max(one.memory_info().rss for one in (process, *process.children(recursive=True))) / _MEGABYTE


def _postgres() -> float:
    """Of the engines that this process started."""
    ours = psutil.Process().children(recursive=True)
    sizes = 0.0
    for one in ours:
        try:
            if one.name().startswith("postgres"):
                sizes += one.memory_full_info().pss / _MEGABYTE
        except psutil.Error:  # a connection that was closed meanwhile
            continue
    return sizes


def _wrong(of: Night) -> Iterator[str]:
    told, held = listed(of), held_at_the_end(of)
    for school in of.schools:
        tenant = school.tenant_id
        yield from unaccounted(school.everybody, told.get(tenant, {}), held[tenant], A1, A3)


def rows(record: SectorRecord) -> Rows:
    """The figures of all shifts together."""
    what = f"sector of {record.tenants:,} × {record.people}"
    busy = max((shift.busy for shift in record.shifts), default=0.0)
    known = {"clock_factor": record.factor, "cpu": busy}
    note = f"{record.taken:.0f} s in {len(record.shifts)} shifts, Microsoft allows {record.bound:.0f} s"
    ratio, most = record.taken / max(1e-9, record.bound), at_most(1.05)
    yield Row(name=f"{what}: against the bound", value=ratio, unit="×", bound=most, note=note, paced=True, **known)
    refused = sum(shift.refused for shift in record.shifts)
    share, note = 100 * refused / max(1, record.calls), f"{refused:,} of {record.calls:,}"
    yield Row(name=f"{what}: refused", value=share, unit="%", bound=at_most(0.1), note=note, **known)
    if record.is_over:
        off = 100 * abs(record.foretold / max(1e-9, record.taken) - 1)
        note, most = f"{record.foretold:.0f} s foretold at the start, from the ledger alone", at_most(10)
        yield Row(name=f"{what}: forecast off by", value=off, unit="%", bound=most, note=note, paced=True, **known)
    for name in Sizes.__struct_fields__:
        yield Row(
            name=f"{what}: memory, {name}", value=getattr(record.sizes, name), unit="MB", note="the most", **known
        )
    grown = (record.database_after - record.database_before) / max(1, record.calls)
    note = f"{record.database_before / _MEGABYTE:,.0f} to {record.database_after / _MEGABYTE:,.0f} MB"
    yield Row(name=f"{what}: database per person", value=grown / 1_000, unit="kB", note=note, **known)


def main() -> int:
    options_ = _options()
    wanted = SectorRecord(tenants=options_.tenants, people=options_.people, factor=options_.factor)
    try:
        with stopped_by_signals():
            record = perform(wanted, options_.folder)
    except KeyboardInterrupt:
        sys.stderr.write("\nEnded for now; the same command goes on. So far:\n")
        _say(rows(sector_record.read(options_.folder, wanted)))
        return 130
    except (ValueError, RuntimeError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    made = list(rows(record))
    (options_.folder / "rows.jsonl").write_bytes(b"".join(to_json(row) + b"\n" for row in made))
    _say(made)
    return 0


def _say(made: Iterable[Row]) -> None:
    sys.stdout.write("\n".join(table(made)) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sector_night", description=__doc__)
    parser.add_argument("--tenants", type=int, default=3_000)
    parser.add_argument("--people", type=int, default=20, help="in each")
    parser.add_argument("--folder", type=Path, required=True, help="where the world lives, and what it came to")
    parser.add_argument("--factor", type=float, default=1.25, help="of the clock; above 1, or it cannot be resumed")
    options_ = parser.parse_args()
    if options_.tenants < 1 or options_.people < 1 or options_.factor <= 1:
        parser.error("It takes at least one tenant with one person, and a clock factor above 1.")
    return options_


if __name__ == "__main__":
    sys.exit(main())
