"""Leases: one row per name, whose fence only ever grows."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.engine import ask_time
from provisioning.database.store import Store
from provisioning.database.tables.access import leases
from provisioning.domain.errors import StaleLeaseError
from provisioning.domain.worklist import Lease

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODY = ""


class SqlLeases(Store):
    def take(self, name: str, holder: str, wall: datetime, duration: timedelta) -> Lease | None:
        expires_at = wall + duration
        first = insert(leases).values(name=name, holder=holder, fence=1, expires_at=expires_at)
        taken = first.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "fence": leases.c.fence + 1, "expires_at": expires_at},
            where=or_(leases.c.expires_at <= wall, leases.c.holder == holder),
        )
        fence = self._connection.scalar(taken.returning(leases.c.fence))
        return None if fence is None else Lease(name=name, holder=holder, fence=fence, expires_at=expires_at)

    def renew(self, lease: Lease, wall: datetime, duration: timedelta) -> Lease:
        expires_at = wall + duration
        renewed = update(leases).where(_is_ours(lease)).values(expires_at=expires_at)
        if not self._changed(renewed):
            raise stale(lease)
        return Lease(name=lease.name, holder=lease.holder, fence=lease.fence, expires_at=expires_at)

    def alive(self, prefix: str) -> list[Lease]:
        is_named = leases.c.name.startswith(prefix, autoescape=True)
        query = select(leases).where(is_named, leases.c.expires_at > ask_time(self._connection))
        return self._list(query.order_by(leases.c.name), Lease)

    def release(self, lease: Lease) -> None:
        """The row stays, for its fence; releasing what is no longer ours does nothing."""
        freed = update(leases).where(_is_ours(lease)).values(holder=_NOBODY, expires_at=_LONG_AGO)
        self._connection.execute(freed)

    def check(self, lease: Lease) -> None:
        held = select(leases.c.fence).where(_is_ours(lease)).with_for_update(read=True)
        if self._connection.scalar(held) is None:
            raise stale(lease)


def stale(lease: Lease) -> StaleLeaseError:
    return StaleLeaseError(f"The lease {lease.name} (fence {lease.fence}) of {lease.holder} is no longer in force.")


def _is_ours(lease: Lease) -> ColumnElement[bool]:
    return (leases.c.name == lease.name) & (leases.c.fence == lease.fence) & (leases.c.holder == lease.holder)
