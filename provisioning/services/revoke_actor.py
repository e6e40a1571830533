"""An actor's token ends now."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class RevokeActor:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, actor: Actor) -> None:
        """Raises InputError when nobody of that name has a token."""
        require(identity, Action.MANAGE_ACTORS)
        with self.open_uow() as uow:
            if not uow.actors.revoke(actor, self.clock.wall()):
                raise InputError(f"There is no actor {actor} with a token; `provisioning actors list` shows who has.")
            event = Event(at=self.clock.now(), actor=identity.actor, kind="actor.revoked", details={"actor": actor})
            uow.audit.record([event])
            uow.commit()
