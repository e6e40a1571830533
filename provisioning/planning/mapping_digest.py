"""The fingerprint of the mapping rows that one operation stands on (for its envelope: design, approval)."""

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from provisioning.domain.catalogue import Article, Mappings
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
    skus = [mappings.skus.get(sku) for sku in sorted({sku for pair in pairs for sku in pair})]
    plans = {plan.plan_id for sku in skus if sku for plan in sku.plans}
    rows = [
        *skus,
        *(row for row in mappings.remaps if (row.from_sku, row.to_sku) in pairs),
        *(rule for rule in mappings.plan_rules if rule.plan in plans),
    ]
    return sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()
