"""A policy comes into force before or after a delivery ends without people, never in between."""

from datetime import datetime, timedelta

from provisioning.domain.ids import TenantId
from provisioning.ports import UnitOfWork

_EVERYBODY = "policy"  # one holder for all processes: taking is never refused
_WHILE = timedelta(seconds=30)


def await_policy_turn(uow: UnitOfWork, tenant: TenantId, wall: datetime) -> None:
    """Queue up behind whoever changes the tenant's policy, or ends a delivery by it: what is read then stays true.

    Taking a lease under one common name is a lock on its row until commit.
    """
    uow.leases.take(f"policy:{tenant}", _EVERYBODY, wall, _WHILE)
