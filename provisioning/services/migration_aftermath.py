"""What is left for people to do after a migration, as records, bindings and ledger have it today."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.migration import Migration, MigrationDefinition, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.records import Agreement, Participant, RecordKind
from provisioning.planning.migration_aftermath import AftermathFacts, LeftToDo, left_to_do
from provisioning.ports import UnitOfWork


def aftermath(
    uow: UnitOfWork, migration: Migration, people: Iterable[Traveller], products: Mapping[SkuId, str], today: date
) -> tuple[LeftToDo, ...]:
    """Nothing before it is completed, and nothing once people did it."""
    moved = sorted({one.organisation_id for one in people if one.state is PersonState.RELEASED})
    if migration.state is not MigrationState.COMPLETED or not moved:
        return ()
    definition = migration.definition
    holders = tuple(dict.fromkeys((definition.source_holder, *moved)))
    return left_to_do(
        AftermathFacts(
            moved=moved,
            source_domain=_domain(uow, definition.source_tenant),
            target_domain=_domain(uow, definition.target_tenant),
            bindings=uow.tenants.bindings_in(definition.source_tenant, today),
            participants=list(_participants(uow, holders, today)),
            seats=dict(_seats(uow, definition, holders, today)),
            names={code: found.name for code in holders if (found := uow.organisations.find(code))},
            products=products,
        )
    )


def _domain(uow: UnitOfWork, tenant: TenantId) -> str:
    found = uow.tenants.find(tenant)
    return found.initial_domain if found else tenant


def _participants(uow: UnitOfWork, holders: Sequence[OrganisationId], today: date) -> Iterator[Participant]:
    agreements = {
        one.record_id
        for holder in holders
        for one in uow.records.list_by(RecordKind.AGREEMENT, holder)
        if isinstance(one, Agreement)
    }
    for one in (record for holder in holders for record in uow.records.list_by(RecordKind.PARTICIPANT, holder)):
        if isinstance(one, Participant) and one.agreement_id in agreements and _is_in_force(one, today):
            yield one


def _is_in_force(one: Participant, today: date) -> bool:
    return one.valid_from <= today and (one.valid_until is None or today <= one.valid_until)


def _seats(
    uow: UnitOfWork, definition: MigrationDefinition, holders: Sequence[OrganisationId], today: date
) -> Iterator[tuple[tuple[OrganisationId, SkuId], int]]:
    """Of the products that people left there; none were used up by moving."""
    for sku in sorted({pair.source_sku for pair in definition.products}):
        for holder in holders:
            yield (holder, sku), uow.ledger.entitlement(holder, definition.source_tenant, sku, today)
