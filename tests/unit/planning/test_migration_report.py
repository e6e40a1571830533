"""The report as a value, and as a list that spreadsheets may open."""

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Situation
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.reasons import Reason
from provisioning.planning.migration_report import COLUMNS, Outcome, _cell, to_csv
from tests.unit.planning.migration_reports import DAY, NOW, done, person, report

P = PersonState


def why(reason: Reason) -> str:
    return f"because {reason}"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


class TestOutcomes:
    @pytest.mark.parametrize(
        ("state", "outcome"),
        [
            (P.WAITING, Outcome.NOT_BEGUN),
            (P.PREPARED, Outcome.UNDER_WAY),
            (P.ENABLED, Outcome.ARRIVED),
            (P.RELEASING, Outcome.ARRIVED),
            (P.RELEASED, Outcome.MOVED),
            (P.ROLLED_BACK, Outcome.ROLLED_BACK),
            (P.FAILED, Outcome.FAILED),
            (P.LEFT_OUT, Outcome.LEFT_OUT),
        ],
    )
    def test_each_state_is_one(self, state: PersonState, outcome: Outcome) -> None:
        assert report(person("anne", state=state)).outcomes == {outcome: 1}

    @given(st.lists(st.tuples(st.sampled_from(PersonState), st.integers(0, 2)), max_size=30))
    def test_they_add_up_to_everybody(self, people: list[tuple[PersonState, int]]) -> None:
        made = report(*(person(str(n), state=state, wave=min(wave, 1)) for n, (state, wave) in enumerate(people)))
        assert sum(made.outcomes.values()) == len(people) == len(made.people)
        assert sum(sum(wave.outcomes.values()) for wave in made.waves) == len(people)


class TestMoments:
    OPERATIONS = (
        done(Phase.PREPARE, ("anne2", "bram2"), NOW - 40 * DAY),
        done(Phase.PREPARE, ("anne2",), NOW - 39 * DAY),
        done(Phase.RELEASE, ("anne", "bram"), NOW - DAY),
        done(Phase.UNDO_TARGET, ("bram2",), NOW),
    )

    def test_are_when_the_last_operation_of_a_phase_ended(self) -> None:
        (anne,) = report(person("anne", state=P.RELEASED), operations=self.OPERATIONS).people
        assert (anne.prepared_at, anne.released_at) == (NOW - 39 * DAY, NOW - DAY)
        assert anne.rolled_back_at is None

    def test_are_those_of_the_person_where_their_own_steps_were_read_back(self) -> None:
        """An operation may go on for nights; whoever had nothing to be written is done when it ends."""
        own = {
            (Phase.PREPARE, SubjectId("anne2")): NOW - 41 * DAY,
            (Phase.RELEASE, SubjectId("anne")): NOW - 2 * DAY,
            (Phase.UNDO_SOURCE, SubjectId("anne")): NOW,  # of an operation that goes on
        }
        people = [person(name, state=P.RELEASED) for name in ("anne", "bram")]
        anne, bram = report(*people, operations=self.OPERATIONS, read_back=own).people
        assert (anne.prepared_at, anne.released_at) == (NOW - 41 * DAY, NOW - 2 * DAY)
        assert (bram.prepared_at, bram.released_at) == (NOW - 40 * DAY, NOW - DAY)

    def test_who_failed_in_a_phase_did_not_come_through_it(self) -> None:
        failed = person("anne", state=P.FAILED, failed_in=Phase.PREPARE, reason=Reason.COUNT_VIOLATION)
        assert report(failed, operations=self.OPERATIONS).people[0].prepared_at is None
        failed = person("anne", state=P.FAILED, failed_in=Phase.RELEASE, reason=Reason.NOT_AS_WE_LEFT)
        assert report(failed, operations=self.OPERATIONS).people[0].prepared_at == NOW - 39 * DAY
        assert report(failed, operations=self.OPERATIONS).people[0].released_at is None

    def test_what_is_rolled_back_says_when(self) -> None:
        (bram,) = report(person("bram", state=P.ROLLED_BACK), operations=self.OPERATIONS).people
        assert (bram.rolled_back_at, bram.released_at) == (NOW, None)

    @pytest.mark.parametrize(("state", "is_held"), [(P.ENABLED, True), (P.RELEASED, False), (P.ROLLED_BACK, False)])
    def test_only_whoever_has_arrived_is_held(self, state: PersonState, is_held: bool) -> None:
        (anne,) = report(person("anne", state=state, enabled_at=NOW)).people
        assert (anne.held_until == NOW + 30 * DAY) is is_held

    def test_an_operation_that_goes_on_brought_nobody_anywhere_yet(self) -> None:
        going = done(Phase.PREPARE, ("anne2",), NOW, state=OperationState.APPLYING)
        assert report(person("anne", state=P.PREPARED), operations=(going,)).people[0].prepared_at is None

    def test_who_has_no_account_in_the_target_was_never_there(self) -> None:
        lost = person("anne", target_id=None, situation=Situation.MISSING_IN_TARGET)
        assert report(lost, operations=self.OPERATIONS).people[0].prepared_at is None


class TestWaves:
    def test_who_is_in_none_comes_last(self) -> None:
        made = report(person("anne"), person("bram", wave=0))
        assert [wave.number for wave in made.waves] == [1, 0]
        assert [one.source_id for one in made.people] == ["anne", "bram"]


class TestCsv:
    def test_has_a_line_for_each_person_that_ends_as_the_rfc_says(self) -> None:
        text = to_csv(report(person("anne"), person("bram")), why)
        assert text.count("\r\n") == 3
        assert "\n" not in text.replace("\r\n", "")
        assert text.splitlines()[0].split(",") == [*COLUMNS, "explanation"]

    def test_says_codes_times_and_why(self) -> None:
        failed = person("anne", state=P.FAILED, failed_in=Phase.ENABLE, reason=Reason.MUTUALLY_EXCLUSIVE)
        made = report(failed, operations=(done(Phase.PREPARE, ("anne2",), datetime(2027, 8, 1, 9, tzinfo=UTC)),))
        (row,) = rows(to_csv(made, why))
        assert (row["state"], row["failed_in"], row["reason"]) == ("failed", "enable", "MUTUALLY_EXCLUSIVE")
        assert (row["prepared_at"], row["enabled_at"]) == ("2027-08-01T09:00:00Z", "")
        assert row["explanation"] == "because MUTUALLY_EXCLUSIVE"

    @pytest.mark.parametrize("product", ["A3, for faculty", 'A "3"', "two\nlines", "é €"])
    def test_keeps_what_needs_quoting(self, product: str) -> None:
        made = report(person("anne"), products={"a3": product})
        assert rows(to_csv(made, why))[0]["source_product"] == product

    def test_hides_ids_from_who_may_not_see_them(self) -> None:
        (row,) = rows(to_csv(report(person("anne"), with_ids=False), why))
        assert (row["person"], row["source_id"], row["target_id"]) == ("p-anne", "", "")


class TestFormulas:
    @pytest.mark.parametrize(
        "text",
        [
            "=1+1",
            "+31 6",
            "-2",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =cmd|' /C calc'!A0",
            "\uff1d1",
            '=HYPERLINK("http://x")',
        ],
    )
    def test_no_cell_is_one(self, text: str) -> None:
        made = report(person("anne"), products={"a3": text})
        (row,) = rows(to_csv(made, why))
        assert row["source_product"] == f"'{text}"

    @given(st.text(max_size=12))
    def test_a_spreadsheet_sees_text_whatever_it_was(self, text: str) -> None:
        assert not _cell(text).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))

    @pytest.mark.parametrize("text", ["A3", "1=1", "a@b", "3f2a-1"])
    def test_what_is_none_is_left_as_it_is(self, text: str) -> None:
        assert _cell(text) == text
