"""What is to be told becomes one message for each endpoint that wants to hear it."""

from collections.abc import Sequence
from dataclasses import dataclass

from provisioning.domain.calendar import dutch_day
from provisioning.domain.webhook import Endpoint
from provisioning.planning.webhooks import messages_of
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.application_incident import OURSELVES

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class SpreadFacts:
    """Returns how many facts were made into messages; without endpoints nobody is told, and nothing piles up."""

    open_uow: OpenUnitOfWork
    clock: Clock
    endpoints: Sequence[Endpoint]

    def __call__(self) -> int:
        now = self.clock.now()
        with self.open_uow() as uow:
            facts = uow.webhooks.untold(dutch_day(now), OURSELVES, _AT_ONCE)
            made = [message for fact in facts for message in messages_of(fact, self.endpoints)]
            uow.webhooks.spread(facts, made, now)
            uow.commit()
        return len(facts)
