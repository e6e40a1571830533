"""What a migration still has to do, and by when: before the run, and corrected by it."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.domain.calendar import SchoolHoliday, dutch_day
from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.migration import Migration, Traveller
from provisioning.planning.migration_forecast import Outlook, Prospect, prospects
from provisioning.planning.quota import Sizes
from provisioning.planning.window import end_of
from provisioning.ports import Clock, OpenUnitOfWork, QuotaGauge
from provisioning.services.foretell_work import pace_of


class _NeverOpensError(Exception):
    """The window needs a holiday that nobody has written down yet."""


@dataclass(frozen=True, kw_only=True)
class ForetellMigration:
    open_uow: OpenUnitOfWork
    gauge: QuotaGauge
    clock: Clock
    limits: Limits
    holidays: Callable[[], Collection[SchoolHoliday]]

    def __call__(self, migration: Migration, travellers: Collection[Traveller]) -> tuple[Prospect, ...]:
        """By wave and phase; none when the window never opens."""
        definition, now = migration.definition, self.clock.now()
        tenants = {definition.source_tenant, definition.target_tenant}
        with self.open_uow() as uow:
            own = {one.operation_id for one in uow.migrations.operations_of(migration.migration_id)}
            work = [one for one in uow.journal.pending_writes() if one.operation_id not in own]
            policy = uow.tenants.policy_on(definition.target_tenant, dutch_day(now))
        others: Counter[TenantId] = Counter()
        for one in work:
            others[one.tenant_id] += one.writes
        outlook = Outlook(
            now=now,
            definition=definition,
            sizes=Sizes.of(self.limits),
            elapse=self._elapse(migration),
            pace=self._pace(tenants),
            others=others,
            sets_location=policy.usage_location is not None,
            target_mode=policy.assignment_mode,
        )
        try:
            return prospects(travellers, outlook, self.limits.batch_size)
        except _NeverOpensError:
            return ()

    def _elapse(self, migration: Migration) -> Callable[[datetime, timedelta], datetime]:
        window, holidays = migration.definition.window, tuple(self.holidays())

        def elapse(start: datetime, work: timedelta) -> datetime:
            end = end_of(window, holidays, start, work)
            if end is None:
                raise _NeverOpensError
            return end

        return elapse

    def _pace(self, tenants: set[TenantId]) -> Mapping[TenantId, float]:
        """Without Redis nobody's pace is known, and what Microsoft allows is all there is."""
        try:
            return pace_of(self.gauge.read(tenants))
        except UnavailableError:
            return {}
