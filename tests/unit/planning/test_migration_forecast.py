"""When a migration's waves will be where."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import TenantId
from provisioning.domain.migration import Outset, Phase, Traveller, WaveDefinition
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.migration_forecast import Leg, Outlook, Prospect, foretell_migration, prospects
from provisioning.planning.quota import Sizes
from tests.unit.planning.migration_scene import EVERYONE, SOURCE, TARGET, definition, traveller
from tests.unit.planning.scene import LIMITS, NOW

SIZES = Sizes.of(LIMITS)
RATE = SIZES.tenant.rate  # writes a second
DAY = timedelta(days=1)
ROAD = [Phase.PREPARE, Phase.ENABLE, Phase.RELEASE]


def people(number: int, *, wave: int = 1, prefix: str = "p", **known: Any) -> list[Traveller]:
    return [traveller(f"{prefix}{n}", wave=wave, **known) for n in range(number)]


def legs(travellers: list[Traveller], **known: Any) -> list[Leg]:
    fields = {"now": NOW, "definition": definition(), "sizes": SIZES}
    return list(foretell_migration(travellers, Outlook(**(fields | known))))


def after(begin: datetime, writes: float) -> Any:
    return pytest.approx((begin + timedelta(seconds=writes / RATE)).timestamp(), abs=0.001)


class TestOneWave:
    def test_a_thousand_people_are_a_thousand_writes_a_phase(self) -> None:
        found = legs(people(1_000))
        assert [(one.phase, one.tenant_id, one.people, one.writes) for one in found] == [
            (Phase.PREPARE, TARGET, 1_000, 1_000),
            (Phase.ENABLE, TARGET, 1_000, 1_000),
            (Phase.RELEASE, SOURCE, 1_000, 1_000),
        ]
        assert [one.calls(20) for one in found] == [50, 50, 50]

    def test_takes_what_the_quota_takes_and_the_hold_period(self) -> None:
        prepare, enable, release = legs(people(1_000))
        assert prepare.begins_at == NOW
        assert prepare.done_at.timestamp() == after(NOW, 1_000)
        assert (enable.begins_at, enable.done_at.timestamp()) == (prepare.done_at, after(NOW, 2_000))
        assert release.begins_at == enable.done_at + 30 * DAY
        assert release.done_at.timestamp() == after(release.begins_at, 1_000)

    def test_holds_longer_when_the_file_says_so_and_never_shorter(self) -> None:
        for hold, expected in ((60 * DAY, 60 * DAY), (DAY, 30 * DAY)):
            _, enable, release = legs(people(1), definition=definition(hold_period=hold))
            assert release.begins_at - enable.done_at == expected

    @pytest.mark.parametrize(
        ("known", "expected"),
        [
            pytest.param({}, {Phase.PREPARE: 1, Phase.ENABLE: 1, Phase.RELEASE: 1}, id="one write a phase"),
            pytest.param({"has_mailbox": False}, {Phase.PREPARE: 1, Phase.RELEASE: 1}, id="no mailbox, no Exchange"),
            pytest.param(
                {"outset": Outset(is_licensed=True, has_exchange=True)}, {Phase.RELEASE: 1}, id="licensed as wanted"
            ),
            pytest.param(
                {"outset": Outset(is_licensed=True)},
                {Phase.ENABLE: 1, Phase.RELEASE: 1},
                id="licensed but for Exchange",
            ),
            pytest.param(
                {"outset": Outset(has_location=False)},
                {Phase.PREPARE: 2, Phase.ENABLE: 1, Phase.RELEASE: 1},
                id="a usage location first",
            ),
            pytest.param(
                {"outset": Outset(removals=2)},
                {Phase.PREPARE: 1, Phase.ENABLE: 1, Phase.RELEASE: 2},
                id="by name and through a group of ours",
            ),
            pytest.param(
                {"outset": Outset(removals=0)}, {Phase.PREPARE: 1, Phase.ENABLE: 1}, id="others' group gives it"
            ),
        ],
    )
    def test_counts_what_somebody_needs(self, known: dict[str, Any], expected: dict[Phase, int]) -> None:
        assert {one.phase: one.writes for one in legs([traveller("anne", **known)])} == expected

    def test_a_location_that_the_school_does_not_want_set_is_no_write(self) -> None:
        lost = traveller("anne", outset=Outset(has_location=False))
        assert legs([lost], sets_location=False)[0].writes == 1

    def test_tells_how_many_people_a_phase_is_about(self) -> None:
        mixed = [*people(3), traveller("x", has_mailbox=False), traveller("y", outset=Outset(is_licensed=True))]
        assert [one.people for one in legs(mixed)] == [4, 4, 5]

    def test_into_a_group_they_go_by_twenties(self) -> None:
        assert legs(people(41), target_mode=AssignmentMode.GROUP)[1].writes == 41 + 3 + 41

    def test_into_it_goes_who_has_no_mailbox_too_and_not_who_is_in_it(self) -> None:
        inside = traveller("x", outset=Outset(is_licensed=True, is_by_name=False, has_exchange=True))
        found = legs([*people(41, has_mailbox=False), inside], target_mode=AssignmentMode.GROUP)[1]
        assert (found.phase, found.people, found.writes) == (Phase.ENABLE, 41, 3 + 41)


class TestTheRestOfIt:
    @pytest.mark.parametrize(
        ("known", "phases"),
        [
            pytest.param({"state": PersonState.WAITING}, ROAD, id="not begun"),
            pytest.param({"state": PersonState.PREPARING}, ROAD, id="being prepared"),
            pytest.param({"state": PersonState.PREPARED}, ROAD[1:], id="prepared"),
            pytest.param({"state": PersonState.ENABLING}, ROAD[1:], id="being enabled"),
            pytest.param({"state": PersonState.ENABLED}, ROAD[2:], id="enabled"),
            pytest.param({"state": PersonState.RELEASING}, ROAD[2:], id="being released"),
            pytest.param({"state": PersonState.RELEASED}, [], id="released"),
            pytest.param({"state": PersonState.LEFT_OUT}, [], id="left out"),
            pytest.param({"state": PersonState.ROLLED_BACK}, [], id="rolled back"),
            pytest.param({"state": PersonState.FAILED, "failed_in": Phase.PREPARE}, ROAD, id="failed at first"),
            pytest.param({"state": PersonState.FAILED, "failed_in": Phase.ENABLE}, ROAD[1:], id="failed at the gate"),
            pytest.param(
                {"state": PersonState.FAILED, "failed_in": Phase.UNDO_TARGET}, [], id="failed on the way back"
            ),
            pytest.param({"wave": 0}, [], id="in no wave"),
        ],
    )
    def test_only_what_is_still_ahead_counts(self, known: dict[str, Any], phases: list[Phase]) -> None:
        assert [one.phase for one in legs([traveller("anne", **known)])] == phases

    def test_the_latest_arrival_decides_when_the_release_begins(self) -> None:
        arrived = [
            traveller("anne", state=PersonState.ENABLED, enabled_at=NOW - 29 * DAY),
            traveller("ben", state=PersonState.ENABLED, enabled_at=NOW - 10 * DAY),
        ]
        (release,) = legs(arrived)
        assert release.begins_at == NOW + 20 * DAY

    def test_a_hold_period_that_is_over_delays_nothing(self) -> None:
        (release,) = legs([traveller("anne", state=PersonState.ENABLED, enabled_at=NOW - 45 * DAY)])
        assert release.begins_at == NOW


class TestSeveralWaves:
    WAVES = tuple(WaveDefinition(number=number, name="", selector=EVERYONE) for number in (1, 2))

    def test_the_next_begins_when_everybody_before_has_arrived(self) -> None:
        found = legs([*people(100, prefix="a"), *people(200, wave=2, prefix="b")])
        first, second = ([one for one in found if one.wave == number] for number in (1, 2))
        assert second[0].begins_at == first[1].done_at
        assert second[0].begins_at < first[2].begins_at

    def test_and_not_before_its_day(self) -> None:
        later = NOW + 5 * DAY
        waves = (self.WAVES[0], WaveDefinition(number=2, name="", selector=EVERYONE, not_before=later))
        found = legs([*people(1, prefix="a"), *people(1, wave=2, prefix="b")], definition=definition(waves=waves))
        assert next(one for one in found if one.wave == 2).begins_at == later

    @given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(list(PersonState))), max_size=30))
    def test_everybody_is_counted_once_a_phase_and_nothing_ends_before_it_begins(
        self, drawn: list[tuple[int, PersonState]]
    ) -> None:
        travellers = [
            traveller(f"p{n}", wave=wave, state=state, failed_in=Phase.ENABLE if state is PersonState.FAILED else None)
            for n, (wave, state) in enumerate(drawn)
        ]
        found = legs(travellers)
        assert len({(one.wave, one.phase) for one in found}) == len(found)
        assert all(one.begins_at <= one.done_at for one in found)
        waiting = sum(one.wave > 0 and one.state in {PersonState.WAITING, PersonState.PREPARING} for one in travellers)
        assert sum(one.people for one in found if one.phase is Phase.PREPARE) == waiting


class TestThePace:
    def test_a_tenant_that_is_slower_takes_longer(self) -> None:
        plain, slow = legs(people(100))[0], legs(people(100), pace={TARGET: RATE / 4})[0]
        assert (slow.done_at - NOW) / (plain.done_at - NOW) == pytest.approx(4)

    def test_others_writes_in_the_tenant_come_too(self) -> None:
        assert legs(people(100), others={TARGET: 300})[0].done_at.timestamp() == after(NOW, 400)

    def test_those_elsewhere_do_not_while_the_application_has_room(self) -> None:
        assert legs(people(100), others={TenantId("x"): 300})[0].done_at.timestamp() == after(NOW, 100)

    def test_a_window_makes_it_later(self) -> None:
        def at_night(begin: datetime, writing: timedelta) -> datetime:
            return begin.replace(hour=20) + writing

        prepare, enable, _ = legs(people(100), elapse=at_night)
        assert prepare.done_at.hour == 20
        assert enable.begins_at == prepare.done_at

    def test_a_window_makes_mailboxes_no_later_unless_people_join_a_group_then(self) -> None:
        def a_day_later(begin: datetime, writing: timedelta) -> datetime:
            return begin + DAY + writing

        for mode, later in ((AssignmentMode.DIRECT, timedelta()), (AssignmentMode.GROUP, DAY)):
            _, plain, _ = legs(people(100), target_mode=mode)
            _, kept, _ = legs(people(100), target_mode=mode, elapse=a_day_later)
            assert (kept.done_at - kept.begins_at) - (plain.done_at - plain.begins_at) == later


def looked_at(travellers: list[Traveller], **known: Any) -> list[Prospect]:
    fields = {"now": NOW, "definition": definition(), "sizes": SIZES}
    return list(prospects(travellers, Outlook(**(fields | known)), 20))


class TestForetoldAndNow:
    def test_before_the_run_both_are_the_same(self) -> None:
        for one, leg in zip(looked_at(people(196)), legs(people(196)), strict=True):
            assert (one.phase, one.people, one.writes, one.calls) == (leg.phase, 196, 196, 10)
            assert one.writing.total_seconds() == pytest.approx(196 / RATE, abs=0.001)
            assert (one.left, one.done_at) == (196, leg.done_at)

    def test_what_is_behind_is_still_told_as_it_was_foretold(self) -> None:
        prepare, enable, release = looked_at(people(98, state=PersonState.PREPARED))
        assert (prepare.writes, prepare.left, prepare.done_at) == (98, 0, None)
        assert (enable.left, release.left) == (98, 98)

    def test_of_who_has_left_nothing_is_ahead(self) -> None:
        assert [one.left for one in looked_at(people(3, state=PersonState.RELEASED, enabled_at=NOW))] == [0, 0, 0]

    @pytest.mark.parametrize("state", [PersonState.LEFT_OUT, PersonState.ROLLED_BACK])
    def test_who_does_not_go_was_not_foretold(self, state: PersonState) -> None:
        assert looked_at(people(3, state=state)) == []

    def test_others_and_a_slow_tenant_change_what_is_now_and_not_what_was_foretold(self) -> None:
        calm, busy = looked_at(people(196))[0], looked_at(people(196), others={TARGET: 196}, pace={TARGET: RATE / 4})[0]
        assert calm.writing == busy.writing
        assert calm.done_at is not None
        assert busy.done_at is not None
        assert busy.done_at > calm.done_at
