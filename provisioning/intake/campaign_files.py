"""Campaign files: one YAML or JSON object that says who gets which product in place of which, when, and how carefully.

Whole or not at all: FileRefusedError lists every problem under the path of its field (`products[2].to`).
The format with an example is docs/campaigns.md; the fields are told in campaign_fields.py.
"""

import re
from datetime import UTC, date, datetime
from pathlib import Path

from provisioning.domain.calendar import dutch_day
from provisioning.domain.campaign import (
    CampaignDefinition,
    CampaignPair,
    CampaignSelection,
    ErrorBudget,
    SelectedBy,
)
from provisioning.domain.catalogue import Mappings, Sku
from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.reasons import Reason
from provisioning.intake.branches import Branch, nearest, shown
from provisioning.intake.campaign_fields import MOST_CANARIES, MOST_WIDENING, fields_of
from provisioning.intake.migration_products import product_named
from provisioning.intake.migration_times import moment_of, window_of
from provisioning.intake.objects import parse_object, read_object

_CODE = re.compile(r"[0-9]{1,5}|[0-9]{2}[A-Z]{2}(?:[0-9]{2})?")
_LIKE_TENANT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:[a-z0-9-]+\.)+[a-z]{2,}")
_NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")


def read_campaign(path: Path, mappings: Mappings) -> CampaignDefinition:
    """Raises InputError, and then nothing is taken. Tenants and organisations are named as the file names them."""
    return parse_campaign(path.name, read_object(path), mappings)


def parse_campaign(name: str, content: bytes, mappings: Mappings) -> CampaignDefinition:
    """As `read_campaign`, from bytes. `name` tells YAML from JSON in doubt."""
    return parse_object(name, content, fields_of(), lambda root: _definition(root, mappings))


def _definition(root: Branch, mappings: Mappings) -> CampaignDefinition:
    begins_at = moment_of(root, "begins_at")
    if "begins_at" not in root:
        root.wrong("begins_at", "is missing; write a moment such as 2027-07-19 20:00, Dutch time")
    begins_at = begins_at or datetime(1970, 1, 1, tzinfo=UTC)
    waves = root.branch("waves", fields_of("waves"))
    return CampaignDefinition(
        name=root.text("name"),
        asked_by=_asked_by(root),
        why=root.text("why"),
        pairs=_pairs(root, mappings, dutch_day(begins_at)),
        selection=_selection(root),
        begins_at=begins_at,
        window=window_of(root, mappings),
        canaries=waves.whole("canaries", 1, MOST_CANARIES) or 10,
        widening=_widening(waves),
        budget=_budget(root),
    )


def _asked_by(root: Branch) -> str:
    asked_by = root.text("asked_by")
    if "@" in asked_by:
        root.wrong("asked_by", "is an address; write a reference such as the letter's number, it is kept for years")
    return asked_by


def _pairs(root: Branch, mappings: Mappings, day: date) -> tuple[CampaignPair, ...]:
    if root.value("products") in (None, []):
        root.wrong("products", "is empty; write at least one {from: …, to: …}")
    branches = enumerate(root.branches("products", fields_of("products")), start=1)
    found = [(number, pair) for number, branch in branches if (pair := _pair(branch, mappings, day))]
    first: dict[SkuId, int] = {}
    for number, pair in found:
        if pair.from_sku in first:
            root.wrong(f"products[{number}].from", f"is in products[{first[pair.from_sku]}] already; keep one")
        first.setdefault(pair.from_sku, number)
    return tuple(pair for _, pair in found)


def _pair(branch: Branch, mappings: Mappings, day: date) -> CampaignPair | None:
    old = product_named(branch, "from", branch.text("from"), mappings)
    from_table = "to" not in branch
    new = _of_table(branch, old, mappings, day) if from_table else _target(branch, mappings)
    if old is None or new is None:
        return None
    if new.is_retired:
        branch.wrong("to", f"{new.part_number} is {new.lifecycle}; nobody can get it, choose another")
    elif old.sku_id == new.sku_id:
        branch.wrong("to", f"is {old.part_number} again; nothing would change")
    elif old.audience is not new.audience:
        branch.wrong("to", f"{new.part_number} is for {new.audience}, {old.part_number} for {old.audience}")
    return CampaignPair(from_sku=old.sku_id, to_sku=new.sku_id, along=_along(branch, mappings), from_table=from_table)


def _target(branch: Branch, mappings: Mappings) -> Sku | None:
    return product_named(branch, "to", branch.optional_text("to"), mappings)


def _of_table(branch: Branch, old: Sku | None, mappings: Mappings, day: date) -> Sku | None:
    """What most boards get; what one board gets is asked when tenants are found."""
    if old is None:
        return None
    rows = [
        row
        for row in mappings.remaps
        if row.from_sku == old.sku_id and row.valid_from <= day and (row.valid_until is None or day <= row.valid_until)
    ]
    if not rows:
        branch.wrong("to", f"is missing, and remaps.csv has nothing for {old.part_number} on {day}; write it here")
        return None
    return mappings.skus[rows[0].to_sku]


def _along(branch: Branch, mappings: Mappings) -> dict[SkuId, SkuId]:
    along: dict[SkuId, SkuId] = {}
    for word, value in branch.pairs("along").items():
        path = f"along.{word}"
        old = product_named(branch, path, word, mappings)
        new = product_named(branch, path, value if isinstance(value, str) else None, mappings)
        if old and new:
            along[old.sku_id] = new.sku_id
        elif old:
            branch.wrong(path, "should be the product that the add-on becomes; itself, if it stays")
    return along


def _selection(root: Branch) -> CampaignSelection:
    tenants = root.branch("tenants", fields_of("tenants"))
    by = tenants.word("by", SelectedBy, SelectedBy.MAPPING)
    selection = CampaignSelection(
        by=by,
        agreements=_texts(tenants, "agreements"),
        tenants=tuple(TenantId(one.lower()) for one in _texts(tenants, "tenants")),
        organisations=tuple(OrganisationId(one.upper()) for one in _texts(tenants, "organisations")),
        excluded=_excluded(tenants),
    )
    _require_fitting(tenants, selection)
    return selection


def _require_fitting(tenants: Branch, selection: CampaignSelection) -> None:
    """What is written must be used, and what is used must be written."""
    listed = bool(selection.tenants or selection.organisations)
    if selection.by is SelectedBy.AGREEMENT and not selection.agreements:
        tenants.wrong("agreements", "is missing; name at least one agreement by its id on record")
    if selection.by is SelectedBy.LIST and not listed:
        tenants.wrong("tenants", "is missing; name tenants, organisations or both")
    if selection.by is not SelectedBy.AGREEMENT and selection.agreements:
        tenants.wrong("agreements", f"says nothing with by: {selection.by}; write by: {SelectedBy.AGREEMENT}")
    if selection.by is not SelectedBy.LIST and listed:
        tenants.wrong("by", f"{selection.by} takes no list; write by: {SelectedBy.LIST}")


def _texts(branch: Branch, name: str) -> tuple[str, ...]:
    found: list[str] = []
    for number, item in enumerate(branch.items(name), start=1):
        is_text = isinstance(item, str | int) and not isinstance(item, bool)
        text = str(item).strip() if is_text else ""
        if not text or not text.isprintable():
            branch.wrong(f"{name}[{number}]", f"{shown(item)} is no name; write a text")
        elif text in found:
            branch.wrong(f"{name}[{number}]", f"{shown(item)} is there twice; keep one")
        else:
            found.append(text)
    return tuple(found)


def _excluded(tenants: Branch) -> dict[str, str]:
    excluded: dict[str, str] = {}
    for word, why in tenants.pairs("except").items():
        named = str(word).strip()
        if _LIKE_TENANT.fullmatch(named.lower()):
            named = named.lower()
        elif not _CODE.fullmatch(named.upper()):
            tenants.wrong(f"except.{word}", "is neither a tenant (domain or id) nor a code of an organisation")
        if not isinstance(why, str) or not why.strip():
            tenants.wrong(f"except.{word}", "needs a reason in words; it stays on record")
            continue
        excluded[named if "." in named or "-" in named else named.upper()] = why.strip()
    return excluded


def _widening(waves: Branch) -> float:
    if "widening" not in waves:
        return 3.0
    value = waves.value("widening")
    is_number = isinstance(value, str | int | float) and not isinstance(value, bool)
    found = _NUMBER.fullmatch(str(value).strip()) if is_number else None
    if found is None or not 1 <= float(found[0]) <= MOST_WIDENING:
        waves.wrong("widening", f"should be a number from 1 to {MOST_WIDENING}, such as 3 or 2.5")
        return 3.0
    return float(found[0])


def _budget(root: Branch) -> ErrorBudget:
    branch, default = root.branch("error_budget", fields_of("error_budget")), ErrorBudget()
    always = frozenset(_reasons(branch)) if "always" in branch else default.always
    return ErrorBudget(
        tenants=branch.share("tenants", default.tenants), people=branch.share("people", default.people), always=always
    )


def _reasons(branch: Branch) -> list[Reason]:
    found: list[Reason] = []
    for number, item in enumerate(branch.items("always"), start=1):
        word = str(item).strip().upper()
        if word in set(Reason):
            found.append(Reason(word))
        else:
            branch.wrong(f"always[{number}]", f"{shown(item)} is no reason; {_meant(word)}")
    return found


def _meant(word: str) -> str:
    told = nearest(word, tuple(Reason))
    return told if told.startswith("do you mean") else "the runbook lists them"
