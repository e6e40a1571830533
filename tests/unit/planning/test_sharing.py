"""Several boards in one tenant: whom another one claims, and whose licences count for us."""

import json
from typing import Any

import pytest

from provisioning.domain.errors import UnavailableError
from provisioning.domain.observation import Census, Membership
from provisioning.domain.tenancy import Binding
from provisioning.planning.sharing import claimed_by, who_takes_from_us
from tests.factories import tenancy
from tests.unit.planning.migration_scene import census
from tests.unit.planning.scene import person

ANN, BEN, CAS, DORA = (person(name) for name in ("ann", "ben", "cas", "dora"))
EVERYBODY = census(ANN, BEN, CAS, DORA)


def of(*ids: str, **fields: Any) -> Binding:
    selectors = {"any": json.dumps({"ids": list(ids)})} if ids else {}
    return tenancy.binding("43000", "t", **{"selectors": selectors} | fields)


class TestClaimedBy:
    def test_is_everybody_whom_one_of_the_selectors_matches(self) -> None:
        assert claimed_by([of("ann"), of("ben", "gone")], EVERYBODY, {}) == {"ann", "ben"}
        assert claimed_by([], EVERYBODY, {}) == frozenset()

    @pytest.mark.parametrize("kind", [{"is_guest": True}, {"is_enabled": False}])
    def test_guests_and_disabled_accounts_too(self, kind: dict[str, bool]) -> None:
        assert claimed_by([of("eef")], census(person("eef", **kind)), {}) == {"eef"}

    @pytest.mark.parametrize(
        ("seen", "memberships"),
        [
            pytest.param(census(ANN, is_complete=False), {}, id="half the people"),
            pytest.param(EVERYBODY, {}, id="a group that was not read"),
            pytest.param(
                EVERYBODY,
                {"group:g": Membership(key="group:g", is_complete=False, members=frozenset())},
                id="half a group",
            ),
        ],
    )
    def test_half_a_look_says_of_nobody_that_they_are_unclaimed(
        self, seen: Census, memberships: dict[str, Membership]
    ) -> None:
        with pytest.raises(UnavailableError):
            claimed_by([of(selectors={"any": '{"group":"g"}'})], seen, memberships)


class TestWhoTakesFromUs:
    @pytest.mark.parametrize(
        ("own", "strangers", "ours", "expected"),
        [
            pytest.param(["ann"], ["ben"], [], {"ann", "cas", "dora"}, id="theirs do not, and nobody's do"),
            pytest.param(["ann", "ben"], ["ben"], [], {"ann", "ben", "cas", "dora"}, id="both boards' do"),
            pytest.param([], ["ann", "ben"], ["ben"], {"ben", "cas", "dora"}, id="whoever we bring does"),
        ],
    )
    def test_of_two_boards(self, own: list[str], strangers: list[str], ours: list[str], expected: set[str]) -> None:
        assert who_takes_from_us([of(*own)], [of(*strangers)], EVERYBODY, {}, frozenset(ours)) == expected

    @pytest.mark.parametrize(
        "strangers", [pytest.param([], id="nobody else"), pytest.param([of("ann", confirmed=False)], id="unconfirmed")]
    )
    def test_everybody_does_where_we_are_alone(self, strangers: list[Binding]) -> None:
        assert who_takes_from_us([of("ann")], strangers, EVERYBODY, {}) is None
