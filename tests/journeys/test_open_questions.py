"""What nobody outside Microsoft knows: each answer that the twin can give, under one and the same day's work.

A swap, people who come in by a group of ours, one in ten calls refused, replicas that lag. Whatever the answer is,
the end is the same and nothing that was promised is broken.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from provisioning.domain.lifecycle import OperationState
from provisioning.domain.tenancy import AssignmentMode
from tests.journeys.customers import A1, A3, GROUP_ROLES
from tests.journeys.furniture import Town
from tests.journeys.promises import check_promises

_PEOPLE = 30
_LAG = 15.0
_REFUSED = 0.1
_OTHER_ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "grace takes new assignments": {"warning_units_assignable": True},
    "grace serves nobody": {"warning_serves": False},
    "dormant products are unknown": {"dormant_skus_answer": "unknown_sku"},
    "ended subscriptions stay listed": {"deleted_subscriptions_listed": True},
    "a strange disabled plan is ignored": {"invalid_disabled_plan": "ignore"},
    "one user twice in a batch is fine": {"same_user_in_batch_conflicts": False},
    "one group twice in a batch is fine": {"same_group_in_batch_conflicts": False},
    "a group is known after a while": {"group_known_after_seconds": 20.0},
    "groups are worked off slowly": {"group_processing_seconds": 90.0, "group_processing_per_second": 1.0},
    "who failed in a group is tried again": {"errored_members_retried": True},
    "a conflict says when": {"conflict_retry_after": "3"},
    "Retry-After is fractional": {"retry_after": "fractional"},
    "Retry-After is always 1": {"retry_after": "one"},
    "Retry-After is absent": {"retry_after": "absent"},
    "an envelope costs a unit": {"batch_resource_units": 1},
    "consumedUnits is fresh": {"consumed_units": "immediate"},
    "a fresh consent has no roles yet": {"consent_delay_seconds": 5.0, "fresh_consent": "missing_roles"},
    "every second page is empty": {"empty_page_every": 2},
    "every second page is short": {"short_page_every": 2},
    "items of a batch name requests": {"batch_items_name_requests": True},
    "a batch answers in order": {"shuffle_batch": False},
}


@pytest.fixture
def answered(town: Town) -> Iterator[Town]:
    """The town, whose twin believes afterwards what it believed before."""
    before = town.control.request("GET", "/switches")
    yield town
    town.control.set_switches(**before)
    town.control.set_quotas("bucket")


@pytest.mark.slow
@pytest.mark.parametrize("answer", _OTHER_ANSWERS)
def test_the_other_answer_changes_nothing_in_the_end(answered: Town, answer: str) -> None:
    answered.control.set_switches(**_OTHER_ANSWERS[answer])
    _a_day_of_work(answered)


@pytest.mark.parametrize(
    "shape", [pytest.param("bucket", marks=pytest.mark.slow), "sliding", pytest.param("fixed", marks=pytest.mark.slow)]
)
def test_whatever_shape_the_window_has(answered: Town, shape: str) -> None:
    answered.control.set_quotas(shape)
    _a_day_of_work(answered)


def _a_day_of_work(town: Town) -> None:
    by_group = {"assignment_mode": AssignmentMode.GROUP, "usage_location": "NL"}
    swapping = town.school(_PEOPLE, lag=_LAG)
    joining = town.school(_PEOPLE, holds=None, lag=_LAG, policy=by_group, roles=GROUP_ROLES)
    for school in (swapping, joining):
        for route in ("assignLicense", "patchGroup"):
            town.control.add_fault("throttle", tenant=school.tenant, route=route, probability=_REFUSED)
    orders = {school.code: town.order(school, _PEOPLE) for school in (swapping, joining)}
    for school in (swapping, joining):
        assert town.await_end(orders[school.code], within=120.0).state is OperationState.COMPLETED
        assert town.holders(school, A3) == set(school.people)
        assert town.holders(school, A1) == set()
        check_promises(town, school, goal=A3)
