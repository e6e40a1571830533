"""Parts of a migration or campaign go on while it does: not paused, not at other hours, not after it was called off."""

from datetime import datetime, timedelta

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.ids import TicketId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Window
from provisioning.domain.migration_lifecycle import MigrationState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.remap import RemapPart
from provisioning.domain.worklist import Lease
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.keep_in_step import KeepInStep, either
from tests.factories.campaigns import FROM
from tests.unit.execution.steps import record
from tests.unit.planning.scene import replaced
from tests.unit.services.campaign_scene import a_campaign, a_member
from tests.unit.services.fakes_access import NOW, FakeClock, World, an_operation
from tests.unit.services.migration_scene import MIGRATION, OPEN, PREPARE, a_merger, worked

M, OS = MigrationState, OperationState
C, MS = CampaignState, MemberState
LEASE = Lease(name="tenant:x", holder="h", fence=1, expires_at=NOW + timedelta(seconds=30))


@pytest.fixture
def world() -> World:
    return World()


def push(world: World, operation: Operation, opening: datetime | None = NOW) -> tuple[list[Operation], bool]:
    """Which work was done, and whether there is more to do."""
    done: list[Operation] = []

    def work(one: Operation, _lease: Lease) -> bool:
        done.append(one)
        return True

    def opens(_window: Window, _moment: datetime) -> datetime | None:
        return opening

    clock = FakeClock()
    keep = KeepInStep(
        open_uow=world.open, clock=clock, limits=default_limits(), finish=FinishOperation(clock), opening=opens
    )
    return done, keep(work)(operation, LEASE)


def a_part(world: World, state: OperationState, migration: MigrationState = M.RUNNING) -> Operation:
    a_merger(world, state=migration)
    return worked(world, OPEN, Phase.PREPARE, ["guus"], state=state, due_at=NOW)


class TestKeepInStep:
    def test_what_is_no_part_passes(self, world: World) -> None:
        ordinary = an_operation(world, OS.APPLYING)
        assert push(world, ordinary, opening=None) == ([ordinary], True)

    @pytest.mark.parametrize("state", [OS.NEW, OS.PLANNING, OS.APPLYING])
    def test_while_it_runs_its_parts_do(self, world: World, state: OperationState) -> None:
        part = a_part(world, state)
        assert push(world, part) == ([part], True)

    @pytest.mark.parametrize("state", [OS.NEW, OS.PLANNING, OS.APPLYING])
    def test_paused_nothing_is_done_and_it_says_why(self, world: World, state: OperationState) -> None:
        done, more = push(world, a_part(world, state, M.PAUSED))
        assert (done, more) == ([], False)
        waiting = world.operations[OPEN]
        assert (waiting.state, waiting.reason) == (state, Reason.MIGRATION_PAUSED)
        assert waiting.due_at == NOW + timedelta(seconds=5)

    def test_paused_for_long_it_looks_as_soon_as_before(self, world: World) -> None:
        """Each look in vain makes the next wait longer; a pause is none."""
        part = a_part(world, OS.PLANNING, M.PAUSED)
        for _ in range(720):
            push(world, world.operations[part.operation_id])
        assert world.operations[OPEN].waits == part.waits

    @pytest.mark.parametrize("state", [OS.NEW, OS.AWAITING_CONSENT, OS.PLANNING, OS.AWAITING_APPROVAL])
    def test_called_off_what_has_written_nothing_is_cancelled(self, world: World, state: OperationState) -> None:
        done, more = push(world, a_part(world, state, M.ABORTED))
        assert (done, more) == ([], False)
        assert (world.operations[OPEN].state, world.operations[OPEN].reason) == (OS.CANCELLED, Reason.MIGRATION_ABORTED)

    @pytest.mark.parametrize("state", [OS.NEW, OS.PLANNING, OS.AWAITING_APPROVAL, OS.APPLYING])
    @pytest.mark.parametrize("wave", [WaveState.GATED, WaveState.ROLLING_BACK])
    def test_called_off_a_mailbox_that_has_moved_still_gets_exchange(
        self, world: World, state: OperationState, wave: WaveState
    ) -> None:
        a_merger(world, state=M.ABORTED)
        world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], state=wave)
        part = worked(world, OPEN, Phase.ENABLE, ["finn"], state=state, due_at=NOW)
        assert push(world, part) == ([part], True)

    def test_while_it_runs_it_does_not_in_a_wave_that_goes_back(self, world: World) -> None:
        a_merger(world)
        world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], state=WaveState.ROLLING_BACK)
        push(world, worked(world, OPEN, Phase.ENABLE, ["finn"], state=OS.PLANNING, due_at=NOW))
        assert world.operations[OPEN].reason is Reason.WAVE_ROLLED_BACK


def a_change(world: World, state: OperationState, migration: MigrationState = M.RUNNING) -> Operation:
    """Into the group, of who has arrived."""
    part = a_part(world, state, migration)
    follows = msgspec.structs.replace(part.wish.part, phase=Phase.ENABLE)  # type: ignore[type-var]
    wish = msgspec.structs.replace(part.wish, part=None, follows=follows)
    world.operations[OPEN] = msgspec.structs.replace(part, wish=wish)
    return world.operations[OPEN]


class TestWhatFollowsAPart:
    def test_goes_on_while_the_migration_does_and_after_its_end(self, world: World) -> None:
        for migration in (M.RUNNING, M.COMPLETED):
            change = a_change(world, OS.APPLYING, migration)
            assert push(world, change) == ([change], True)

    def test_waits_while_it_is_paused(self, world: World) -> None:
        assert push(world, a_change(world, OS.APPLYING, M.PAUSED)) == ([], False)
        assert world.operations[OPEN].reason is Reason.MIGRATION_PAUSED

    def test_keeps_to_its_window(self, world: World) -> None:
        assert push(world, a_change(world, OS.APPLYING), opening=NOW + timedelta(hours=5)) == ([], False)
        assert world.operations[OPEN].reason is Reason.OUTSIDE_WINDOW

    def test_is_called_off_with_it(self, world: World) -> None:
        push(world, a_change(world, OS.AWAITING_APPROVAL, M.ABORTED))
        assert (world.operations[OPEN].state, world.operations[OPEN].reason) == (OS.CANCELLED, Reason.MIGRATION_ABORTED)

    @pytest.mark.parametrize("wave", [WaveState.ROLLING_BACK, WaveState.ROLLED_BACK])
    def test_is_called_off_when_its_wave_goes_back_or_has_gone_back(self, world: World, wave: WaveState) -> None:
        change = a_change(world, OS.PLANNING)
        world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], state=wave)
        push(world, change)
        assert (world.operations[OPEN].state, world.operations[OPEN].reason) == (OS.CANCELLED, Reason.WAVE_ROLLED_BACK)


class TestTheWindow:
    def test_shut_it_waits_until_it_opens(self, world: World) -> None:
        done, _ = push(world, a_part(world, OS.APPLYING), opening=NOW + timedelta(hours=5))
        waiting = world.operations[OPEN]
        assert (done, waiting.reason, waiting.due_at) == ([], Reason.OUTSIDE_WINDOW, NOW + timedelta(hours=5))

    def test_where_nobody_knows_when_it_opens_it_looks_again_the_next_day(self, world: World) -> None:
        push(world, a_part(world, OS.APPLYING), opening=None)
        assert world.operations[OPEN].due_at == NOW + timedelta(days=1)

    @pytest.mark.parametrize("state", [OS.NEW, OS.PLANNING])
    def test_looking_and_planning_are_no_writes(self, world: World, state: OperationState) -> None:
        part = a_part(world, state)
        assert push(world, part, opening=None) == ([part], True)

    @pytest.mark.parametrize("opening", [None, NOW + timedelta(days=38)])
    def test_a_mailbox_that_has_moved_does_not_wait_for_it(self, world: World, opening: datetime | None) -> None:
        a_merger(world)
        part = worked(world, OPEN, Phase.ENABLE, ["finn"], state=OS.APPLYING, due_at=NOW)
        assert push(world, part, opening) == ([part], True)

    @pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.ENABLE}))
    def test_everything_else_does(self, world: World, phase: Phase) -> None:
        a_merger(world)
        part = worked(world, OPEN, phase, ["finn"], state=OS.APPLYING, due_at=NOW)
        assert push(world, part, opening=None) == ([], False)


PROOF = timedelta(days=7)
SECOND = timedelta(seconds=1)


def proven(
    world: World, age: timedelta, state: OperationState = OS.APPLYING, phase: Phase = Phase.PREPARE
) -> Operation:
    a_merger(world)
    world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], proven_at=NOW - age)
    return worked(world, OPEN, phase, ["guus"], state=state, due_at=NOW)


class TestTheProof:
    @pytest.mark.parametrize("state", [OS.PLANNING, OS.APPLYING])
    def test_of_seven_days_is_enough(self, world: World, state: OperationState) -> None:
        part = proven(world, PROOF, state)
        assert push(world, part) == ([part], True)

    @pytest.mark.parametrize("state", [OS.PLANNING, OS.APPLYING])
    def test_older_than_that_nothing_is_given_and_it_says_why(self, world: World, state: OperationState) -> None:
        assert push(world, proven(world, PROOF + SECOND, state)) == ([], False)
        waiting = world.operations[OPEN]
        assert (waiting.state, waiting.reason, waiting.due_at) == (
            state,
            Reason.PREFLIGHT_EXPIRED,
            NOW + timedelta(hours=1),
        )

    def test_of_a_wave_that_was_never_proven_is_none(self, world: World) -> None:
        part = proven(world, PROOF)
        world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], proven_at=None)
        assert push(world, part) == ([], False)

    @pytest.mark.parametrize("state", [OS.NEW, OS.AWAITING_CONSENT, OS.AWAITING_APPROVAL])
    def test_is_not_needed_to_ask(self, world: World, state: OperationState) -> None:
        part = proven(world, PROOF + SECOND, state)
        assert push(world, part) == ([part], True)

    @pytest.mark.parametrize("phase", [Phase.ENABLE, Phase.RELEASE, Phase.UNDO_TARGET, Phase.UNDO_SOURCE])
    def test_is_about_what_is_given_first(self, world: World, phase: Phase) -> None:
        part = proven(world, 40 * PROOF, phase=phase)
        assert push(world, part) == ([part], True)

    @pytest.mark.parametrize(("age", "goes_on"), [(PROOF, True), (PROOF + SECOND, False)])
    def test_is_renewed_by_writing_until_that_stands_still_for_a_week(
        self, world: World, age: timedelta, goes_on: bool
    ) -> None:
        """A wave of many nights goes on; one that is resumed after a long pause does not."""
        part = proven(world, 2 * PROOF)
        world.written = [replaced(record(applied_at=NOW - age), operation_id=OPEN)]
        assert push(world, part)[1] is goes_on

    def test_is_not_renewed_by_what_another_operation_writes(self, world: World) -> None:
        part = proven(world, 2 * PROOF)
        world.written = [replaced(record(applied_at=NOW), operation_id=PREPARE)]
        assert push(world, part) == ([], False)


class TestEither:
    def test_parts_go_their_own_way(self, world: World) -> None:
        ways: list[str] = []
        work = either(lambda *_: ways.append("order") is None, lambda *_: ways.append("part") is None)
        part = a_part(world, OS.NEW)
        work(part, LEASE)
        work(msgspec.structs.replace(part, wish=msgspec.structs.replace(part.wish, part=None)), LEASE)
        assert ways == ["part", "order"]


def of_campaign(
    world: World, state: OperationState, campaign: CampaignState = C.RUNNING, member: MemberState = MS.RUNNING
) -> Operation:
    made = a_campaign(world, campaign)
    one = a_member(world, made, 1, member, state, told="merges")
    operation = world.operations[one.operation_id]
    remap = RemapPart(from_sku=FROM, campaign_id=made.campaign_id)
    world.operations[operation.operation_id] = msgspec.structs.replace(
        operation, due_at=NOW, wish=msgspec.structs.replace(operation.wish, remap=remap)
    )
    return world.operations[operation.operation_id]


class TestOfACampaign:
    @pytest.mark.parametrize("state", [OS.NEW, OS.PLANNING, OS.APPLYING])
    @pytest.mark.parametrize("campaign", [C.RUNNING, C.COMPLETED])
    def test_while_it_runs_its_operations_do(
        self, world: World, state: OperationState, campaign: CampaignState
    ) -> None:
        operation = of_campaign(world, state, campaign)
        assert push(world, operation) == ([operation], True)

    @pytest.mark.parametrize("state", [OS.NEW, OS.AWAITING_SEATS, OS.PLANNING, OS.APPLYING])
    @pytest.mark.parametrize(
        ("campaign", "reason"),
        [(C.PAUSED, Reason.CAMPAIGN_PAUSED), (C.STOPPED, Reason.CAMPAIGN_STOPPED)],
    )
    def test_while_it_stands_still_nothing_is_written_and_it_says_why(
        self, world: World, state: OperationState, campaign: CampaignState, reason: Reason
    ) -> None:
        operation = of_campaign(world, state, campaign)
        assert push(world, operation) == ([], False)
        waiting = world.operations[operation.operation_id]
        assert (waiting.state, waiting.reason, waiting.due_at) == (state, reason, NOW + timedelta(seconds=5))

    def test_a_plan_may_become_too_old_meanwhile(self, world: World) -> None:
        operation = of_campaign(world, OS.AWAITING_APPROVAL, C.STOPPED)
        assert push(world, operation) == ([operation], True)

    @pytest.mark.parametrize("state", [OS.NEW, OS.AWAITING_CONSENT, OS.PLANNING, OS.AWAITING_APPROVAL])
    @pytest.mark.parametrize(
        ("campaign", "member", "reason"),
        [
            pytest.param(C.CALLED_OFF, MS.RUNNING, Reason.CAMPAIGN_CALLED_OFF, id="called off"),
            pytest.param(C.RUNNING, MS.EXCLUDED, Reason.EXCLUDED_FROM_CAMPAIGN, id="excluded"),
        ],
    )
    def test_what_has_written_nothing_is_cancelled(
        self, world: World, state: OperationState, campaign: CampaignState, member: MemberState, reason: Reason
    ) -> None:
        operation = of_campaign(world, state, campaign, member)
        assert push(world, operation) == ([], False)
        ended = world.operations[operation.operation_id]
        assert (ended.state, ended.reason) == (OS.CANCELLED, reason)

    def test_shut_its_window_keeps_writes_waiting(self, world: World) -> None:
        operation = of_campaign(world, OS.APPLYING)
        done, _ = push(world, operation, opening=NOW + timedelta(hours=5))
        waiting = world.operations[operation.operation_id]
        assert (done, waiting.reason, waiting.due_at) == ([], Reason.OUTSIDE_WINDOW, NOW + timedelta(hours=5))

    def test_of_a_ticket_it_passes(self, world: World) -> None:
        ordinary = an_operation(world, OS.APPLYING)
        remap = RemapPart(from_sku=FROM, ticket_id=TicketId("t"))
        ticket = msgspec.structs.replace(ordinary, wish=msgspec.structs.replace(ordinary.wish, remap=remap))
        assert push(world, ticket, opening=None) == ([ticket], True)
