"""How long an operation has waited, as a person would count it (decision 0025)."""

from datetime import datetime

from provisioning.domain.calendar import start_of
from provisioning.domain.operation import Operation


def waits_since(operation: Operation) -> datetime:
    """Since it came into its state, but never since before the day that its own order names: that is no delay."""
    starts_on = operation.wish.starts_on
    return operation.entered_at if starts_on is None else max(operation.entered_at, start_of(starts_on))
