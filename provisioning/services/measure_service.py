"""The figures by which the service is watched: what waits for people, consent, and how many are verified."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import WorkItem
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.diagnose import Credential

_SPAN = timedelta(minutes=5)


class ServiceMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """`credentials_left`: how long each certificate is valid; without names, which are paths."""

    at: datetime
    worklist: dict[Reason, int]
    oldest: dict[Reason, float]  # seconds
    consent: dict[str, int]
    verified_per_minute: float
    credentials_left: tuple[timedelta, ...]


@dataclass(frozen=True, kw_only=True)
class MeasureService:
    open_uow: OpenUnitOfWork
    clock: Clock
    worklist: Callable[[], list[WorkItem]]
    credentials: Callable[[], Sequence[Credential]]

    def __call__(self) -> ServiceMeasure:
        """Raises UnavailableError when the database is away, ConfigurationError for an unreadable credential."""
        now, items = self.clock.now(), self.worklist()
        with self.open_uow() as uow:
            consent = Counter(str(tenant.consent) for tenant in uow.tenants.list_all())
            verified = uow.journal.verified_since(now - _SPAN)
        oldest: dict[Reason, float] = {}
        for item in items:
            oldest[item.reason] = max(oldest.get(item.reason, 0.0), (now - item.since).total_seconds())
        return ServiceMeasure(
            at=now,
            worklist=dict(Counter(item.reason for item in items)),
            oldest=oldest,
            consent=dict(consent),
            verified_per_minute=verified / (_SPAN.total_seconds() / 60),
            credentials_left=tuple(one.expires_at - self.clock.wall() for one in self.credentials()),
        )
