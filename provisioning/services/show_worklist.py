"""Everything that waits for a person, the oldest first."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provisioning.domain.ids import MigrationId
from provisioning.domain.limits import Limits
from provisioning.domain.ownership import owner_of
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner, Stop, WorkItem
from provisioning.ports import Clock, Missing, OpenUnitOfWork
from provisioning.services.check_configuration import AwaitingApproval, awaiting_approval
from provisioning.services.watch_clock import clocks_off


@dataclass(frozen=True, kw_only=True)
class ShowWorklist:
    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def __call__(self, owner: Owner | None = None) -> list[WorkItem]:
        """Items of one owner, or of everybody; a stop is one too, for somebody has to lift it."""
        with self.open_uow() as uow:
            items = uow.worklist.items(self.clock.now())
            stops = uow.stops.list_all()
            missing = uow.migrations.missing_exchange(self.clock.now() - self.limits.exchange_overdue)
            clocks = clocks_off(uow)
            unapproved = awaiting_approval(uow)
        listed = {item.subject for item in items}
        every = [*items, *(item for item in map(_stop_item, stops) if item.subject not in listed)]
        every += self._mailbox_items(missing)
        every += [self._clock_item(machine) for machine in clocks]
        every += [self._configuration_item(one) for one in unapproved]
        return sorted((x for x in every if owner in {None, x.owner}), key=lambda item: (item.since, item.subject))

    def _clock_item(self, machine: str) -> WorkItem:
        """It is as old as now: told anew every few seconds, for as long as it is true."""
        reason = Reason.CLOCK_SKEW
        return WorkItem(subject=f"clock of {machine}", reason=reason, owner=owner_of(reason), since=self.clock.now())

    def _mailbox_items(self, missing: Sequence[Missing]) -> Iterator[WorkItem]:
        """One for each migration, and one more for whose 30 days are nearly over; as old as the longest in it."""
        urgent_since = self.clock.now() - self.limits.mailbox_at_risk
        found: defaultdict[tuple[MigrationId, Reason], list[Missing]] = defaultdict(list)
        for one in missing:
            reason = Reason.MAILBOX_AT_RISK if one.moved_at <= urgent_since else Reason.EXCHANGE_OVERDUE
            found[one.migration_id, reason].append(one)
        for (migration, reason), people in found.items():
            first = people[0]
            yield WorkItem(
                subject=f"mailboxes of migration {migration}",
                reason=reason,
                owner=owner_of(reason),
                since=first.moved_at,
                organisation_id=first.holder,
                tenant_id=first.tenant_id,
                count=len(people),
            )

    def _configuration_item(self, one: AwaitingApproval) -> WorkItem:
        reason, since = Reason.CONFIGURATION_UNAPPROVED, one.since or self.clock.now()
        return WorkItem(subject=f"{one.kind} {one.digest[:8]}", reason=reason, owner=owner_of(reason), since=since)


def _stop_item(stop: Stop) -> WorkItem:
    is_incident = stop.reason == Reason.APPLICATION_INCIDENT
    reason = Reason.APPLICATION_INCIDENT if is_incident else Reason.STOPPED
    return WorkItem(subject=f"stop {stop.scope}", reason=reason, owner=owner_of(reason), since=stop.stopped_at)
