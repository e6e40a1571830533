"""Tells a worker, by the name of a task, that an operation may go on."""

from datetime import timedelta

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from provisioning.broker.connection import transport_url
from provisioning.broker.queues import ADVANCE, QUEUE_OF
from provisioning.domain.ids import OperationId
from provisioning.domain.operation import Lane

_log = structlog.get_logger(__name__)

_SEND_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}  # the sweep repairs the rest
_TRANSPORT = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}


class CeleryDispatcher:
    """Messages carry an id and nothing else, and are void after `lifetime` (real time).

    By then the sweep has sent another; a busy queue would only fill with copies.
    """

    def __init__(self, redis_url: str, lifetime: timedelta) -> None:
        self._app = Celery("dispatcher", broker=transport_url(redis_url), set_as_current=False)
        self._app.conf.update(
            task_serializer="json",
            task_ignore_result=True,
            broker_transport_options=_TRANSPORT,
            task_create_missing_queues=True,
        )
        self._lifetime = lifetime.total_seconds()

    def advance(self, operation: OperationId, lane: Lane) -> None:
        """Send it, or say in the log that nobody could be told; the sweep will look again."""
        queue = QUEUE_OF[lane]
        try:
            self._app.send_task(
                ADVANCE, args=[operation], queue=queue, expires=self._lifetime, retry_policy=_SEND_POLICY
            )
        except OperationalError as error:
            _log.warning("dispatch.unreachable", operation_id=operation, queue=queue, error=type(error).__name__)
