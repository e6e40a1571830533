"""What a board is told: its own tenants and nobody else's, before and after, in its language."""

import pytest

from provisioning.domain.campaign import MemberState
from provisioning.domain.ids import OrganisationId
from provisioning.domain.reasons import Reason
from provisioning.planning.campaign_letter import to_letter
from provisioning.words.catalogue import Language
from tests.factories.campaigns import member
from tests.unit.planning.test_campaign_report import CAMPAIGN, DONE, PARTLY, REASONS, report, tongue

BOARD, OTHER = OrganisationId("41234"), OrganisationId("49999")
M = MemberState


class TestLetter:
    def test_says_before_when_and_what_changes(self) -> None:
        letter = to_letter(report(member(CAMPAIGN, "t1", people=1_200)), BOARD, tongue())
        assert letter.startswith("The sector contract changes.\n\n")
        assert "one.example: from 03-08-2026 10:00, about 1,200 people who have A1 get A3 in its place." in letter

    def test_says_after_how_it_went_and_why_some_are_left(self) -> None:
        letter = to_letter(report(DONE, PARTLY, reasons=REASONS), BOARD, tongue())
        assert "one.example: 100 of 100 people have A3 in place of A1." in letter
        assert f"  4 people: {tongue().why(Reason.SEATS_INSUFFICIENT)}" in letter

    def test_says_why_a_tenant_stays_as_it_is(self) -> None:
        out = member(CAMPAIGN, "t1", state=M.EXCLUDED, told="merges")
        assert "A1 stays as it is: merges" in to_letter(report(out), BOARD, tongue())

    def test_has_nothing_of_another_board(self) -> None:
        theirs = member(CAMPAIGN, "t2", board_id=OTHER, state=M.COMPLETED)
        assert "t2" not in to_letter(report(DONE, theirs), BOARD, tongue())

    def test_is_empty_for_who_has_no_part_in_it(self) -> None:
        assert to_letter(report(DONE), OTHER, tongue()) == ""

    @pytest.mark.parametrize("language", Language)
    def test_fills_every_place_in_both_languages(self, language: Language) -> None:
        some = [DONE, PARTLY, member(CAMPAIGN, "t3"), member(CAMPAIGN, "t4", state=M.EXCLUDED, told="x")]
        letter = to_letter(report(*some, reasons=REASONS), BOARD, tongue(language))
        assert "{" not in letter
        assert len(letter.splitlines()) == 2 + 4 + 2
