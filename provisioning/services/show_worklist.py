"""Everything that waits for a person, the oldest first."""

from dataclasses import dataclass

from provisioning.domain.ownership import owner_of
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner, Stop, WorkItem
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.check_configuration import AwaitingApproval, awaiting_approval
from provisioning.services.watch_clock import clocks_off


@dataclass(frozen=True, kw_only=True)
class ShowWorklist:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, owner: Owner | None = None) -> list[WorkItem]:
        """Items of one owner, or of everybody; a stop is one too, for somebody has to lift it."""
        with self.open_uow() as uow:
            items = uow.worklist.items(self.clock.now())
            stops = uow.stops.list_all()
            clocks = clocks_off(uow)
            unapproved = awaiting_approval(uow)
        listed = {item.subject for item in items}
        every = [*items, *(item for item in map(_stop_item, stops) if item.subject not in listed)]
        every += [self._clock_item(machine) for machine in clocks]
        every += [self._configuration_item(one) for one in unapproved]
        return sorted((x for x in every if owner in {None, x.owner}), key=lambda item: (item.since, item.subject))

    def _clock_item(self, machine: str) -> WorkItem:
        """It is as old as now: told anew every few seconds, for as long as it is true."""
        reason = Reason.CLOCK_SKEW
        return WorkItem(subject=f"clock of {machine}", reason=reason, owner=owner_of(reason), since=self.clock.now())

    def _configuration_item(self, one: AwaitingApproval) -> WorkItem:
        reason, since = Reason.CONFIGURATION_UNAPPROVED, one.since or self.clock.now()
        return WorkItem(subject=f"{one.kind} {one.digest[:8]}", reason=reason, owner=owner_of(reason), since=since)


def _stop_item(stop: Stop) -> WorkItem:
    is_incident = stop.reason == Reason.APPLICATION_INCIDENT
    reason = Reason.APPLICATION_INCIDENT if is_incident else Reason.STOPPED
    return WorkItem(subject=f"stop {stop.scope}", reason=reason, owner=owner_of(reason), since=stop.stopped_at)
