"""Work on one operation."""

import structlog

from provisioning import bootstrap
from provisioning.broker.queues import ADVANCE
from provisioning.domain.ids import OperationId
from tasks.app import app
from tasks.base import ProvisioningTask


@app.task(base=ProvisioningTask, name=ADVANCE)  # type: ignore[untyped-decorator]  # Celery is untyped
def advance(operation_id: str) -> None:
    with structlog.contextvars.bound_contextvars(operation_id=operation_id):
        services = bootstrap.services()
        services.watch_clock()
        services.advance_operation(OperationId(operation_id))
