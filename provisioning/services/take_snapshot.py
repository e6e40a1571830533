"""A live tenant is written down as a seed of the sandbox, with people as pseudonyms. Reading permissions are enough."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.events import Event
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import Tenant
from provisioning.planning.masks import KEY_ROW, Masks
from provisioning.planning.selection import keys_needed
from provisioning.planning.selectors import parse_selector
from provisioning.planning.snapshot import groups_named, spoken_of, with_all_roles
from provisioning.ports import Clock, OpenUnitOfWork, TenantReader, UnitOfWork
from provisioning.services.lookup import get_tenant
from provisioning.services.read_snapshot import SnapshotBasis, SnapshotReading


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the file; `remarks` name whatever is not as in the tenant."""

    tenant: TenantId
    people: int
    groups: int
    is_complete: bool
    remarks: tuple[str, ...]


class Snapshot:
    """The document, piece by piece while it is read; a line for each person. Afterwards `summary` says what it is."""

    def __init__(self, tenant: Tenant, day: date, reading: SnapshotReading, at_end: Callable[[Summary], None]) -> None:
        self.domain = tenant.initial_domain
        self.day = day
        self._reading = reading
        self._at_end = at_end

    def __iter__(self) -> Iterator[bytes]:
        """Raises GraphError when the tenant cannot be read at all, or no longer."""
        yield from self._reading
        self._at_end(self.summary)

    @property
    def people(self) -> frozenset[SubjectId]:
        """Who has been read so far, by their true ids."""
        return frozenset(self._reading.people)

    @property
    def summary(self) -> Summary:
        """What has been read so far."""
        read = self._reading
        return Summary(
            tenant=read.basis.tenant,
            people=len(read.people),
            groups=read.groups,
            is_complete=read.is_complete,
            remarks=tuple(read.remarks),
        )


@dataclass(frozen=True, kw_only=True)
class TakeSnapshot:
    open_uow: OpenUnitOfWork
    reader: TenantReader
    clock: Clock
    application: Callable[[TenantId], str]  # the id of the app registration that a tenant knows us by

    def __call__(
        self, identity: Identity, named: str, groups: Collection[GroupId] = (), selectors: Collection[str] = ()
    ) -> Snapshot:
        """`groups`: to be in it whatever they bring; `selectors` (JSON text): whatever they ask is in it too.

        Nothing is read before the pieces are asked for. That it began is on record even when it breaks off.
        """
        require(identity, Action.TAKE_SNAPSHOT)
        with self.open_uow() as uow:
            tenant = get_tenant(uow, named)
            basis = self._basis(uow, tenant, groups, selectors)
            uow.audit.record([self._event(identity, tenant.tenant_id, "tenant.snapshot_begun")])
            uow.commit()
        reading = SnapshotReading(self.reader, self.clock, basis)
        today = dutch_day(self.clock.now())
        return Snapshot(tenant, today, reading, lambda summary: self._end(identity, summary))

    def _basis(
        self, uow: UnitOfWork, tenant: Tenant, groups: Collection[GroupId], selectors: Collection[str]
    ) -> SnapshotBasis:
        tenant_id = tenant.tenant_id
        bindings = uow.tenants.bindings_in(tenant_id, dutch_day(self.clock.now()))
        policies, register = uow.tenants.list_policies(tenant_id), uow.groups.list_in(tenant_id)
        asked = {key for text in selectors for key in parse_selector(text).keys}
        keys = with_all_roles(keys_needed(bindings) | asked)
        return SnapshotBasis(
            tenant=tenant_id,
            application=self.application(tenant_id),
            masks=Masks(uow.audit.pseudonyms(tenant_id, [KEY_ROW])[KEY_ROW]),
            spoken=spoken_of(bindings, policies, tenant.verified_domains, selectors),
            memberships=keys,
            groups=groups_named(keys, policies, register) | set(groups),
            nicknames=frozenset(row.nickname for row in register),
        )

    def _end(self, identity: Identity, summary: Summary) -> None:
        told = {"people": str(summary.people), "complete": "yes" if summary.is_complete else "no"}
        with self.open_uow() as uow:
            uow.audit.record([self._event(identity, summary.tenant, "tenant.snapshot_taken", told)])
            uow.commit()

    def _event(self, identity: Identity, tenant: TenantId, kind: str, details: dict[str, str] | None = None) -> Event:
        return Event(at=self.clock.now(), actor=identity.actor, kind=kind, tenant=tenant, details=details or {})
