"""When a migration pauses by itself: not only at the end of an operation."""

from datetime import timedelta

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import Pseudonym, SubjectId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.domain.operation import SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.services.advance_migration import AdvanceMigration
from tests.unit.services.fakes_access import NOW, FakeClock, FakeDispatcher, World
from tests.unit.services.migration_scene import DAY, MIGRATION, OPEN, a_merger, worked

M, OS, SS = MigrationState, OperationState, SubjectState


def advanced(
    world: World,
    state: OperationState,
    said: SubjectState,
    phase: Phase = Phase.PREPARE,
    reason: Reason = Reason.NOT_FOUND,
    seen: int = 1,
    **changes: object,
) -> MigrationState:
    """One person of the first wave's operation is as `said`; another one of the wave has failed before."""
    a_merger(world)
    world.waves[MIGRATION, 1] = msgspec.structs.replace(world.waves[MIGRATION, 1], failures_seen=seen)
    created = {"created_at": NOW - timedelta(hours=1), **changes}
    worked(world, OPEN, phase, ["guus"], state=state, **created)
    record = SubjectRecord(
        operation_id=OPEN,
        subject_id=SubjectId("guus2"),
        pseudonym=Pseudonym("p-guus"),
        state=said,
        reason=reason,
    )
    world.subjects.append(record)
    advance = AdvanceMigration(
        open_uow=world.open, clock=FakeClock(), dispatcher=FakeDispatcher(), limits=default_limits()
    )
    advance(MIGRATION)
    return world.migrations[MIGRATION].state


class TestTheThreshold:
    @pytest.mark.parametrize("state", [OS.APPLYING, OS.VERIFYING])
    @pytest.mark.parametrize("said", [SS.FAILED, SS.CHANGED_MEANWHILE, SS.REFUSED])
    def test_counts_who_went_wrong_while_the_others_are_written(
        self, state: OperationState, said: SubjectState
    ) -> None:
        world = World()
        assert advanced(world, state, said) is M.PAUSED
        assert world.migrations[MIGRATION].reason is Reason.THRESHOLD_REACHED

    @pytest.mark.parametrize("said", [SS.PENDING, SS.VERIFIED, SS.ALREADY_RIGHT])
    def test_counts_nobody_who_is_well(self, said: SubjectState) -> None:
        assert advanced(World(), OS.APPLYING, said) is M.RUNNING

    @pytest.mark.parametrize(
        ("phase", "reason", "after"),
        [
            pytest.param(Phase.RELEASE, Reason.INHERITED_FROM_GROUP, M.RUNNING, id="the check said so"),
            pytest.param(Phase.RELEASE, Reason.NOT_AS_WE_LEFT, M.PAUSED, id="nobody expected it"),
            pytest.param(Phase.PREPARE, Reason.INHERITED_FROM_GROUP, M.PAUSED, id="the check had kept it back"),
        ],
    )
    def test_counts_nobody_of_whom_it_was_announced(self, phase: Phase, reason: Reason, after: MigrationState) -> None:
        assert advanced(World(), OS.APPLYING, SS.REFUSED, phase, reason) is after

    def test_is_not_reached_again_by_what_a_person_has_seen(self) -> None:
        assert advanced(World(), OS.APPLYING, SS.FAILED, seen=2) is M.RUNNING

    def test_is_reached_by_an_operation_that_goes_on_failing_after_a_person_let_it_go_on(self) -> None:
        assert advanced(World(), OS.APPLYING, SS.FAILED, seen=1, created_at=NOW - 39 * DAY) is M.PAUSED

    def test_is_not_reached_by_what_a_plan_says_before_it_is_approved(self) -> None:
        assert advanced(World(), OS.AWAITING_APPROVAL, SS.REFUSED) is M.RUNNING


class TestWhatBegins:
    def test_is_wished_for_whom_the_product_is(self) -> None:
        """Plans that the school has not decided about stay off for pupils, in a migration too."""
        world = World()
        merger = a_merger(world)
        pair = msgspec.structs.replace(merger.definition.products[0], audience=Audience.STUDENT)
        asked = msgspec.structs.replace(merger.definition, products=(pair,))
        world.migrations[MIGRATION] = msgspec.structs.replace(merger, definition=asked)
        before = set(world.operations)
        AdvanceMigration(open_uow=world.open, clock=FakeClock(), dispatcher=FakeDispatcher(), limits=default_limits())(
            MIGRATION
        )
        begun = [one for number, one in world.operations.items() if number not in before]
        assert {one.wish.part.phase for one in begun if one.wish.part} >= {Phase.PREPARE, Phase.ENABLE}
        assert {one.wish.audience for one in begun} == {Audience.STUDENT}
