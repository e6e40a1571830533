"""What a night takes: three cases counted apart, in both buckets, wave after wave."""

from datetime import timedelta

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.operation import Change, Step, StepKind
from provisioning.planning.campaign_forecast import Load, Writes, foretell_night, together, writes_of
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


def load(tenant: str, writes: int, wave: int = 0) -> Load:
    return Load(tenant_id=TenantId(tenant), wave=wave, people=writes, writes=Writes(clashing=writes))


class TestForetellNight:
    def test_is_bound_by_the_tenant_where_there_is_one(self) -> None:
        (wave,) = foretell_night([load("t", 3_000)], NOW, SIZES)
        assert (wave.done_at - NOW).total_seconds() == pytest.approx(3_000 / SIZES.tenant.rate, rel=0.01)

    def test_is_bound_by_the_application_where_there_are_many(self) -> None:
        (wave,) = foretell_night([load(f"t{n}", 500) for n in range(600)], NOW, SIZES)
        assert (wave.done_at - NOW).total_seconds() == pytest.approx(300_000 / SIZES.app.rate, rel=0.01)
        assert (wave.tenants, wave.people, wave.writes.clashing) == (600, 300_000, 300_000)

    def test_begins_each_wave_after_the_one_before(self) -> None:
        first, second = foretell_night([load("a", 100), load("b", 100, wave=1)], NOW, SIZES)
        assert second.begins_at == first.done_at > NOW

    def test_takes_no_time_where_nothing_is_written(self) -> None:
        (wave,) = foretell_night([load("a", 0)], NOW, SIZES)
        assert wave.done_at == NOW

    def test_knows_hours_at_which_nothing_leaves(self) -> None:
        (wave,) = foretell_night([load("a", 1)], NOW, SIZES, elapse=lambda at, takes: at + takes + timedelta(hours=8))
        assert wave.done_at > NOW + timedelta(hours=8)

    def test_carries_a_sector_at_once(self) -> None:
        loads = [load(f"t{n}", 500, wave=n % 6) for n in range(3_000)]
        assert len(foretell_night(loads, NOW, SIZES)) == 6
