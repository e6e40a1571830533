"""Orders that can be delivered at once: from the shop's row to the verified licence."""

import pytest

from provisioning.domain.lifecycle import LineState, OperationState
from tests.journeys.furniture import A1, A3, Town
from tests.journeys.promises import check_promises

pytestmark = pytest.mark.xdist_group("deliveries")


def test_s05_first_a3_order_of_a_school_on_a1(town: Town, lag: float) -> None:
    school = town.school(40, lag=lag)
    key = town.order(school, 40)
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.await_line(key, LineState.COMPLETED)
    assert town.holders(school, A3) == set(school.people)
    assert town.holders(school, A1) == set()
    check_promises(town, school, goal=A3)
