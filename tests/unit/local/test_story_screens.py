"""What people see of a story: within eighty columns, in words, and the truth when it did not go well."""

from datetime import UTC, datetime
from io import StringIO

import pytest

from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import LineState, OperationState, SubjectState
from provisioning.domain.operation import StepKind
from provisioning.domain.order import OrderLine, ShopLine
from provisioning.domain.reasons import Reason
from provisioning.local.ending import AuditEnding, Ending, OrderEnding, SeatsEnding, WorkEnding
from provisioning.local.ending_screen import show_ending
from provisioning.local.narrator import WIDTH, Narrator
from provisioning.local.stage import Standing, name_of
from provisioning.local.up import write_environment
from provisioning.local.witness import Testimony as Witness
from tests.factories import operations

NOW = datetime(2026, 9, 1, tzinfo=UTC)
EQUAL = Witness(changes=2, claims=2, repeats=0)
SOUND = AuditEnding(events=10, proven=10, is_sound=True, findings=())


def ending(audit: AuditEnding = SOUND, witness: Witness = EQUAL, work: tuple[WorkEnding, ...] = ()) -> Ending:
    order = OrderEnding(
        order="1001",
        organisation="99ZA00",
        article="MS-BP-A3-MED",
        seats="18",
        state="partially completed",
        reason=None,
        people={"verified": 12, "waiting for a seat": 6, "already right": 100},
    )
    seats = SeatsEnding(domain="a.example", product="M365EDU_A3_FACULTY", bought=18, enabled=12, used=12, waiting=6)
    return Ending(orders=(order,), work=work, seats=(seats,), audit=audit, witness=witness, equal=witness.is_equal)


def shown(what: Ending) -> str:
    stream = StringIO()
    show_ending(Narrator(stream), what)
    return stream.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


class TestShowEnding:
    def test_a_good_end_is_sound_and_equal(self) -> None:
        text = words(shown(ending()))
        assert "10 events, sound." in text
        assert text.endswith("changed nothing: equal.")

    def test_nothing_to_do_is_said(self) -> None:
        assert "Nothing." in shown(ending())

    def test_work_says_who_why_and_what_to_do(self) -> None:
        item = WorkEnding(subject="order x/1", owner="operator", count=3, reason="R", why="It is so.", todo="Do this.")
        assert "order x/1 (3 people) — operator: It is so. Do this." in words(shown(ending(work=(item,))))

    def test_a_log_that_was_tampered_with_is_named(self) -> None:
        bad = AuditEnding(events=10, proven=4, is_sound=False, findings=("Event 5 was edited.",))
        assert "NOT sound. Event 5 was edited." in words(shown(ending(audit=bad)))
        assert not ending(audit=bad).is_sound

    @pytest.mark.parametrize(
        ("field", "told"),
        [
            ("unclaimed", "not in the log"),
            ("unwritten", "not in the ledger"),
            ("claimed_twice", "claimed twice"),
            ("written_twice", "written twice"),
        ],
    )
    def test_every_difference_is_named_with_its_request(self, field: str, told: str) -> None:
        differing = ending(witness=Witness(changes=2, claims=1, repeats=0, **{field: ("request-7",)}))
        assert f"NOT equal. {told}: request-7." in words(shown(differing))
        assert not differing.is_sound

    def test_no_line_is_wider_than_eighty_columns(self) -> None:
        item = WorkEnding(subject="s" * 30, owner="o" * 30, count=1, reason="R", why="why " * 40, todo="do " * 40)
        assert max(map(len, shown(ending(work=(item,))).splitlines())) <= WIDTH


class TestNarrator:
    def test_scenes_are_numbered_and_wrapped(self) -> None:
        stream = StringIO()
        narrator = Narrator(stream)
        narrator.scene("First", "word " * 40)
        narrator.scene("Second", "told")
        lines = stream.getvalue().splitlines()
        assert [line for line in lines if line[:2] in {"1.", "2."}] == ["1. First", "2. Second"]
        assert max(map(len, lines)) <= WIDTH

    def test_what_happened_is_text_and_no_markup(self) -> None:
        stream = StringIO()
        Narrator(stream).step("a school called [red]")
        assert "a school called [red]" in stream.getvalue()

    def test_where_nobody_watches_nothing_moves(self) -> None:
        stream = StringIO()
        with Narrator(stream).live("waiting") as update:
            update("still waiting")
        assert stream.getvalue() == ""


def a_line(state: LineState, reason: Reason | None = None) -> OrderLine:
    shop = ShopLine(
        key=LineKey("shop", "1001", "1"), status="placed", placed_at=NOW, changed_at=NOW, organisation_code="99ZA00",
        actor="", article_code="A", quantity=1, digest="",
    )  # fmt: skip
    return OrderLine(shop=shop, state=state, reason=reason, received_at=NOW)


class TestStanding:
    def test_nothing_yet_is_on_its_way(self) -> None:
        assert Standing().sentence == "on its way from the shop"

    def test_a_held_line_says_why_in_words(self) -> None:
        standing = Standing(line=a_line(LineState.HELD, Reason.TENANT_NOT_BOUND))
        assert standing.state is LineState.HELD
        assert standing.sentence.startswith("held: ")
        assert "TENANT_NOT_BOUND" not in standing.sentence

    def test_an_operation_speaks_for_its_line(self) -> None:
        operation = operations.operation("tenant", state=OperationState.VERIFYING)
        standing = Standing(line=a_line(LineState.ACCEPTED), operation=operation, people=10, served=4)
        assert standing.state is OperationState.VERIFYING
        assert standing.progress == "4 of 10 people proved"

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (OperationState.HELD, True),
            (OperationState.FAILED, True),
            (OperationState.PARTIALLY_COMPLETED, True),
            (OperationState.AWAITING_CONSENT, False),
            (OperationState.VERIFYING, False),
        ],
    )
    def test_an_operation_that_only_a_person_moves_stays(self, state: OperationState, *, expected: bool) -> None:
        operation = operations.operation("tenant", state=state)
        assert Standing(line=a_line(LineState.ACCEPTED), operation=operation).stays is expected

    @pytest.mark.parametrize(("state", "expected"), [(LineState.REJECTED, True), (LineState.HELD, False)])
    def test_a_held_line_may_yet_be_judged_again(self, state: LineState, *, expected: bool) -> None:
        assert Standing(line=a_line(state)).stays is expected


class TestNameOf:
    def test_states_and_steps_have_names(self) -> None:
        assert {name_of(SubjectState.VERIFIED), name_of(StepKind.SWAP)} == {"verified", "swap one licence for another"}


class TestWriteEnvironment:
    def test_is_for_us_alone_and_survives_a_shell(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        file = tmp_path_factory.mktemp("up") / "environment"
        write_environment(file, {"A": "it's $HOME; `no`"})
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.read_text() == "export A='it'\"'\"'s $HOME; `no`'\n"
