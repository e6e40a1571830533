"""Read what changed in the shop, keep it, judge it. Running it twice, or twice at once, changes nothing more."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import msgspec

from provisioning.domain.ids import LineKey
from provisioning.domain.limits import Limits
from provisioning.domain.order import ShopLine
from provisioning.ports import Clock, OpenUnitOfWork, OrderSource
from provisioning.services.judge_lines import JudgeLines
from provisioning.services.take_over_line import TakenOver, take_over

_CHUNK = 200  # rows in one transaction


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass did."""

    read: int = 0
    new: int = 0
    corrected: int = 0
    too_late: int = 0
    judged: int = 0


@dataclass(frozen=True, kw_only=True)
class CollectOrders:
    """Raises UnavailableError when the shop is away; the watermark then stays where it was."""

    open_uow: OpenUnitOfWork
    source: OrderSource
    judge: JudgeLines
    clock: Clock
    limits: Limits

    def __call__(self) -> Collected:
        watermark, known = self._known()
        latest, read, taken, corrected = watermark, 0, list[TakenOver](), list[LineKey]()
        for rows in _chunks(self.source.changed_since(self._overlapping(watermark))):
            read += len(rows)
            latest = max([row.changed_at for row in rows] + ([latest] if latest else []))
            fresh = [row for row in rows if known.get(row.key) != row.digest]
            outcomes = self.take_over(fresh)
            taken += outcomes.values()
            corrected += [key for key, outcome in outcomes.items() if outcome is TakenOver.CORRECTED]
        self._advance(watermark, latest)
        judged = self.judge.judge(corrected) + self.judge()
        return Collected(
            read=read,
            new=taken.count(TakenOver.NEW),
            corrected=len(corrected),
            too_late=taken.count(TakenOver.TOO_LATE),
            judged=judged,
        )

    def take_over(self, rows: Iterable[ShopLine]) -> dict[LineKey, TakenOver]:
        """Keep these rows in one transaction."""
        rows, now = list(rows), self.clock.now()
        if not rows:
            return {}
        with self.open_uow() as uow:
            outcomes = {row.key: take_over(uow, row, now) for row in rows}
            uow.commit()
        return outcomes

    def _known(self) -> tuple[datetime | None, dict[LineKey, str]]:
        with self.open_uow() as uow:
            watermark = uow.orders.watermark(self.source.name)
            return watermark, uow.orders.digests(self.source.name, self._overlapping(watermark))

    def _overlapping(self, watermark: datetime | None) -> datetime | None:
        """A day back: rows that were committed late carry an older moment than the ones already read (D2)."""
        return watermark and watermark - self.limits.watermark_overlap

    def _advance(self, watermark: datetime | None, latest: datetime | None) -> None:
        """Never past our own clock: a shop whose clock runs ahead would make us skip what it writes next."""
        if latest is None or latest == watermark:
            return
        with self.open_uow() as uow:
            uow.orders.set_watermark(self.source.name, min(latest, self.clock.now()))
            uow.commit()


def _chunks(rows: Iterable[ShopLine]) -> Iterator[list[ShopLine]]:
    following = iter(rows)
    while chunk := list(islice(following, _CHUNK)):
        yield chunk
