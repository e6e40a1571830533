"""A person has what was given up sent once more."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class ResendWebhooks:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, endpoint: str) -> int:
        """How many are due again. Raises InputError when nothing to this endpoint was given up, NotAllowedError."""
        require(identity, Action.RESEND_WEBHOOKS)
        now = self.clock.now()
        with self.open_uow() as uow:
            again = uow.webhooks.resend(endpoint, now)
            if not again:
                raise InputError(f"No message to {endpoint} was given up; `provisioning webhooks list` shows them all.")
            details = {"endpoint": endpoint, "messages": str(again)}
            uow.audit.record([Event(at=now, actor=identity.actor, kind="webhooks.resent", details=details)])
            uow.commit()
        return again
