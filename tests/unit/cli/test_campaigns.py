"""Campaigns at the command line: what a person reads and a program gets, and that whatever is asked for arrives."""

import json
from pathlib import Path

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.planning.campaign_forecast import Writes
from provisioning.planning.campaign_readiness import Readiness, ReadinessFinding
from tests.unit.cli.fakes import Answer, CommandLine
from tests.unit.services.campaign_scene import CAMPAIGN, a_campaign, a_customer, a_member, people
from tests.unit.services.fakes_access import APPROVER, NOW, OPERATOR, World

C, M, O = CampaignState, MemberState, OperationState  # noqa: E741  # as in the tables of the domain
LONG = "A campaign [with a name] that goes on and on, as the names of sector contracts do " * 2
FILE = {
    "name": "Sector",
    "asked_by": "letter 7",
    "why": "it ends",
    "products": [{"from": "STANDARDWOFFPACK_FACULTY", "to": "M365EDU_A3_FACULTY"}],
    "begins_at": "2026-08-03 08:00",
}


@pytest.fixture
def crowded(world: World) -> World:
    """Everything that screens can show, with the longest values of their kind."""
    made = a_campaign(world, C.STOPPED, reason=Reason.CAMPAIGN_STOPPED)
    definition = msgspec.structs.replace(made.definition, name=LONG, why=LONG, asked_by=LONG)
    made = msgspec.structs.replace(made, definition=definition, told=LONG)
    world.campaigns[CAMPAIGN] = made
    for number, state in enumerate(M, start=1):
        operation = None if state in {M.WAITING, M.EXCLUDED} else O.PARTIALLY_COMPLETED
        one = a_member(
            world, made, number, state, operation, told=LONG if state is M.EXCLUDED else "", people=1_500_000, failed=9
        )
        found = tuple(ReadinessFinding(reason=reason, people=9, details=(LONG,)) for reason in Reason)
        look = Readiness(
            checked_at=NOW,
            findings=found,
            people=1_500_000,
            writes=Writes(clashing=1_500_000),
            losses=frozenset({LONG}),
        )
        world.looks[CAMPAIGN, one.key] = look
        if operation:
            people(world, one, SubjectState.REFUSED, 3, Reason.DUPLICATE_ORDER_SUSPECTED)
    return world


class TestEveryScreen:
    SCREENS = (
        ("list",),
        ("show", "5f0c"),
        ("show", "5f0c", "--readiness"),
        ("show", "5f0c", "--unready"),
        ("show", "5f0c", "--members"),
    )

    @pytest.mark.parametrize("language", ["nl", "en"])
    @pytest.mark.parametrize("words", SCREENS, ids=" ".join)
    def test_fits_eighty_columns_whatever_is_on_it(
        self,
        crowded: World,
        provisioning: CommandLine,
        words: tuple[str, ...],
        language: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("PROVISIONING_LANGUAGE", language)
        answer = provisioning("campaigns", *words)
        assert (answer.code, answer.fits) == (0, True), answer.out

    @pytest.mark.parametrize("words", [*SCREENS, ("report", "5f0c")], ids=" ".join)
    def test_is_json_for_programs(self, crowded: World, provisioning: CommandLine, words: tuple[str, ...]) -> None:
        assert provisioning("campaigns", *words, "--json").json

    @pytest.mark.parametrize("words", [("show", "9999"), ("report", "9999"), ("show", "5f")])
    def test_what_is_not_there_is_a_sentence(
        self, crowded: World, provisioning: CommandLine, words: tuple[str, ...]
    ) -> None:
        answer = provisioning("campaigns", *words)
        assert (answer.code, answer.out) == (2, "")


class TestTheWay:
    def test_from_the_file_to_the_report(self, world: World, provisioning: CommandLine, tmp_path: Path) -> None:
        for number in (1, 2):
            a_customer(world, number)
        file = tmp_path / "sector.json"
        file.write_text(json.dumps(FILE), "utf-8")
        provisioning.services.mappings = load_mappings()

        def operator(*words: str) -> Answer:
            return provisioning.as_person(OPERATOR)(*words)

        def approver(*words: str) -> Answer:
            return provisioning.as_person(APPROVER)(*words)

        made = operator("campaigns", "create", str(file), "--json").json
        named, digest = made["campaign"]["campaign_id"], made["campaign"]["digest"]
        assert (made["tenants"], made["people"]) == (2, 80)
        assert operator("campaigns", "check", named).code == 0
        assert "2 ready, 0 not" in provisioning("campaigns", "show", named).out
        assert approver("campaigns", "approve", named, "--digest", digest[:8]).code == 0
        assert operator("campaigns", "start", named).code == 0
        tenant = ("--tenant", "school1.example", "--reason")
        assert operator("campaigns", "exclude", named, *tenant, "merges").out.startswith("1 excluded in Sector")
        assert operator("campaigns", "include", named, *tenant, "stays").code == 0
        assert operator("campaigns", "pause", named, "--reason", "helpdesk").code == 0
        assert operator("campaigns", "resume", named, "--reason", "helpdesk").code == 0
        assert operator("campaigns", "abort", named, "--reason", "over").code == 0
        table, page = tmp_path / "t.csv", tmp_path / "r.html"
        assert operator("campaigns", "report", named, "--csv", str(table), "--html", str(page)).code == 0
        assert table.read_text("utf-8").count("school") == 2
        assert page.read_text("utf-8").startswith("<!doctype html>")
        assert world.campaigns[named].state is C.CALLED_OFF

    def test_is_not_gone_by_one_person_alone(self, world: World, provisioning: CommandLine) -> None:
        a_campaign(world, C.NEW)
        answer = provisioning.as_person(OPERATOR)("campaigns", "approve", "5f0c", "--digest", "d" * 8)
        assert answer.code != 0
        assert world.campaigns[CAMPAIGN].state is C.NEW

    def test_reports_are_written_over_nothing(self, crowded: World, provisioning: CommandLine, tmp_path: Path) -> None:
        there = tmp_path / "there.csv"
        there.write_text("mine", "utf-8")
        assert provisioning("campaigns", "report", "5f0c", "--csv", str(there)).code == 2
        assert there.read_text("utf-8") == "mine"


class TestRetry:
    def test_says_how_many(self, world: World, provisioning: CommandLine) -> None:
        a_member(world, a_campaign(world), 1, M.FAILED, O.FAILED)
        provisioning.as_person(OPERATOR)
        answer = provisioning("campaigns", "retry", "5f0c", "--reason", "seats arrived")
        assert "1 tried again" in answer.out


class TestFollowing:
    def test_ends_when_it_is_over(self, world: World, provisioning: CommandLine) -> None:
        a_member(world, a_campaign(world, C.COMPLETED), 1, M.COMPLETED, O.COMPLETED, right=100)
        out = provisioning("campaigns", "show", "5f0c", "--follow").out
        assert "wave 0: 100 of 100 people" in out


class TestChecking:
    def test_ends_with_one_when_somebody_is_not_ready(
        self, world: World, provisioning: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_member(world, a_campaign(world, C.NEW), 1)
        unready = Readiness(checked_at=NOW, findings=(ReadinessFinding(reason=Reason.CONSENT_MISSING),))
        monkeypatch.setattr("tests.unit.cli.fakes.all_ready", lambda members: {one.key: unready for one in members})
        answer = provisioning.as_person(OPERATOR)("campaigns", "check", "5f0c")
        assert (answer.code, answer.out[:30]) == (1, "1 tenants looked at; 1 not rea")


class TestBoards:
    def test_are_written_to_in_dutch_whatever_the_operator_reads(
        self, world: World, provisioning: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PROVISIONING_LANGUAGE", "en")
        a_member(world, a_campaign(world), 1)
        out = provisioning("campaigns", "report", "5f0c", "--board", "41001").out
        assert "school1.example: vanaf 03-08-2026" in out

    def test_that_have_no_part_in_it_are_told_so(self, world: World, provisioning: CommandLine) -> None:
        a_campaign(world)
        answer = provisioning("campaigns", "report", "5f0c", "--board", "49999")
        assert (answer.code, answer.out) == (2, "")
        assert "no board of this campaign" in answer.told
