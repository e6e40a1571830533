"""How long a subscription stays in each state once its term is over, and which state follows.

learn.microsoft.com: "What if my Microsoft business subscription expires". Every subscription may have durations of its
own.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

DAY = 86_400.0
YEAR = 365 * DAY
Term = Literal["standard", "multiYear", "volume", "openValue", "trial"]


class Durations(msgspec.Struct, frozen=True):
    """Days in grace (Warning) and days without access (Suspended); 0 skips the state."""

    grace: float
    suspended: float


DURATIONS: Mapping[Term, Durations] = {
    "standard": Durations(30, 90),
    "multiYear": Durations(90, 90),
    "volume": Durations(90, 60),
    "openValue": Durations(30, 90),
    "trial": Durations(30, 0),
}


def durations(term: Term, grace: float | None, suspended: float | None) -> Durations:
    """Those of the term, with what a subscription says for itself."""
    usual = DURATIONS[term]
    return Durations(
        usual.grace if grace is None else grace,
        usual.suspended if suspended is None else suspended,
    )


def next_status(status: str, lasts: Durations) -> str:
    """What a subscription that nobody renews becomes. A cancelled one (LockedOut) is past its grace already."""
    if status == "Enabled" and lasts.grace:
        return "Warning"
    if status in {"Enabled", "Warning"} and lasts.suspended:
        return "Suspended"
    return "Deleted"


def stays(status: str, lasts: Durations) -> float | None:
    """Seconds that the state lasts by itself; None: until somebody changes it."""
    days = {"Warning": lasts.grace, "Suspended": lasts.suspended, "LockedOut": lasts.suspended}.get(status)
    return None if days is None else days * DAY
