"""Waves partition the tenants, canaries stand for all kinds, and the same tenants always give the same waves."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import TenantId
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.campaign_waves import Traits, waves_of


def alike(number: int, **known: object) -> dict[TenantId, Traits]:
    return {TenantId(f"t{place:05}"): Traits(people=100, **known) for place in range(number)}  # type: ignore[arg-type]


TENANTS = st.dictionaries(
    st.text("abcdef0123456789", min_size=1, max_size=6).map(TenantId),
    st.builds(
        Traits,
        people=st.integers(0, 5000),
        mode=st.sampled_from([AssignmentMode.DIRECT, AssignmentMode.GROUP]),
        has_addons=st.booleans(),
    ),
    max_size=60,
)


class TestWaves:
    @pytest.mark.parametrize(
        ("tenants", "canaries", "widening", "sizes"),
        [
            pytest.param(0, 10, 3, [], id="nobody"),
            pytest.param(4, 10, 3, [4], id="fewer than the canaries"),
            pytest.param(10, 10, 3, [10], id="exactly the canaries"),
            pytest.param(11, 10, 3, [10, 1], id="one more"),
            pytest.param(400, 10, 3, [10, 30, 90, 270], id="each three times the one before"),
            pytest.param(8, 2, 1.5, [2, 3, 3], id="rounded up"),
            pytest.param(6, 2, 1, [2, 2, 2], id="not widening at all"),
            pytest.param(3, 0, 2, [1, 2], id="there is always a canary"),
        ],
    )
    def test_widen(self, tenants: int, canaries: int, widening: float, sizes: list[int]) -> None:
        counted = Counter(waves_of(alike(tenants), canaries, widening).values())
        assert [counted[wave] for wave in sorted(counted)] == sizes

    def test_carry_a_sector(self) -> None:
        counted = Counter(waves_of(alike(3_000), 10, 3).values())
        assert [counted[wave] for wave in sorted(counted)] == [10, 30, 90, 270, 810, 1790]

    @given(TENANTS, st.integers(0, 12), st.floats(1, 5))
    def test_partition_the_tenants_without_a_gap(
        self, tenants: dict[TenantId, Traits], canaries: int, widening: float
    ) -> None:
        waves = waves_of(tenants, canaries, widening)
        assert waves.keys() == tenants.keys()
        assert set(waves.values()) == set(range(len(set(waves.values()))))

    @given(TENANTS, st.integers(1, 12), st.randoms())
    def test_do_not_depend_on_the_order_in_which_tenants_come(
        self, tenants: dict[TenantId, Traits], canaries: int, random: object
    ) -> None:
        shuffled = list(tenants.items())
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        assert waves_of(dict(shuffled), canaries, 2) == waves_of(tenants, canaries, 2)


class TestCanaries:
    def canaries(self, tenants: dict[TenantId, Traits], number: int) -> list[Traits]:
        return [tenants[one] for one, wave in waves_of(tenants, number, 3).items() if wave == 0]

    def test_are_of_every_kind_there_is(self) -> None:
        tenants = alike(90)
        tenants[TenantId("group")] = Traits(people=100, mode=AssignmentMode.GROUP)
        tenants[TenantId("addons")] = Traits(people=100, has_addons=True)
        tenants[TenantId("large")] = Traits(people=9_000)
        chosen = self.canaries(tenants, 4)
        assert {one.mode for one in chosen} == {AssignmentMode.DIRECT, AssignmentMode.GROUP}
        assert any(one.has_addons for one in chosen)
        assert any(one.people == 9_000 for one in self.canaries(tenants, 5))

    def test_are_of_the_commonest_kind_when_there_is_one_only(self) -> None:
        tenants = {**alike(9), TenantId("group"): Traits(people=1, mode=AssignmentMode.GROUP)}
        assert self.canaries(tenants, 1)[0].mode is AssignmentMode.DIRECT

    @given(TENANTS)
    def test_are_small_and_large_where_there_are_two_or_more_of_a_kind(self, tenants: dict[TenantId, Traits]) -> None:
        plain = {one: Traits(people=traits.people) for one, traits in tenants.items()}
        if len(plain) < 2:
            return
        by_people = sorted(plain, key=lambda one: (plain[one].people, one))
        chosen = {one for one, wave in waves_of(plain, 2, 3).items() if wave == 0}
        assert chosen & set(by_people[int(len(plain) * 0.9) :])
        assert chosen & set(by_people[: int(len(plain) * 0.9)])
