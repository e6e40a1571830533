"""No new write, everywhere, in one tenant or of one kind; reading goes on."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.operation import OperationKind
from provisioning.domain.rights import Action, require
from provisioning.domain.worklist import Stop
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.lookup import get_tenant

EVERYTHING = "all"


@dataclass(frozen=True, kw_only=True)
class StopWrites:
    """Works on the database alone: executors check stops in the transaction that journals a write."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, scope: str, reason: str) -> Stop:
        """`scope`: "all", "tenant:<id or domain>" or "kind:<kind>". Stopping what is stopped keeps the first stop."""
        require(identity, Action.STOP_WRITES)
        now = self.clock.now()
        with self.open_uow() as uow:
            stop = Stop(scope=resolve_scope(uow, scope), reason=reason, stopped_by=identity.actor, stopped_at=now)
            standing = find_stop(uow, stop.scope)
            if standing is not None:
                return standing
            uow.stops.add(stop)
            event = Event(at=now, actor=identity.actor, kind="writes.stopped", after=stop.scope, reason=reason)
            uow.audit.record([event])
            uow.commit()
        return stop

    def standing(self) -> list[Stop]:
        """What is stopped now, oldest first."""
        with self.open_uow() as uow:
            return uow.stops.list_all()


def find_stop(uow: UnitOfWork, scope: str) -> Stop | None:
    """The stop that stands with exactly this scope."""
    return next((stop for stop in uow.stops.list_all() if stop.scope == scope), None)


def resolve_scope(uow: UnitOfWork, scope: str) -> str:
    """The scope with a tenant's full id for what was typed; raises InputError when there is no such thing."""
    kind, _, named = scope.partition(":")
    if scope == EVERYTHING:
        return scope
    if kind == "tenant":
        return f"tenant:{get_tenant(uow, named).tenant_id}"
    if kind == "kind" and named in set(OperationKind):
        return scope
    kinds = ", ".join(OperationKind)
    raise InputError(f"{scope!r} cannot be stopped: it takes all, one tenant, or one kind of operation ({kinds}).")
