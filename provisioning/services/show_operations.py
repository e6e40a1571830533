"""Where operations stand, and everything that happened in one."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.events import Event
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import Tenant
from provisioning.ports import OpenUnitOfWork, PlanRecord
from provisioning.services.lookup import get_operation, get_tenant

_EVENTS = 200
_WRITING = frozenset({OperationState.APPLYING, OperationState.VERIFYING})


class OperationSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One operation with its counts and its audit lines."""

    operation: Operation
    tenant: Tenant | None
    plan: PlanRecord | None
    people: dict[SubjectState, int]
    steps: dict[StepState, int]
    events: list[Event]
    writes_done_at: datetime | None = None


class OperationRow(Operation, frozen=True, kw_only=True):
    """One operation in a list. `writes_done_at`: the forecast of its last write; None unless it is being written."""

    writes_done_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ShowOperations:
    open_uow: OpenUnitOfWork
    foretell: Callable[[], Mapping[OperationId, datetime]]

    def __call__(
        self, states: Collection[OperationState] = (), tenant: str | None = None, limit: int = 100
    ) -> list[OperationRow]:
        """Operations in these states (any when none is given), of one tenant or all."""
        with self.open_uow() as uow:
            tenant_id = get_tenant(uow, tenant).tenant_id if tenant else None
            found = uow.operations.list_by(states=states, tenant=tenant_id, limit=limit)
        foretold = self._foretold(found)
        return [
            OperationRow(**msgspec.structs.asdict(one), writes_done_at=foretold.get(one.operation_id)) for one in found
        ]

    def _foretold(self, operations: Collection[Operation]) -> Mapping[OperationId, datetime]:
        is_writing = any(one.state in _WRITING for one in operations)
        return self.foretell() if is_writing else {}

    def one(self, named: str) -> OperationSheet:
        """The sheet of the operation whose id begins so; raises InputError when there is none."""
        with self.open_uow() as uow:
            operation = get_operation(uow, named)
            operation_id = operation.operation_id
            found = OperationSheet(
                operation=operation,
                tenant=uow.tenants.find(operation.tenant_id),
                plan=uow.plans.current(operation_id),
                people=uow.journal.subject_counts(operation_id),
                steps=uow.journal.step_counts(operation_id),
                events=uow.audit.list_by(operation=operation_id, limit=_EVENTS),
            )
        foretold = self._foretold([operation])
        return msgspec.structs.replace(found, writes_done_at=foretold.get(operation_id))
