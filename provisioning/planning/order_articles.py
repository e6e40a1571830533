"""Which article a line means, and whether its product may still be delivered (S17)."""

import re

from provisioning.domain.catalogue import Article, Fulfilment, Mappings, Sku
from provisioning.domain.ids import SkuId
from provisioning.domain.reasons import Reason
from provisioning.planning.order_context import Case, Halt, OrderContext, hold, record_only

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_article(code: str, context: OrderContext) -> Article | Halt:
    """By code, or by the GUID of a product when exactly one article delivers it; a loose word is never guessed."""
    mappings = context.mappings
    folded = " ".join(code.split()).casefold()
    meanings = mappings.ambiguous.get(folded)
    if meanings:
        return hold(Reason.SKU_AMBIGUOUS, candidates=" ".join(meanings))
    guid = "".join(code.split()).lower()
    if _GUID.fullmatch(guid):
        return _by_product(SkuId(guid), context)
    valid = [a for a in mappings.articles if a.code.casefold() == folded and a.is_valid_on(context.placed_on)]
    return _only(valid, Reason.ARTICLE_UNKNOWN)


def find_sku(article: Article, mappings: Mappings) -> Sku | Halt | None:
    """The product to deliver; None when the article has none (a licence code, a supplier's own delivery)."""
    if article.sku_id is None:
        return None
    sku = mappings.skus.get(article.sku_id)
    if sku is None:
        return hold(Reason.SKU_UNKNOWN, sku=article.sku_id)
    return hold(Reason.SKU_RETIRED, sku=sku.sku_id) if sku.is_retired else sku


def supplier_direct(case: Case) -> Halt | None:
    """R6: the customer contracts with the supplier itself; it is on record and nothing else."""
    is_theirs = case.article.fulfilment is Fulfilment.SUPPLIER_DIRECT
    return record_only(Reason.NOT_PROVISIONABLE, fulfilment=case.article.fulfilment) if is_theirs else None


def _by_product(sku_id: SkuId, context: OrderContext) -> Article | Halt:
    mappings = context.mappings
    if sku_id not in mappings.skus:
        return hold(Reason.SKU_UNKNOWN, sku=sku_id)
    valid = [a for a in mappings.articles if a.sku_id == sku_id and a.is_valid_on(context.placed_on)]
    return _only(valid, Reason.ARTICLE_UNKNOWN)


def _only(found: list[Article], nothing: Reason) -> Article | Halt:
    if not found:
        return hold(nothing)
    if len(found) > 1:
        return hold(Reason.SKU_AMBIGUOUS, candidates=" ".join(article.code for article in found))
    return found[0]
