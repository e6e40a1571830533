"""Whether this machine's clock agrees with the database's, asked all through a worker's life.

Leases, waits and what Microsoft sees depend on right clocks. A machine whose clock is off takes no lease and writes
nothing, neither to Microsoft nor a moment into the database: workers elsewhere do its work. Looking goes on.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from provisioning.domain.errors import UnavailableError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM
from provisioning.domain.limits import Limits
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork

_PREFIX = "clock:"
_TOLD_FOR = timedelta(minutes=1)  # of a machine that looks no more nobody needs to know what its clock was


class WatchClock:
    """Called before work: returns at once when it looked a moment ago, raises UnavailableError while the clock is off.

    `measure` says how far the database's clock is ahead of ours. That a clock is off is told as a lease, which ends
    by itself when nobody renews it: a machine that is gone leaves nothing to clean up.
    """

    def __init__(
        self,
        *,
        measure: Callable[[], timedelta],
        open_uow: OpenUnitOfWork,
        clock: Clock,
        limits: Limits,
        machine: str,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._measure = measure
        self._open_uow = open_uow
        self._clock = clock
        self._limits = limits
        self._machine = machine
        self._elapsed = elapsed  # not the clock that is doubted
        self._looked_at: float | None = None
        self._ahead = timedelta(0)
        self._told: bool | None = None

    def __call__(self) -> None:
        if self._is_due():
            self._look()
        if self._is_off:
            allowed = self._limits.max_clock_skew.total_seconds()
            raise UnavailableError(
                f"The clock of {self._machine} and the database's differ by {abs(self._ahead).total_seconds():.1f} s "
                f"({allowed:g} s is allowed): nothing is written from here until both are right. Check the time "
                "synchronisation (NTP) of both."
            )

    @property
    def _is_off(self) -> bool:
        return abs(self._ahead) > self._limits.max_clock_skew

    def _is_due(self) -> bool:
        every = self._limits.clock_checked_every.total_seconds()
        return self._looked_at is None or self._elapsed() - self._looked_at >= every

    def _look(self) -> None:
        self._ahead = self._measure()
        if self._is_off or self._told is not False:  # the first time too: we may have been off before a restart
            self._tell()
        self._told = self._is_off
        self._looked_at = self._elapsed()

    def _tell(self) -> None:
        """In the database's time, since ours may be wrong."""
        with self._open_uow() as uow:
            was_off = self._machine in clocks_off(uow)
            lease = self._lease(uow) if self._is_off or was_off else None
            if lease and not self._is_off:
                uow.leases.release(lease)
            if self._is_off is not was_off:
                uow.audit.record([self._event()])
            uow.commit()

    def _lease(self, uow: UnitOfWork) -> Lease | None:
        return uow.leases.take(_PREFIX + self._machine, self._machine, self._clock.wall() + self._ahead, _TOLD_FOR)

    def _event(self) -> Event:
        return Event(
            at=self._clock.now() + self._ahead,
            actor=SYSTEM,
            kind="clock.drifted" if self._is_off else "clock.corrected",
            reason=Reason.CLOCK_SKEW if self._is_off else None,
            details={"machine": self._machine, "seconds": f"{abs(self._ahead).total_seconds():.1f}"},
        )


def clocks_off(uow: UnitOfWork) -> list[str]:
    """The machines that say so of themselves now; judged by the database's clock, for the reader's may be off too."""
    return [lease.name.removeprefix(_PREFIX) for lease in uow.leases.alive(_PREFIX)]
