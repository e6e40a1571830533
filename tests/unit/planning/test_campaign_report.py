"""The report of a campaign as table, page and text, in both languages: complete, escaped, and with nobody named."""

import csv
from collections import Counter
from io import StringIO
from typing import Any

import pytest

from provisioning.cli.wording import Wording
from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.ids import OrganisationId, TenantId
from provisioning.domain.reasons import Reason
from provisioning.planning.campaign_report import CampaignReport, Names, Tongue, draw_report, to_csv, to_html, to_text
from provisioning.words.catalogue import Language, Words
from tests.factories import NOW
from tests.factories.campaigns import FROM, TO, campaign, definition, member

M = MemberState
CAMPAIGN = campaign(CampaignState.COMPLETED)


def tongue(language: Language = Language.ENGLISH) -> Tongue:
    return Wording(Words(language)).tongue_of_campaigns


def report(*members: Any, of: Any = CAMPAIGN, reasons: Any = None) -> CampaignReport:
    names = Names({TenantId("t1"): "one.example"}, {OrganisationId("41234"): "Board"}, {FROM: "A1", TO: "A3"})
    return draw_report(of, members, reasons or {}, names, NOW)


DONE = member(CAMPAIGN, "t1", state=M.COMPLETED, right=100)
PARTLY = member(CAMPAIGN, "t2", state=M.PARTIALLY_COMPLETED, right=90, left=4, failed=6, wave=1)
OUT = member(CAMPAIGN, "t3", state=M.EXCLUDED, told="merges", wave=1)
REASONS = {PARTLY.key: Counter({Reason.SEATS_INSUFFICIENT: 4, Reason.DEPENDENCY: 6})}


class TestReport:
    def test_adds_up_the_waves_without_who_is_excluded(self) -> None:
        waves = report(DONE, PARTLY, OUT).waves
        assert [(one.wave, one.tenants, one.people, one.right, one.left, one.failed) for one in waves] == [
            (0, 1, 100, 100, 0, 0),
            (1, 1, 100, 90, 4, 6),
        ]

    def test_leaves_over_whoever_is_not_wholly_served_most_people_first(self) -> None:
        failed = member(CAMPAIGN, "t4", state=M.FAILED)
        assert [one.tenant_id for one in report(DONE, PARTLY, failed, OUT).leftovers] == ["t3", "t4", "t2"]

    def test_calls_what_is_known_by_its_name_and_the_rest_by_its_id(self) -> None:
        first, second = report(DONE, PARTLY).members
        assert (first.domain, first.holder, first.product, first.new_product) == ("one.example", "Board", "A1", "A3")
        assert second.domain == "t2"


class TestTable:
    def test_has_a_line_for_each_with_sentences_for_reasons(self) -> None:
        rows = list(csv.DictReader(StringIO(to_csv(report(DONE, PARTLY, OUT, reasons=REASONS), tongue()))))
        assert [row["tenant_id"] for row in rows] == ["t1", "t2", "t3"]
        assert (rows[1]["right"], rows[1]["failed"], rows[1]["state"]) == ("90", "6", "partially_completed")
        assert rows[1]["explanation"].startswith("6: ")
        assert rows[2]["explanation"] == "merges"

    def test_keeps_formulas_from_spreadsheets(self) -> None:
        out = member(CAMPAIGN, state=M.EXCLUDED, told="=1+1")
        assert "'=1+1" in to_csv(report(out), tongue())


class TestPage:
    @pytest.mark.parametrize("language", Language)
    def test_says_everything_in_its_language(self, language: Language) -> None:
        said = tongue(language)
        page = to_html(report(DONE, PARTLY, reasons=REASONS), said)
        assert f'lang="{language}"' in page
        assert said.why(Reason.SEATS_INSUFFICIENT).replace("'", "&#x27;") in page
        assert all(title in page for title in (*said.words.columns, *said.words.figures))

    def test_escapes_what_others_wrote_and_loads_nothing(self) -> None:
        nasty = campaign(CampaignState.COMPLETED, definition=definition(name="<script>x</script>", why="<b>"))
        page = to_html(report(DONE, of=nasty), tongue())
        assert "<script>" not in page
        assert "<b>" not in page
        assert "default-src 'none'" in page

    def test_says_when_nobody_is_left(self) -> None:
        assert tongue().words.nobody_left in to_html(report(DONE), tongue())


class TestText:
    def test_has_waves_and_leftovers(self) -> None:
        text = to_text(report(DONE, PARTLY, reasons=REASONS), tongue())
        assert "canaries · 1 tenants · 100 people · 100 served" in text
        assert "90 / 100" in text
        assert "one.example" not in text
