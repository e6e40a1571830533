"""Every night the keys and digests of both sides are held against each other: nothing gets lost between two clocks."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import LineState
from provisioning.domain.reasons import Reason
from provisioning.planning.order_cures import BY_SHOP, CURABLE
from provisioning.ports import Clock, OpenUnitOfWork, OrderSource
from provisioning.services.collect_orders import CollectOrders
from provisioning.services.judge_lines import JudgeLines
from provisioning.services.line_deeds import line_event
from provisioning.services.take_over_line import TakenOver

_CHUNK = 200
_HOLDABLE = frozenset({LineState.RECEIVED, LineState.HELD})


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What the night found."""

    late: int  # rows that the collector never saw
    changed: int
    vanished: int
    judged_again: int


@dataclass(frozen=True, kw_only=True)
class CompareOrders:
    """Raises UnavailableError when the shop is away or its view is empty while we hold open lines of it."""

    open_uow: OpenUnitOfWork
    source: OrderSource
    collect: CollectOrders
    judge: JudgeLines
    clock: Clock

    def __call__(self) -> Compared:
        with self.open_uow() as uow:  # ours first: what is collected while we read theirs has not vanished
            ours, still_open = uow.orders.digests(self.source.name, None), uow.orders.open_keys(self.source.name)
        theirs = self.source.all_digests()
        if still_open and not theirs:
            raise UnavailableError(f"The view of {self.source.name} is empty while {len(still_open)} lines are open.")
        late = theirs.keys() - ours.keys()
        changed = {key for key in theirs.keys() & ours.keys() if theirs[key] != ours[key]}
        corrected = self._fetch(sorted(late | changed))
        vanished = sum(self._hold(key) for key in sorted(still_open - theirs.keys()))
        self.judge.judge(corrected)
        self.judge()
        return Compared(late=len(late), changed=len(changed), vanished=vanished, judged_again=self._judge_again(theirs))

    def _fetch(self, keys: list[LineKey]) -> list[LineKey]:
        """Keep the rows as they are now; returns those that have to be judged again."""
        outcomes: dict[LineKey, TakenOver] = {}
        for start in range(0, len(keys), _CHUNK):
            outcomes |= self.collect.take_over(self.source.lines(keys[start : start + _CHUNK]))
        return [key for key, outcome in outcomes.items() if outcome is TakenOver.CORRECTED]

    def _hold(self, key: LineKey) -> bool:
        """A line that vanished before it was accepted is held, never cancelled; an accepted one stands as it is."""
        with self.open_uow() as uow:
            line = uow.orders.find(key)
            if line is None or line.state not in _HOLDABLE or line.reason is Reason.LINE_VANISHED:
                return False
            now = self.clock.now()
            uow.orders.set_state(key, LineState.HELD, Reason.LINE_VANISHED, now)
            uow.audit.record([line_event(line, LineState.HELD, now, reason=Reason.LINE_VANISHED)])
            uow.commit()
        return True

    def _judge_again(self, theirs: Mapping[LineKey, str]) -> int:
        """Whatever may have been cured since, and lines that vanished and are back."""
        with self.open_uow() as uow:
            gone = [line for line in uow.orders.list_by({LineState.HELD}, limit=1_000_000) if line.reason in BY_SHOP]
        back = [line.shop.key for line in gone if line.shop.key in theirs]
        return self.judge.judge(back) + self.judge.replay(CURABLE)
