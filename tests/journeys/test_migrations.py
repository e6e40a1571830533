"""People who go from one tenant to another: ready there first, released here last, and never without."""

import json

import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Situation, Treatment
from provisioning.domain.migration_file import IdentityPair
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.tenancy import AssignmentMode
from tests.journeys import customers
from tests.journeys.both_tenants import check_merger, evidence_of, too_early
from tests.journeys.customers import A3, GROUP_ROLES, Customer
from tests.journeys.furniture import Town
from tests.journeys.groups import await_change, our_group, sources_of
from tests.journeys.mergers import Merger, names_in, pass_hold_period
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


def _writes(merger: Merger) -> int:
    return sum(merger.town.writes(one) for one in (merger.source, merger.target))


def test_s23_one_school_leaves_a_board_and_who_works_at_two_is_not_simply_taken_along(town: Town) -> None:
    """The others stay untouched; of somebody at both schools a person says first what becomes of them."""

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
