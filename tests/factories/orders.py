"""What shops send, and what is booked for it."""

from hashlib import sha256
from typing import Any

from provisioning.domain.ids import ArticleCode, LineKey, OrganisationId, SkuId, TenantId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import LedgerCause, LedgerEntry, OrderLine, ShopLine
from tests.factories import NOW, TODAY, number
from tests.factories.operations import A3


def line_key(**fields: Any) -> LineKey:
    return LineKey(**{"source": "shop", "order_number": f"2026-{number():05d}", "line_number": "1"} | fields)


def shop_line(**fields: Any) -> ShopLine:
    defaults = {
        "key": line_key(),
        "status": "placed",
        "placed_at": NOW,
        "changed_at": NOW,
        "organisation_code": "41000",
        "actor": "client:shop",
        "article_code": "M365-A3-FAC",
        "quantity": 10,
    }
    line = defaults | fields
    return ShopLine(**{"digest": sha256(repr(sorted(line.items())).encode()).hexdigest()} | line)


def order_line(**fields: Any) -> OrderLine:
    return OrderLine(**{"shop": shop_line(), "state": LineState.RECEIVED, "received_at": NOW} | fields)


def ledger_entry(holder_id: str, tenant_id: str, **fields: Any) -> LedgerEntry:
    defaults = {
        "holder_id": OrganisationId(holder_id),
        "tenant_id": TenantId(tenant_id),
        "article_code": ArticleCode("M365-A3-FAC"),
        "sku_id": SkuId(A3),
        "delta": 10,
        "effective_on": TODAY,
        "ends_on": None,
        "cause": LedgerCause.ORDER_LINE,
        "cause_ref": f"shop/{number()}/1",
    }
    return LedgerEntry(**defaults | fields)
