"""The plan of the real run beside what its rehearsal promised: numbers, reasons, and whether it is the same people.

Nobody is named: the report itself names them, to its owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import OperationId, SkuId
from provisioning.domain.migration import Migration, MigrationPart
from provisioning.domain.operation import Operation
from provisioning.planning.rehearsal import Difference, PlanFacts, Rehearsal, compare, facts_of, promised
from provisioning.ports import OpenUnitOfWork
from provisioning.services.lookup import get_operation
from provisioning.services.show_plan import ShowPlan


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`is_same_migration`: the file was not changed between rehearsal and now."""

    operation_id: OperationId
    part: MigrationPart
    sku_id: SkuId
    is_same_migration: bool
    differences: tuple[Difference, ...]

    @property
    def is_as_rehearsed(self) -> bool:
        return self.is_same_migration and not self.differences


@dataclass(frozen=True, kw_only=True)
class CompareRehearsal:
    open_uow: OpenUnitOfWork
    show_plan: ShowPlan

    def __call__(self, named: str, rehearsal: Rehearsal) -> Comparison:
        """`named`: the operation. Raises InputError when the two have nothing to do with each other."""
        operation, part, migration = self._find(named)
        _require_same_tenants(migration, rehearsal)
        expected = promised(rehearsal, part, operation.wish.sku_id)
        if expected is None:
            raise InputError(
                f"The rehearsal has no plan to {part.phase.replace('_', ' ')} wave {part.wave} with this product: "
                "it did not get that far."
            )
        live = self._live(operation)
        return Comparison(
            operation_id=operation.operation_id,
            part=part,
            sku_id=operation.wish.sku_id,
            is_same_migration=migration.digest == rehearsal.digest,
            differences=compare(expected, live),
        )

    def _live(self, operation: Operation) -> PlanFacts:
        sheet = self.show_plan(operation.operation_id)
        with self.open_uow() as uow:
            return facts_of(sheet, uow.journal.subjects(operation.operation_id), uow.plans.steps(sheet.plan_id))

    def choose(self, named: str, rehearsals: Sequence[Rehearsal]) -> Rehearsal:
        """The last one of the operation's very migration, or else between its tenants. Raises InputError for none."""
        _, _, migration = self._find(named)
        between = [one for one in rehearsals if _is_between_same_tenants(migration, one)]
        same = [one for one in between if one.digest == migration.digest]
        if not between:
            raise InputError("No rehearsal between these tenants is kept here. Name its report: --with REPORT.")
        return max(same or between, key=lambda one: one.taken_at)

    def _find(self, named: str) -> tuple[Operation, MigrationPart, Migration]:
        with self.open_uow() as uow:
            operation = get_operation(uow, named)
            part = _part(operation)
            return operation, part, uow.migrations.get(part.migration_id)


def _part(operation: Operation) -> MigrationPart:
    if operation.wish.part is None:
        raise InputError(f"Operation {operation.operation_id} is no part of a migration: nothing rehearsed it.")
    return operation.wish.part


def _require_same_tenants(migration: Migration, rehearsal: Rehearsal) -> None:
    if not _is_between_same_tenants(migration, rehearsal):
        raise InputError(f"This is the rehearsal of {rehearsal.name}, which goes between other tenants.")


def _is_between_same_tenants(migration: Migration, rehearsal: Rehearsal) -> bool:
    definition = migration.definition
    return (definition.source_tenant, definition.target_tenant) == (rehearsal.source_tenant, rehearsal.target_tenant)
