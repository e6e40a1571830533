"""What Microsoft's support asks for before it moves agreements (domain, section 8): as text, and as a page to print.

Numbers and ids only: it goes to another company.
"""

from collections.abc import Iterator
from html import escape

import msgspec

from provisioning.domain.ids import SkuId
from provisioning.domain.observation import Subscription

_STYLE = """
@page { size: A4; margin: 18mm }
body { font: 11pt/1.4 system-ui, "Segoe UI", Arial, sans-serif; color: #111; max-width: 180mm; margin: 1em auto }
h1 { font-size: 15pt; margin: 0 0 .6em } h2 { font-size: 12pt; margin: 1.2em 0 .3em; break-after: avoid }
table { border-collapse: collapse; width: 100% } tr { break-inside: avoid }
th, td { text-align: left; vertical-align: top; padding: 3pt 6pt; border-bottom: .4pt solid #999 }
td { overflow-wrap: anywhere }
th { width: 38%; font-weight: 600 } ol { padding-left: 1.4em }
@media print { body { margin: 0; max-width: none } }
""".strip()


class CaseWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one language says on the sheet; words in braces are filled in."""

    language: str  # as HTML names it
    title: str
    reference: str
    case_number: str
    customer_number: str
    licence_ids: str
    program: str
    wrong_tenant: str
    right_tenant: str
    seats: str
    purchases: str
    none: str
    asked: str
    to_say: tuple[str, ...]
    to_confirm: str
    confirmations: tuple[str, ...]


class Product(msgspec.Struct, frozen=True):
    sku_id: SkuId
    part_number: str
    seats: int


class CaseSheet(msgspec.Struct, frozen=True, kw_only=True):
    """`wrong` and `right` are onmicrosoft.com names with the tenant's id behind them."""

    reference: str
    case_number: str | None
    public_customer_number: str
    licence_ids: tuple[str, ...]
    programs: tuple[str, ...]
    wrong: tuple[str, str]
    right: tuple[str, str]
    products: tuple[Product, ...]
    purchases: tuple[Subscription, ...]


def to_text(sheet: CaseSheet, words: CaseWords) -> str:
    """To paste into a form, or to read out on the telephone."""
    facts = [f"{name}: {value}" for name, value in _facts(sheet, words)]
    said = [f"{n}. {line}" for n, line in enumerate(_filled(words.to_say, sheet), 1)]
    confirmed = [f"[ ] {line}" for line in _filled(words.confirmations, sheet)]
    blocks = [[words.title], facts, [words.asked, *said], [words.to_confirm, *confirmed]]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def to_html(sheet: CaseSheet, words: CaseWords) -> str:
    """One page, no scripts, nothing from elsewhere; every value is escaped."""
    title = escape(words.title)
    facts = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in _facts(sheet, words))
    said = "".join(f"<li>{escape(line)}</li>" for line in _filled(words.to_say, sheet))
    confirmed = "".join(f"<li>☐ {escape(line)}</li>" for line in _filled(words.confirmations, sheet))
    parts = (
        "<!doctype html>",
        f'<html lang="{escape(words.language)}"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
        f"<table><tbody>{facts}</tbody></table>",
        f"<h2>{escape(words.asked)}</h2><ol>{said}</ol>",
        f"<h2>{escape(words.to_confirm)}</h2><ul>{confirmed}</ul>",
        "</body></html>",
    )
    return "\n".join(parts) + "\n"


def _facts(sheet: CaseSheet, words: CaseWords) -> Iterator[tuple[str, str]]:
    yield words.reference, sheet.reference
    yield words.case_number, sheet.case_number or words.none
    yield words.customer_number, sheet.public_customer_number
    yield words.licence_ids, ", ".join(sheet.licence_ids)
    yield words.program, ", ".join(sheet.programs) or words.none
    yield words.wrong_tenant, _called(sheet.wrong)
    yield words.right_tenant, _called(sheet.right)
    for product in sheet.products:
        yield words.seats, f"{product.part_number} ({product.sku_id}): {product.seats}"
    for one in sheet.purchases:
        yield words.purchases, f"{one.subscription_id}: {one.total}, {one.status}"


def _called(tenant: tuple[str, str]) -> str:
    name, tenant_id = tenant
    return f"{name} ({tenant_id})"


def _filled(lines: tuple[str, ...], sheet: CaseSheet) -> Iterator[str]:
    for line in lines:
        yield line.format(
            number=sheet.public_customer_number,
            licences=", ".join(sheet.licence_ids),
            wrong=sheet.wrong[0],
            right=sheet.right[0],
        )
