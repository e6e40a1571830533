"""The fingerprint of the mapping rows that one operation stands on (for its envelope: design, approval)."""

from collections.abc import Collection, Iterable
from hashlib import sha256

import msgspec

from provisioning.domain.campaign import CampaignPair
from provisioning.domain.catalogue import Article, Mappings, Remap
from provisioning.domain.ids import ArticleCode, SkuId
from provisioning.domain.remap import RemapPart


def row_digest(article: Article, mappings: Mappings) -> str:
    """Of the article's row and the SKU rows (plans included) that it delivers or replaces, and of nothing else."""
    skus = sorted({article.sku_id, *article.replaces} - {None}, key=str)
    rows = [article, *(mappings.skus.get(sku) for sku in skus if sku)]
    return sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()


def current_row_digest(code: ArticleCode, sku_id: SkuId, mappings: Mappings) -> str | None:
    """The digest as the rows stand now, for a wish drawn earlier; None when the article left the mappings."""
    rows: Iterable[Article] = (row for row in mappings.articles if row.code == code and row.sku_id == sku_id)
    latest = max(rows, key=lambda row: row.valid_from, default=None)
    return None if latest is None else row_digest(latest, mappings)


def remap_digest(to_sku: SkuId, part: RemapPart, mappings: Mappings) -> str:
    """Of every row that a remap stands on: its products, its add-ons, their remap rows and the rules between plans."""
    pairs = {(part.from_sku, to_sku), *part.along.items()}
    remaps = [row for row in mappings.remaps if (row.from_sku, row.to_sku) in pairs]
    return _digest_of({sku for pair in pairs for sku in pair}, remaps, mappings)


def campaign_digest(pairs: Iterable[CampaignPair], mappings: Mappings) -> str:
    """Of every row that a campaign stands on: any remap row may decide for one of its boards or of their add-ons."""
    named = {sku for pair in pairs for sku in (pair.from_sku, pair.to_sku, *pair.along, *pair.along.values())}
    tables = {sku for row in mappings.remaps for sku in (row.from_sku, row.to_sku)}
    return _digest_of(named | tables, mappings.remaps, mappings)


def _digest_of(products: Collection[SkuId], remaps: Iterable[Remap], mappings: Mappings) -> str:
    skus = [mappings.skus.get(sku) for sku in sorted(products)]
    plans = {plan.plan_id for sku in skus if sku for plan in sku.plans}
    rules = (rule for rule in mappings.plan_rules if rule.plan in plans)
    return sha256(msgspec.json.encode([*skus, *remaps, *rules], order="deterministic")).hexdigest()
