"""Rows of an identity map whose person the tenant did not know: kept as rows, and looked for again.

In the map the line stands in the place of the person. The names rest among the references until somebody is found by
them, or until they are too old: then the line alone is left, and goes on holding everything up.
"""

from collections.abc import Mapping

import msgspec

from provisioning.domain.ids import LineKey, MigrationId, SubjectId
from provisioning.domain.migration import Migration
from provisioning.planning.identity import Cell, Column, IdentityMap, filled_in, open_cells
from provisioning.ports import LicenceGateway, UnitOfWork

_KEPT_AS = "identity map"  # the source of these references; no order database has such a name


class OpenRows(msgspec.Struct, frozen=True, kw_only=True):
    """`names`: who is still looked for. `found`: who was found since. Of a cell in neither, the name is gone."""

    cells: tuple[Cell, ...] = ()
    names: Mapping[Cell, str] = {}
    found: Mapping[Cell, SubjectId] = {}

    @property
    def nameless(self) -> list[Cell]:
        """Who is not found, by line."""
        return sorted(set(self.cells) - self.found.keys())


def keep_names(uow: UnitOfWork, migration: Migration, names: Mapping[Cell, str]) -> None:
    for cell, name in names.items():
        uow.references.keep(_key(migration.migration_id, cell), [name], migration.created_at)


def open_rows(uow: UnitOfWork, migration: Migration) -> OpenRows:
    cells = tuple(open_cells(migration.definition.identity))
    keys = {cell: _key(migration.migration_id, cell) for cell in cells}
    return OpenRows(
        cells=cells,
        names={cell: name for cell, key in keys.items() for name in uow.references.unresolved(key)},
        found={cell: one for cell, key in keys.items() for one in uow.references.resolved(key)},
    )


def look_again(gateway: LicenceGateway, migration: Migration, rows: OpenRows) -> OpenRows:
    """Asks both tenants for whoever is not found yet. Raises GraphError."""
    found = dict(rows.found)
    tenants = (migration.definition.source_tenant, migration.definition.target_tenant)
    for column, tenant in zip(Column, tenants, strict=True):
        names = {cell: name for cell, name in rows.names.items() if cell.column is column}
        known = gateway.resolve_subjects(tenant, sorted(set(names.values()))) if names else {}
        found |= {cell: one for cell, name in names.items() if (one := known.get(name))}
    return msgspec.structs.replace(rows, found=found)


def forget_names(uow: UnitOfWork, migration: Migration, rows: OpenRows) -> None:
    """Of whoever was found: their id takes the place of the name."""
    for cell, name in rows.names.items():
        if cell in rows.found:
            uow.references.resolve(_key(migration.migration_id, cell), {name: rows.found[cell]})


def map_of(migration: Migration, rows: OpenRows) -> IdentityMap:
    """The identity map as far as its people are known by now."""
    return filled_in(migration.definition.identity, rows.found)


def _key(migration: MigrationId, cell: Cell) -> LineKey:
    return LineKey(source=_KEPT_AS, order_number=migration, line_number=f"{cell.line} {cell.column}")
