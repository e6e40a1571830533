"""What every task does around its one call of a service."""

from typing import Any

import structlog
from celery import Task

from provisioning.domain.errors import ProvisioningError, UnavailableError

_log = structlog.get_logger(__name__)


class ProvisioningTask(Task):  # type: ignore[misc]  # Celery is untyped
    """Runs to its end: a failure is a line in the log, and the sweep looks at the work again.

    SIGTERM lets it finish: what a chunk has begun is journalled, and no message is taken after it.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with structlog.contextvars.bound_contextvars(task=self.name, task_id=self.request.id):
            try:
                return self.run(*args, **kwargs)
            except UnavailableError as error:
                _log.warning("task.postponed", error=str(error))
            except ProvisioningError as error:
                _log.error("task.refused", error_type=type(error).__name__, error=str(error))
            except Exception:  # noqa: BLE001  the last place before the worker: whatever it was, the next task must run
                _log.exception("task.failed")
        return None
