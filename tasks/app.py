"""The Celery application: `celery -A tasks.app worker` and `celery -A tasks.app beat`.

The database is the truth and messages are hints, so nothing here is set up to protect a message.
"""

from functools import cached_property
from typing import Any

from celery import Celery, signals
from celery.schedules import BaseSchedule

from config.logging import configure_logging
from config.settings import Settings, load_settings
from provisioning import bootstrap
from provisioning.broker.connection import transport_url
from provisioning.broker.queues import Queue
from provisioning.domain.errors import ProvisioningError
from tasks.schedule import schedule_for

_VISIBILITY_SECONDS = 900  # longer than any task: a second delivery would only find the lease taken


class Configuration:
    """Celery's settings, read when they are first needed: importing a task needs no environment."""

    accept_content = ("json",)
    task_serializer = "json"
    task_ignore_result = True
    task_store_errors_even_if_ignored = False
    result_backend = None
    include = ("tasks.operations", "tasks.sweeps")

    task_acks_late = True
    task_reject_on_worker_lost = False  # a task that kills its worker would come back for ever
    worker_prefetch_multiplier = 1
    worker_cancel_long_running_tasks_on_connection_loss = False  # without the broker a chunk still ends in order
    task_default_queue = Queue.SWEEPS.value
    task_create_missing_queues = True

    broker_connection_retry_on_startup = True
    broker_transport_options = {  # noqa: RUF012  Celery reads the attribute as it is
        "visibility_timeout": _VISIBILITY_SECONDS,
        "socket_keepalive": True,
        "queue_order_strategy": "priority",  # as the queues are listed: `-Q sweeps,orders`
    }

    timezone = "Europe/Amsterdam"
    enable_utc = True
    beat_scheduler = "celery.beat:Scheduler"  # in memory: a schedule of rounds has no past worth a file
    beat_max_loop_interval = 1

    worker_hijack_root_logger = False
    worker_redirect_stdouts = False
    worker_send_task_events = False

    @cached_property
    def settings(self) -> Settings:
        return load_settings()

    @property
    def broker_url(self) -> str:
        return transport_url(self.settings.redis_url.get_secret_value())

    @property
    def beat_schedule(self) -> dict[str, dict[str, str | float | BaseSchedule | dict[str, float]]]:
        return schedule_for(self.settings)


app = Celery("tasks", set_as_current=True)
app.config_from_object(Configuration())


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # Celery is untyped
def _log_as_json(**_: Any) -> None:
    configure_logging(load_settings().log_level)


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # Celery is untyped
@signals.beat_init.connect  # type: ignore[untyped-decorator]  # Celery is untyped
def _refuse_a_wrong_world(**_: Any) -> None:
    """Before anything is forked: one sentence and an end, rather than every task failing."""
    try:
        bootstrap.check_installation()
    except ProvisioningError as error:
        raise SystemExit(str(error)) from None


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery is untyped
def _make_ready(**_: Any) -> None:
    """The first order of the day should not wait for imports and certificates."""
    bootstrap.services().make_ready()


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]  # Celery is untyped
def _leave_in_order(**_: Any) -> None:
    bootstrap.services().close()
