"""Pieces of work in tenants."""

from typing import Annotated

from fastapi import Query

from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.services.browse import OperationSummary
from provisioning.services.paging import Page
from provisioning.services.show_operations import OperationSheet
from provisioning.web.calls import Anybody, Because, Filter, Named, PageWanted, Person
from provisioning.web.routing import router as routes_about

router = routes_about("operations")


@router.get("")
def list_all(
    caller: Anybody,
    wanted: PageWanted,
    state: Annotated[list[OperationState] | None, Query()] = None,
    tenant: Filter = None,
) -> Page[OperationSummary]:
    """Operations and where they stand, oldest first."""
    return caller.services.browse.operations(caller.identity, wanted, state or (), tenant)


@router.get("/{operation}")
def show(caller: Anybody, operation: Named) -> OperationSheet | OperationSummary:
    """One operation; people of ours see its plan and what was written down too."""
    return caller.services.show_to.operation(caller.identity, operation)


@router.post("/{operation}/retry")
def retry(caller: Person, operation: Named, because: Because) -> Operation:
    """Let it go on, or look again at whom it left out."""
    return caller.services.retry_operation(caller.identity, operation, because.reason)
