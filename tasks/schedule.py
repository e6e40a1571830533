"""When each round is made. A round that could not start before the next is due is dropped."""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab

from config.settings import Settings

_NIGHT = crontab(hour=3, minute=10)  # schools and shops sleep, and no clock is changed at that minute
_NIGHT_LASTS = timedelta(hours=1)


def task_name(sweep: str) -> str:
    return f"sweeps.{sweep}"


def rounds(settings: Settings) -> dict[str, timedelta]:
    """The rounds by name and how often they are made, in real time."""
    fast = settings.clock_factor
    return {
        "requeue_operations": timedelta(seconds=1),
        "collect_orders": settings.collect_every,
        "sweep_migrations": timedelta(seconds=1),
        "sweep_tickets": timedelta(seconds=1),
        "sweep_campaigns": timedelta(seconds=1),
        "check_campaigns": timedelta(seconds=15),
        "relay_outbox": timedelta(seconds=5),
        "send_webhooks": timedelta(seconds=5),
        "seal_audit": timedelta(seconds=10),
        "serve_waiting": timedelta(minutes=15) / fast,
        "find_strays": timedelta(hours=6) / fast,
    }


NIGHTLY = (
    "compare_orders",
    "purge_references",
    "purge_answers",
    "purge_operations",
    "purge_migrations",
    "purge_tickets",
    "purge_webhooks",
)


def schedule_for(settings: Settings) -> dict[str, dict[str, Any]]:
    """Celery's beat schedule."""
    often = {
        name: {"task": task_name(name), "schedule": every, "options": {"expires": every.total_seconds()}}
        for name, every in rounds(settings).items()
    }
    nightly = {
        name: {"task": task_name(name), "schedule": _NIGHT, "options": {"expires": _NIGHT_LASTS.total_seconds()}}
        for name in NIGHTLY
    }
    return often | nightly
