"""A stop is lifted; what waited goes on by itself."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.rights import Action, require
from provisioning.domain.worklist import Stop
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.stop_writes import EVERYTHING, find_stop, resolve_scope


@dataclass(frozen=True, kw_only=True)
class ResumeWrites:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, scope: str) -> Stop:
        """The stop that was lifted; raises InputError when none stands with this scope."""
        require(identity, Action.RESUME_WRITES)
        now = self.clock.now()
        with self.open_uow() as uow:
            resolved = resolve_scope(uow, scope)
            stop = find_stop(uow, resolved)
            if stop is None or not uow.stops.lift(resolved):
                others = ", ".join(standing.scope for standing in uow.stops.list_all()) or "nothing"
                raise InputError(f"There is no stop on {resolved}; stopped now: {others}.")
            if resolved == EVERYTHING:
                uow.stops.answer_credential_failures()
            event = Event(at=now, actor=identity.actor, kind="writes.resumed", before=resolved, reason=stop.reason)
            uow.audit.record([event])
            uow.commit()
        return stop
