"""Which organisation uses which tenant, for whom, and who confirmed it."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.store import Store, row_of
from provisioning.database.tables.tenants import bindings, selection_sizes
from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import Actor, BindingId, OrganisationId, TenantId
from provisioning.domain.tenancy import Binding, BindingEvidence


class SqlBindings(Store):
    def bindings_of(self, organisation: OrganisationId, on: date) -> list[Binding]:
        return self._bindings(bindings.c.organisation_id == organisation, _valid(on))

    def bindings_in(self, tenant: TenantId, on: date) -> list[Binding]:
        return self._bindings(bindings.c.tenant_id == tenant, _valid(on))

    def find_binding(self, binding: BindingId) -> Binding | None:
        return next(iter(self._bindings(bindings.c.binding_id == binding)), None)

    def add_binding(self, binding: Binding) -> None:
        self._connection.execute(insert(bindings).values(row_of(binding)))

    def end_binding(self, binding: BindingId, last_day: date) -> None:
        runs_then = (bindings.c.binding_id == binding) & (bindings.c.valid_from <= last_day)
        runs_then &= or_(bindings.c.valid_until.is_(None), bindings.c.valid_until >= last_day)
        if not self._changed(update(bindings).where(runs_then).values(valid_until=last_day)):
            raise ConflictError(f"Binding {binding} is not valid on {last_day}: it cannot end on that day.")

    def confirm_binding(
        self, binding: BindingId, by: Actor, at: datetime, evidence: Collection[BindingEvidence]
    ) -> None:
        """Raises NotAllowedError for the author or too little evidence, ConflictError when it is confirmed already."""
        confirmation = {"confirmed_by": by, "confirmed_at": at, "evidence": sorted(evidence)}
        is_open = (bindings.c.binding_id == binding) & bindings.c.confirmed_at.is_(None)
        if not self._changed(update(bindings).where(is_open).values(confirmation)):
            known = self.find_binding(binding)
            raise ConflictError(f"Binding {binding} is confirmed already.") if known else _unknown(binding)

    def set_selector(
        self,
        binding: BindingId,
        audience: Audience,
        selector: str,
        by: Actor,
        at: datetime,
        authors: Collection[Actor] = (),
    ) -> None:
        del at  # the audit line says when
        known = self.find_binding(binding)
        if known is None:
            raise _unknown(binding)
        anew: dict[str, Any] = {"selected_by": by, "confirmed_by": None, "confirmed_at": None, "evidence": []}
        anew |= {"selectors": known.selectors | {audience: selector}, "authors": _authors_with(by, *authors)}
        self._connection.execute(update(bindings).where(bindings.c.binding_id == binding).values(anew))

    def selection_size(self, binding: BindingId, audience: Audience) -> int | None:
        sizes = selection_sizes.c
        return self._connection.scalar(
            select(sizes.size).where(sizes.binding_id == binding, sizes.audience == audience)
        )

    def note_selection(self, binding: BindingId, audience: Audience, size: int, at: datetime) -> None:
        noted = {"size": size, "noted_at": at}
        statement = insert(selection_sizes).values(binding_id=binding, audience=audience, **noted)
        key = list(selection_sizes.primary_key)
        self._connection.execute(statement.on_conflict_do_update(index_elements=key, set_=noted))

    def _bindings(self, *conditions: ColumnElement[bool]) -> list[Binding]:
        # Who made the binding stays on record; its author is who last said whose people these are.
        fields = [name for name in Binding.__struct_fields__ if name not in {"created_by", "authors"}]
        author = func.coalesce(bindings.c.selected_by, bindings.c.created_by)
        others = func.array_remove(bindings.c.authors, author, type_=bindings.c.authors.type)
        written = author.label("created_by"), others.label("authors")
        query = select(*(bindings.c[name] for name in fields), *written).where(*conditions)
        return self._list(query.order_by(bindings.c.valid_from, bindings.c.binding_id), Binding)


def _authors_with(*others: Actor) -> ColumnElement[Any]:
    """After a confirmation a new proposal begins; until then whoever wrote some of the present one is kept."""
    written = literal(list(dict.fromkeys(others)), bindings.c.authors.type)
    before = func.array_cat(bindings.c.authors, written, type_=bindings.c.authors.type)
    return case((bindings.c.confirmed_at.is_(None), before), else_=written)


def _valid(on: date) -> ColumnElement[bool]:
    return (bindings.c.valid_from <= on) & or_(bindings.c.valid_until.is_(None), bindings.c.valid_until >= on)


def _unknown(binding: BindingId) -> InputError:
    return InputError(f"Binding {binding} does not exist.")
