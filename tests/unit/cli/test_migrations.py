"""Migrations at the command line: what a person reads and a program gets, and that whatever is asked for arrives."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from mappings.loader import OURS, load_mappings
from provisioning.cli import watching
from provisioning.cli.output import Speech
from provisioning.cli.wording import Wording
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Situation, Window
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.services.migration_sheet import MigrationSheet
from tests.factories import tenancy
from tests.unit.cli.fakes import CommandLine
from tests.unit.services.fakes_access import NOW, OPERATOR, TENANT, World
from tests.unit.services.migration_scene import A3, MIGRATION, OLD_BOARD, OPEN, PREPARE, a_merger, a_traveller, worked
from tests.unit.services.test_approve_plan import DIGEST, a_plan

P = PersonState
LONG = "A merger of many boards [with a name] that goes on and on, as names of boards do " * 2


@pytest.fixture
def merger(world: World) -> World:
    a_merger(world)
    return world


@pytest.fixture
def crowded(world: World) -> World:
    """Everything that a sheet can show, with the longest values of its kind."""
    migration = a_merger(world, state=MigrationState.PAUSED, reason=Reason.THRESHOLD_REACHED, matched_at=NOW)
    definition = msgspec.structs.replace(
        migration.definition,
        name=LONG,
        asked_by=LONG,
        products=migration.definition.products * 7,
        window=Window(region="noord", from_hour=18, until_hour=7),
    )
    world.migrations[MIGRATION] = msgspec.structs.replace(migration, definition=definition)
    for number, state in enumerate(PersonState):
        a_traveller(world, f"{'x' * 36}{number}", state=state, wave=2, reason=Reason.USAGE_LOCATION_PROHIBITED)
    for key, wave in world.waves.items():
        world.waves[key] = msgspec.structs.replace(wave, go_reason=LONG, reason=Reason.OUTSIDE_WINDOW)
    worked(world, OPEN, Phase.UNDO_SOURCE, ["guus"], state=OperationState.HELD, reason=Reason.DUPLICATE_ORDER_SUSPECTED)
    worked(world, "eeee0001", Phase.PREPARE, ["guus"], state=OperationState.AWAITING_APPROVAL)  # type: ignore[arg-type]
    a_plan(world, operation_id="eeee0001")
    worked(world, "ffff0001", Phase.PREPARE, ["guus"], state=OperationState.APPLYING)  # type: ignore[arg-type]
    world.writes["ffff0001"] = 1_234_567  # type: ignore[index]
    return world


def test_who_alone_approves_it_stands_on_its_sheet(provisioning: CommandLine, merger: World) -> None:
    assert "Approved by" not in provisioning("migrations", "show", MIGRATION[:8]).out
    of = merger.migrations[MIGRATION]
    named = msgspec.structs.replace(of.definition, approvers=("person:finance", "person:oost"))
    merger.migrations[MIGRATION] = msgspec.structs.replace(of, definition=named)
    told = " ".join(provisioning("migrations", "show", MIGRATION[:8]).out.split())
    assert "Approved by person:finance or person:oost, alone" in told


class TestWhatIsLeftToDo:
    def test_stands_on_the_sheet_of_a_completed_one_each_with_its_command(
        self, provisioning: CommandLine, world: World
    ) -> None:
        a_merger(world, state=MigrationState.COMPLETED)
        world.bindings.append(tenancy.binding(OLD_BOARD, TENANT, valid_from=NOW.date()))
        answer = provisioning("migrations", "show", MIGRATION[:8])
        told = " ".join(answer.out.split())
        assert "Left to do - Stichting Noord" in told
        assert "provisioning tickets submit (kind: rebind, organisation: 41111, tenant: zuid.onmicrosoft.com)" in told
        assert answer.fits
        [left] = provisioning("migrations", "show", MIGRATION[:8], "--json").json["left_to_do"]
        assert (left["matter"], left["organisation_id"]) == ("binding", OLD_BOARD)

    def test_is_not_there_while_it_runs(self, provisioning: CommandLine, merger: World) -> None:
        merger.bindings.append(tenancy.binding(OLD_BOARD, TENANT, valid_from=NOW.date()))
        assert "Left to do" not in provisioning("migrations", "show", MIGRATION[:8]).out


class TestEveryScreen:
    SCREENS = (
        ("list",),
        ("show", "5f0c"),
        ("show", "5f0c", "--people"),
        ("match", "5f0c"),
        ("report", "5f0c"),
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
        answer = provisioning.as_person(OPERATOR)("migrations", *words)
        assert (answer.code, answer.fits) == (0, True), answer.out

    @pytest.mark.parametrize("words", SCREENS, ids=" ".join)
    def test_is_json_for_programs(self, crowded: World, provisioning: CommandLine, words: tuple[str, ...]) -> None:
        assert provisioning.as_person(OPERATOR)("migrations", *words, "--json").json

    @pytest.mark.parametrize("words", [("show", "9999"), ("report", "9999"), ("watch", "9999"), ("show", "5f")])
    def test_what_is_not_there_is_a_sentence(
        self, merger: World, provisioning: CommandLine, words: tuple[str, ...]
    ) -> None:
        answer = provisioning("migrations", *words)
        assert (answer.code, answer.out) == (2, "")
        assert words[1] in answer.err


class TestList:
    def test_of_some_states(self, merger: World, provisioning: CommandLine) -> None:
        assert "Fusie Noord" in provisioning("migrations", "list", "--state", "running").out
        assert provisioning("migrations", "list", "--state", "paused").out == "There is no such migration.\n"


class TestShow:
    def test_says_what_waits_and_what_to_type(self, merger: World, provisioning: CommandLine) -> None:
        worked(merger, OPEN, Phase.PREPARE, ["guus"], state=OperationState.AWAITING_APPROVAL)
        a_plan(merger, operation_id=OPEN)
        out = " ".join(provisioning("migrations", "show", "5f0c").out.split())
        assert "UNEXPLAINED: nothing starts" in out
        assert "1 without evidence, the oldest for 36 days" in out
        assert "Release from 2026-07-30 09:00 UTC, of the last from 2026-08-29 09:00 UTC" in out
        assert "Failed 1, release the source: Somebody changed the person" in out
        assert f"To approve: provisioning plans approve dddd0001 {DIGEST[:8]}" in out

    def test_says_which_rows_of_the_map_lead_nowhere(self, merger: World, provisioning: CommandLine) -> None:
        whole = merger.migrations[MIGRATION]
        identity = (*((f"line {line}", "far") for line in range(2, 14)), ("anne", "line 20"))
        asked = msgspec.structs.replace(whole.definition, identity=identity)
        merger.migrations[MIGRATION] = msgspec.structs.replace(whole, definition=asked)
        answer = provisioning("migrations", "show", "5f0c")
        assert answer.fits
        assert (
            "Map in the source nobody is found for line 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more; "
            "in the target nobody is found for line 20. Matching again looks for them"
        ) in " ".join(answer.out.split())

    def test_says_whose_mailbox_has_moved_and_until_when_it_is_kept(
        self, merger: World, provisioning: CommandLine
    ) -> None:
        out = " ".join(provisioning("migrations", "show", "5f0c").out.split())
        kept = f"Microsoft keeps it until {NOW - timedelta(days=5):%Y-%m-%d}"  # told thirty-five days ago
        assert f"Exchange still off for 1 who moved, the oldest for 35 days; {kept}" in out

    def test_of_people_in_one_situation(self, merger: World, provisioning: CommandLine) -> None:
        everybody = provisioning("migrations", "show", "5f0c", "--people", "--json").json
        asked = everybody[0]["situation"]
        chosen = provisioning("migrations", "show", "5f0c", "--situation", asked, "--json").json
        assert chosen == [one for one in everybody if one["situation"] == asked]

    def test_says_when_writes_are_done(self, merger: World, provisioning: CommandLine) -> None:
        worked(merger, OPEN, Phase.PREPARE, ["guus"], state=OperationState.APPLYING)
        merger.writes[OPEN] = 1_176
        out = " ".join(provisioning("migrations", "show", "5f0c").out.split())
        assert "1,176 writes left at 19.6 a second, done about 2026-08-03 09:01 UTC" in out

    def test_says_what_is_ahead_of_all_waves_and_a_check_of_one(self, merger: World, provisioning: CommandLine) -> None:
        answer = provisioning("migrations", "show", "5f0c")
        out = " ".join(answer.out.split())
        assert answer.fits
        assert "Wave Phase People Writes Calls Minutes Left now Done about" in out
        assert "24 writes were foretold; 13 are left, done about" in out
        checked = " ".join(provisioning("migrations", "check", "5f0c", "--wave", "1").out.split())
        assert "In all 12 writes were foretold; 3 are left" in checked
        assert "Noted" not in checked

    def test_a_check_by_who_steers_the_migration_is_noted(self, merger: World, provisioning: CommandLine) -> None:
        words = ("migrations", "check", "5f0c", "--wave", "2")
        assert "Noted: what the wave still has to give" in provisioning.as_person(OPERATOR)(*words).out
        told = provisioning(*words, "--json").json
        assert (told["findings"], told["is_noted"]) == ([], True)
        assert [one["phase"] for one in told["forecast"]] == ["prepare", "enable", "release"]

    @pytest.mark.parametrize(
        ("waited", "told"),
        [(timedelta(0), "0 minutes"), (timedelta(minutes=90), "1 hours"), (timedelta(days=2, hours=1), "2 days")],
        ids=str,
    )
    def test_says_how_long_the_oldest_gate_waits(
        self, merger: World, provisioning: CommandLine, waited: timedelta, told: str
    ) -> None:
        worked(merger, PREPARE, Phase.PREPARE, ["emma"], ended=NOW - waited)
        out = " ".join(provisioning("migrations", "show", "5f0c").out.split())
        assert f"1 without evidence, the oldest for {told} " in out

    def test_people_of_a_wave_in_a_state(self, merger: World, provisioning: CommandLine) -> None:
        provisioning.as_person(OPERATOR)
        out = provisioning("migrations", "show", "5f0c", "--wave", "1", "--state", "failed").out
        assert out.splitlines()[1].split()[:4] == ["1", "p-daan", "daan", "daan2"]
        assert len(provisioning("migrations", "show", "5f0c", "--people", "--json").json) == 10
        assert (
            provisioning("migrations", "show", "5f0c", "--state", "rolled_back").out == "There is nobody like that.\n"
        )

    def test_without_a_token_people_are_pseudonyms(self, merger: World, provisioning: CommandLine) -> None:
        out = provisioning("migrations", "show", "5f0c", "--people", "--json").out
        assert "p-anne" in out
        assert '"anne"' not in out


class TestDecisions:
    @pytest.mark.parametrize(
        ("words", "decided", "told"),
        [
            (("start", "--wave", "1"), ("start", "5f0c", 1, ""), "Wave 1: preparing the target."),
            (("pause",), (MigrationState.PAUSED, "5f0c", "r"), "is paused."),
            (("resume",), (MigrationState.RUNNING, "5f0c", "r"), "is running."),
            (("abort",), (MigrationState.ABORTED, "5f0c", "r"), "is called off."),
            (("retry", "--wave", "2"), ("retry", "5f0c", 2, "r"), "Tried again: 7 of wave 2."),
            (("rollback", "--wave", "2"), ("rollback", "5f0c", 2, "r"), "Wave 2: being rolled back."),
            (
                ("rollback", "--wave", "2", "--failed-only"),
                ("rollback failed", "5f0c", 2, "r"),
                "Rolled back: 3 of wave 2.",
            ),
            (("release", "--wave", "1"), ("release", "5f0c", 1, "r"), "Wave 1: releasing the source."),
        ],
        ids=lambda x: x[0] if isinstance(x, tuple) else None,
    )
    def test_reach_their_service(
        self,
        merger: World,
        provisioning: CommandLine,
        words: tuple[str, ...],
        decided: tuple[object, ...],
        told: str,
    ) -> None:
        name, *more = words
        reason = [] if name == "start" else ["--reason", "r"]
        answer = provisioning.as_person(OPERATOR)("migrations", name, "5f0c", *more, *reason)
        assert (answer.code, answer.fits) == (0, True), answer.err
        assert told in " ".join(answer.out.split())
        assert provisioning.services.decided == [decided]
        assert provisioning("migrations", name, "5f0c", *more, *reason, "--json").json

    @pytest.mark.parametrize("name", ["pause", "resume", "abort"])
    def test_need_a_reason(self, merger: World, provisioning: CommandLine, name: str) -> None:
        answer = provisioning.as_person(OPERATOR)("migrations", name, "5f0c")
        assert (answer.code, provisioning.services.decided) == (2, [])
        assert "--reason" in answer.err

    @pytest.mark.parametrize("name", ["start", "retry", "rollback", "release"])
    def test_need_a_wave(self, merger: World, provisioning: CommandLine, name: str) -> None:
        answer = provisioning.as_person(OPERATOR)("migrations", name, "5f0c", "--reason", "r")
        assert (answer.code, provisioning.services.decided) == (2, [])

    def test_a_check_says_that_somebody_is_unexplained(self, merger: World, provisioning: CommandLine) -> None:
        """A start refuses that, whatever the tenants look like."""
        out = " ".join(provisioning("migrations", "check", "5f0c", "--wave", "2").out.split())
        assert "Nothing is in the way." in out
        assert "But no wave begins yet: " in out
        for one, traveller in merger.travellers.items():
            merger.travellers[one] = msgspec.structs.replace(traveller, situation=Situation.MATCHED)
        assert "But" not in provisioning("migrations", "check", "5f0c", "--wave", "2").out

    def test_what_is_in_the_way_of_a_wave_is_said(self, merger: World, provisioning: CommandLine) -> None:
        provisioning.services.in_the_way = "Wave 2 cannot start:\n- 15 seats are short in the target"
        answer = provisioning.as_person(OPERATOR)("migrations", "start", "5f0c", "--wave", "2", "--reason", "r")
        assert (answer.code, answer.out) == (2, "")
        assert "- 15 seats are short in the target" in answer.err.splitlines()

    def test_before_microsoft_is_asked_the_realm_is_checked(self, merger: World, provisioning: CommandLine) -> None:
        provisioning.as_person(OPERATOR)
        provisioning("migrations", "pause", "5f0c", "--reason", "r")
        assert provisioning.checked == 0
        provisioning("migrations", "start", "5f0c", "--wave", "1")
        provisioning("migrations", "match", "5f0c")
        assert provisioning.checked == 2

    def test_without_a_token_nothing_is_decided(self, merger: World, provisioning: CommandLine) -> None:
        answer = provisioning("migrations", "pause", "5f0c", "--reason", "r")
        assert (answer.code, provisioning.services.decided) == (1, [])
        assert "PROVISIONING_TOKEN" in answer.err


FILE = f"""
name: Fusie
asked_by: letter 2026-14
source: {{tenant: school.onmicrosoft.com, holder: "41111"}}
target: {{tenant: zuid.onmicrosoft.com, holder: "42222"}}
people: {{everyone: true}}
products: [{{from: {A3}}}]
waves: [{{name: pilot}}]
identity: {{rules: [employee_id]}}
"""


class TestCreate:
    def test_hands_the_file_over_and_shows_what_came_of_it(
        self, merger: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        provisioning.services.mappings = load_mappings(OURS)
        (tmp_path / "merger.yaml").write_text(FILE)
        answer = provisioning.as_person(OPERATOR)("migrations", "create", str(tmp_path / "merger.yaml"))
        assert (answer.code, answer.fits) == (0, True), answer.err
        assert provisioning.services.decided == [("create", "Fusie")]
        assert MIGRATION in answer.out
        assert "a@x → b@y" in answer.out
        assert provisioning.checked == 1

    def test_a_wrong_file_is_explained_and_creates_nothing(
        self, merger: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        (tmp_path / "merger.yaml").write_text("name: Fusie\n")
        answer = provisioning.as_person(OPERATOR)("migrations", "create", str(tmp_path / "merger.yaml"))
        assert (answer.code, provisioning.services.decided) == (2, [])
        assert "asked_by" in answer.err
        assert provisioning.as_person(OPERATOR)("migrations", "create", str(tmp_path / "none.yaml")).code == 2


class TestGate:
    def test_hands_over_who_has_moved_and_says_who_has_not(
        self, merger: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        report = tmp_path / "tool.csv"
        report.write_text("Mailbox;status;Done\na@school.nl;Completed;2026-09-01 10:00\nb@school.nl;Syncing;\n")
        provisioning.as_person(OPERATOR)
        words = (
            "gate",
            "5f0c",
            str(report),
            "--source",
            "tool_report",
            "--person-column",
            "Mailbox",
            "--completed-column",
            "Done",
        )
        answer = provisioning("migrations", *words)
        assert (answer.code, answer.fits) == (0, True), answer.err
        ((_, _, people, source, reference),) = provisioning.services.decided
        assert (people, source) == (("a@school.nl",), "tool_report")
        assert reference.startswith("tool.csv ")
        told = " ".join(answer.out.split())
        assert "Newly ready for Exchange: 1. Known before: 1." in told
        assert "b@school.nl (Syncing)" in told
        assert "nobody@school.nl" in told
        assert "Not moved yet, by the moment in the file: 1: a@school.nl." in told
        assert "Moved more than 30 days ago, by the file: 1: old@school.nl." in told
        assert "Called off before they had a licence, so Exchange does not come on: 1: early@school.nl." in told
        assert "paused" not in told
        assert provisioning("migrations", *words, "--json").json["unready"] == {"b@school.nl": "Syncing"}

    def test_says_that_exchange_waits_for_who_paused_it(self, world: World, provisioning: CommandLine) -> None:
        a_merger(world, state=MigrationState.PAUSED)
        words = ("gate", "5f0c", "--person", "a@school.nl", "--source", "list", "--reason", "seen")
        answer = provisioning.as_person(OPERATOR)("migrations", *words)
        assert answer.fits
        assert "The migration is paused: Exchange comes on once it is resumed." in " ".join(answer.out.split())

    def test_a_long_list_is_cut_short_for_people(
        self, merger: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        report = tmp_path / "tool.csv"
        rows = "".join(f"p{n}@school.nl;Failed\n" for n in range(30))
        report.write_text(f"person;status\na@school.nl;Completed\n{rows}")
        out = provisioning.as_person(OPERATOR)("migrations", "gate", "5f0c", str(report), "--source", "tool_report").out
        assert "and 20 more" in " ".join(out.split())

    def test_people_may_be_typed_with_the_ground_for_it(self, merger: World, provisioning: CommandLine) -> None:
        typed = ("--person", "a@school.nl", "--person", "b@school.nl", "--person", "a@school.nl")
        words = ("migrations", "gate", "5f0c", *typed, "--source", "list", "--reason", "seen in the mailbox")
        assert provisioning.as_person(OPERATOR)(*words).code == 0
        ((_, _, people, source, reference),) = provisioning.services.decided
        assert (people, source, reference) == (("a@school.nl", "b@school.nl"), "list", "typed: seen in the mailbox")

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            pytest.param(("--source", "list"), "one of the two", id="nobody"),
            pytest.param(("x.csv", "--person", "a", "--source", "list"), "one of the two", id="a file and people"),
            pytest.param(("--person", "a", "--reason", "seen"), "--source", id="no source"),
            pytest.param(("--person", "a", "--source", "list"), "needs a reason", id="no ground"),
            pytest.param(("--person", "a", "--source", "tool_report", "--reason", "r"), "is a file", id="no report"),
        ],
    )
    def test_what_is_missing_is_said(
        self, merger: World, provisioning: CommandLine, words: tuple[str, ...], told: str
    ) -> None:
        answer = provisioning.as_person(OPERATOR)("migrations", "gate", "5f0c", *words)
        assert (answer.code, provisioning.services.decided) == (2, [])
        assert told in answer.told

    def test_it_can_be_taken_back_and_for_whom_not_is_said(
        self, merger: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        wrong = tmp_path / "wrong.csv"
        wrong.write_text("person\na@school.nl\n")
        provisioning.as_person(OPERATOR)
        words = ("migrations", "gate", "5f0c", "--withdraw", "--reason", "other batch")
        answer = provisioning(*words, str(wrong))
        assert (answer.code, answer.fits) == (0, True), answer.err
        told = " ".join(answer.out.split())
        assert told.startswith("Evidence withdrawn: 1. Without any: 2. Too late")
        assert "late@school.nl. Pause the migration" in told
        assert "Nobody of this migration: 1: nobody@school.nl." in told
        provisioning(*words, "--person", "b@school.nl")
        assert [people for _, _, people, _ in provisioning.services.decided] == [("a@school.nl",), ("b@school.nl",)]

    @pytest.mark.parametrize("source", ["licence", ""])
    def test_its_source_is_one_of_three(
        self, merger: World, provisioning: CommandLine, tmp_path: Path, source: str
    ) -> None:
        answer = provisioning.as_person(OPERATOR)("migrations", "gate", "5f0c", "x.csv", "--source", source)
        assert (answer.code, provisioning.services.decided) == (2, [])


class TestReport:
    def test_without_a_file_the_statement_is_read_in_the_operators_language(
        self, merger: World, provisioning: CommandLine
    ) -> None:
        assert "Closing statement" in provisioning("migrations", "report", "5f0c").out
        assert len(provisioning("migrations", "report", "5f0c", "--json").json["waves"]) == 3

    def test_files_are_new_and_private_and_the_statement_is_dutch(
        self, merger: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        csv, html, text = (tmp_path / name for name in ("people.csv", "report.html", "statement.txt"))
        answer = provisioning.as_person(OPERATOR)(
            "migrations", "report", "5f0c", "--csv", str(csv), "--html", str(html), "--statement", str(text), "--json"
        )
        assert answer.json == {"written": [str(csv), str(html), str(text)]}
        assert csv.read_bytes().startswith(b"wave,person,source_id")
        assert csv.read_bytes().endswith(b"\r\n")
        assert "Report of the migration" in html.read_text("utf-8")
        assert text.read_text("utf-8").startswith("Slotverklaring")
        assert {path.stat().st_mode & 0o777 for path in (csv, html, text)} == {0o600}

    def test_nothing_is_overwritten_and_then_nothing_is_written(
        self, merger: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        there = tmp_path / "there.html"
        there.write_text("mine")
        answer = provisioning("migrations", "report", "5f0c", "--csv", str(tmp_path / "n.csv"), "--html", str(there))
        assert (answer.code, there.read_text()) == (2, "mine")
        assert not (tmp_path / "n.csv").exists()
        assert "there already" in answer.told

    def test_one_file_cannot_be_two(self, merger: World, provisioning: CommandLine, tmp_path: Path) -> None:
        twice = str(tmp_path / "x")
        assert provisioning("migrations", "report", "5f0c", "--csv", twice, "--html", twice).code == 2
        assert list(tmp_path.iterdir()) == []


class TestWatch:
    def test_ends_when_the_migration_is_over(self, world: World, provisioning: CommandLine) -> None:
        a_merger(world, state=MigrationState.COMPLETED)
        answer = provisioning("migrations", "watch", "5f0c")
        assert (answer.code, answer.fits) == (0, True)
        assert answer.out.splitlines()[0] == "09:00:00 UTC  completed"

    def test_each_look_is_one_line_for_programs(self, world: World, provisioning: CommandLine) -> None:
        a_merger(world, state=MigrationState.ABORTED)
        (line,) = provisioning("migrations", "watch", "5f0c", "--json").out.splitlines()
        assert json.loads(line)["migration"]["state"] == "aborted"

    def test_only_what_changed_is_shown(self, merger: World, provisioning: CommandLine) -> None:
        looks = self.looks(merger, provisioning)
        shown: list[MigrationSheet] = []
        waited: list[None] = []
        last = watching.watch(lambda: next(looks), shown.append, lambda: waited.append(None))
        assert [one.migration.state for one in shown] == ["running", "paused", "completed"]
        assert (last, len(waited)) == (shown[-1], 3)

    def looks(self, merger: World, provisioning: CommandLine) -> Iterator[MigrationSheet]:
        for state in ("running", "running", "paused", "completed"):
            a_merger(merger, state=MigrationState(state))
            yield provisioning.services.show_migrations.one("5f0c")

    def test_one_that_ended_is_followed_until_its_last_operation_has(
        self, world: World, provisioning: CommandLine
    ) -> None:
        a_merger(world, state=MigrationState.ABORTED)
        worked(world, OPEN, Phase.PREPARE, ["guus"], state=OperationState.VERIFYING)

        def end() -> None:
            worked(world, OPEN, Phase.PREPARE, ["guus"], state=OperationState.COMPLETED)

        last = watching.watch(lambda: provisioning.services.show_migrations.one("5f0c"), lambda _: None, end)
        assert last.operations == []

    def test_ctrl_c_is_a_sentence(self, merger: World, provisioning: CommandLine) -> None:
        def interrupted(_: str) -> MigrationSheet:
            raise KeyboardInterrupt

        provisioning.services.show_migrations = type("Gone", (), {"one": staticmethod(interrupted)})()  # type: ignore[assignment]
        answer = provisioning("migrations", "watch", "5f0c")
        assert (answer.code, answer.out) == (130, "")
        assert answer.err.startswith("Stopped by you.")


class TestLooks:
    wording = Wording.of({"PROVISIONING_LANGUAGE": "en"})

    def test_a_line_for_each_wave_says_how_far_it_is(self, merger: World, provisioning: CommandLine) -> None:
        worked(merger, OPEN, Phase.PREPARE, ["guus"], state=OperationState.APPLYING)
        merger.writes[OPEN] = 1_176
        found = provisioning.services.show_migrations.one("5f0c")
        *head, first, second = watching.lines(found, self.wording, NOW)
        assert head == ["09:00:00 UTC  running", "  1,176 writes left at 19.6 a second, done about 09:01 UTC"]
        assert " ".join(first.split()) == "1 Pilot 1 of 4, 1 failed releasing the source"
        assert " ".join(second.split()) == "2 All others 2 of 4, 1 late preparing the target"

    @pytest.mark.parametrize("language", ["nl", "en"])
    def test_they_fit_whatever_is_in_them(self, crowded: World, provisioning: CommandLine, language: str) -> None:
        found = provisioning.services.show_migrations.one("5f0c")
        many = [
            msgspec.structs.replace(wave, name=LONG, arrived=99_999, going=99_999, gates_open=9_999)
            for wave in found.waves
        ]
        found = msgspec.structs.replace(found, waves=many)
        told = watching.lines(found, Wording.of({"PROVISIONING_LANGUAGE": language}), NOW)
        assert [line for line in told if len(line) > 80] == []

    def test_in_a_terminal_there_are_bars(
        self,
        merger: World,
        provisioning: CommandLine,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "xterm")
        found = provisioning.services.show_migrations.one("5f0c")
        done = msgspec.structs.replace(found.waves[0], state=WaveState.DONE)
        with watching.screen(Speech(), self.wording, lambda: NOW) as show:
            show(found)
            show(msgspec.structs.replace(found, waves=[done, *found.waves[1:]]))
        out = capsys.readouterr().out
        assert "1 Pilot" in out
        assert "━" in out
        assert "1/4, 1 failed" in out
