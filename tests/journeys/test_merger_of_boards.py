"""Two boards become one on bad days, from the file to the statement, by nothing but commands that operators type."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.services.migration_sheet import GATE_EXPECTED
from tests.journeys.boards import Boards
from tests.journeys.both_tenants import check_merger, too_early, writes_in
from tests.journeys.crowd import Crowd
from tests.journeys.customers import A3
from tests.journeys.furniture import Town
from tests.journeys.mergers import pass_hold_period
from tests.journeys.misfortune import kill_both

_DEEDS = 30  # the budget: what operators and approvers type
_FORECAST = 0.1  # how far the writes may be from what was foretold before the first of them
_STRUCK = 2  # the wave in which workers die: preparing, enabling, releasing
_WRITES = ("assignLicense", "patchUser", "assignGroupLicense", "createGroup", "addMember", "removeMember", "patchGroup")
_REFUSED = 0.1  # of the calls that write
_REFUSED_READS = 0.02  # of which three in a row would be a command to be typed again
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
    """While wave 2 gets Exchange: who has it keeps it, nobody else gets it, and nobody loses what they had."""
    boards = Boards.settle(town, tmp_path, _LARGE)
    call_off(boards, late=3, short=15, dice=Random(2))


def call_off(boards: Boards, *, late: int, short: int, dice: Random) -> None:
    """`late`: people of wave 1; `short` as in `merge`."""
    _refuse_some(boards)
    _find_everybody(boards)
    _bring(boards, 1, late=late)
    _prepare(boards, _STRUCK, short, dice, deaths=2)
    going = boards.at_gate(_STRUCK)
    half = len(going) // 2
    boards.gate_by_job([*going[half:], *boards.arrived_before(_STRUCK)], synced=going[:half])
    boards.approve(Phase.ENABLE, _STRUCK)  # short of seats the wave's plan was drawn anew: what let it be is void
    _misfortune(boards, Phase.ENABLE, _STRUCK, dice)
    boards.steer("pause", "--reason", "the boards quarrel")
    boards.steer("abort", "--reason", "the boards do not merge")
    boards.await_rest()
    _check_called_off(boards, not_moved=set(going[:half]), short=short)


def _check_called_off(boards: Boards, not_moved: set[str], short: int) -> None:
    assert boards.merger.states(1) == {PersonState.ENABLED}
    second = boards.merger.travellers(_STRUCK)
    assert {one.state for one in second if one.source_id in not_moved} == {PersonState.PREPARED}
    assert PersonState.ENABLED in boards.merger.states(_STRUCK)
    assert [one.reason for one in boards.failed(_STRUCK)].count(Reason.SEATS_INSUFFICIENT) == short
    assert boards.merger.states(3) == {PersonState.WAITING}
    assert boards.town.holders(boards.source, A3) == set(boards.coming)
    served = boards.arrived() | boards.served_twice()
    assert boards.town.holders(boards.target, A3) == served | boards.licensed | set(boards.own)
    told = boards.statement()
    assert _both_boards(boards) in told
    assert "De verhuizing is afgeblazen op" in told
    held_twice = len(served)
    assert f"tot een bestuur er een weghaalt. Aantal mensen: {_dutch(held_twice)}." in told
    _check_promises(boards)
    assert len(boards.desk.deeds) <= _DEEDS, boards.desk.deeds


def _both_boards(boards: Boards) -> str:
    return f"Deze verklaring is voor {boards.source.code} en voor {boards.target.code}."


def _dutch(number: int) -> str:
    return f"{number:,}".replace(",", ".")


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
    written = writes_in(boards.merger)
    assert written == pytest.approx(foretold, rel=_FORECAST)
    assert written != pytest.approx(3 * len(boards.arrived()), rel=_FORECAST)  # it is no matter of three a person


def _refuse_some(boards: Boards) -> None:
    """One in ten of the calls that write, whatever they write, and some of all the others."""
    for customer in (boards.source, boards.target):
        for route in (*_WRITES, None):
            share = _REFUSED if route else _REFUSED_READS
            boards.town.control.add_fault(
                "throttle", tenant=customer.tenant, route=route, probability=share, retryAfter=1
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
    told = {one["check"] for one in boards.steer("check", "--wave", "1")["findings"]}
    assert told <= {"domains_in_source", "no_mailbox_in_source"}  # which are in nobody's way


def _bring(boards: Boards, wave: int, late: int = 0, short: int = 0, dice: Random | None = None) -> None:
    _prepare(boards, wave, short, dice)
    if short:
        _seat(boards, wave)
    going = boards.at_gate(wave)
    arrived = boards.arrived_before(wave)  # the job ran for them as well: their source is released on that ground
    boards.gate_by_job([*going[late:], *arrived], synced=going[:late])  # who let the wave be prepared let this, too
    _misfortune(boards, Phase.ENABLE, wave, dice)
    if late:
        _come_late(boards, wave, going[:late])
    boards.await_wave(wave, WaveState.HOLDING)


def _prepare(boards: Boards, wave: int, short: int, dice: Random | None, deaths: int = 1) -> None:
    boards.start(wave)
    boards.await_plan(Phase.PREPARE, wave)
    if short:
        boards.lose_seats(short)
    boards.approve(Phase.PREPARE, wave)
    for nth in range(deaths):
        _misfortune(boards, Phase.PREPARE, wave, dice, nth)
    boards.await_wave(wave, WaveState.GATED)
    assert [one.reason for one in boards.failed(wave)] == [Reason.SEATS_INSUFFICIENT] * short


def _come_late(boards: Boards, wave: int, late: list[str]) -> None:
    """Whose mailbox takes longer than anybody expects is shown as late, until somebody has seen it arrive."""
    boards.await_enabled(wave, but=late)
    assert boards.sheet(wave)["gates_late"] == 0
    boards.town.pass_time(GATE_EXPECTED + timedelta(days=1))
    assert (boards.sheet(wave)["gates_open"], boards.sheet(wave)["gates_late"]) == (len(late), len(late))
    assert f"{len(late)} late: for more than 14 days" in boards.desk.read("migrations", "show", boards.migration_id)
    boards.gate(late)
    assert boards.sheet(wave)["gates_late"] == 0
    boards.approve(Phase.ENABLE, wave)  # the approval that covered both is a week old by then, and void


def _seat(boards: Boards, wave: int) -> None:
    """Who found no seat failed; once seats are there, they alone are tried again."""
    boards.find_seats()
    boards.steer("retry", "--wave", str(wave), "--reason", "the seats are back")
    boards.approve(Phase.PREPARE, wave)
    boards.await_states(wave, {PersonState.PREPARED, PersonState.ENABLED})


def _misfortune(boards: Boards, phase: Phase, wave: int, dice: Random | None, nth: int = 0) -> None:
    """Both workers die while the journal of the phase is partly written; the `nth` time further on."""
    if dice is None:
        return
    boards.await_written(phase, wave, dice.uniform(0.05, 0.25) + nth * 0.3)

    def half_done() -> None:
        assert 0 < boards.written(phase, wave) < 1, "nobody died in the midst of it"

    kill_both(boards.town.world, half_done)


def _close(boards: Boards, dice: Random | None) -> None:
    waves = (1, 2, 3)
    pass_hold_period(boards.merger)
    for wave in waves:
        boards.steer("release", "--wave", str(wave), "--reason", "nobody misses mail")
    for wave in waves:
        boards.approve(Phase.RELEASE, wave)
        _misfortune(boards, Phase.RELEASE, wave, dice if wave == _STRUCK else None)
    for wave in waves:
        boards.await_wave(wave, WaveState.DONE)
    boards.await_state(MigrationState.COMPLETED)


def _check_end(boards: Boards) -> None:
    assert boards.merger.states() == {PersonState.RELEASED, PersonState.LEFT_OUT}
    assert boards.town.holders(boards.source, A3) == set(boards.nobody_knows)
    assert boards.town.holders(boards.target, A3) == boards.arrived() | boards.licensed | set(boards.own)
    assert len(boards.arrived()) == len(boards.coming) - len(boards.nobody_knows)
    told = boards.statement()
    assert _both_boards(boards) in told
    assert f"{_dutch(len(boards.arrived()))} verhuisd, de oude licentie is weg" in told
    assert f"{_dutch(len(boards.nobody_knows))} niet meegenomen" in told
    assert f"{_dutch(len(boards.coming))} mensen in totaal" in told
    _check_promises(boards)
    assert len(boards.desk.deeds) <= _DEEDS, boards.desk.deeds


def _check_promises(boards: Boards) -> None:
    """Also by what was handed in at the desk: who was only synced then had no Exchange until they had moved."""
    check_merger(boards.merger)
    assert too_early(boards.merger, boards.shown) == []
