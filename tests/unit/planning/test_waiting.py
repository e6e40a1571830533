from datetime import UTC, date, datetime

import pytest

from provisioning.planning.waiting import waits_since
from tests.factories import guid
from tests.factories import operations as make

ORDERED = datetime(2026, 10, 1, 9, tzinfo=UTC)
NEW_YEAR = datetime(2026, 12, 31, 23, tzinfo=UTC)  # midnight in Amsterdam


@pytest.mark.parametrize(
    ("starts_on", "expected"),
    [
        pytest.param(None, ORDERED, id="no date: since it came into its state"),
        pytest.param(date(2026, 9, 1), ORDERED, id="a date that had passed changes nothing"),
        pytest.param(date(2027, 1, 1), NEW_YEAR, id="the time until the ordered day is no delay"),
    ],
)
def test_how_long_it_waits_is_counted_from(starts_on: date | None, expected: datetime) -> None:
    operation = make.operation(guid(), entered_at=ORDERED, wish=make.wish(starts_on=starts_on))
    assert waits_since(operation) == expected
