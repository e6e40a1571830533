"""What a night takes: three cases counted apart, in both buckets, wave after wave."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from config.limits import default_limits
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.operation import Change, Step, StepKind
from provisioning.planning.campaign_forecast import Load, Opening, Writes, foretell_night, together, writes_of
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.plan import Plan
from provisioning.planning.quota import Sizes
from tests.factories import NOW
from tests.unit.planning.scene import A3, scene

SIZES = Sizes.of(default_limits())


def plan(*steps: tuple[StepKind, str, Change]) -> Plan:
    made = tuple(
        Step(position=place, subject_id=SubjectId(who), kind=kind, change=change)
        for place, (kind, who, change) in enumerate(steps)
    )
    return msgspec.structs.replace(plan_deliver(scene()), steps=made)


K, NOTHING, SWAPPED = StepKind, Change(), Change(remove_skus=(A3,))


class TestWritesOf:
    @pytest.mark.parametrize(
        ("steps", "writes"),
        [
            pytest.param([], Writes(), id="nothing"),
            pytest.param([(K.LICENSE_GROUP, "g", Change(people=400))], Writes(groups=1), id="a group is one write"),
            pytest.param([(K.SWAP, "a", SWAPPED), (K.SWAP, "b", SWAPPED)], Writes(clashing=2), id="one each"),
            pytest.param([(K.ASSIGN, "a", NOTHING)], Writes(empty_hands=1), id="empty hands"),
            pytest.param(
                [(K.ADD_MEMBERS, f"p{n}", NOTHING) for n in range(21)], Writes(empty_hands=2), id="join by twenties"
            ),
            pytest.param(
                [(K.SWAP, "a", SWAPPED), (K.ADD_MEMBERS, "a", NOTHING), (K.REMOVE, "a", SWAPPED)],
                Writes(clashing=1, moves=2),
                id="later moves are counted apart",
            ),
            pytest.param(
                [(K.SET_USAGE_LOCATION, "a", NOTHING), (K.SWAP, "a", SWAPPED)],
                Writes(locations=1, clashing=1),
                id="a usage location first",
            ),
            pytest.param([(K.NO_OP, "a", NOTHING)], Writes(), id="nothing to do"),
        ],
    )
    def test_counts_each_case_apart(self, steps: list[tuple[StepKind, str, Change]], writes: Writes) -> None:
        assert writes_of(plan(*steps)) == writes

    def test_what_comes_later_is_not_of_the_night(self) -> None:
        writes = Writes(clashing=10, groups=1, moves=20)
        assert (writes.tonight, writes.in_all) == (11, 31)

    def test_adds_up(self) -> None:
        assert together([Writes(groups=1, moves=2), Writes(groups=1, clashing=5)]) == Writes(
            groups=2, clashing=5, moves=2
        )


OPENING = Opening(widening=2.0, at_once=200)


def load(tenant: str, writes: int, wave: int = 0) -> Load:
    return Load(tenant_id=TenantId(tenant), wave=wave, people=writes, writes=Writes(clashing=writes))


class TestForetellNight:
    def test_is_bound_by_the_tenant_where_there_is_one(self) -> None:
        (wave,) = foretell_night([load("t", 3_000)], NOW, SIZES, OPENING)
        assert (wave.done_at - NOW).total_seconds() == pytest.approx(3_000 / SIZES.tenant.rate, rel=0.01)

    def test_is_bound_by_the_application_where_there_are_many(self) -> None:
        (wave,) = foretell_night([load(f"t{n}", 500) for n in range(600)], NOW, SIZES, OPENING)
        assert (wave.done_at - NOW).total_seconds() == pytest.approx(300_000 / SIZES.app.rate, rel=0.01)
        assert (wave.tenants, wave.people, wave.writes.clashing) == (600, 300_000, 300_000)

    def test_begins_each_wave_after_the_one_before(self) -> None:
        first, second = foretell_night([load("a", 100), load("b", 100, wave=1)], NOW, SIZES, OPENING)
        assert second.begins_at == first.done_at > NOW

    def test_a_later_wave_begins_while_the_one_before_is_going(self) -> None:
        """Nobody waits for the slowest tenant of a wave, but for that of the canaries."""
        loads = [load("canary", 200), *(load(f"a{n}", 10, wave=1) for n in range(4)), load("slow", 4_000, wave=1)]
        first, second, third = foretell_night([*loads, load("c", 10, wave=2)], NOW, SIZES, OPENING)
        assert second.begins_at == first.done_at
        assert third.begins_at < second.done_at
        assert third.done_at < second.done_at

    def test_past_the_canaries_nobody_waits_for_a_whole_wave(self) -> None:
        loads = [load("a", 10, wave=1), load("slow", 4_000, wave=1), load("c", 10, wave=2)]
        past = msgspec.structs.replace(OPENING, is_past_canaries=True)
        first, second = foretell_night(loads, NOW, SIZES, past)
        assert second.begins_at < first.done_at
        assert foretell_night(loads, NOW, SIZES, OPENING)[1].begins_at == first.done_at

    def test_no_more_are_under_way_than_may(self) -> None:
        """One after the other each goes at a tenant's own pace."""
        (wave,) = foretell_night([load(f"t{n}", 100) for n in range(5)], NOW, SIZES, Opening(widening=2, at_once=1))
        assert (wave.done_at - NOW).total_seconds() == pytest.approx(500 / SIZES.tenant.rate, rel=0.01)

    @given(
        some.lists(some.tuples(some.integers(0, 5), some.integers(0, 2_000)), min_size=1, max_size=40),
        some.sampled_from([1.0, 2.0, 3.0]),
        some.integers(1, 50),
    )
    def test_no_night_is_shorter_than_the_quota_allows_nor_longer_than_one_after_the_other(
        self, tenants: list[tuple[int, int]], widening: float, at_once: int
    ) -> None:
        loads = [load(f"t{n}", writes, wave=wave) for n, (wave, writes) in enumerate(tenants)]
        waves = foretell_night(loads, NOW, SIZES, Opening(widening=widening, at_once=at_once))
        takes = (max(one.done_at for one in waves) - NOW).total_seconds()
        total, most = sum(writes for _, writes in tenants), max(writes for _, writes in tenants)
        assert takes >= max(total / SIZES.app.rate, most / SIZES.tenant.rate) - 0.001
        assert takes <= total / min(SIZES.app.rate, SIZES.tenant.rate) + 0.001
        assert all(one.begins_at <= one.done_at for one in waves)

    def test_takes_no_time_where_nothing_is_written(self) -> None:
        (wave,) = foretell_night([load("a", 0)], NOW, SIZES, OPENING)
        assert wave.done_at == NOW

    def test_knows_hours_at_which_nothing_leaves(self) -> None:
        (wave,) = foretell_night(
            [load("a", 1)], NOW, SIZES, OPENING, elapse=lambda at, takes: at + takes + timedelta(hours=8)
        )
        assert wave.done_at > NOW + timedelta(hours=8)

    def test_carries_a_sector_at_once(self) -> None:
        loads = [load(f"t{n}", 500, wave=n % 6) for n in range(3_000)]
        assert len(foretell_night(loads, NOW, SIZES, OPENING)) == 6
