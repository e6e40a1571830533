"""The report of a migration: what happened to whom, and who let it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import OrganisationId, SubjectId, TenantId
from provisioning.domain.migration import Phase
from provisioning.domain.operation import Operation
from provisioning.domain.rights import Action, may
from provisioning.planning.migration_report import Approval, Facts, MigrationReport, Party, draw_report
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.migration_aftermath import aftermath
from provisioning.services.migration_deeds import get_migration


@dataclass(frozen=True, kw_only=True)
class ReportMigration:
    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings

    def __call__(self, identity: Identity, named: str) -> MigrationReport:
        """Of a migration in any state. Who may not see ids of people gets their pseudonyms alone."""
        with self.open_uow() as uow:
            migration = get_migration(uow, named)
            taken, operations = migration.definition, uow.migrations.operations_of(migration.migration_id)
            products = {sku: known.name for sku, known in self.mappings.skus.items()}
            travellers, now = uow.migrations.travellers(migration.migration_id), self.clock.now()
            facts = Facts(
                migration=migration,
                source=_party(uow, taken.source_tenant, taken.source_holder),
                target=_party(uow, taken.target_tenant, taken.target_holder),
                waves=uow.migrations.waves(migration.migration_id),
                travellers=travellers,
                operations=operations,
                approvals=list(_approvals(uow, operations)),
                products=products,
                with_ids=may(identity, Action.SEE_PEOPLE),
                now=now,
                left_to_do=aftermath(uow, migration, travellers, products, dutch_day(now)),
                read_back=_read_back(uow, operations),
            )
        return draw_report(facts)


def _read_back(uow: UnitOfWork, operations: Sequence[Operation]) -> dict[tuple[Phase, SubjectId], datetime]:
    """Of several tries the last that came to anything."""
    found: dict[tuple[Phase, SubjectId], datetime] = {}
    for operation in sorted(operations, key=lambda one: one.created_at):
        part = operation.wish.part
        if part is not None:
            found |= {(part.phase, who): at for who, at in uow.journal.verified_at(operation.operation_id).items()}
    return found


def _party(uow: UnitOfWork, tenant: TenantId, holder: OrganisationId) -> Party:
    """Whoever is not known any more is called by their id or code."""
    home, board = uow.tenants.find(tenant), uow.organisations.find(holder)
    return Party(
        tenant_id=tenant,
        domain=home.initial_domain if home else tenant,
        holder=holder,
        name=board.name if board else holder,
    )


def _approvals(uow: UnitOfWork, operations: Sequence[Operation]) -> Iterator[Approval]:
    for operation in operations:
        plan, part = uow.plans.current(operation.operation_id), operation.wish.part
        if plan is None or part is None or plan.approved_by is None or plan.approved_at is None:
            continue
        yield Approval(
            wave=part.wave,
            phase=part.phase,
            operation_id=operation.operation_id,
            people=len(operation.wish.named),
            digest=plan.digest,
            approved_by=plan.approved_by,
            approved_at=plan.approved_at,
            is_alone=plan.break_glass_reason is not None,
        )
