"""What is next in a migration: folding in, moving waves, beginning, pausing; and that it always comes to an end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import OperationId, SkuId, SubjectId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.migration import Migration, MigrationPart, Phase, ProductPair, Traveller, Wave
from provisioning.domain.migration_lifecycle import UNDER_WAY, MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.planning.migration_turn import Said, Standing, Turn, begun, id_in, next_turn
from tests.factories.migration_turns import (
    A3,
    AFTER_HOLD,
    EVIDENCE,
    MIGRATION,
    NOW,
    definition,
    migration,
    operation,
    traveller,
    wave,
)

P, W, M = PersonState, WaveState, MigrationState
VERIFIED: Said = (SubjectState.VERIFIED, None)


def part(phase: Phase, number: int = 1) -> MigrationPart:
    return MigrationPart(migration_id=MIGRATION, wave=number, phase=phase)


def turn(
    *people: Traveller,
    waves: Sequence[Wave] = (wave(state=W.PREPARING),),
    operations: Sequence[Operation] = (),
    said: dict[str, dict[str, Said]] | None = None,
    now: datetime = NOW,
    of: Migration | None = None,
) -> Turn:
    return next_turn(
        Standing(
            migration=of or migration(),
            waves=tuple(waves),
            travellers=people,
            operations=tuple(operations),
            said=said or {},  # type: ignore[arg-type]  # ids are text
            now=now,
        )
    )


def worked_on(phase: Phase, said: Said | None, **changes: object) -> tuple[Traveller, Turn]:
    """Anne, while an operation of this phase works on her, and after it ended with this about her."""
    at_work = {
        Phase.PREPARE: P.PREPARING,
        Phase.ENABLE: P.ENABLING,
        Phase.RELEASE: P.RELEASING,
        Phase.UNDO_SOURCE: P.ROLLING_BACK,
        Phase.UNDO_TARGET: P.ROLLING_BACK,
    }[phase]
    anne = traveller("anne", state=at_work, operation_id=OperationId("o"), **changes)
    state = OperationState.CANCELLED if said is None else OperationState.COMPLETED
    ended = operation("o", part(phase), (id_in(phase, anne),), state=state)
    told = {} if said is None else {"o": {id_in(phase, anne): said}}
    return anne, turn(anne, waves=[wave(state=W.RELEASING)], operations=[ended], said=told)  # type: ignore[dict-item]


class TestFolding:
    @pytest.mark.parametrize(
        ("phase", "said", "state"),
        [
            pytest.param(Phase.PREPARE, VERIFIED, P.PREPARED, id="prepared"),
            pytest.param(Phase.PREPARE, (SubjectState.ALREADY_RIGHT, None), P.PREPARED, id="was prepared"),
            pytest.param(
                Phase.PREPARE, (SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD), P.ENABLED, id="had everything"
            ),
            pytest.param(Phase.ENABLE, VERIFIED, P.ENABLED, id="enabled"),
            pytest.param(Phase.RELEASE, VERIFIED, P.RELEASED, id="released"),
            pytest.param(Phase.UNDO_TARGET, VERIFIED, P.ROLLED_BACK, id="rolled back"),
            pytest.param(Phase.UNDO_SOURCE, VERIFIED, P.ROLLING_BACK, id="the old one back, the new one still to go"),
            pytest.param(Phase.PREPARE, None, P.WAITING, id="called off before"),
            pytest.param(Phase.ENABLE, None, P.PREPARED, id="called off between"),
            pytest.param(Phase.RELEASE, None, P.ENABLED, id="called off before the release"),
        ],
    )
    def test_an_operation_brings_them_further(self, phase: Phase, said: Said | None, state: PersonState) -> None:
        _, after = worked_on(phase, said)
        assert after.travellers[0].state is state

    @pytest.mark.parametrize("phase", Phase)
    @pytest.mark.parametrize(
        "said",
        [
            (SubjectState.REFUSED, Reason.MUTUALLY_EXCLUSIVE),
            (SubjectState.FAILED, Reason.NOT_FOUND),
            (SubjectState.WAITING, Reason.SEATS_INSUFFICIENT),
            (SubjectState.CHANGED_MEANWHILE, Reason.CHANGED_MEANWHILE),
        ],
        ids=["refused", "failed", "no seat", "changed"],
    )
    def test_or_they_failed_and_it_is_known_where_and_why(self, phase: Phase, said: Said) -> None:
        _, after = worked_on(phase, said)
        (anne,) = after.travellers
        assert (anne.state, anne.failed_in, anne.reason) == (P.FAILED, phase, said[1])

    @pytest.mark.parametrize("phase", [Phase.UNDO_SOURCE, Phase.UNDO_TARGET])
    def test_called_off_on_the_way_back_somebody_has_to_look(self, phase: Phase) -> None:
        _, after = worked_on(phase, None)
        (anne,) = after.travellers
        assert (anne.state, anne.failed_in) == (P.FAILED, phase)
        assert anne.reason is not None

    def test_called_off_between_the_halves_of_the_way_back_too(self) -> None:
        anne = traveller("anne", state=P.ROLLING_BACK)
        (after,) = turn(anne, waves=[wave(state=W.ROLLING_BACK)], of=migration(state=M.ABORTED)).travellers
        assert (after.state, after.failed_in, after.reason) == (
            P.FAILED,
            Phase.UNDO_TARGET,
            Reason.MIGRATION_ABORTED,
        )

    @pytest.mark.parametrize("reason", [Reason.MIGRATION_ABORTED, Reason.WAVE_ROLLED_BACK])
    def test_whom_an_operation_that_was_called_off_left_out_is_where_they_were(self, reason: Reason) -> None:
        _, after = worked_on(Phase.PREPARE, (SubjectState.REFUSED, reason))
        assert after.travellers[0].state is P.WAITING

    def test_who_waits_in_a_wave_that_is_rolled_back_is_back_already(self) -> None:
        after = turn(traveller("anne"), waves=[wave(state=W.ROLLING_BACK)])
        assert after.travellers[0].state is P.ROLLED_BACK
        assert after.waves[0].state is W.ROLLED_BACK

    @pytest.mark.parametrize("state", [W.PREPARING, W.GATED, W.HOLDING, W.RELEASING])
    def test_who_alone_goes_back_does_so_while_the_wave_goes_on(self, state: WaveState) -> None:
        gone = traveller("ben", state=P.RELEASED)
        after = turn(traveller("anne", state=P.ROLLING_BACK), gone, waves=[wave(state=state)])
        assert [(one.part.phase, one.people) for one in after.begins] == [(Phase.UNDO_TARGET, ("anne",))]
        assert after.waves[0].state not in {W.DONE, W.ROLLING_BACK}

    def test_who_waits_again_there_is_looked_at_for_what_failed_may_have_landed(self) -> None:
        tried = traveller("anne", operation_id=OperationId("o"))
        after = turn(tried, waves=[wave(state=W.ROLLING_BACK)])
        assert (after.travellers[0].state, after.waves[0].state) == (P.WAITING, W.ROLLING_BACK)
        assert [(one.part.phase, one.people) for one in after.begins] == [(Phase.UNDO_TARGET, ("anne",))]
        assert begun(tried, Phase.UNDO_TARGET, OperationId("undo")).state is P.ROLLING_BACK

    def test_who_was_tried_before_remains_so_when_the_second_try_is_called_off(self) -> None:
        anne = traveller("anne", state=P.PREPARING, operation_id=OperationId("second"))
        tries = [
            operation("first", part(Phase.PREPARE), ("anne'",)),
            operation("second", part(Phase.PREPARE), ("anne'",), state=OperationState.CANCELLED),
        ]
        (after,) = turn(anne, waves=[wave(state=W.ROLLING_BACK)], operations=tries, said={}).travellers
        assert (after.state, after.operation_id) == (P.WAITING, "first")

    def test_the_hold_period_runs_from_when_everything_was_on(self) -> None:
        _, after = worked_on(Phase.ENABLE, VERIFIED)
        assert after.travellers[0].enabled_at == NOW

    def test_while_it_works_nothing_is_said(self) -> None:
        anne = traveller("anne", state=P.PREPARING, operation_id=OperationId("o"))
        at_work = operation("o", part(Phase.PREPARE), ("anne'",), state=OperationState.APPLYING)
        assert turn(anne, operations=[at_work]).travellers == (anne,)

    def test_without_a_mailbox_there_is_no_gate(self) -> None:
        _, after = worked_on(Phase.PREPARE, VERIFIED, has_mailbox=False)
        assert after.travellers[0].state is P.ENABLED
        assert after.travellers[0].enabled_at == NOW


class TestBeginning:
    def test_who_waits_in_a_started_wave_is_prepared(self) -> None:
        after = turn(traveller("anne"), traveller("bob", wave=2), waves=[wave(state=W.PREPARING), wave(2)])
        assert [(one.part, one.people) for one in after.begins] == [(part(Phase.PREPARE), ("anne",))]

    def test_one_operation_per_product(self) -> None:
        after = turn(traveller("anne"), traveller("bob", target_sku="other"), traveller("cees"))
        assert [one.people for one in after.begins] == [("anne", "cees"), ("bob",)]

    def test_one_operation_per_audience_of_a_product(self) -> None:
        """What is decided for pupils is not decided for staff, though both get the same."""
        staff, pupils = SkuId("staff"), SkuId("pupils")
        of = migration(
            definition=definition(
                products=(
                    ProductPair(source_sku=staff, target_sku=A3, audience=Audience.FACULTY),
                    ProductPair(source_sku=pupils, target_sku=A3, audience=Audience.STUDENT),
                )
            )
        )
        people = (traveller("anne", source_sku=staff), traveller("bob", source_sku=pupils))
        begins = turn(*people, of=of).begins
        assert {(one.audience, one.sku_id, one.people) for one in begins} == {
            (Audience.FACULTY, A3, ("anne",)),
            (Audience.STUDENT, A3, ("bob",)),
        }
        wish = operation("o", part(Phase.PREPARE), ("x'",)).wish
        for_pupils = msgspec.structs.replace(wish, audience=Audience.STUDENT)
        at_work = operation("o", part(Phase.PREPARE), ("x'",), state=OperationState.APPLYING, wish=for_pupils)
        assert [one.people for one in turn(*people, of=of, operations=[at_work]).begins] == [("anne",)]

    def test_not_a_second_one_while_the_first_is_under_way(self) -> None:
        at_work = operation("o", part(Phase.PREPARE), ("bob'",), state=OperationState.AWAITING_APPROVAL)
        assert turn(traveller("anne"), operations=[at_work]).begins == ()

    def test_exchange_goes_on_for_whom_evidence_was_given(self) -> None:
        ready = traveller("anne", state=P.PREPARED, evidence=EVIDENCE)
        after = turn(ready, traveller("bob", state=P.PREPARED), waves=[wave(state=W.GATED)])
        assert [(one.part.phase, one.people) for one in after.begins] == [(Phase.ENABLE, ("anne",))]

    @pytest.mark.parametrize(
        ("now", "state", "begins"),
        [
            pytest.param(NOW + timedelta(days=30), W.RELEASING, 1, id="asked for, and long enough"),
            pytest.param(NOW + timedelta(days=30, seconds=-1), W.RELEASING, 0, id="not long enough"),
            pytest.param(AFTER_HOLD, W.HOLDING, 0, id="nobody asked"),
        ],
    )
    def test_the_source_is_released_when_asked_and_not_too_early(
        self, now: datetime, state: WaveState, begins: int
    ) -> None:
        anne = traveller("anne", state=P.ENABLED, enabled_at=NOW)
        after = turn(anne, waves=[wave(state=state)], now=now)
        assert [one.part.phase for one in after.begins] == [Phase.RELEASE] * begins

    def test_the_way_back_gives_the_old_licence_before_it_takes_the_new_one(self) -> None:
        released = traveller("anne", state=P.RELEASED)
        given_back = traveller("bob", state=P.ROLLING_BACK)
        after = turn(released, given_back, waves=[wave(state=W.ROLLING_BACK)])
        assert {one.people: one.part.phase for one in after.begins} == {
            ("anne",): Phase.UNDO_SOURCE,
            ("bob",): Phase.UNDO_TARGET,
        }

    def test_who_failed_on_the_way_goes_back_too_but_not_who_failed_on_the_way_back(self) -> None:
        on = traveller("anne", state=P.FAILED, failed_in=Phase.ENABLE)
        back = traveller("bob", state=P.FAILED, failed_in=Phase.UNDO_TARGET)
        released = traveller("cees", state=P.FAILED, failed_in=Phase.RELEASE)
        after = turn(on, back, released, waves=[wave(state=W.ROLLING_BACK, failures_seen=3)])
        assert {one.people: one.part.phase for one in after.begins} == {
            ("anne",): Phase.UNDO_TARGET,
            ("cees",): Phase.UNDO_SOURCE,
        }

    @pytest.mark.parametrize("of_wave", sorted(W))
    def test_called_off_exchange_still_comes_on_where_a_mailbox_waits_and_nothing_else_begins(
        self, of_wave: WaveState
    ) -> None:
        people = [
            traveller("ready", state=P.PREPARED, evidence=EVIDENCE),
            traveller("at-gate", state=P.PREPARED),
            traveller("new", evidence=EVIDENCE, operation_id=OperationId("tried")),
            traveller("there", state=P.ENABLED, enabled_at=NOW - timedelta(days=60), evidence=EVIDENCE),
            traveller("gone", state=P.RELEASED, enabled_at=NOW),
        ]
        after = turn(*people, waves=[wave(state=of_wave)], of=migration(state=M.ABORTED))
        assert [(one.part.phase, one.people) for one in after.begins] == [(Phase.ENABLE, ("ready",))]

    def test_called_off_it_comes_on_once(self) -> None:
        at_work = operation("o", part(Phase.ENABLE), ("bob'",), state=OperationState.AWAITING_APPROVAL)
        ready = traveller("anne", state=P.PREPARED, evidence=EVIDENCE)
        of = migration(state=M.ABORTED)
        assert turn(ready, waves=[wave(state=W.GATED)], operations=[at_work], of=of).begins == ()

    @pytest.mark.parametrize("state", [M.PAUSED, M.ABORTED, M.MATCHED])
    def test_nothing_begins_unless_it_runs(self, state: MigrationState) -> None:
        assert turn(traveller("anne"), of=migration(state=state)).begins == ()


class TestWaves:
    @pytest.mark.parametrize(
        ("before", "people", "after"),
        [
            pytest.param(W.PREPARING, [P.PREPARING, P.PREPARED], W.PREPARING, id="some are still prepared"),
            pytest.param(W.PREPARING, [P.PREPARED, P.FAILED], W.GATED, id="all are prepared"),
            pytest.param(W.GATED, [P.ENABLING, P.ENABLED], W.GATED, id="some have no mailbox yet"),
            pytest.param(W.GATED, [P.ENABLED, P.FAILED], W.HOLDING, id="all have arrived"),
            pytest.param(W.PREPARING, [P.ENABLED], W.GATED, id="all had everything, and nobody waits at the gate"),
            pytest.param(W.HOLDING, [P.WAITING, P.ENABLED], W.GATED, id="who failed is tried again"),
            pytest.param(W.RELEASING, [P.RELEASED, P.FAILED], W.DONE, id="all have left"),
            pytest.param(W.RELEASING, [P.RELEASED, P.ENABLED], W.HOLDING, id="for some it was too early"),
            pytest.param(W.RELEASING, [P.RELEASED, P.PREPARING], W.HOLDING, id="who failed before is prepared now"),
            pytest.param(W.HOLDING, [P.RELEASED, P.FAILED], W.DONE, id="who was left failed again"),
            pytest.param(W.HOLDING, [], W.DONE, id="nobody is in it"),
            pytest.param(W.HOLDING, [P.FAILED, P.FAILED], W.HOLDING, id="nobody arrived at all"),
            pytest.param(W.RELEASING, [P.RELEASING], W.RELEASING, id="some are leaving"),
            pytest.param(W.ROLLING_BACK, [P.ROLLED_BACK, P.WAITING], W.ROLLED_BACK, id="all are back"),
            pytest.param(W.ROLLING_BACK, [P.PREPARED], W.ROLLING_BACK, id="some are not back"),
            pytest.param(W.WAITING, [P.WAITING], W.WAITING, id="nobody started it"),
        ],
    )
    def test_follow_their_people(self, before: WaveState, people: list[PersonState], after: WaveState) -> None:
        names = count()
        own = [traveller(f"p{next(names)}", state=state, enabled_at=NOW) for state in people]
        assert turn(*own, waves=[wave(state=before)]).waves[0].state is after

    def test_when_all_have_ended_the_migration_has(self) -> None:
        after = turn(traveller("anne", state=P.RELEASED), waves=[wave(state=W.DONE), wave(2, state=W.ROLLED_BACK)])
        assert after.migration.state is M.COMPLETED


class TestTheThreshold:
    @staticmethod
    def _ten(failing: int, share: float) -> Turn:
        people = [traveller(f"p{n}", state=P.PREPARING, operation_id=OperationId("o")) for n in range(10)]
        ended = operation("o", part(Phase.PREPARE), tuple(f"p{n}'" for n in range(10)))
        bad: Said = (SubjectState.FAILED, Reason.NOT_FOUND)
        said = {"o": {f"p{n}'": bad if n < failing else VERIFIED for n in range(10)}}
        of = migration(definition=definition(failure_threshold=share))
        return turn(*people, operations=[ended], said=said, of=of)

    @pytest.mark.parametrize(("failing", "state"), [(2, M.RUNNING), (3, M.PAUSED)])
    def test_pauses_beyond_it_and_not_at_it(self, failing: int, state: MigrationState) -> None:
        after = self._ten(failing, 0.2)
        assert after.migration.state is state
        assert after.migration.reason is (Reason.THRESHOLD_REACHED if state is M.PAUSED else None)

    @pytest.mark.parametrize(
        ("failed", "failing", "seen", "state"),
        [
            pytest.param(3, 0, 3, M.RUNNING, id="the same people"),
            pytest.param(1, 2, 3, M.RUNNING, id="the same people, of whom some are still at work"),
            pytest.param(5, 0, 3, M.RUNNING, id="further ones, as many as are accepted"),
            pytest.param(6, 0, 3, M.PAUSED, id="more further ones"),
            pytest.param(3, 3, 3, M.PAUSED, id="more further ones in an operation at work"),
            pytest.param(0, 2, 3, M.RUNNING, id="fewer than were seen"),
        ],
    )
    def test_counts_those_whom_nobody_has_seen(
        self, failed: int, failing: int, seen: int, state: MigrationState
    ) -> None:
        people = [
            traveller(
                f"p{n}", state=P.FAILED if n < failed else P.PREPARED, failed_in=Phase.PREPARE if n < failed else None
            )
            for n in range(10)
        ]
        standing = Standing(
            migration=migration(definition=definition(failure_threshold=0.2)),
            waves=(wave(state=W.PREPARING, failures_seen=seen),),
            travellers=tuple(people),
            operations=(),
            said={},
            failing={1: failing},
            now=NOW,
        )
        assert next_turn(standing).migration.state is state

    def test_of_one_wave_are_none_of_another(self) -> None:
        waves = [wave(state=W.HOLDING, failures_seen=9), wave(2, state=W.PREPARING)]
        failed = traveller("anne", state=P.FAILED, failed_in=Phase.PREPARE, wave=2)
        assert turn(failed, waves=waves).migration.state is M.PAUSED

    def test_who_failed_and_begins_anew_has_been_seen_no_more(self) -> None:
        failed = [traveller(name, state=P.FAILED, failed_in=Phase.PREPARE) for name in ("anne", "bob")]
        (after,) = turn(*failed, waves=[wave(state=W.ROLLING_BACK, failures_seen=3)]).waves
        assert after.failures_seen == 1

    @pytest.mark.parametrize(
        ("reason", "state"), [(Reason.INHERITED_FROM_GROUP, M.RUNNING), (Reason.TARGET_NOT_READY, M.PAUSED)]
    )
    def test_counts_nobody_whom_a_group_of_the_school_keeps_in_the_source(
        self, reason: Reason, state: MigrationState
    ) -> None:
        """Every check of the wave said so, and other waves have nothing to do with it."""
        held = {"state": P.RELEASING, "enabled_at": NOW, "operation_id": OperationId("o")}
        people = [traveller(f"p{n}", **held) for n in range(10)]
        ended = operation("o", part(Phase.RELEASE), tuple(f"p{n}" for n in range(10)))
        said = {"o": {f"p{n}": (SubjectState.REFUSED, reason) for n in range(10)}}
        later = traveller("later", state=P.ENABLED, enabled_at=NOW)
        after = turn(*people, later, waves=[wave(state=W.RELEASING), wave(2)], operations=[ended], said=said)
        assert {one.state for one in after.travellers} == {P.FAILED, P.ENABLED}
        assert after.migration.state is state


SAID = st.sampled_from(
    [VERIFIED, VERIFIED, VERIFIED, (SubjectState.FAILED, Reason.NOT_FOUND), (SubjectState.ALREADY_RIGHT, None)]
)


class TestAnyCourse:
    @given(st.data(), st.integers(1, 6), st.booleans())
    def test_ends_with_everybody_somewhere(self, data: st.DataObject, people: int, turns_back: bool) -> None:
        """Operations end one after the other with anything; evidence comes; the wave is released, or rolled back."""
        mailboxes = [data.draw(st.booleans()) for _ in range(people)]
        travellers = tuple(
            traveller(f"p{n}", has_mailbox=has, evidence=EVIDENCE if has else None) for n, has in enumerate(mailboxes)
        )
        standing = Standing(
            migration=migration(definition=definition(failure_threshold=1.0)),
            waves=(wave(state=W.PREPARING),),
            travellers=travellers,
            operations=(),
            said={},
            now=NOW,
        )
        numbers = count()
        for _ in range(40):
            after = next_turn(standing)
            again = next_turn(msgspec.structs.replace(standing, travellers=after.travellers))
            assert (again.travellers, again.waves, again.begins) == (after.travellers, after.waves, after.begins)
            standing = _carried_out(standing, after, numbers, data)
            if standing.waves[0].state is W.HOLDING:
                way = W.ROLLING_BACK if turns_back else W.RELEASING
                moved = (msgspec.structs.replace(standing.waves[0], state=way),)
                standing = msgspec.structs.replace(standing, waves=moved, now=AFTER_HOLD)
            if standing.migration.state is M.COMPLETED:
                break
        assert standing.migration.state is M.COMPLETED
        ends = {P.ROLLED_BACK, P.FAILED} if turns_back else {P.RELEASED, P.FAILED}
        assert {one.state for one in standing.travellers} <= ends


def _carried_out(standing: Standing, after: Turn, numbers: "count[int]", data: st.DataObject) -> Standing:
    """What begins is done at once, with anything said of each person."""
    travellers = {one.source_id: one for one in after.travellers}
    operations, said = list(standing.operations), dict(standing.said)
    for begin in after.begins:
        number = OperationId(f"o{next(numbers)}")
        ids: list[SubjectId] = [id_in(begin.part.phase, travellers[one]) for one in begin.people]
        operations.append(operation(number, begin.part, tuple(ids)))
        said[number] = {one: data.draw(SAID) for one in ids}
        for one in begin.people:
            travellers[one] = begun(travellers[one], begin.part.phase, number)
            assert travellers[one].state in UNDER_WAY
    return msgspec.structs.replace(
        standing,
        migration=after.migration,
        waves=after.waves,
        travellers=tuple(travellers.values()),
        operations=tuple(operations),
        said=said,
    )
