"""Stores of the trade: customers, tenants, orders, what was bought, what only people know."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import (
    Actor,
    BindingId,
    LineKey,
    OrganisationId,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import LedgerEntry, OrderLine, ShopLine
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Record, RecordKind
from provisioning.domain.tenancy import (
    Binding,
    BindingEvidence,
    Organisation,
    Policy,
    Relation,
    Tenant,
)


class OrganisationStore(Protocol):
    def find(self, organisation: OrganisationId) -> Organisation | None: ...
    def list_all(self, kind: str | None = None) -> list[Organisation]: ...
    def save(self, organisations: Iterable[Organisation]) -> int:
        """Insert or update by id; returns how many changed anything."""

    def add_relations(self, relations: Iterable[Relation]) -> int:
        """Insert those that are not there yet (parent, child, kind, valid_from); returns how many."""

    def relations_of(self, organisation: OrganisationId, on: date) -> list[Relation]:
        """Those valid on the day in which it is parent or child."""


class TenantStore(Protocol):
    def find(self, tenant: TenantId) -> Tenant | None: ...
    def find_by_domain(self, domain: str) -> Tenant | None: ...
    def list_all(self) -> list[Tenant]: ...
    def save(self, tenant: Tenant) -> None: ...
    def note_first_write(self, tenant: TenantId, at: datetime) -> None:
        """Set `first_write_at` if it is empty."""

    def note_proven(self, tenant: TenantId, at: datetime) -> None: ...
    def bindings_of(self, organisation: OrganisationId, on: date) -> list[Binding]: ...
    def bindings_in(self, tenant: TenantId, on: date) -> list[Binding]: ...
    def find_binding(self, binding: BindingId) -> Binding | None: ...
    def add_binding(self, binding: Binding) -> None:
        """Raises ConflictError when another binding of the organisation overlaps and neither is a transition."""

    def end_binding(self, binding: BindingId, last_day: date) -> None:
        """It is valid until that day, included. Raises ConflictError for a day before it began or after its end."""

    def confirm_binding(
        self, binding: BindingId, by: Actor, at: datetime, evidence: Collection[BindingEvidence]
    ) -> None: ...
    def set_selector(
        self,
        binding: BindingId,
        audience: Audience,
        selector: str,
        by: Actor,
        at: datetime,
        authors: Collection[Actor] = (),
    ) -> None:
        """Write it and make `by` the author of the binding, which is unconfirmed again: who gets seats takes two.

        `authors`: who else wrote it. What was confirmed is looked at no more; of what was not, its authors stay.
        """

    def policy_on(self, tenant: TenantId, on: date) -> Policy:
        """The latest approved policy valid on the day; the default (assignment mode none) when there is none."""

    def add_policy(self, policy: Policy) -> None:
        """Insert a proposal; it is in force once somebody else has approved it."""

    def list_policies(self, tenant: TenantId) -> list[Policy]:
        """All of them, proposals too, newest first."""

    def approve_policy(self, tenant: TenantId, digest: str, by: Actor, at: datetime) -> None:
        """Raises ConflictError when no proposal has this digest; the database refuses its own author."""

    def selection_size(self, binding: BindingId, audience: Audience) -> int | None: ...
    def note_selection(self, binding: BindingId, audience: Audience, size: int, at: datetime) -> None: ...


class OrderStore(Protocol):
    def watermark(self, source: str) -> datetime | None: ...
    def set_watermark(self, source: str, changed_at: datetime) -> None: ...
    def digests(self, source: str, since: datetime | None) -> dict[LineKey, str]:
        """Key → digest of what we keep; `since` bounds by the shop's changed_at."""

    def open_keys(self, source: str) -> set[LineKey]:
        """Keys of lines not yet ended."""

    def find(self, key: LineKey) -> OrderLine | None: ...
    def receive(self, shop: ShopLine, at: datetime) -> bool:
        """Insert as received; False when the key is already here (another collector was first)."""

    def replace_shop(self, shop: ShopLine) -> None:
        """A held or received line whose columns the shop corrected."""

    def note_late_change(self, shop: ShopLine, warning: Reason) -> None:
        """A line past correction: remember the shop's status and digest, add the warning, move nothing."""

    def set_state(
        self,
        key: LineKey,
        state: LineState,
        reason: Reason | None,
        at: datetime,
        warnings: Sequence[Reason] = (),
        released_by: Actor | None = None,
    ) -> None: ...
    def list_by(
        self, states: Collection[LineState] = (), order_number: str | None = None, limit: int = 1000
    ) -> list[OrderLine]: ...
    def list_held(self, organisation: str, reasons: Collection[Reason] = ()) -> list[OrderLine]:
        """Held lines of one organisation code, oldest first (all reasons when none is given)."""

    def similar(self, organisation: str, article: str, quantity: int, since: datetime) -> list[OrderLine]:
        """Accepted or later lines that look the same: the suspicion of a duplicate."""


class Ledger(Protocol):
    def append(self, entries: Iterable[LedgerEntry]) -> None: ...
    def list_by(self, holder: OrganisationId) -> list[LedgerEntry]: ...
    def entitlement(self, holder: OrganisationId, tenant: TenantId, sku: SkuId, on: date) -> int:
        """The sum of deltas in force on the day."""

    def holdings(self, skus: Collection[SkuId], on: date) -> dict[tuple[OrganisationId, TenantId, SkuId], int]:
        """Who may use how many seats of these products on the day, and in which tenant; only where that is above 0."""

    def tenant_total(self, tenant: TenantId, sku: SkuId, on: date) -> int:
        """The sum over all holders in this tenant: what must be visible as seats."""


class RecordStore(Protocol):
    def save(self, records: Iterable[Record], at: datetime, by: Actor | None = None) -> int:
        """Idempotent by kind and id; returns how many changed anything. `by` wrote what is there now."""

    def author(self, kind: str, record_id: str) -> Actor | None:
        """Who wrote it as it is; None when that is not known."""

    def list_by(self, kind: RecordKind, organisation: OrganisationId | None = None) -> list[Record]: ...


class References(Protocol):
    """UPNs and ids from orders and identity maps, kept only until resolved or too old."""

    def keep(self, key: LineKey, references: Sequence[str], at: datetime) -> None: ...
    def unresolved(self, key: LineKey) -> list[str]: ...
    def resolve(self, key: LineKey, resolved: Mapping[str, SubjectId]) -> None: ...
    def resolved(self, key: LineKey) -> list[SubjectId]: ...
    def purge(self, before: datetime) -> int: ...
