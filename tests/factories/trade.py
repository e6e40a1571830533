"""Values of the trade as tests want them: only what a test says differs from a plain staff order of one school."""

from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import msgspec

from mappings.loader import load_mappings
from provisioning.domain.ids import Actor, ArticleCode, BindingId, LineKey, OrganisationId, SkuId, TenantId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import LedgerCause, LedgerEntry, OrderLine, ShopLine
from provisioning.domain.records import AnnualCount, Declaration, Record, VolumeLicence
from provisioning.domain.tenancy import Binding, Organisation, OrganisationKind, Tenant
from provisioning.planning.order_context import OrderContext, OrderRecords

MAPPINGS = load_mappings()
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
TODAY = date(2026, 9, 1)
YEAR_END = date(2026, 12, 31)
SCHOOL, SISTER, THIRD = OrganisationId("00XX00"), OrganisationId("01XX00"), OrganisationId("02XX00")
BOARD = OrganisationId("40001")
TENANT = TenantId("11111111-1111-4111-8111-111111111111")
OTHER_TENANT = TenantId("22222222-2222-4222-8222-222222222222")
STAFF, STAFF_MORE, STAFF_AGAIN = "MS-BP-A3-MED", "MS-BP-A3-MED-UITBR", "MS-BP-A3-MED-VERL"
PUPILS, STEP_UP, PHONE, NAMED = "MS-BP-A3-LLN", "MS-A5-STEPUP-MED", "MS-TEAMS-PHONE-MED", "MS-PBI-PRO-NAAM"


def sku_of(article: str) -> SkuId:
    return next(a.sku_id for a in MAPPINGS.articles if a.code == article and a.sku_id)


def shop_line(number: int = 1, **columns: Any) -> ShopLine:
    """A row of the view; its digest follows from its columns."""
    plain = {
        "key": LineKey("shop", str(1000 + number), "1"),
        "status": "placed",
        "placed_at": NOW,
        "changed_at": NOW,
        "organisation_code": SCHOOL,
        "actor": "",
        "article_code": STAFF,
        "quantity": 10,
    }
    row = ShopLine(**{**plain, **columns}, digest="")
    return msgspec.structs.replace(row, digest=sha256(msgspec.json.encode(row)).hexdigest())


def order_line(number: int = 1, *, released_by: Actor | None = None, **columns: Any) -> OrderLine:
    shop = shop_line(number, **columns)
    return OrderLine(shop=shop, state=LineState.RECEIVED, received_at=NOW, released_by=released_by)


def organisation(code: str = SCHOOL, **fields: Any) -> Organisation:
    kind = OrganisationKind.BOARD if code.isdigit() else OrganisationKind.SCHOOL
    plain = {"organisation_id": OrganisationId(code), "kind": kind, "name": f"Organisation {code}"}
    return Organisation(**{**plain, "membership": "active", **fields})


def binding(code: str = SCHOOL, tenant: TenantId = TENANT, *, is_confirmed: bool = True, **fields: Any) -> Binding:
    plain = {
        "binding_id": BindingId(f"{code}-{tenant[0]}"),
        "organisation_id": OrganisationId(code),
        "tenant_id": tenant,
        "valid_from": date(2024, 1, 1),
        "created_by": Actor("person:first"),
        "confirmed_by": Actor("person:second") if is_confirmed else None,
        "confirmed_at": NOW if is_confirmed else None,
    }
    return Binding(**{**plain, **fields})


def tenant(tenant_id: TenantId = TENANT, domain: str = "school.example") -> Tenant:
    return Tenant(tenant_id=tenant_id, initial_domain="t.onmicrosoft.com", verified_domains=(domain,))


def entry(article: str = STAFF, delta: int = 40, **fields: Any) -> LedgerEntry:
    plain = {
        "holder_id": SCHOOL,
        "tenant_id": TENANT,
        "article_code": ArticleCode(article),
        "sku_id": sku_of(article),
        "delta": delta,
        "effective_on": date(2026, 1, 1),
        "ends_on": YEAR_END,
        "cause": LedgerCause.ORDER_LINE,
        "cause_ref": "earlier",
    }
    return LedgerEntry(**{**plain, **fields})


def declaration(*participants: OrganisationId, **fields: Any) -> Declaration:
    plain = {"record_id": "d1", "organisation_id": BOARD, "signed_on": date(2026, 1, 1), "participants": participants}
    return Declaration(**{**plain, **fields})


def count(code: OrganisationId, staff: int, pupils: int = 0, **fields: Any) -> AnnualCount:
    plain = {"record_id": f"c-{code}", "organisation_id": code, "licence_year": 2026, "staff": staff, "pupils": pupils}
    return AnnualCount(**{**plain, **fields})


def licence(number: int, code: OrganisationId = BOARD, tenant_id: TenantId | None = None) -> VolumeLicence:
    return VolumeLicence(
        record_id=f"L{number}",
        organisation_id=code,
        agreement_id="a1",
        public_customer_number="P1",
        tenant_id=tenant_id,
    )


def context(*records: Record, **fields: Any) -> OrderContext:
    """A school that is a member with one confirmed tenant; records by their kinds."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(OrderRecords)}
    sorted_records = {
        name: tuple(one for one in records if isinstance(one, kind.__args__[0])) for name, kind in kinds.items()
    }
    plain = {
        "today": TODAY,
        "placed_on": TODAY,
        "mappings": MAPPINGS,
        "organisation": organisation(),
        "records": OrderRecords(**sorted_records),
        "bindings": {SCHOOL: (binding(),)},
    }
    return OrderContext(**{**plain, **fields})


def board_context(
    *records: Record, schools: tuple[OrganisationId, ...] = (SCHOOL, SISTER), **fields: Any
) -> OrderContext:
    """A board whose schools share one tenant, with its declaration."""
    plain = {"organisation": organisation(BOARD), "bindings": {one: (binding(one),) for one in schools}}
    return context(declaration(*schools), *records, **{**plain, **fields})
