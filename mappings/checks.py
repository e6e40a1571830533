"""What is wrong or doubtful in a set of mappings, as values: errors must not go live, remarks are for a person."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from itertools import combinations

from mappings import holiday_checks, remap_checks
from mappings.findings import Finding, Severity
from provisioning.domain.catalogue import Article, Fulfilment, Mappings, Variant

__all__ = ["Finding", "Severity", "check_mappings"]

_NEEDS_BASE = frozenset({Variant.EXTENSION, Variant.STEP_UP, Variant.RENEWAL})
_GRAPH = frozenset({Fulfilment.GRAPH_USER, Fulfilment.GRAPH_GROUP_DEVICES})


def check_mappings(mappings: Mappings, today: date) -> list[Finding]:
    """Every finding, errors first. Retired products count for articles that can be ordered on the day."""
    findings = {finding for check in _CHECKS for finding in check(mappings, today)}
    return sorted(findings)


def _unknown_skus(mappings: Mappings, _: date) -> Iterator[Finding]:
    for article in mappings.articles:
        for sku in ({article.sku_id} if article.sku_id else set()) | article.replaces:
            if sku not in mappings.skus:
                yield _error(article, f"names product {sku}, which skus.csv lacks; add it or correct the GUID")
    for sku in mappings.group_licensing - mappings.skus.keys():
        yield Finding(Severity.ERROR, f"group_licensing.csv: {sku}", "This product is not in skus.csv; add it there.")


def _missing_skus(mappings: Mappings, _: date) -> Iterator[Finding]:
    for article in mappings.articles:
        if article.fulfilment in _GRAPH and article.sku_id is None:
            yield _error(article, "is delivered through Graph but names no product; fill in sku_id")


def _retired_targets(mappings: Mappings, today: date) -> Iterator[Finding]:
    for article in mappings.articles:
        sku = mappings.skus.get(article.sku_id) if article.sku_id else None
        if sku and sku.is_retired and article.is_valid_on(today):
            yield _error(article, f"delivers {sku.part_number}, which is {sku.lifecycle}; end the article's validity")


def _overlaps(mappings: Mappings, _: date) -> Iterator[Finding]:
    by_code: dict[str, list[Article]] = defaultdict(list)
    for article in mappings.articles:
        by_code[article.code.casefold()].append(article)
    for rows in by_code.values():
        for one, other in combinations(rows, 2):
            if _meet(one, other):
                sentence = f"is valid twice from {max(one.valid_from, other.valid_from)}; let the older row end before"
                yield _error(one, sentence)


def _meet(one: Article, other: Article) -> bool:
    first, second = sorted((one, other), key=lambda article: article.valid_from)
    return first.valid_until is None or second.valid_from <= first.valid_until


def _reversed_validity(mappings: Mappings, _: date) -> Iterator[Finding]:
    for article in mappings.articles:
        if article.valid_until and article.valid_until < article.valid_from:
            yield _error(article, "ends before it begins; correct valid_from or valid_until")


def _orphans(mappings: Mappings, _: date) -> Iterator[Finding]:
    codes = {article.code for article in mappings.articles}
    for article in mappings.articles:
        if article.variant in _NEEDS_BASE and article.base_article_code is None:
            yield _error(article, f"is a {article.variant} without a base; fill in base_article_code")
        elif article.base_article_code and article.base_article_code not in codes:
            yield _error(article, f"rests on {article.base_article_code}, which is no article; correct the code")


def _ambiguous_words(mappings: Mappings, _: date) -> Iterator[Finding]:
    codes = {article.code for article in mappings.articles}
    folded = {code.casefold() for code in codes}
    for word, meanings in mappings.ambiguous.items():
        place = f"ambiguous.csv: {word}"
        if word in folded:
            yield Finding(Severity.ERROR, place, "This word is an article code too; it cannot be both.")
        for code in set(meanings) - codes:
            yield Finding(Severity.ERROR, place, f"It may mean {code}, which is no article; correct the code.")


def _unused_skus(mappings: Mappings, _: date) -> Iterator[Finding]:
    used = {article.sku_id for article in mappings.articles}
    used |= {sku for article in mappings.articles for sku in article.replaces}
    used |= {sku for remap in mappings.remaps for sku in (remap.from_sku, remap.to_sku)}
    for sku_id, sku in mappings.skus.items():
        if sku_id not in used:
            yield Finding(Severity.REMARK, f"skus.csv: {sku.part_number}", "No article delivers or replaces it.")


def _targets_without_plans(mappings: Mappings, _: date) -> Iterator[Finding]:
    for article in mappings.articles:
        sku = mappings.skus.get(article.sku_id) if article.sku_id else None
        if sku and not sku.plans:
            sentence = f"Its product {sku.part_number} has no rows in service_plans.csv: the tenant's own list is used."
            yield Finding(Severity.REMARK, f"articles.csv: {article.code}", sentence)


def _error(article: Article, complaint: str) -> Finding:
    return Finding(Severity.ERROR, f"articles.csv: {article.code}", f"The article {complaint}.")


_CHECKS: tuple[Callable[[Mappings, date], Iterator[Finding]], ...] = (
    _unknown_skus,
    _missing_skus,
    _retired_targets,
    _overlaps,
    _reversed_validity,
    _orphans,
    _ambiguous_words,
    _unused_skus,
    _targets_without_plans,
    *remap_checks.CHECKS,
    *holiday_checks.CHECKS,
)
