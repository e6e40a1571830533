"""Which day it is where the schools are: orders, bindings and policies begin and end on Dutch calendar days."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def day_of(moment: datetime) -> date:
    """The calendar day in Europe/Amsterdam at this moment."""
    return moment.astimezone(AMSTERDAM).date()
