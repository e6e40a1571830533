"""Valid values of the domain, one function per aggregate; keyword arguments change what a test is about.

Ids are distinct from call to call: what must be the same in two values is named by the test.
"""

from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

NOW = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
TODAY = date(2026, 8, 3)

_numbers = count(1)


def number() -> int:
    return next(_numbers)


def guid() -> str:
    """Looks like Microsoft's, tells apart, and is the same in every run of a single test file in order."""
    return str(UUID(int=(0xF << 124) + number(), version=4))
