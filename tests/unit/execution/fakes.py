"""A unit of work that remembers, in one list, what was done and when it was committed."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Self, cast

import msgspec

from provisioning.domain.errors import StaleLeaseError
from provisioning.domain.ids import OperationId, TenantId
from provisioning.domain.lifecycle import StepState
from provisioning.domain.operation import Attempt, Receipt, StepRecord
from provisioning.domain.worklist import Lease, Stop
from provisioning.ports import StepUpdate, SubjectUpdate, UnitOfWork
from tests.unit.execution.steps import NOW

Answer = Callable[[Sequence[Attempt]], list[Receipt]]
LEASE = Lease(name="tenant:tenant", holder="worker", fence=7, expires_at=NOW)


class Recorder:
    """Journal, leases, stops, tenants and audit at once. `is_stale`: somebody else owns the tenant."""

    def __init__(self, *, in_flight: Sequence[StepRecord] = (), stop: Stop | None = None) -> None:
        self.done: list[tuple[str, Any]] = []
        self.is_stale = False
        self._in_flight = list(in_flight)
        self._stop = stop
        self.journal = self.leases = self.stops = self.tenants = self.audit = self

    def open(self) -> AbstractContextManager[UnitOfWork]:
        return cast("AbstractContextManager[UnitOfWork]", self)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.done]

    def of(self, name: str) -> Any:
        return next(what for done, what in self.done if done == name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.done.append(("closed", None))

    def commit(self) -> None:
        self.done.append(("committed", None))

    def blocking(self, tenant: TenantId, kind: str) -> Stop | None:
        return self._stop

    def renew(self, lease: Lease, wall: datetime, duration: timedelta) -> Lease:
        if self.is_stale:
            raise StaleLeaseError("Another worker owns the tenant.")
        self.done.append(("renewed", lease))
        return msgspec.structs.replace(lease, expires_at=wall + duration)

    def begin(self, attempts: Sequence[Attempt], lease: Lease, at: datetime) -> None:
        self.done.append(("begun", attempts))

    def note_first_write(self, tenant: TenantId, at: datetime) -> None:
        self.done.append(("first write", at))

    def close(
        self, operation: OperationId, lease: Lease, steps: Sequence[StepUpdate], subjects: Sequence[SubjectUpdate]
    ) -> None:
        self.done.append(("journalled", (lease, list(steps), list(subjects))))

    def record(self, events: Sequence[Any]) -> None:
        self.done.append(("audited", list(events)))

    def steps_in(self, operation: OperationId, states: Collection[StepState]) -> list[StepRecord]:
        return [one for one in self._in_flight if one.state in states]


class FakeGateway:
    def __init__(self, recorder: Recorder, answer: Answer) -> None:
        self._recorder = recorder
        self._answer = answer

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        self._recorder.done.append(("sent", (tenant, lease)))
        return self._answer(attempts)


class StandingClock:
    def now(self) -> datetime:
        return NOW

    def wall(self) -> datetime:
        return NOW + timedelta(days=1)  # real time is another time
