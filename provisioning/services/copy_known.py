"""What the service knows of the customers of some tenants, read from one installation and written into another."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime

import msgspec

from provisioning.domain.groups import LicensingGroup
from provisioning.domain.ids import Actor, OrganisationId, TenantId
from provisioning.domain.order import LedgerEntry
from provisioning.domain.records import Record, RecordKind
from provisioning.domain.tenancy import Binding, Organisation, Policy, Relation, Tenant
from provisioning.ports import UnitOfWork
from provisioning.services.boards import board_of
from provisioning.services.lookup import get_organisation

# what plans and the right to order rest on; nobody of flesh and blood is named in them
_KINDS = (RecordKind.MEMBERSHIP, RecordKind.DECLARATION, RecordKind.AGREEMENT)
# who decided is of no use in a copy, only that it were two
_AUTHOR, _SECOND = Actor("person:author-of-the-original"), Actor("person:second-of-the-original")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Customers and their tenants, complete in itself."""

    organisations: tuple[Organisation, ...]
    relations: tuple[Relation, ...]
    records: tuple[Record, ...]
    tenants: tuple[Tenant, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[Policy, ...]
    ledger: tuple[LedgerEntry, ...]
    groups: tuple[LicensingGroup, ...]


def read_known(
    uow: UnitOfWork,
    tenants: Collection[TenantId],
    holders: Collection[OrganisationId],
    today: date,
    told: Callable[[Binding], Binding],
) -> Known:
    """Everybody who uses these tenants, and the holders. `told`: a binding as it may be told."""
    bindings = [binding for tenant in tenants for binding in uow.tenants.bindings_in(tenant, today)]
    codes = _with_boards(uow, {*holders, *(one.organisation_id for one in bindings)}, today)
    relations = {each: None for code in codes for each in uow.organisations.relations_of(code, today)}
    everybody = {*codes, *(end for each in relations for end in (each.parent_id, each.child_id))}
    return Known(
        organisations=tuple(get_organisation(uow, code) for code in sorted(everybody)),
        relations=tuple(relations),
        records=tuple(record for code in codes for kind in _KINDS for record in uow.records.list_by(kind, code)),
        tenants=tuple(known for tenant in tenants if (known := uow.tenants.find(tenant))),
        bindings=tuple(told(_anonymous(binding)) for binding in bindings),
        policies=tuple(_in_force(uow, tenants)),
        ledger=tuple(each for code in codes for each in uow.ledger.list_by(code) if each.tenant_id in tenants),
        groups=tuple(group for tenant in tenants for group in uow.groups.list_in(tenant)),
    )


def write_known(uow: UnitOfWork, known: Known, now: datetime) -> None:
    """Into an installation that knows nothing yet. The caller commits."""
    uow.organisations.save(known.organisations)
    uow.organisations.add_relations(known.relations)
    uow.records.save(known.records, now)
    for tenant in known.tenants:
        uow.tenants.save(tenant)
    for binding in known.bindings:
        _bind(uow, binding, now)
    for policy in known.policies:
        uow.tenants.add_policy(policy)
    uow.ledger.append(known.ledger)
    for group in known.groups:
        uow.groups.save(group)


def _with_boards(uow: UnitOfWork, codes: Iterable[OrganisationId], today: date) -> list[OrganisationId]:
    found = set(codes)
    return sorted(found | {board_of(uow, code, today) for code in found})


def _anonymous(binding: Binding) -> Binding:
    confirmed_by = _SECOND if binding.is_confirmed else None
    return msgspec.structs.replace(binding, created_by=_AUTHOR, authors=(), confirmed_by=confirmed_by)


def _in_force(uow: UnitOfWork, tenants: Iterable[TenantId]) -> Iterator[Policy]:
    """Oldest first, as each takes the place of the one before."""
    for tenant in tenants:
        for policy in reversed(uow.tenants.list_policies(tenant)):
            if policy.approved_by is not None:
                yield msgspec.structs.replace(policy, created_by=_AUTHOR, authors=(), approved_by=_SECOND)


def _bind(uow: UnitOfWork, binding: Binding, now: datetime) -> None:
    proposed = msgspec.structs.replace(binding, confirmed_by=None, confirmed_at=None, evidence=frozenset())
    uow.tenants.add_binding(proposed)
    if binding.is_confirmed:
        uow.tenants.confirm_binding(binding.binding_id, _SECOND, binding.confirmed_at or now, binding.evidence)
