"""What stands between a calibration and a real tenant: the stop, the quota, the number of writes, journal and audit."""

from datetime import timedelta

from provisioning.domain.errors import ConflictError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, AttemptId, Pseudonym
from provisioning.domain.operation import Lane
from provisioning.domain.worklist import Lease
from provisioning.planning.calibration import MOST_WRITES
from provisioning.planning.probe import Ask
from provisioning.planning.probe_people import Interrupted, strays
from provisioning.planning.probe_stage import NOBODY
from provisioning.ports import Clock, OpenUnitOfWork, ProbeJournal, Quota
from provisioning.services.probe_run import Waits

KIND = "calibrate"  # no kind of operation: stops of everything and of the tenant hold for it
_TO_PUT_BACK = 8  # five requests undo anything, and some may have to be sent twice
_NO_ONES = (f"/users/{NOBODY}", "/subscribedSkus")  # a person who does not exist, and what nobody can delete
_SUCCESS, _FAILURE = 200, 300


class Unwatched:
    """At the twin everything may be asked."""

    def room_for(self, _: int) -> None:
        return None

    def before(self, probe: str, ask: Ask, call_id: str) -> None:
        """Nobody minds."""

    def after(self, probe: str, ask: Ask, call_id: str, status: int | None) -> None:
        """Nobody asks."""


class Watched:
    """At a tenant each write is counted, allowed, journalled and told."""

    def __init__(
        self,
        *,
        open_uow: OpenUnitOfWork,
        quota: Quota,
        clock: Clock,
        journal: ProbeJournal,
        waits: Waits,
        lease: Lease,
        actor: Actor,
        subject: Pseudonym,
        left: Interrupted,
    ) -> None:
        self._open_uow = open_uow
        self._quota = quota
        self._clock = clock
        self._journal = journal
        self._waits = waits
        self._lease = lease
        self._actor = actor
        self._subject = subject
        self._tenant = left.tenant
        self._cast = left.cast
        self.writes = 0

    def room_for(self, writes: int) -> str | None:
        if self.writes + writes + _TO_PUT_BACK > MOST_WRITES:
            return f"{MOST_WRITES} writes are the most, and {self.writes} are used"
        return None

    def before(self, probe: str, ask: Ask, call_id: str) -> None:
        if strays(ask, self._cast, _NO_ONES):
            raise ConflictError(f"Probe {probe} would write to somebody else; nothing was sent.")
        if self.writes + ask.writes > MOST_WRITES:
            raise ConflictError(f"{MOST_WRITES} writes are used; nothing more is sent to this tenant.")
        self._take_quota(ask.writes)
        with self._open_uow() as uow:
            if stop := uow.stops.blocking(self._tenant, KIND):
                raise ConflictError(
                    f"Writes are stopped for {stop.scope}. After `provisioning resume` run it again: it first puts "
                    "back what it changed."
                )
            uow.leases.check(self._lease)
        self._journal.asking(probe, call_id, ask)
        self.writes += ask.writes

    def after(self, probe: str, ask: Ask, call_id: str, status: int | None) -> None:
        self._journal.answered(call_id, status or 0)
        event = Event(
            at=self._clock.now(),
            actor=self._actor,
            kind=f"probe.{_outcome(status)}",
            tenant=self._tenant,
            subject=self._subject,
            correlation=AttemptId(call_id),
            details={"probe": probe, "method": ask.method},
        )
        with self._open_uow() as uow:
            uow.audit.record([event])
            uow.commit()

    def _take_quota(self, writes: int) -> None:
        left = writes
        while left:
            grant = self._quota.take(self._tenant, left, Lane.BULK)
            left -= grant.writes
            if left:
                self._waits.pause(max(grant.after, timedelta(milliseconds=50)))


def _outcome(status: int | None) -> str:
    if status is None or status >= 500:  # noqa: PLR2004  HTTP's own
        return "unknown"
    return "accepted" if _SUCCESS <= status < _FAILURE else "refused"
