"""Which tenant has something to do next, over all tenants: the ledger is one story, told in order of time."""

import heapq

from provisioning.sandbox.processing import Job
from provisioning.sandbox.tenants import Tenant


class Agenda:
    """Holds each tenant whose queue is not empty once, at the moment of its first job."""

    def __init__(self) -> None:
        self._turns: list[tuple[float, int, Tenant]] = []
        self._numbers = 0

    def note(self, tenant: Tenant) -> None:
        """Call it when the tenant's queue is empty no more."""
        self._numbers += 1  # at the same moment, who came first
        heapq.heappush(self._turns, (tenant.queue.jobs[0].due, self._numbers, tenant))

    def next_due(self, now: float) -> tuple[Tenant, Job] | None:
        """Take the next job that is due anywhere."""
        if not self._turns or self._turns[0][0] > now:
            return None
        _, _, tenant = heapq.heappop(self._turns)
        job = tenant.queue.next_due(now)
        if tenant.queue.jobs:
            self.note(tenant)
        return (tenant, job) if job else None

    def copy(self) -> "Agenda":
        copied = Agenda()
        copied._turns, copied._numbers = list(self._turns), self._numbers
        return copied
