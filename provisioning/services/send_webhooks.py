"""Messages leave, each subject's in their order; one that is not taken holds up those behind it, and no others."""

from collections.abc import Sequence
from dataclasses import dataclass

from provisioning.domain.limits import Limits
from provisioning.domain.webhook import Answer, Endpoint, Message
from provisioning.planning.webhooks import after_attempt
from provisioning.ports import Clock, MessageSender, OpenUnitOfWork

_AT_ONCE = 50  # of one endpoint in one round: a slow one must not hold up the others for long


@dataclass(frozen=True, kw_only=True)
class SendWebhooks:
    """Returns how many were taken. A killed round sends what it had in hand once more, under the same id."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    endpoints: Sequence[Endpoint]
    sender: MessageSender

    def __call__(self) -> int:
        return sum(self._serve(endpoint) for endpoint in self.endpoints)

    def _serve(self, endpoint: Endpoint) -> int:
        with self.open_uow() as uow:
            heads = uow.webhooks.heads(self.clock.now(), endpoint.name, _AT_ONCE)
        taken = 0
        for message in heads:
            answer = self._send(endpoint, message)
            taken += answer is Answer.TAKEN
            if answer is Answer.SILENT:
                break  # the others would be met with the same silence, ten seconds each
        return taken

    def _send(self, endpoint: Endpoint, message: Message) -> Answer:
        attempted = self.sender.send(endpoint, message, self.clock.wall())
        after = after_attempt(message, attempted, self.clock.now(), self.limits.webhook_waits)
        with self.open_uow() as uow:
            uow.webhooks.save(after)
            uow.commit()
        return attempted.answer
