"""Organisations and their dated relations."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import or_

from provisioning.database.store import Store, columns_of, inserted, row_of, upserted
from provisioning.database.tables.organisations import organisations, relations
from provisioning.domain.ids import OrganisationId
from provisioning.domain.tenancy import Organisation, Relation


class SqlOrganisations(Store):
    def find(self, organisation: OrganisationId) -> Organisation | None:
        query = columns_of(organisations, Organisation).where(organisations.c.organisation_id == organisation)
        return self._find(query, Organisation)

    def list_all(self, kind: str | None = None) -> list[Organisation]:
        query = columns_of(organisations, Organisation).order_by(organisations.c.organisation_id)
        if kind is not None:
            query = query.where(organisations.c.kind == kind)
        return self._list(query, Organisation)

    def save(self, organisations_: Iterable[Organisation]) -> int:
        by_id = {each.organisation_id: row_of(each) for each in organisations_}
        return self._changed(upserted(organisations, list(by_id.values()))) if by_id else 0

    def add_relations(self, relations_: Iterable[Relation]) -> int:
        rows = [row_of(each) for each in relations_]
        return self._changed(inserted(relations, rows).on_conflict_do_nothing()) if rows else 0

    def relations_of(self, organisation: OrganisationId, on: date) -> list[Relation]:
        query = columns_of(relations, Relation).where(
            or_(relations.c.parent_id == organisation, relations.c.child_id == organisation),
            relations.c.valid_from <= on,
            or_(relations.c.valid_until.is_(None), relations.c.valid_until >= on),
        )
        return self._list(query.order_by(relations.c.parent_id, relations.c.child_id, relations.c.kind), Relation)
