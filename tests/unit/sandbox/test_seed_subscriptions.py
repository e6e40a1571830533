"""Subscriptions in a seed: what is completed, and what is refused before anything is planted."""

from typing import Any

import msgspec
import pytest

from provisioning.sandbox.clock import from_moment
from provisioning.sandbox.seed_subscriptions import SeedSubscription, add_subscription
from provisioning.sandbox.subscriptions import Subscription
from provisioning.sandbox.world import Settings, World

A1, TENANT = "94763226-9b3c-4e75-a931-5c89701abe66", "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001"
DAY = 86_400


@pytest.fixture
def world() -> World:
    made = World(Settings())
    made.add_tenant(TENANT, "School", ["school.example"])
    return made


def added(world: World, **more: Any) -> Subscription:
    seed = msgspec.convert({"skuId": A1.upper(), "totalLicenses": 10, **more}, SeedSubscription)
    return add_subscription(world, world.tenants[TENANT], seed)


def days_left(world: World, held: Subscription) -> int:
    assert held.nextLifecycleDateTime is not None
    return round((from_moment(held.nextLifecycleDateTime) - world.clock.now()) / DAY)


class TestAddSubscription:
    def test_ids_are_stable_and_differ(self, world: World) -> None:
        first, second = added(world), added(world)
        assert first.id != second.id
        other = World(Settings())
        other.add_tenant(TENANT, "School", ["school.example"])
        assert added(other).id == first.id

    def test_an_enabled_one_without_an_end_has_none(self, world: World) -> None:
        assert added(world).nextLifecycleDateTime is None

    @pytest.mark.parametrize(
        ("more", "days"),
        [
            ({"status": "Warning"}, 30),
            ({"status": "Suspended"}, 90),
            ({"status": "Suspended", "term": "volume"}, 60),
            ({"status": "LockedOut", "suspendedDays": 5}, 5),
            ({"status": "Warning", "isTrial": True}, 30),
        ],
    )
    def test_any_other_state_began_now(self, world: World, more: dict[str, Any], days: int) -> None:
        assert days_left(world, added(world, **more)) == days

    def test_a_trial_has_the_term_of_one(self, world: World) -> None:
        assert added(world, isTrial=True).term == "trial"
        assert added(world, isTrial=True, term="volume").term == "volume"

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            ({"skuId": "unknown"}, "is not in the catalogue"),
            ({"status": "Asleep"}, "cannot be Asleep"),
            ({"changes": [{"in": 5, "status": "Asleep"}]}, "cannot be Asleep"),
            ({"nextLifecycleDateTime": "soon"}, "Invalid isoformat"),
            ({"appearsAt": "soon"}, "Invalid isoformat"),
        ],
    )
    def test_nonsense_is_refused_and_leaves_nothing(self, world: World, more: dict[str, Any], sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            added(world, **more)
        assert world.tenants[TENANT].subscriptions == {}

    def test_an_id_that_is_taken_is_refused(self, world: World) -> None:
        held = added(world)
        with pytest.raises(ValueError, match="already has a subscription"):
            added(world, id=held.id)

    @pytest.mark.parametrize("more", [{"totalLicenses": -1}, {"graceDays": -1}, {"appearsIn": -1}, {"term": "never"}])
    def test_numbers_below_zero_and_unknown_terms_are_refused(self, world: World, more: dict[str, Any]) -> None:
        with pytest.raises(msgspec.ValidationError):
            added(world, **more)
