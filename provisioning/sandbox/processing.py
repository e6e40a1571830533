"""The work that a tenant does later: licences of groups, person by person, and rules of dynamic groups.

learn.microsoft.com: "What is group-based licensing in Microsoft Entra ID". Nothing runs by itself: whoever touches
the twin has what became due done first (`background.catch_up`).
"""

from collections import Counter, deque
from collections.abc import Iterable

import msgspec

QUEUED, IN_PROGRESS, COMPLETE = "QueuedForProcessing", "ProcessingInProgress", "ProcessingComplete"


class Job(msgspec.Struct, frozen=True, gc=False):
    """At `due`, see to a person (None: to the group itself): to their licences, or to whether a rule takes them in."""

    due: float
    group: str
    user: str | None
    is_rule: bool = False


class Queue:
    """First come, first served: jobs are due in the order in which they were asked for."""

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()
        self._pending: Counter[str] = Counter()
        self.last_due = 0.0  # when the last job was due, done or not

    def add(
        self, group: str, users: Iterable[str | None], earliest: float, interval: float, *, is_rule: bool = False
    ) -> None:
        """One job per person, the first not before `earliest`, the others each `interval` seconds later."""
        for user in users:
            due = max(earliest, self.last_due + interval)
            self.jobs.append(Job(due, group, user, is_rule))
            self.last_due = due
            self._pending[group] += not is_rule

    def next_due(self, now: float) -> Job | None:
        """Take the next job that is due."""
        if not self.jobs or self.jobs[0].due > now:
            return None
        job = self.jobs.popleft()
        self._pending[job.group] -= not job.is_rule
        return job

    def is_pending(self, group: str) -> bool:
        """Whether licences of the group have yet to be seen to."""
        return self._pending[group] > 0
