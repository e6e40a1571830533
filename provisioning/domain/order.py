"""The shop's order lines, and the ledger of what was bought."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from provisioning.domain.ids import Actor, ArticleCode, LineKey, OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.reasons import Reason

MOST_SEATS = 1_000_000  # more than the pupils of the largest board a hundred times over: a slip of the keyboard
LONGEST_TEXT = 200  # characters of one column: ten times the longest code, and short enough for any index


class ShopStatus(StrEnum):
    PLACED = "placed"
    CANCELLED = "cancelled"


class ShopLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the shop's view `licence_order_lines`, as found: text is trimmed and bounded, nothing else is judged.

    `quantity` stays text when the shop wrote something that is no whole number. `digest` covers every column.
    """

    key: LineKey
    status: str
    placed_at: datetime
    changed_at: datetime
    organisation_code: str
    actor: str
    article_code: str
    quantity: int | str
    quantity_is_total: bool = False
    unit_price_cents: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    tenant_hint: str | None = None
    reference_number: str | None = None
    subjects: tuple[str, ...] = ()
    requester_reference: str | None = None
    digest: str


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A shop line in our keeping, with where it stands."""

    shop: ShopLine
    state: LineState
    reason: Reason | None = None
    warnings: tuple[Reason, ...] = ()
    received_at: datetime
    judged_at: datetime | None = None
    held_since: datetime | None = None
    released_by: Actor | None = None  # who let it pass a suspicion (duplicate, base ordered again)


class LedgerCause(StrEnum):
    ORDER_LINE = "order_line"
    MERGER = "merger"
    SPLIT = "split"
    STEP_UP = "step_up"
    RENEWAL = "renewal"
    CLOSURE = "closure"
    CORRECTION = "correction"
    REMAP = "remap"  # another organisation holds it now; both sides are written together


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One delta of what an organisation may use; the entitlement is the sum, nothing is edited."""

    holder_id: OrganisationId
    tenant_id: TenantId | None
    article_code: ArticleCode
    sku_id: SkuId | None  # None: a right that Microsoft's cloud does not know (a licence code); no tenant either
    delta: int
    effective_on: date
    ends_on: date | None
    cause: LedgerCause
    cause_ref: str


class NamedSubject(msgspec.Struct, frozen=True):
    """A person named on an order; `reference` is an object id or UPN until it is resolved."""

    reference: str
    subject_id: SubjectId | None = None
