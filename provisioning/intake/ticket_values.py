"""The fields of a ticket's wish as plain values that its kind can be made of; what is not there stays away."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.ticket import TicketKind
from provisioning.intake.branches import Branch, nearest, shown
from provisioning.intake.migration_products import product_named

_TENANT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_CODE = re.compile(r"[0-9]{5}|[0-9]{2}[A-Z]{2}(?:[0-9]{2})?|(?=.*[A-Z])[0-9A-Z][0-9A-Z-]{2,19}")
_MOST_SEATS = 1_000_000

_Reader = Callable[[Branch, str, Mappings], object]


def wish_values(wish: Branch, kind: TicketKind, mappings: Mappings) -> dict[str, object]:
    """By field; problems are noted at the branch."""
    readers = _READERS[kind]
    found = {name: read(wish, name, mappings) for name, read in readers.items() if name in wish}
    values = {name: value for name, value in found.items() if value not in (None, "", [], {})}
    if kind is TicketKind.SERVICE_PLAN_POLICY:
        _check_plans(wish, values, mappings)
    return values


def _text(wish: Branch, name: str, _: Mappings) -> object:
    return wish.optional_text(name)


def _organisation(wish: Branch, name: str, _: Mappings) -> object:
    return _as_code(wish, name, wish.optional_text(name))


def _organisations(wish: Branch, name: str, _: Mappings) -> object:
    codes = [_as_code(wish, f"{name}[{n}]", one) for n, one in enumerate(wish.items(name), start=1)]
    return list(dict.fromkeys(code for code in codes if code))


def _as_code(wish: Branch, path: str, value: Any) -> str | None:
    """A number that lost its leading zeros is none of ours: it is refused, not guessed at."""
    text = str(value).strip().upper() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if _CODE.fullmatch(text):
        return text
    wish.wrong(path, f"{shown(value)} is no code of a board (40001), school (00XX) or location (00XX00)")
    return None


def _tenant(wish: Branch, name: str, _: Mappings) -> object:
    text = (wish.optional_text(name) or "").lower()
    if text and not _TENANT.fullmatch(text):
        wish.wrong(name, f"{shown(text)} is neither a domain such as school.example nor a tenant's id")
    return text


def _product(wish: Branch, name: str, mappings: Mappings) -> object:
    sku = product_named(wish, name, wish.optional_text(name), mappings)
    return None if sku is None else sku.sku_id


def _products(wish: Branch, name: str, mappings: Mappings) -> object:
    pairs: dict[str, str] = {}
    for word, value in wish.pairs(name).items():
        source = product_named(wish, f"{name}.{word}", str(word), mappings)
        target = product_named(wish, f"{name}.{word}", str(value), mappings)
        if source and target:
            pairs[source.sku_id] = target.sku_id
    return pairs


def _audience(wish: Branch, name: str, _: Mappings) -> object:
    return wish.as_word(name, wish.value(name), tuple(Audience))


def _day(wish: Branch, name: str, _: Mappings) -> object:
    try:
        return date.fromisoformat(str(wish.value(name)).strip()).isoformat()
    except ValueError:
        wish.wrong(name, f"{shown(wish.value(name))} is no date; write it as 2027-08-01")
        return None


def _seats(wish: Branch, name: str, _: Mappings) -> object:
    return wish.whole(name, 1, _MOST_SEATS)


def _people(wish: Branch, name: str, _: Mappings) -> object:
    return wish.whole(name, 0, _MOST_SEATS)


def _texts(wish: Branch, name: str, _: Mappings) -> object:
    words = [str(one).strip() for one in wish.items(name) if isinstance(one, str | int)]
    if len(words) < len(wish.items(name)) or not all(words):
        wish.wrong(name, "should be a list of texts")
    return list(dict.fromkeys(words))


def _selector(wish: Branch, name: str, _: Mappings) -> object:
    """Ids of people do not rest in tickets: a ticket is kept for years, and answered to desks."""
    text = wish.selector(name)
    if '"ids"' in text:
        wish.wrong(name, "lists people by their ids; a ticket names a group, unit, domain or attribute")
    return text


def _selectors(wish: Branch, name: str, mappings: Mappings) -> object:
    selectors: dict[str, object] = {}
    words = {str(one).strip().lower(): one for one in wish.pairs(name)}
    branch = wish.branch(name, [str(one) for one in wish.pairs(name)]) if words else None
    for word, written in words.items():
        audience = wish.as_word(f"{name}.{word}", word, tuple(Audience))
        if audience and branch is not None:
            selectors[audience.value] = _selector(branch, written, mappings)
    return selectors


def _check_plans(wish: Branch, values: Mapping[str, Any], mappings: Mappings) -> None:
    sku = mappings.skus.get(values.get("sku_id", ""))
    names = [] if sku is None else [plan.name for plan in sku.plans]
    for field in ("off", "on"):
        for word in values.get(field, ()):
            if names and word.casefold() not in {name.casefold() for name in names}:
                wish.wrong(field, f"{shown(word)} is no service plan of this product; {nearest(word, names)}")
    both = {one.casefold() for one in values.get("off", ())} & {one.casefold() for one in values.get("on", ())}
    if both:
        wish.wrong("on", f"{', '.join(sorted(both))} cannot be on and off")


_READERS: Mapping[TicketKind, Mapping[str, _Reader]] = {
    TicketKind.CHANGE_SKU: {
        "organisations": _organisations,
        "from_sku": _product,
        "to_sku": _product,
        "audience": _audience,
        "along": _products,
        "starts_on": _day,
    },
    TicketKind.REMAP_HOLDER: {
        "from_holders": _organisations,
        "to_holder": _organisation,
        "sku_id": _product,
        "agreement_id": _text,
        "effective_on": _day,
    },
    TicketKind.REMAP_AGREEMENT: {
        "public_customer_number": _text,
        "licence_ids": _texts,
        "from_tenant": _tenant,
        "to_tenant": _tenant,
        "seats": _seats,
        "staying_behind": _people,
    },
    TicketKind.MOVE_SCHOOL: {
        "school": _organisation,
        "to_board": _organisation,
        "from_tenant": _tenant,
        "to_tenant": _tenant,
        "people": _selector,
        "products": _products,
        "moves_on": _day,
    },
    TicketKind.REBIND: {
        "organisation": _organisation,
        "tenant": _tenant,
        "selectors": _selectors,
        "valid_from": _day,
    },
    TicketKind.SERVICE_PLAN_POLICY: {
        "tenant": _tenant,
        "sku_id": _product,
        "off": _texts,
        "on": _texts,
        "valid_from": _day,
    },
}
