"""What stands on mappings, counted per organisation by the database: a sector of people costs seconds, not memory."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import text

from provisioning.database.store import Store
from provisioning.domain.ids import ArticleCode, SkuId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.planning.mappings_impact import Holders, OpenLines, OpenWork

_LINES = text("""
    SELECT organisation_code AS organisation_id, count(*) FILTER (WHERE state <> 'held') AS accepted,
           count(*) FILTER (WHERE state = 'held') AS held
    FROM order_lines
    WHERE state IN ('received', 'held', 'accepted') AND article_code = ANY (:articles)
    GROUP BY organisation_code""")

_WORK = text("""
    SELECT wish ->> 'holder_id' AS organisation_id, wish ->> 'article_code' AS article_code,
           wish ->> 'sku_id' AS sku_id, wish -> 'remap' ->> 'from_sku' AS from_sku,
           wish ->> 'part' IS NOT NULL AS is_part, count(*) AS operations,
           count(*) FILTER (WHERE plans.approved_at IS NOT NULL) AS approved
    FROM operations LEFT JOIN plans ON plans.operation_id = operations.operation_id AND plans.void_reason IS NULL
    WHERE state = ANY (:unfinished)
    GROUP BY 1, 2, 3, 4, 5""")

# Whoever was given the product in one order and again in another is one person. A group is none.
_PEOPLE = text("""
    SELECT organisation_id, count(*) AS people FROM (
        SELECT DISTINCT wish ->> 'holder_id' AS organisation_id, tenant_id, subject_id
        FROM operations JOIN operation_subjects AS people USING (operation_id)
        WHERE wish ->> 'sku_id' = ANY (:products) AND kind <> 'release'
          AND coalesce(wish -> 'part' ->> 'phase', '') <> 'release'
          AND people.state IN ('verified', 'already_right') AND NOT is_group) AS given
    GROUP BY organisation_id""")

_SEATS = text("""
    SELECT holder_id AS organisation_id, sum(delta) AS seats FROM entitlement_ledger
    WHERE sku_id = ANY (:products) AND effective_on <= :today AND (ends_on IS NULL OR ends_on >= :today)
    GROUP BY holder_id""")

_UNFINISHED = sorted(set(OperationState) - OPERATION_ENDS)


class SqlImpact(Store):
    def open_lines(self, articles: Collection[ArticleCode]) -> list[OpenLines]:
        return self._list(_LINES.bindparams(articles=sorted(articles)), OpenLines)

    def open_work(self) -> list[OpenWork]:
        return self._list(_WORK.bindparams(unfinished=_UNFINISHED), OpenWork)

    def holders(self, products: Collection[SkuId], today: date) -> list[Holders]:
        people = self._list(_PEOPLE.bindparams(products=sorted(products)), Holders)
        seats = self._rows(_SEATS.bindparams(products=sorted(products), today=today))
        bought = (Holders(organisation_id=row["organisation_id"], seats=int(row["seats"])) for row in seats)
        return [*people, *bought]
