"""Who may ask what for whom, on both sides of every line (R19, S33)."""

from datetime import timedelta
from typing import Any

import pytest

from provisioning.domain.reasons import Reason
from provisioning.domain.records import Declaration, Mandate
from provisioning.domain.ticket import Ticket, TicketKind
from provisioning.planning.authority import Finding, Ground, judge_authority, scope_words
from tests.factories import TODAY
from tests.factories.tickets import BOARD, CONTACT, SCHOOL, SISTER, declaration, mandate, ticket

A_DAY = timedelta(days=1)
OTHER_BOARD = "42000"


def judged(
    mandates: list[Mandate],
    declarations: list[Declaration] | None = None,
    concerned: tuple[Any, ...] = (BOARD, SCHOOL),
    asked: Ticket | None = None,
) -> Finding:
    return judge_authority(asked or ticket(), concerned, mandates, declarations or [], TODAY)


class TestAnOrganisationItself:
    def test_speaks_through_whom_it_gave_a_mandate(self) -> None:
        given = mandate(SCHOOL)
        finding = judged([given], concerned=(SCHOOL,))
        assert finding == Finding(grounds=(Ground("mandate", given.record_id),))

    @pytest.mark.parametrize(
        ("fields", "may"),
        [
            pytest.param({}, True, id="plain"),
            pytest.param({"valid_from": TODAY}, True, id="begins today"),
            pytest.param({"valid_from": TODAY + A_DAY}, False, id="begins tomorrow"),
            pytest.param({"valid_until": TODAY}, True, id="ends today"),
            pytest.param({"valid_until": TODAY - A_DAY}, False, id="ended yesterday"),
            pytest.param({"actor": "contact-18"}, False, id="of somebody else"),
        ],
    )
    def test_on_the_days_of_the_mandate(self, fields: dict[str, Any], *, may: bool) -> None:
        assert (judged([mandate(SCHOOL, **fields)], concerned=(SCHOOL,)).reason is None) is may

    @pytest.mark.parametrize(
        ("scope", "may"),
        [
            ("signatory", True),
            ("tickets", True),
            ("remap_holder", True),
            ("change_sku, remap_holder", True),
            ("change_sku rebind", False),
            ("orders", False),
            ("ticket:desk/T", True),
            ("ticket:desk/another", False),
            ("ticket:other/T", False),
            ("", False),
        ],
    )
    def test_for_what_the_mandate_says(self, scope: str, *, may: bool) -> None:
        finding = judged([mandate(SCHOOL, scope)], concerned=(SCHOOL,), asked=ticket(reference="T"))
        assert (finding.reason is None) is may

    def test_whoever_has_none_is_not_authorised(self) -> None:
        finding = judged([], concerned=(SCHOOL,))
        assert finding == Finding(reason=Reason.ACTOR_NOT_AUTHORISED, unspoken_for=(SCHOOL,))

    def test_nobody_is_nobody(self) -> None:
        """A mandate without an actor is not that of a ticket without a requester."""
        asked = ticket(requester=None)
        assert judged([mandate(SCHOOL, actor="")], concerned=(SCHOOL,), asked=asked).reason is not None


class TestABoard:
    def test_speaks_for_its_participants_while_its_declaration_is_in_force(self) -> None:
        given, declared = mandate(BOARD), declaration(SCHOOL)
        finding = judged([given], [declared])
        assert finding.grounds == (Ground("declaration", declared.record_id), Ground("mandate", given.record_id))

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            pytest.param({"signed_on": TODAY}, None, id="signed today"),
            pytest.param({"signed_on": TODAY + A_DAY}, Reason.BOARD_DECLARATION_MISSING, id="signed tomorrow"),
            pytest.param({"revoked_on": TODAY + A_DAY}, None, id="revoked tomorrow"),
            pytest.param({"revoked_on": TODAY}, Reason.BOARD_DECLARATION_MISSING, id="revoked today"),
        ],
    )
    def test_from_the_signature_to_the_day_before_it_is_revoked(
        self, fields: dict[str, Any], reason: Reason | None
    ) -> None:
        assert judged([mandate(BOARD)], [declaration(SCHOOL, **fields)]).reason is reason

    def test_not_for_a_school_that_takes_no_part(self) -> None:
        finding = judged([mandate(BOARD)], [declaration(SISTER)])
        assert (finding.reason, finding.unspoken_for) == (Reason.ORGANISATION_NOT_PARTICIPANT, (SCHOOL,))

    def test_not_by_the_declaration_of_another_board(self) -> None:
        finding = judged([mandate(BOARD)], [declaration(SCHOOL, board=OTHER_BOARD)])
        assert (finding.reason, finding.unspoken_for) == (Reason.BOARD_DECLARATION_MISSING, (SCHOOL,))

    def test_names_everybody_who_is_not_spoken_for_once(self) -> None:
        finding = judged([mandate(BOARD)], [declaration(SCHOOL)], (BOARD, SISTER, SCHOOL, SISTER))
        assert finding.unspoken_for == (SISTER,)

    def test_a_school_that_lets_the_same_person_act_is_spoken_for_without_it(self) -> None:
        assert judged([mandate(BOARD), mandate(SCHOOL)]).reason is None


class TestABoardsOwnToken:
    def test_speaks_for_its_board_and_participants(self) -> None:
        assert judged([mandate(BOARD)], [declaration(SCHOOL)], asked=ticket(board_id=BOARD)).reason is None

    def test_not_for_another_board_whatever_mandate_its_requester_has_there(self) -> None:
        asked = ticket(board_id=OTHER_BOARD)
        finding = judged([mandate(BOARD)], [declaration(SCHOOL)], asked=asked)
        assert (finding.reason, finding.unspoken_for) == (Reason.ACTOR_NOT_AUTHORISED, (BOARD, SCHOOL))

    def test_a_school_that_left_is_out_of_reach(self) -> None:
        left = declaration(SCHOOL, revoked_on=TODAY)
        finding = judged([mandate(BOARD), mandate(SCHOOL)], [left], asked=ticket(board_id=BOARD))
        assert finding.unspoken_for == (SCHOOL,)


def test_help_lists_every_kind_as_a_scope() -> None:
    assert set(TicketKind) < set(scope_words())
    assert all(word.startswith(("signatory", "ticket")) or word in set(TicketKind) for word in scope_words())
    assert CONTACT not in scope_words()
