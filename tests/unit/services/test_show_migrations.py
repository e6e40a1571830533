from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.actors import ANONYMOUS
from provisioning.domain.errors import InputError
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Situation, Treatment
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.planning.migration_forecast import Prospect
from provisioning.services.migration_sheet import MigrationSheet, WaveSheet
from provisioning.services.show_migrations import ShowMigrations
from tests.unit.services.fakes_access import APPROVER, AUDITOR, NOW, OPERATOR, FakeClock, World
from tests.unit.services.migration_scene import A3, DAY, MIGRATION, OPEN, PREPARE, a_merger, a_traveller, worked
from tests.unit.services.test_approve_plan import a_plan

P = PersonState
SKUS = load_mappings().skus


AHEAD = Prospect(
    wave=1,
    phase=Phase.PREPARE,
    people=4,
    writes=4,
    calls=1,
    writing=timedelta(seconds=1),
    left=4,
    done_at=NOW + timedelta(hours=1),
)


def nothing_is_written() -> Mapping[OperationId, datetime]:
    pytest.fail("a forecast was asked for in vain")


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world)
    return world


def show(world: World, ends: Mapping[OperationId, datetime] | None = None) -> ShowMigrations:
    foretell = nothing_is_written if ends is None else lambda: ends
    return ShowMigrations(
        open_uow=world.open,
        clock=FakeClock(),
        foretell=foretell,
        prospects=lambda *_: [AHEAD, msgspec.structs.replace(AHEAD, wave=2)],
        skus=lambda: SKUS,
    )


def sheet(world: World) -> MigrationSheet:
    return show(world).one("5f0c")


def wave(world: World, number: int) -> WaveSheet:
    return next(each for each in sheet(world).waves if each.number == number)


class TestTheList:
    def test_counts_people_and_waves(self, world: World) -> None:
        (row,) = show(world)()
        assert (row.migration.name, row.migration.target_domain) == ("Fusie Noord en Zuid", "zuid.onmicrosoft.com")
        assert sum(row.people.values()) == 10
        assert row.waves == {WaveState.PREPARING: 1, WaveState.RELEASING: 1}

    def test_may_be_of_some_states(self, world: World) -> None:
        assert len(show(world)([MigrationState.RUNNING])) == 1
        assert show(world)([MigrationState.PAUSED]) == []

    def test_names_people_in_the_order_of_their_way(self, world: World) -> None:
        (row,) = show(world)()
        assert list(row.people) == [state for state in PersonState if state in row.people]


class TestOne:
    def test_is_found_by_the_beginning_of_its_id(self, world: World) -> None:
        assert sheet(world).migration.migration_id == MIGRATION
        with pytest.raises(InputError, match="There is no migration 9999"):
            show(world).one("9999")

    def test_names_nobody(self, world: World) -> None:
        """Selectors and identity maps hold ids of people."""
        written = msgspec.json.encode(sheet(world)).decode()
        assert "anne" not in written
        assert sheet(world).migration.mapped == 1

    def test_a_tenant_that_is_not_known_any_more_has_no_domain(self, world: World) -> None:
        world.tenants.clear()
        assert sheet(world).migration.source_domain is None

    def test_numbers_add_up(self, world: World) -> None:
        found = sheet(world)
        in_waves = sum(sum(each.people.values()) for each in found.waves)
        assert in_waves + sum(found.without_wave.values()) == len(world.travellers)
        assert sum(each.people for each in found.situations) == len(world.travellers)


class TestSituations:
    def test_the_unexplained_ones_come_first(self, world: World) -> None:
        rows = [(row.situation, row.people, row.treatment, row.is_unexplained) for row in sheet(world).situations]
        assert rows == [
            (Situation.DISPUTED, 1, None, True),
            (Situation.MATCHED, 8, None, False),
            (Situation.GUEST, 1, Treatment.LEAVE_OUT, False),
        ]


class TestAWave:
    def test_says_who_started_it_and_why(self, world: World) -> None:
        second = wave(world, 2)
        assert (second.name, second.started_by, second.go_reason) == (
            "All others",
            OPERATOR.actor,
            "the pilot went well",
        )

    def test_says_why_people_failed_and_in_what(self, world: World) -> None:
        (failed,) = wave(world, 1).failed
        assert (failed.phase, failed.reason, failed.people) == (Phase.RELEASE, Reason.NOT_AS_WE_LEFT, 1)

    def test_counts_whoever_is_prepared_without_evidence(self, world: World) -> None:
        second = wave(world, 2)
        assert (second.gates_open, second.gates_open_since) == (1, NOW - 36 * DAY)
        assert (wave(world, 1).gates_open, wave(world, 1).gates_open_since) == (0, None)

    @pytest.mark.parametrize(("moment", "late"), [(timedelta(0), 0), (timedelta(seconds=1), 1)])
    def test_a_gate_is_late_after_two_weeks(self, world: World, moment: timedelta, late: int) -> None:
        worked(world, PREPARE, Phase.PREPARE, ["emma"], ended=NOW - 14 * DAY - moment)
        assert (wave(world, 2).gates_open, wave(world, 2).gates_late) == (1, late)

    def test_counts_whose_mailbox_has_moved_and_has_no_exchange_yet(self, world: World) -> None:
        second = wave(world, 2)
        assert (second.missing_exchange, second.missing_exchange_since) == (1, NOW - 35 * DAY)
        assert (wave(world, 1).missing_exchange, wave(world, 1).missing_exchange_since) == (0, None)

    def test_has_when_it_was_checked(self, world: World) -> None:
        assert wave(world, 2).proven_at == NOW - 2 * DAY

    def test_nobody_without_a_mailbox_waits_at_a_gate(self, world: World) -> None:
        a_traveller(world, "emma", state=P.PREPARED, wave=2, operation_id=PREPARE, has_mailbox=False)
        assert wave(world, 2).gates_open == 0

    def test_says_when_hold_periods_end(self, world: World) -> None:
        first = wave(world, 1)
        assert (first.releasable_from, first.releasable_until) == (NOW - 4 * DAY, NOW + 26 * DAY)
        assert wave(world, 2).releasable_from is None

    @pytest.mark.parametrize(
        ("state", "arrived"),
        [
            (WaveState.WAITING, 0),
            (WaveState.PREPARING, 3),
            (WaveState.GATED, 3),
            (WaveState.HOLDING, 1),
            (WaveState.RELEASING, 1),
            (WaveState.DONE, 1),
            (WaveState.ROLLING_BACK, 0),
        ],
    )
    def test_progress_is_about_what_the_wave_does_now(self, world: World, state: WaveState, arrived: int) -> None:
        world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], state=state)
        first = wave(world, 1)
        assert (first.arrived, first.going) == (arrived, 4)

    def test_who_is_left_out_does_not_go(self, world: World) -> None:
        assert wave(world, 2).going == 4


class TestOperations:
    def test_only_those_that_are_not_over(self, world: World) -> None:
        assert sheet(world).operations == []
        worked(world, OPEN, Phase.PREPARE, ["guus"], state=OperationState.HELD, reason=Reason.SEATS_INSUFFICIENT)
        (line,) = sheet(world).operations
        assert (line.operation_id, line.phase, line.people) == (OPEN, Phase.PREPARE, 1)
        assert (line.reason, line.digest) == (Reason.SEATS_INSUFFICIENT, None)

    def test_a_plan_that_waits_has_its_digest(self, world: World) -> None:
        worked(world, OPEN, Phase.PREPARE, ["guus"], state=OperationState.AWAITING_APPROVAL)
        plan = a_plan(world, operation_id=OPEN)
        assert sheet(world).operations[0].digest == plan.digest

    @pytest.mark.parametrize("decided", [{"approved_by": APPROVER.actor}, {"valid_until": NOW}])
    def test_one_that_nobody_can_approve_has_none(self, world: World, decided: dict[str, object]) -> None:
        worked(world, OPEN, Phase.PREPARE, ["guus"], state=OperationState.AWAITING_APPROVAL)
        a_plan(world, operation_id=OPEN, **decided)
        assert sheet(world).operations[0].digest is None

    def test_what_is_being_written_has_an_end_and_a_rate(self, world: World) -> None:
        other = OperationId("eeee0001")
        for operation, writes in ((OPEN, 300), (other, 900)):
            worked(world, operation, Phase.PREPARE, ["guus"], state=OperationState.APPLYING)
            world.writes[operation] = writes
        ends = {OPEN: NOW + timedelta(seconds=30), other: NOW + timedelta(seconds=60), OperationId("x"): NOW + DAY}
        found = show(world, ends).one("5f0c")
        assert (found.writes_left, found.writes_done_at, found.rate) == (1200, NOW + timedelta(seconds=60), 20.0)
        assert [line.writes_done_at for line in found.operations] == [ends[OPEN], ends[other]]

    def test_writes_of_others_are_not_ours(self, world: World) -> None:
        world.writes[PREPARE] = 0
        assert (sheet(world).writes_left, sheet(world).rate) == (0, None)


class TestProducts:
    def test_are_named_as_people_know_them(self, world: World) -> None:
        assert sheet(world).migration.part_numbers == {A3: "M365EDU_A3_FACULTY"}


class TestForecast:
    def test_is_told_while_something_is_ahead(self, world: World) -> None:
        assert [one.wave for one in sheet(world).forecast] == [1, 2]
        a_merger(world, state=MigrationState.NEW)
        assert sheet(world).forecast == []

    @pytest.mark.parametrize("state", [MigrationState.ABORTED, MigrationState.COMPLETED])
    def test_of_what_is_over_there_is_none(self, world: World, state: MigrationState) -> None:
        a_merger(world, state=state)
        assert sheet(world).forecast == []

    def test_is_corrected_by_what_is_being_written(self, world: World) -> None:
        worked(world, OPEN, Phase.PREPARE, ["guus"], state=OperationState.APPLYING)
        world.writes[OPEN] = 3
        end = NOW + timedelta(minutes=5)
        first, second = show(world, {OPEN: end}).one("5f0c").forecast
        assert (first.writes, first.left, first.done_at) == (4, 3, end)
        assert second == msgspec.structs.replace(AHEAD, wave=2)


class TestPeople:
    def test_all_of_them_by_wave(self, world: World) -> None:
        rows = show(world).people(OPERATOR, "5f0c")
        assert len(rows) == 10
        assert [row.wave for row in rows] == sorted(row.wave for row in rows)

    def test_of_one_wave_in_some_states(self, world: World) -> None:
        (row,) = show(world).people(OPERATOR, "5f0c", 1, [P.FAILED])
        assert (row.source_id, row.target_id, row.reason) == ("daan", "daan2", Reason.NOT_AS_WE_LEFT)
        with pytest.raises(InputError, match="has no wave 7"):
            show(world).people(OPERATOR, "5f0c", 7)

    def test_wave_0_are_those_in_none(self, world: World) -> None:
        assert [row.source_id for row in show(world).people(OPERATOR, "5f0c", 0)] == ["jan"]

    def test_of_some_situations(self, world: World) -> None:
        everybody = show(world).people(OPERATOR, "5f0c")
        situation = everybody[-1].situation
        chosen = show(world).people(OPERATOR, "5f0c", situations=[situation])
        assert chosen == [row for row in everybody if row.situation is situation]
        assert 0 < len(chosen) < len(everybody)

    @pytest.mark.parametrize("identity", [ANONYMOUS, APPROVER, AUDITOR], ids=lambda one: one.actor)
    def test_only_operators_see_ids(self, world: World, identity: object) -> None:
        rows = show(world).people(identity, "5f0c")  # type: ignore[arg-type]
        assert {(row.source_id, row.target_id) for row in rows} == {(None, None)}
        assert all(row.person for row in rows)

    def test_says_until_when_the_old_licence_stays(self, world: World) -> None:
        row = next(row for row in show(world).people(OPERATOR, "5f0c") if row.source_id == "cato")
        assert row.held_until == NOW + 26 * DAY
