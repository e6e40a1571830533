"""People who go from one tenant to another: ready there first, released here last, and never without."""

import json
from collections import Counter
from collections.abc import Iterable
from uuid import uuid4

import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.migration import Phase, Situation, Treatment
from provisioning.domain.migration_file import IdentityPair
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from tests.journeys import customers
from tests.journeys.both_tenants import check_merger, evidence_of, too_early
from tests.journeys.customers import A3, GROUP_ROLES, Customer
from tests.journeys.furniture import Town
from tests.journeys.groups import await_change, our_group, sources_of
from tests.journeys.mergers import Merger, entitle, names_in, pass_hold_period
from tests.journeys.patience import let_pass, until


def test_a_wave_arrives_behind_its_gate(town: Town) -> None:
    merger = Merger.prepare(town, 8, pilot=5)
    merger.start(1)
    merger.approve(Phase.PREPARE, 1)
    merger.await_wave(1, WaveState.GATED)
    assert merger.states(1) == {PersonState.PREPARED}
    pilot = merger.travellers(1)
    for one in pilot:
        [held] = town.control.user(merger.target.tenant, one.target_id)["licenseAssignmentStates"]
        assert held["disabledPlans"]  # Exchange is off
    merger.open_gate(names_in(pilot))
    merger.await_wave(1, WaveState.HOLDING)
    assert merger.states(1) == {PersonState.ENABLED}
    assert town.holders(merger.source, A3) == set(merger.source.people)
    assert merger.migration.state is MigrationState.RUNNING
    assert too_early(merger, evidence_of(merger)) == []
    assert {person for person, _ in too_early(merger, {})} == set(names_in(pilot))  # whom nobody had shown anything of


def test_s22_all_of_a_tenant_goes_and_the_source_is_released_last(town: Town) -> None:
    merger = Merger.prepare(town, 8, pilot=3)
    merger.bring(1)
    merger.bring(2)
    pass_hold_period(merger)
    for wave in (1, 2):
        merger.release(wave)
        merger.approve(Phase.RELEASE, wave)
        merger.await_wave(wave, WaveState.DONE)
    merger.await_state(MigrationState.COMPLETED)
    assert merger.states() == {PersonState.RELEASED}
    assert town.holders(merger.source, A3) == set()
    assert town.holders(merger.target, A3) == set(merger.target.people)
    check_merger(merger)


def test_s34_a_wave_is_rolled_back_and_nobody_is_without(town: Town) -> None:
    merger = Merger.prepare(town, 8, pilot=3)
    merger.bring(1)
    merger.start(2)
    merger.approve(Phase.PREPARE, 2)
    merger.await_wave(2, WaveState.GATED)
    merger.roll_back(2)
    merger.approve(Phase.UNDO_TARGET, 2)
    merger.await_wave(2, WaveState.ROLLED_BACK)
    assert merger.states(1) == {PersonState.ENABLED}
    assert merger.states(2) == {PersonState.ROLLED_BACK}
    assert town.holders(merger.target, A3) == {str(one.target_id) for one in merger.travellers(1)}
    assert town.holders(merger.source, A3) == set(merger.source.people)
    check_merger(merger)


def _refuse(merger: Merger, people: Iterable[str | None] = (None,), after: int = 0) -> None:
    """Microsoft refuses licences in the target for these people, or for everybody after so many were answered."""
    for one in people:
        merger.town.control.add_fault(
            "error",
            tenant=merger.target.tenant,
            route="assignLicense",
            user=one,
            after=after,
            code="Request_BadRequest",
            message="License assignment cannot be done for this user.",
        )


def _counts(merger: Merger, wave: int) -> Counter[PersonState]:
    return Counter(one.state for one in merger.travellers(wave))


def test_s34_it_pauses_beyond_the_threshold_and_let_go_on_it_pauses_again(town: Town) -> None:
    """Of twenty people three fail, then two, while Microsoft puts the others off: the operation goes on all along."""
    merger = Merger.prepare(town, 20, pilot=20)
    merger.start(1)
    operation = merger.await_operation(Phase.PREPARE, 1, OperationState.AWAITING_APPROVAL)
    people = sorted(str(one.target_id) for one in merger.travellers(1))
    _put_off(merger, people[3:5], times=1)
    _put_off(merger, people[5:], times=2)
    _refuse(merger, people[:5])
    merger.approve(Phase.PREPARE, 1)
    for failed in (3, 5):
        _await_threshold(merger)
        assert _went_wrong(merger, operation) == failed
        [still] = merger.operations(Phase.PREPARE, 1)
        assert still.state is OperationState.APPLYING
        merger.steer(MigrationState.RUNNING)
    merger.await_wave(1, WaveState.GATED)
    assert _counts(merger, 1) == {PersonState.PREPARED: 15, PersonState.FAILED: 5}
    assert merger.migration.state is MigrationState.RUNNING  # of these five a person knows
    check_merger(merger)


def _put_off(merger: Merger, people: Iterable[str], times: int) -> None:
    """Ten minutes each time, which leaves time to look at the migration meanwhile."""
    for one in people:
        merger.town.control.add_fault(
            "throttle", tenant=merger.target.tenant, route="assignLicense", user=one, times=times, retryAfter=600
        )


def _await_threshold(merger: Merger) -> None:
    merger.await_state(MigrationState.PAUSED)
    assert merger.migration.reason is Reason.THRESHOLD_REACHED


def _went_wrong(merger: Merger, operation: Operation) -> int:
    with merger.town.services.open_uow() as uow:
        return uow.journal.subject_counts(operation.operation_id).get(SubjectState.REFUSED, 0)


_WAVE, _MOVED = 20, 12  # of a wave so many had moved when errors began


def test_s34_errors_begin_in_the_middle_of_a_wave_and_only_who_failed_is_tried_again(town: Town) -> None:
    merger = Merger.prepare(town, _WAVE + 3, pilot=3)
    merger.bring(1)
    merger.start(2)
    _refuse(merger, after=_MOVED)
    merger.approve(Phase.PREPARE, 2)
    _await_threshold(merger)
    failed = {one.source_id for one in merger.travellers(2) if one.state is PersonState.FAILED}
    assert _counts(merger, 2) == {PersonState.PREPARED: _MOVED, PersonState.FAILED: _WAVE - _MOVED}
    merger.town.control.clear_faults()
    merger.steer(MigrationState.RUNNING)
    merger.open_gate(names_in(merger.travellers(2)))
    until(lambda: _counts(merger, 2)[PersonState.ENABLED] == _MOVED, "who had moved goes on without the others")
    assert {one.source_id for one in merger.travellers(2) if one.state is PersonState.FAILED} == failed
    merger.retry(2)
    merger.approve(Phase.PREPARE, 2)
    again = merger.operations(Phase.PREPARE, 2)[-1]
    assert len(again.wish.named) == _WAVE - _MOVED
    merger.await_wave(2, WaveState.HOLDING)
    assert merger.states() == {PersonState.ENABLED}
    assert town.holders(merger.target, A3) == set(merger.target.people)
    check_merger(merger)


@pytest.mark.slow
def test_s34_errors_begin_in_the_middle_of_a_wave_and_only_who_failed_goes_back(town: Town) -> None:
    """Everybody has the licence there when Exchange is refused to some: who moved keeps theirs."""
    merger = Merger.prepare(town, _WAVE + 3, pilot=3)
    merger.bring(1)
    merger.start(2)
    merger.approve(Phase.PREPARE, 2)
    merger.await_wave(2, WaveState.GATED)
    _refuse(merger, after=_MOVED)
    merger.open_gate(names_in(merger.travellers(2)))
    _await_threshold(merger)
    assert _counts(merger, 2) == {PersonState.ENABLED: _MOVED, PersonState.FAILED: _WAVE - _MOVED}
    moved = {str(one.target_id) for one in merger.travellers() if one.state is PersonState.ENABLED}
    merger.town.control.clear_faults()
    merger.roll_back_failed(2)
    merger.steer(MigrationState.RUNNING)
    merger.approve(Phase.UNDO_TARGET, 2)
    merger.await_wave(2, WaveState.HOLDING)
    until(lambda: PersonState.ROLLING_BACK not in merger.states(2), "who failed is back")
    assert _counts(merger, 2) == {PersonState.ENABLED: _MOVED, PersonState.ROLLED_BACK: _WAVE - _MOVED}
    assert town.holders(merger.target, A3) == moved
    assert town.holders(merger.source, A3) == set(merger.source.people)
    check_merger(merger)


def test_s22_called_off_after_the_first_wave_leaves_both_tenants_correct(town: Town) -> None:
    merger = Merger.prepare(town, 8, pilot=3)
    merger.bring(1)
    merger.start(2)
    merger.await_operation(Phase.PREPARE, 2, OperationState.AWAITING_APPROVAL)
    merger.steer(MigrationState.ABORTED)
    assert {one.state for one in merger.operations(Phase.PREPARE, 2)} == {OperationState.CANCELLED}
    until(lambda: merger.states(2) == {PersonState.WAITING}, "wave 2 as it was")
    assert merger.states(1) == {PersonState.ENABLED}
    assert town.holders(merger.source, A3) == set(merger.source.people)
    check_merger(merger)


def test_s22_called_off_with_mailboxes_moved_these_still_get_exchange_and_nothing_else_goes_on(town: Town) -> None:
    """Evidence from before, that nobody acted on yet, and evidence from after it."""
    merger = Merger.prepare(town, 6, pilot=4)
    merger.start(1)
    merger.approve(Phase.PREPARE, 1)
    merger.await_wave(1, WaveState.GATED)
    moved = names_in(merger.travellers(1))
    merger.steer(MigrationState.PAUSED)
    merger.open_gate(moved[:2])
    merger.steer(MigrationState.ABORTED)
    until(lambda: merger.migration.due_at is None, "both who moved before it have Exchange")
    states = [one.state for one in merger.travellers(1)]
    assert (states.count(PersonState.ENABLED), states.count(PersonState.PREPARED)) == (2, 2)
    merger.open_gate(moved[2:])
    until(lambda: merger.states(1) == {PersonState.ENABLED}, "those who moved after it, too")
    assert merger.states(2) == {PersonState.WAITING}
    assert town.holders(merger.source, A3) == set(merger.source.people)
    check_merger(merger)


def test_paused_nothing_begins_and_resumed_it_goes_on_exactly_there(town: Town) -> None:
    merger = Merger.prepare(town, 6, pilot=6)
    merger.start(1)
    merger.approve(Phase.PREPARE, 1)
    merger.await_wave(1, WaveState.GATED)
    merger.steer(MigrationState.PAUSED)
    merger.open_gate(names_in(merger.travellers(1)))
    let_pass(1.0)
    assert merger.operations(Phase.ENABLE, 1) == []
    assert merger.states(1) == {PersonState.PREPARED}
    merger.steer(MigrationState.RUNNING)
    merger.await_wave(1, WaveState.HOLDING)
    check_merger(merger)


def test_both_tenants_give_licences_through_groups(town: Town) -> None:
    """By name on the way, then into the target's group; out of the source's own one at the end."""
    by_group = {"assignment_mode": AssignmentMode.GROUP, "usage_location": "NL"}
    wishes = {"policy": by_group, "roles": GROUP_ROLES}
    merger = Merger.prepare(town, 4, pilot=4, source={**wishes, "holds": None}, target=wishes, is_ordered=True)
    before = _writes(merger)
    foretold = sum(one.writes for one in town.services.show_migrations.one(merger.migration_id).forecast)
    merger.bring(1)
    into_group = await_change(town, merger.target)
    assert into_group.state is OperationState.COMPLETED
    assert all(sources_of(town, merger.target, one, A3) != {None} for one in merger.target.people)
    pass_hold_period(merger)
    merger.release(1)
    merger.approve(Phase.RELEASE, 1)
    merger.await_wave(1, WaveState.DONE)
    assert town.holders(merger.source, A3) == set()
    assert our_group(town, merger.source)["members"] == []
    assert town.holders(merger.target, A3) == set(merger.target.people)
    assert _writes(merger) - before == foretold + 2  # by which the target's group was made and licensed
    check_merger(merger)


@pytest.mark.slow
def test_s34_a_wave_goes_back_out_of_the_group_into_which_it_had_been_moved(town: Town) -> None:
    """It had left the source, too: the old licence is back before anybody leaves the group."""
    by_group = {"policy": {"assignment_mode": AssignmentMode.GROUP, "usage_location": "NL"}, "roles": GROUP_ROLES}
    merger = Merger.prepare(town, 4, pilot=3, target=by_group)
    entitle(town, merger.source, 4)
    merger.bring(1)
    await_change(town, merger.target)
    pass_hold_period(merger)
    merger.release(1)
    merger.approve(Phase.RELEASE, 1)
    merger.await_wave(1, WaveState.DONE)
    pilot = {str(one.target_id) for one in merger.travellers(1)}
    assert set(our_group(town, merger.target)["members"]) == pilot
    merger.roll_back(1)
    merger.approve(Phase.UNDO_SOURCE, 1)
    merger.approve(Phase.UNDO_TARGET, 1)
    merger.await_wave(1, WaveState.ROLLED_BACK)
    assert merger.states(1) == {PersonState.ROLLED_BACK}
    assert our_group(town, merger.target)["members"] == []
    assert town.holders(merger.target, A3) == set()
    assert town.holders(merger.source, A3) == set(merger.source.people)
    check_merger(merger)


def _writes(merger: Merger) -> int:
    return sum(merger.town.writes(one) for one in (merger.source, merger.target))


def test_s23_one_school_leaves_a_board_and_who_works_at_two_is_not_simply_taken_along(town: Town) -> None:
    """The others stay untouched; of somebody at both schools a person says first what becomes of them.

    Left out they keep what they have, and an order in the target gives them its licence like anybody there.
    """

    def at_two(customer: Customer, school: str, number: int) -> dict[str, str]:
        first, second = customer.staff
        return {"officeLocation": second} if school == first and number == 0 else {}

    board = town.board([5, 4], holds=A3, traits=at_two)
    leaving, staying = board.staff
    there = town.school(5, holds=None, seats=5)
    asked = {
        "holder": leaving,
        "people": json.dumps(customers.staff_of(leaving)),
        "identity": tuple(IdentityPair(*pair) for pair in zip(board.staff[leaving], there.people, strict=True)),
    }
    unexplained = Merger.between(town, board, there, 5, **asked)
    with pytest.raises(InputError, match="1 of two boards: nobody said what happens with them"):
        unexplained.start(1)
    unexplained.steer(MigrationState.ABORTED)  # nobody is in two migrations that live
    merger = Merger.between(town, board, there, 0, **asked, treatments={Situation.OF_TWO_BOARDS: Treatment.LEAVE_OUT})
    merger.bring(1)
    pass_hold_period(merger)
    merger.release(1)
    merger.approve(Phase.RELEASE, 1)
    merger.await_wave(1, WaveState.DONE)
    moved = board.staff[leaving][1:]
    assert town.holders(board, A3) == {board.staff[leaving][0], *board.staff[staying]}
    assert town.holders(there, A3) == {str(one.target_id) for one in merger.travellers() if one.source_id in moved}
    check_merger(merger)
    line = town.order(there, 1, customers.A3_STAFF_MORE)
    town.set_seats(there, 6)
    assert town.await_end(line).state is OperationState.COMPLETED
    assert town.holders(there, A3) == set(there.people)
    assert board.staff[leaving][0] in town.holders(board, A3)


def test_s45_another_board_in_the_target_keeps_its_people_and_its_seats_to_itself(town: Town) -> None:
    """Its holders use up none of what was bought for those who come, and nobody of it is written to."""

    def of_both(_customer: Customer, _school: str, number: int) -> dict[str, str]:
        return {"officeLocation": other} if number == 0 else {}

    other = town.next_code()
    neighbours = [
        {"id": str(uuid4()), "department": other, "employeeType": "Personeel", "assignments": [{"skuId": A3}]}
        for _ in range(4)
    ]
    here = town.school(4, holds=A3)
    there = town.school(4, holds=None, seats=7, traits=of_both, others=neighbours)
    town.move_in(other, there)
    asked = {
        "identity": tuple(IdentityPair(*pair) for pair in zip(here.people, there.people, strict=True)),
        "treatments": {Situation.OF_TWO_BOARDS: Treatment.LEAVE_OUT},
    }
    merger = Merger.between(town, here, there, 3, **asked)
    merger.bring(1)
    held, *arrived = there.people
    assert {one.target_id for one in merger.travellers(0)} == {held}
    assert town.holders(there, A3) == set(arrived)
    assert all(town.skus_of(there, str(one["id"])) == {A3} for one in neighbours)
    check_merger(merger)
