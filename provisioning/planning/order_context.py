"""What judging an order line takes, and what it gives: values only."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from provisioning.domain.catalogue import Article, Mappings, Metric, Sku
from provisioning.domain.ids import LineKey, OrganisationId, TenantId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.operation import Wish
from provisioning.domain.order import LedgerEntry, OrderLine
from provisioning.domain.reasons import Reason
from provisioning.domain.records import (
    Agreement,
    AnnualCount,
    Declaration,
    Mandate,
    Membership,
    Participant,
    SupplierDecision,
    VolumeLicence,
)
from provisioning.domain.tenancy import Binding, Organisation, Relation, Tenant


class TradeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of the trade that a contract may change. The ratios are those of Microsoft's 2018 text (M10)."""

    suite_ratio: int = 40  # free pupil licences per staff licence of a suite
    product_ratio: int = 15  # the same for a single product


class OrderRecords(msgspec.Struct, frozen=True, kw_only=True):
    """The records that concern one line: its holder's, its participants', and those of whoever acts."""

    memberships: tuple[Membership, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    participants: tuple[Participant, ...] = ()
    volume_licences: tuple[VolumeLicence, ...] = ()
    supplier_decisions: tuple[SupplierDecision, ...] = ()
    annual_counts: tuple[AnnualCount, ...] = ()
    mandates: tuple[Mandate, ...] = ()


class OrderContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known around one line at the moment of judging. Days are Dutch days."""

    today: date
    placed_on: date
    mappings: Mappings
    orders_from: datetime | None = None
    organisation: Organisation | None = None  # as the line names it
    successor: Organisation | None = None  # who stands in its place since it ended
    acting: Organisation | None = None  # the organisation that the line's actor names
    relations: tuple[Relation, ...] = ()  # of the holder, valid today
    records: OrderRecords = OrderRecords()
    entries: tuple[LedgerEntry, ...] = ()  # of the holder and of whom it succeeded
    similar: tuple[LineKey, ...] = ()
    bindings: Mapping[OrganisationId, tuple[Binding, ...]] = {}  # valid today
    hinted: Tenant | None = None
    terms: TradeTerms = TradeTerms()

    @property
    def holder(self) -> Organisation | None:
        """Who gets the licences: the organisation of the line, or its successor (S48)."""
        return self.successor or self.organisation


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A line whose customer and article are known."""

    line: OrderLine
    context: OrderContext
    holder: Organisation
    article: Article
    sku: Sku | None

    @property
    def starts_on(self) -> date:
        return self.line.shop.starts_on or self.context.placed_on

    @property
    def quantity(self) -> int:
        """Whole by now: `shop_line` stops text."""
        quantity = self.line.shop.quantity
        return quantity if isinstance(quantity, int) else 0

    @property
    def is_per_site(self) -> bool:
        return self.article.metric is Metric.SITE


class Halt(msgspec.Struct, frozen=True):
    """A rule that says no, not yet, or nothing to do; `details` are codes and ids, never names."""

    state: LineState
    reason: Reason | None
    details: dict[str, str] = {}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes one operation. `held` when this part alone has to wait for a person."""

    tenant_id: TenantId
    wish: Wish
    held: Reason | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Where the line goes and what follows from it."""

    state: LineState
    reason: Reason | None = None
    warnings: tuple[Reason, ...] = ()
    entries: tuple[LedgerEntry, ...] = ()
    parts: tuple[Part, ...] = ()
    holder_id: OrganisationId | None = None
    details: dict[str, str] = {}


def hold(reason: Reason, **details: str) -> Halt:
    return Halt(LineState.HELD, reason, details)


def reject(reason: Reason, **details: str) -> Halt:
    return Halt(LineState.REJECTED, reason, details)


def record_only(reason: Reason, **details: str) -> Halt:
    return Halt(LineState.RECORDED_ONLY, reason, details)
