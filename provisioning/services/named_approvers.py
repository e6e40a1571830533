"""Who approves, where a migration's file says it: nobody else, and still nobody who had a hand in the plan."""

from collections.abc import Collection
from datetime import datetime

from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import Actor
from provisioning.domain.operation import Operation
from provisioning.ports import UnitOfWork


def require_known(uow: UnitOfWork, requester: Actor, approvers: Collection[Actor], now: datetime) -> None:
    """Raises InputError for whoever could never approve it: found out now, and not on the evening of the first wave."""
    able = {
        one.actor
        for one in uow.actors.list_all()
        if Role.APPROVER in one.roles and (one.expires_at is None or one.expires_at > now)
    }
    if strangers := sorted(set(approvers) - able):
        raise InputError(
            f"approvers: {', '.join(strangers)} may approve nothing here. `provisioning actors list` has who may; "
            "correct the file, or have an administrator add them."
        )
    if approvers and set(approvers) <= {requester}:
        raise InputError(f"approvers: {requester} creates it, and nobody approves their own. Name somebody else too.")


def require_named(uow: UnitOfWork, identity: Identity, operation: Operation) -> None:
    """Raises NotAllowedError for an approver whom the migration's file does not name, where it names some."""
    part = operation.wish.part or operation.wish.follows
    if part is None:
        return
    definition = uow.migrations.get(part.migration_id).definition
    if definition.approvers and identity.actor not in definition.approvers:
        raise NotAllowedError(
            f"{identity.actor} is not among the approvers of {definition.name}: {', '.join(definition.approvers)}."
        )
