"""Keeping a lease while something slow is read. Each renewal is its own short transaction."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from threading import Event, Thread

from provisioning.domain.errors import StaleLeaseError, UnavailableError
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, OpenUnitOfWork

KeepAlive = Callable[[OpenUnitOfWork, Lease, Clock, timedelta], AbstractContextManager[None]]


@contextmanager
def kept_alive(open_uow: OpenUnitOfWork, lease: Lease, clock: Clock, duration: timedelta) -> Iterator[None]:
    """Renew at a third of the duration until the block ends.

    Losing the lease is not reported from here: whoever writes afterwards checks the fence.
    """
    done = Event()

    def keep() -> None:
        while not done.wait(duration.total_seconds() / 3):
            try:
                with open_uow() as uow:
                    uow.leases.renew(lease, clock.wall(), duration)
                    uow.commit()
            except (StaleLeaseError, UnavailableError):
                return

    thread = Thread(target=keep, name=f"keeps {lease.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
