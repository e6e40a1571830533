"""One thing at a time for one customer: what is read of its ledger stays true until commit."""

from collections.abc import Collection
from datetime import datetime, timedelta

from provisioning.ports import UnitOfWork

_JUDGE = "judge"  # one holder for all processes: taking is never refused
_WHILE = timedelta(seconds=30)


def await_customer_turn(uow: UnitOfWork, codes: Collection[str], wall: datetime) -> None:
    """Queue up behind whoever judges or transfers for one of these customers; in one order, so that nobody deadlocks.

    Taking a lease under one common name is a lock on its row until commit.
    """
    for code in sorted(set(codes)):
        uow.leases.take(f"orders:{code}", _JUDGE, wall, _WHILE)
