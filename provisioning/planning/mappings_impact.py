"""What other mappings would touch: which articles and products differ, and from there whose work. Counts, no people."""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import ArticleCode, OrganisationId, SkuId
from provisioning.planning.mapping_digest import current_row_digest, row_digest


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """`articles`: their row, or that of a product they deliver or replace, differs. `products`: their own row or
    service plans, or a remap of them. `rows`: of these, the products whose own row or service plans differ.
    """

    articles: frozenset[ArticleCode]
    products: frozenset[SkuId]
    rows: frozenset[SkuId]


class OpenWork(msgspec.Struct, frozen=True, kw_only=True):
    """Unfinished operations of one organisation that stand on the same rows, and how many have an approved plan."""

    organisation_id: OrganisationId
    article_code: ArticleCode
    sku_id: SkuId
    from_sku: SkuId | None  # of a remap
    is_part: bool  # of a migration, whose plans rest on the product's row alone
    operations: int
    approved: int


class OpenLines(msgspec.Struct, frozen=True, kw_only=True):
    """Order lines of one organisation that are open; `organisation_id` is the code that the shop wrote."""

    organisation_id: OrganisationId
    accepted: int
    held: int


class Holders(msgspec.Struct, frozen=True, kw_only=True):
    """People to whom we gave a product, as far as our journal goes back; seats in force by our ledger."""

    organisation_id: OrganisationId
    people: int = 0
    seats: int = 0


class OrganisationImpact(msgspec.Struct, frozen=True, kw_only=True):
    """`approvals` become void when the mappings come into force; whoever is served already loses nothing by it."""

    organisation_id: OrganisationId
    lines_accepted: int = 0
    lines_held: int = 0
    operations: int = 0
    approvals: int = 0
    people: int = 0
    seats: int = 0


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """`before` and `after` name the two sets of mappings that were compared."""

    before: str
    after: str
    articles: tuple[ArticleCode, ...]
    products: tuple[SkuId, ...]
    organisations: tuple[OrganisationImpact, ...]
    campaigns: int = 0  # whose approval becomes void

    @property
    def total(self) -> OrganisationImpact:
        summed = {name: sum(getattr(one, name) for one in self.organisations) for name in _COUNTS}
        return OrganisationImpact(organisation_id=OrganisationId(""), **summed)


_COUNTS = tuple(name for name in OrganisationImpact.__struct_fields__ if name != "organisation_id")


def touched_by(before: Mappings, after: Mappings) -> Touched:
    rows = {sku for sku in before.skus.keys() | after.skus.keys() if before.skus.get(sku) != after.skus.get(sku)}
    remapped = {remap.beside or remap.from_sku for remap in set(before.remaps) ^ set(after.remaps)}
    old, new = _articles(before), _articles(after)
    articles = {code for code in old.keys() | new.keys() if old.get(code) != new.get(code)}
    return Touched(articles=frozenset(articles), products=frozenset(rows | remapped), rows=frozenset(rows))


def _articles(mappings: Mappings) -> Mapping[ArticleCode, frozenset[str]]:
    digests: dict[ArticleCode, set[str]] = {}
    for article in mappings.articles:
        digests.setdefault(article.code, set()).add(row_digest(article, mappings))
    return {code: frozenset(them) for code, them in digests.items()}


def draw_impact(
    before: Mappings, after: Mappings, lines: Iterable[OpenLines], work: Iterable[OpenWork], holders: Iterable[Holders]
) -> Impact:
    """`lines` and `holders` are those of what differs; of `work`, which is all there is, this picks it out."""
    touched = touched_by(before, after)
    counts: dict[OrganisationId, Counter[str]] = {}
    for line in lines:
        _add(counts, line.organisation_id, lines_accepted=line.accepted, lines_held=line.held)
    for one in work:
        if _rests_on(one, touched, before, after):
            _add(counts, one.organisation_id, operations=one.operations, approvals=one.approved)
    for holder in holders:
        _add(counts, holder.organisation_id, people=holder.people, seats=holder.seats)
    return Impact(
        before=before.digest,
        after=after.digest,
        articles=tuple(sorted(touched.articles)),
        products=tuple(sorted(touched.products)),
        organisations=tuple(
            OrganisationImpact(organisation_id=organisation, **count)
            for organisation, count in sorted(counts.items())
            if any(count.values())
        ),
    )


def _add(counts: dict[OrganisationId, Counter[str]], organisation: OrganisationId, **more: int) -> None:
    counts.setdefault(organisation, Counter()).update(more)


def _rests_on(one: OpenWork, touched: Touched, before: Mappings, after: Mappings) -> bool:
    """As the grounds of plans are worked out, and for a remap also what becomes of the product."""
    if one.is_part:
        return one.sku_id in touched.rows
    if one.from_sku is not None and {one.from_sku, one.sku_id} & touched.products:
        return True
    digests = (current_row_digest(one.article_code, one.sku_id, each) for each in (before, after))
    return len(set(digests)) > 1
