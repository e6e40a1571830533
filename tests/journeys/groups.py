"""Looks at groups and at the operations that bring people into them."""

from typing import Any

from provisioning.domain.lifecycle import OPERATION_ENDS
from provisioning.domain.operation import Operation, OperationKind
from provisioning.local.world import APP
from tests.journeys.customers import Customer
from tests.journeys.furniture import Town
from tests.journeys.patience import until


def our_group(town: Town, customer: Customer) -> dict[str, Any]:
    [group] = town.control.groups(customer.tenant)
    return dict(group)


def writes_of(town: Town, customer: Customer) -> list[str]:
    """The routes of our writes there, one each."""
    return [entry["route"] for entry in town.control.ledger(customer.began, tenant=customer.tenant, app=APP)]


def sources_of(town: Town, customer: Customer, person: str, sku: str) -> set[str | None]:
    held = town.control.user(customer.tenant, person)["licenseAssignmentStates"]
    return {row["assignedByGroup"] for row in held if row["skuId"] == sku and row["state"] == "Active"}


def await_change(town: Town, customer: Customer, within: float = 60.0) -> Operation:
    """The latest operation that brings people into the form their school wants, once all of them have ended."""

    def changes() -> list[Operation]:
        with town.services.open_uow() as uow:
            found = [x for x in uow.operations.list_by(tenant=customer.tenant) if x.kind is OperationKind.CHANGE]
        return sorted(found, key=lambda one: one.created_at)

    def look() -> Operation | None:
        found = changes()
        return found[-1] if found and all(one.state in OPERATION_ENDS for one in found) else None

    def story() -> str:
        return f"a change that ended: {[(one.state, one.reason, one.waits, one.due_at) for one in changes()]}"

    return until(look, story, within=within)
