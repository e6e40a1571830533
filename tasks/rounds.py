"""One round at a time, however many schedulers and workers there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from provisioning.domain.worklist import Lease
from provisioning.execution.leases import kept_alive
from provisioning.ports import Clock, OpenUnitOfWork

_LEASE = timedelta(seconds=10)  # renewed while the round lasts; a killed one holds up the next no longer than this


@contextmanager
def only_one(open_uow: OpenUnitOfWork, clock: Clock, name: str, holder: str) -> Iterator[bool]:
    """Whether the round is ours to make: false while another worker makes it."""
    lease = _take(open_uow, clock, name, holder)
    if lease is None:
        yield False
        return
    try:
        with kept_alive(open_uow, lease, clock, _LEASE):
            yield True
    finally:
        with open_uow() as uow:
            uow.leases.release(lease)
            uow.commit()


def _take(open_uow: OpenUnitOfWork, clock: Clock, name: str, holder: str) -> Lease | None:
    with open_uow() as uow:
        lease = uow.leases.take(f"sweep:{name}", holder, clock.wall(), _LEASE)
        uow.commit()
    return lease
