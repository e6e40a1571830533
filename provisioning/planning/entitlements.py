"""Sums over the ledger: what a holder has of an article and its extensions, from when and until when."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from provisioning.domain.catalogue import Article, Mappings, Variant
from provisioning.domain.ids import ArticleCode
from provisioning.domain.order import LedgerEntry

_SAME_LICENCE = frozenset({Variant.EXTENSION, Variant.RENEWAL})


def licence_codes(root: ArticleCode, mappings: Mappings) -> frozenset[ArticleCode]:
    """The base article with its extensions and renewals: together they are one licence."""
    others = {a.code for a in mappings.articles if a.base_article_code == root and a.variant in _SAME_LICENCE}
    return frozenset(others | {root})


def root_of(article: Article) -> ArticleCode:
    """The article whose licence this one belongs to."""
    belongs = article.variant in _SAME_LICENCE and article.base_article_code
    return article.base_article_code if belongs and article.base_article_code else article.code


def in_force(entries: Iterable[LedgerEntry], on: date) -> list[LedgerEntry]:
    """Both days included; without an end it lasts."""
    return [e for e in entries if e.effective_on <= on and (e.ends_on is None or on <= e.ends_on)]


def balance(entries: Iterable[LedgerEntry], codes: Collection[ArticleCode], on: date) -> int:
    return sum(entry.delta for entry in in_force(entries, on) if entry.article_code in codes)


def first_day(entries: Sequence[LedgerEntry], codes: Collection[ArticleCode], wanted: date) -> date | None:
    """The first day from `wanted` on with something in force, so that next year's base can be extended this year."""
    starts = {entry.effective_on for entry in entries if entry.article_code in codes and entry.effective_on > wanted}
    return next((day for day in sorted(starts | {wanted}) if balance(entries, codes, day) > 0), None)


def last_day(entries: Iterable[LedgerEntry], codes: Collection[ArticleCode], on: date) -> date | None:
    """Until when what is in force on the day lasts; None when any of it has no end."""
    ends = [entry.ends_on for entry in in_force(entries, on) if entry.article_code in codes]
    return None if not ends or None in ends else max(end for end in ends if end)
