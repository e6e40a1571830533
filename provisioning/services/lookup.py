"""What people type for an operation, a tenant, an organisation or a binding, and which one they mean."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from provisioning.domain.errors import InputError, NotFoundError
from provisioning.domain.ids import OrganisationId
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import Binding, Organisation, Tenant
from provisioning.ports import UnitOfWork

_MIN_PREFIX = 4
_Found = TypeVar("_Found")


def get_operation(uow: UnitOfWork, named: str) -> Operation:
    """The operation whose id is or begins with this; raises InputError when none or several do."""
    prefix = prefix_of(named, "operation")
    return uow.operations.get(the_only(uow.operations.starting_with(prefix), named, "operation"))


def get_tenant(uow: UnitOfWork, named: str) -> Tenant:
    """The tenant with this domain, id or beginning of an id; raises InputError when none or several do."""
    if "." in named:
        found = uow.tenants.find_by_domain(named.strip().lower())
        matches = [found] if found else []
    else:
        prefix = prefix_of(named, "tenant")
        matches = [tenant for tenant in uow.tenants.list_all() if tenant.tenant_id.startswith(prefix)]
    return the_only(matches, named, "tenant")


def get_organisation(uow: UnitOfWork, named: str) -> Organisation:
    """The organisation with this register code; raises InputError when there is none."""
    found = uow.organisations.find(OrganisationId(named.strip()))
    if found is None:
        raise NotFoundError(f"There is no organisation {named}; `provisioning organisations import` brings them in.")
    return found


def get_binding(uow: UnitOfWork, organisation: str, tenant: str, on: date) -> Binding:
    """The binding of this organisation to this tenant on the day; raises InputError when there is none."""
    school, home = get_organisation(uow, organisation), get_tenant(uow, tenant)
    bound = uow.tenants.bindings_of(school.organisation_id, on)
    matches = [binding for binding in bound if binding.tenant_id == home.tenant_id]
    if not matches:
        raise InputError(
            f"Organisation {organisation} is not bound to tenant {home.initial_domain} on {on}; "
            "`provisioning tenants bind` does that."
        )
    return matches[-1]


def prefix_of(named: str, kind: str) -> str:
    prefix = named.strip().lower()
    if len(prefix) < _MIN_PREFIX:
        raise InputError(f"{named!r} is too short to name one {kind}: give at least {_MIN_PREFIX} characters.")
    return prefix


def the_only(matches: Sequence[_Found], named: str, kind: str) -> _Found:
    if not matches:
        raise NotFoundError(f"There is no {kind} {named}.")
    if len(matches) > 1:
        raise InputError(f"More than one {kind} begins with {named}; give more characters.")
    return matches[0]
