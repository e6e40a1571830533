from typing import Any

import msgspec
import pytest

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import ArticleCode, OrganisationId, SkuId
from provisioning.planning.mappings_impact import (
    Holders,
    OpenLines,
    OpenWork,
    draw_impact,
    touched_by,
)
from tests.factories.remaps import OURS, redigested, remap, sku

A1, A3, A5 = sku("STANDARDWOFFPACK_FACULTY"), sku("M365EDU_A3_FACULTY"), sku("M365EDU_A5_FACULTY")
EMS = sku("EMS_EDU_FACULTY")
STAFF = next(article for article in OURS.articles if article.code == "MS-BP-A3-MED")
BOARD, OTHER = OrganisationId("41234"), OrganisationId("42345")


def changed(**fields: Any) -> Mappings:
    return redigested(msgspec.structs.replace(OURS, **fields))


def with_article(**fields: Any) -> Mappings:
    others = tuple(article for article in OURS.articles if article is not STAFF)
    return changed(articles=(*others, msgspec.structs.replace(STAFF, **fields)))


def with_fewer_plans(product: SkuId) -> Mappings:
    row = OURS.skus[product]
    return changed(skus={**OURS.skus, product: msgspec.structs.replace(row, plans=row.plans[1:])})


def work(**fields: Any) -> OpenWork:
    standard: dict[str, Any] = {
        "organisation_id": BOARD,
        "article_code": STAFF.code,
        "sku_id": A3,
        "from_sku": None,
        "is_part": False,
        "operations": 3,
        "approved": 1,
    }
    return OpenWork(**standard | fields)


def operations(before: Mappings, after: Mappings, *every: OpenWork) -> int:
    return draw_impact(before, after, [], every, []).total.operations


class TestTouchedBy:
    def test_the_same_touches_nothing(self) -> None:
        touched = touched_by(OURS, OURS)
        assert {*touched.articles, *touched.products, *touched.rows} == set()

    def test_a_row_of_an_article_touches_that_article_alone(self) -> None:
        touched = touched_by(OURS, with_article(supplier="other"))
        assert (touched.articles, touched.products) == ({STAFF.code}, frozenset())

    def test_a_product_touches_every_article_that_delivers_or_replaces_it(self) -> None:
        touched = touched_by(OURS, with_fewer_plans(A3))
        expected = {x.code for x in OURS.articles if A3 in {x.sku_id, *x.replaces}}
        assert (touched.articles, touched.products, touched.rows) == (expected, {A3}, {A3})

    @pytest.mark.parametrize("is_added", [True, False])
    def test_a_remap_touches_whoever_has_the_product_and_no_article(self, is_added: bool) -> None:
        other = changed(remaps=(*OURS.remaps, remap(A1, A3)))
        touched = touched_by(*((OURS, other) if is_added else (other, OURS)))
        assert (touched.articles, touched.products, touched.rows) == (frozenset(), {A1}, frozenset())

    def test_an_add_on_that_goes_along_touches_whoever_has_the_suite(self) -> None:
        first = changed(remaps=(remap(A1, A3),))
        touched = touched_by(first, changed(remaps=(remap(A1, A3), remap(EMS, EMS, beside=A1))))
        assert touched.products == {A1}

    def test_an_article_that_is_gone_is_touched(self) -> None:
        fewer = changed(articles=tuple(article for article in OURS.articles if article is not STAFF))
        assert touched_by(OURS, fewer).articles == touched_by(fewer, OURS).articles == {STAFF.code}


class TestDrawImpact:
    def test_work_whose_own_rows_differ_is_touched_with_its_approvals(self) -> None:
        after = with_article(supplier="other")
        impact = draw_impact(OURS, after, [], [work(), work(article_code=ArticleCode("MS-BP-A3-LLN"))], [])
        (one,) = impact.organisations
        assert (one.organisation_id, one.operations, one.approvals) == (BOARD, 3, 1)

    def test_work_of_a_migration_rests_on_the_product_alone(self) -> None:
        assert operations(OURS, with_article(supplier="other"), work(is_part=True)) == 0
        assert operations(OURS, with_fewer_plans(A3), work(is_part=True)) == 3

    def test_a_remap_rests_on_what_it_takes_too(self) -> None:
        after = changed(remaps=(*OURS.remaps, remap(A1, A5)))
        assert operations(OURS, after, work(from_sku=A1)) == 3
        assert operations(OURS, after, work()) == 0

    def test_counts_of_an_organisation_come_together_and_those_with_nothing_are_left_out(self) -> None:
        lines = [OpenLines(organisation_id=BOARD, accepted=2, held=1)]
        holders = [
            Holders(organisation_id=BOARD, people=40),
            Holders(organisation_id=BOARD, seats=50),
            Holders(organisation_id=OTHER),
        ]
        impact = draw_impact(OURS, with_fewer_plans(A3), lines, [work()], holders)
        (one,) = impact.organisations
        assert (one.lines_accepted, one.lines_held, one.operations, one.people, one.seats) == (2, 1, 3, 40, 50)
        assert impact.total == msgspec.structs.replace(one, organisation_id=OrganisationId(""))

    def test_names_what_was_compared(self) -> None:
        after = with_fewer_plans(A3)
        impact = draw_impact(OURS, after, [], [], [])
        assert (impact.before, impact.after, impact.products) == (OURS.digest, after.digest, (A3,))
        assert impact.total.people == 0
