"""Where a ticket goes next, whatever its work came to."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import APPROVED_ELSEWHERE, TICKET_TRANSITIONS, TicketKind, TicketState
from provisioning.planning.ticket_turn import Progress, Standing, Turn, looked_at_after, next_turn, progress_of
from tests.factories import guid, tickets
from tests.factories import operations as make

_O, _P, _T = OperationState, Progress, TicketState


def operations(*states: OperationState) -> list[Operation]:
    stuck = {"reason": Reason.POISON}
    return [make.operation(guid(), state=one, **(stuck if one in {_O.HELD, _O.FAILED} else {})) for one in states]


class TestProgress:
    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            ([_O.NEW], _P.DRAWING),
            ([_O.AWAITING_CONSENT], _P.DRAWING),
            ([_O.AWAITING_APPROVAL], _P.DRAWN),
            ([_O.AWAITING_APPROVAL, _O.PLANNING], _P.DRAWING),
            ([_O.AWAITING_APPROVAL, _O.COMPLETED], _P.DRAWN),
            ([_O.AWAITING_APPROVAL, _O.APPLYING], _P.DRAWN),
            ([_O.APPLYING, _O.COMPLETED], _P.RUNNING),
            ([_O.VERIFYING], _P.RUNNING),
            ([_O.COMPLETED, _O.PARTIALLY_COMPLETED, _O.CANCELLED], _P.ENDED),
            ([_O.COMPLETED, _O.HELD], _P.STUCK),
            ([_O.APPLYING, _O.FAILED], _P.STUCK),
            ([], _P.ENDED),
        ],
    )
    def test_the_least_advanced_counts(self, states: list[OperationState], expected: Progress) -> None:
        found = operations(*states)
        progress, reason = progress_of(found, {one.operation_id for one in found})
        assert progress is expected
        assert reason is (Reason.POISON if expected is _P.STUCK else None)

    def test_a_plan_that_cannot_be_decided_is_still_to_be_drawn(self) -> None:
        assert progress_of(operations(_O.AWAITING_APPROVAL), set()) == (_P.DRAWING, None)


def standing(progress: Progress, **fields: Any) -> Standing:
    reason = {"reason": Reason.POISON} if progress is _P.STUCK else {}
    digest = {"digest": "shown"} if progress is _P.DRAWN else {}
    return Standing(progress=progress, **reason | digest | fields)


def turn(state: TicketState, found: Standing, **fields: Any) -> Turn | None:
    return next_turn(tickets.ticket(state=state, **fields), found)


APPROVED = {"approved_by": "person:ap", "approved_at": tickets.NOW}
NOTHING = Turn(_T.REJECTED, Reason.NOTHING_TO_CHANGE)


class TestTurn:
    @pytest.mark.parametrize(
        ("state", "progress", "expected"),
        [
            (_T.ASSESSING, _P.DRAWING, None),
            (_T.ASSESSING, _P.DRAWN, Turn(_T.AWAITING_APPROVAL)),
            (_T.ASSESSING, _P.STUCK, Turn(_T.HELD, Reason.POISON)),
            (_T.ASSESSING, _P.ENDED, NOTHING),
            (_T.AWAITING_APPROVAL, _P.DRAWN, None),
            (_T.AWAITING_APPROVAL, _P.DRAWING, Turn(_T.ASSESSING)),
            (_T.AWAITING_APPROVAL, _P.ENDED, Turn(_T.ASSESSING)),
            (_T.AWAITING_APPROVAL, _P.STUCK, Turn(_T.HELD, Reason.POISON)),
            (_T.HELD, _P.DRAWING, Turn(_T.ASSESSING)),
            (_T.HELD, _P.RUNNING, Turn(_T.ASSESSING)),
            (_T.HELD, _P.ENDED, NOTHING),
            (_T.RECEIVED, _P.DRAWN, None),
            (_T.INCOMPLETE, _P.DRAWN, None),
            (_T.AWAITING_AUTHORITY, _P.ENDED, None),
            (_T.COMPLETED, _P.ENDED, None),
        ],
    )
    def test_before_anybody_approved(self, state: TicketState, progress: Progress, expected: Turn | None) -> None:
        assert turn(state, standing(progress), digest="shown") == expected

    @pytest.mark.parametrize(
        ("state", "found", "expected"),
        [
            (_T.RUNNING, standing(_P.RUNNING), None),
            (_T.RUNNING, standing(_P.DRAWING), None),
            (_T.RUNNING, standing(_P.DRAWN), Turn(_T.ASSESSING)),
            (_T.RUNNING, standing(_P.STUCK), Turn(_T.HELD, Reason.POISON)),
            (_T.RUNNING, standing(_P.ENDED), Turn(_T.COMPLETED)),
            (_T.RUNNING, standing(_P.ENDED, is_whole=False), Turn(_T.PARTIALLY_COMPLETED)),
            (_T.ASSESSING, standing(_P.ENDED, is_whole=False), Turn(_T.PARTIALLY_COMPLETED)),
            (_T.HELD, standing(_P.RUNNING), Turn(_T.RUNNING)),
            (_T.HELD, standing(_P.DRAWN), Turn(_T.ASSESSING)),
            (_T.HELD, standing(_P.ENDED), Turn(_T.COMPLETED)),
            (_T.HELD, standing(_P.AT_MICROSOFT), Turn(_T.AWAITING_MICROSOFT)),
            (_T.AWAITING_MICROSOFT, standing(_P.AT_MICROSOFT), None),
            (_T.AWAITING_MICROSOFT, standing(_P.STUCK), Turn(_T.HELD, Reason.POISON)),
            (_T.AWAITING_MICROSOFT, standing(_P.RUNNING), Turn(_T.RUNNING)),
            (_T.AWAITING_MICROSOFT, standing(_P.ENDED), Turn(_T.RUNNING)),
        ],
    )
    def test_once_somebody_has(self, state: TicketState, found: Standing, expected: Turn | None) -> None:
        assert turn(state, found, digest="shown", **APPROVED) == expected

    def test_what_was_shown_must_be_what_is_there(self) -> None:
        other = standing(_P.DRAWN, digest="other")
        assert turn(_T.AWAITING_APPROVAL, other, digest="shown") == Turn(_T.ASSESSING)

    def test_what_has_to_be_done_while_microsoft_has_it_is_said(self) -> None:
        asked = Standing(progress=_P.AT_MICROSOFT, reason=Reason.MICROSOFT_TO_BE_ASKED)
        waiting = Turn(_T.AWAITING_MICROSOFT, Reason.MICROSOFT_TO_BE_ASKED)
        assert turn(_T.AWAITING_MICROSOFT, asked) == waiting
        assert turn(_T.AWAITING_MICROSOFT, asked, reason=Reason.MICROSOFT_TO_BE_ASKED) is None

    def test_a_held_ticket_whose_reason_stays_does_not_move(self) -> None:
        assert turn(_T.HELD, standing(_P.STUCK), reason=Reason.POISON) is None
        assert turn(_T.HELD, standing(_P.STUCK), reason=Reason.STOPPED) == Turn(_T.HELD, Reason.POISON)

    @pytest.mark.parametrize("progress", [_P.RUNNING, _P.ENDED])
    def test_a_migration_is_approved_by_itself(self, progress: Progress) -> None:
        given = {"school": "00XX00", "to_board": "42000"}
        found = turn(_T.HELD, standing(progress), kind=TicketKind.MOVE_SCHOOL, given=given)
        assert found == Turn(_T.RUNNING if progress is _P.RUNNING else _T.COMPLETED)

    @pytest.mark.parametrize("progress", Progress)
    @pytest.mark.parametrize("state", TicketState)
    def test_never_leads_where_the_table_does_not(self, state: TicketState, progress: Progress) -> None:
        for kind, approved in product(TicketKind, ({}, APPROVED)):
            if state is _T.RUNNING and not approved and kind not in APPROVED_ELSEWHERE:
                continue  # the database refuses such a ticket
            found = turn(state, standing(progress), kind=kind, **approved)
            assert found is None or found.state is state or found.state in TICKET_TRANSITIONS[state]


def test_who_waits_for_people_is_looked_at_less_often() -> None:
    poll = timedelta(seconds=5)
    assert looked_at_after(_T.RUNNING, poll) == poll
    assert looked_at_after(_T.HELD, poll) == timedelta(minutes=1)
    assert looked_at_after(_T.AWAITING_AUTHORITY, poll) == timedelta(hours=1)
