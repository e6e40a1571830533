"""Two boards become one on bad days, from the file to the statement, by nothing but commands that operators type."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.services.migration_sheet import GATE_EXPECTED
from tests.journeys.boards import Boards, Crowd
from tests.journeys.both_tenants import check_merger, too_early, writes_in
from tests.journeys.customers import A3
from tests.journeys.furniture import Town
from tests.journeys.mergers import pass_hold_period
from tests.journeys.misfortune import kill_both
from tests.journeys.patience import let_pass

_DEEDS = 30  # the budget: what operators and approvers type
_FORECAST = 0.1  # how far the writes may be from what was foretold before the first of them
_STRUCK = 2  # the wave in which workers die: preparing, enabling, releasing
_REFUSED = 0.1  # of the calls that write
_LARGE = Crowd(people=2_500, waves=(25, 1_200), disputed=100, left_out=40)
_SMALL = Crowd(people=50, waves=(4, 24), disputed=2, left_out=1)  # 1 of 24 does not reach the threshold


@pytest.mark.slow
def test_two_boards_of_2_500_people_become_one_on_a_bad_day(town: Town, tmp_path: Path) -> None:
    boards = Boards.settle(town, tmp_path, _LARGE)
    merge(boards, late=30, short=15, dice=Random(1))


def test_two_small_boards_become_one(town: Town, tmp_path: Path) -> None:
    boards = Boards.settle(town, tmp_path, _SMALL)
    merge(boards, late=1, short=1, dice=None)


@pytest.mark.slow
def test_called_off_after_the_first_wave_both_tenants_are_correct(town: Town, tmp_path: Path) -> None:
    boards = Boards.settle(town, tmp_path, _LARGE)
    _refuse_some(boards)
    _find_everybody(boards)
    _bring(boards, 1)
    boards.start(2)
    boards.approve(Phase.PREPARE, 2)
    _misfortune(boards, Random(2))
    boards.steer("pause", "--reason", "the boards quarrel")
    boards.steer("abort", "--reason", "the boards do not merge")
    boards.await_rest()
    assert boards.merger.states(1) == {PersonState.ENABLED}
    assert boards.merger.states(2) <= {PersonState.WAITING, PersonState.PREPARED}
    assert boards.merger.states(3) == {PersonState.WAITING}
    assert boards.town.holders(boards.source, A3) == set(boards.coming)
    assert boards.town.holders(boards.target, A3) == boards.arrived() | set(boards.own)
    _check_promises(boards)
    assert len(boards.desk.deeds) <= _DEEDS, boards.desk.deeds


def merge(boards: Boards, *, late: int, short: int, dice: Random | None) -> None:
    """From the file to the statement. `short`: seats that others take before wave 2 is written; `dice`: workers die."""
    _refuse_some(boards)
    _find_everybody(boards)
    foretold = boards.foretold()
    _bring(boards, 1)
    _bring(boards, _STRUCK, late=late, short=short, dice=dice)
    _bring(boards, 3)
    _close(boards, dice)
    _check_end(boards)
    assert writes_in(boards.merger) == pytest.approx(foretold, rel=_FORECAST)


def _refuse_some(boards: Boards) -> None:
    for customer in (boards.source, boards.target):
        boards.town.control.add_fault(
            "throttle", tenant=customer.tenant, route="assignLicense", probability=_REFUSED, retryAfter=1
        )


def _find_everybody(boards: Boards) -> None:
    """The map leads some to two people: some rows are corrected, who stays in doubt is left out."""
    found = boards.create(boards.write(boards.disputed))
    assert found["migration"]["state"] == MigrationState.MATCHED
    told = boards.refused("start", "--wave", "1")
    assert f"{len(boards.disputed)} disputed: nobody said what happens with them" in told
    boards.steer("abort", "--reason", "another map")
    boards.create(boards.write(boards.nobody_knows, treatments={"disputed": "leave_out"}))
    assert "migration_addon" in {one["check"] for one in boards.steer("check", "--wave", "1")["findings"]}
    boards.buy_addon()
    told = boards.steer("check", "--wave", "1")["findings"]
    assert [one["check"] for one in told] == ["domains_in_source"]  # which is in nobody's way


def _bring(boards: Boards, wave: int, late: int = 0, short: int = 0, dice: Random | None = None) -> None:
    boards.start(wave)
    boards.await_plan(Phase.PREPARE, wave)
    if short:
        boards.lose_seats(short)
    boards.approve(Phase.PREPARE, wave)
    _misfortune(boards, dice)
    boards.await_wave(wave, WaveState.GATED)
    if short:
        _seat(boards, wave, short)
    going = boards.going(wave)
    boards.gate_by_job(going[late:], synced=going[:late])  # whoever let the wave be prepared let this, too
    _misfortune(boards, dice)
    if late:
        _come_late(boards, wave, going[:late])
    boards.await_wave(wave, WaveState.HOLDING)


def _come_late(boards: Boards, wave: int, late: list[str]) -> None:
    """Whose mailbox takes longer than anybody expects is shown as late, until somebody has seen it arrive."""
    boards.await_states(wave, {PersonState.PREPARED, PersonState.ENABLED})
    assert boards.sheet(wave)["gates_late"] == 0
    boards.town.pass_time(GATE_EXPECTED + timedelta(days=1))
    assert (boards.sheet(wave)["gates_open"], boards.sheet(wave)["gates_late"]) == (len(late), len(late))
    assert f"{len(late)} late: for more than 14 days" in boards.desk.read("migrations", "show", boards.migration_id)
    boards.gate(late)
    assert boards.sheet(wave)["gates_late"] == 0
    boards.approve(Phase.ENABLE, wave)  # the approval that covered both is a week old by then, and void


def _seat(boards: Boards, wave: int, short: int) -> None:
    """Who found no seat failed; once seats are there, they alone are tried again."""
    assert [one.reason for one in boards.failed(wave)] == [Reason.SEATS_INSUFFICIENT] * short
    boards.find_seats()
    boards.steer("retry", "--wave", str(wave), "--reason", "the seats are back")
    boards.approve(Phase.PREPARE, wave)
    boards.await_people(wave, PersonState.PREPARED)


def _misfortune(boards: Boards, dice: Random | None) -> None:
    """Both workers die somewhere in the next writes."""
    if dice is not None:
        let_pass(dice.uniform(0.5, 4.0))
        kill_both(boards.town.world)


def _close(boards: Boards, dice: Random | None) -> None:
    waves = (1, 2, 3)
    pass_hold_period(boards.merger)
    for wave in waves:
        boards.steer("release", "--wave", str(wave), "--reason", "nobody misses mail")
    for wave in waves:
        boards.approve(Phase.RELEASE, wave)
        _misfortune(boards, dice if wave == _STRUCK else None)
    for wave in waves:
        boards.await_wave(wave, WaveState.DONE)
    boards.await_state(MigrationState.COMPLETED)
    boards.steer("report", "--statement", str(boards.folder / "slotverklaring.txt"))


def _check_end(boards: Boards) -> None:
    assert boards.merger.states() == {PersonState.RELEASED, PersonState.LEFT_OUT}
    assert boards.town.holders(boards.source, A3) == set(boards.nobody_knows)
    assert boards.town.holders(boards.target, A3) == boards.arrived() | set(boards.own)
    assert len(boards.arrived()) == len(boards.coming) - len(boards.nobody_knows)
    _check_promises(boards)
    assert len(boards.desk.deeds) <= _DEEDS, boards.desk.deeds


def _check_promises(boards: Boards) -> None:
    """Also by what was handed in at the desk: who was only synced then had no Exchange until they had moved."""
    check_merger(boards.merger)
    assert too_early(boards.merger, boards.shown) == []
