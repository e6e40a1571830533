from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from provisioning.domain.ids import OperationId, PlanId, Pseudonym, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.operation import SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import Envelope, Grounds, Losses
from provisioning.planning.render import People, PlanSheet, loss_sentences, render_plan

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
OPERATION = OperationId("77aa1234-0000-4000-8000-000000000000")


def person(state: SubjectState, reason: Reason | None = None, notes: tuple[str, ...] = ()) -> SubjectRecord:
    return SubjectRecord(
        operation_id=OPERATION,
        subject_id=SubjectId("s"),
        pseudonym=Pseudonym("p"),
        state=state,
        reason=reason,
        notes=notes,
    )


def sheet(
    *people: SubjectRecord,
    losses: Losses = Losses(),  # noqa: B008  frozen
    breaches: tuple[str, ...] = (),
    awaits: bool = True,
) -> PlanSheet:
    envelope = Envelope(
        operation_id=OPERATION,
        tenant_id=TenantId("11111111-1111-4111-8111-111111111111"),
        grounds=Grounds(mapping="m", policy="p", bindings="b", authority="a"),
        counts={"assign": 1200, "swap": 12},
        losses=losses,
    )
    return PlanSheet(
        plan_id=PlanId("3f2a1c9e-0000-4000-8000-000000000000"),
        digest=envelope.digest,
        envelope=envelope,
        drawn_at=NOW,
        observed_at=NOW - timedelta(minutes=1),
        valid_until=NOW + timedelta(days=1),
        standing="Waits for approval.",
        awaits_approval=awaits,
        breaches=breaches,
        people=People.count(people),
    )


def render(shown: PlanSheet) -> str:
    return render_plan(shown, lambda reason: f"Sentence for {reason}.", str)


class TestPeople:
    def test_everybody_is_counted_once_by_state(self) -> None:
        people = People.count(
            [
                person(SubjectState.PENDING),
                person(SubjectState.REFUSED, Reason.USAGE_LOCATION),
                person(SubjectState.REFUSED, Reason.USAGE_LOCATION, ("teams",)),
                person(SubjectState.REFUSED),
            ]
        )
        assert people.states == {SubjectState.PENDING: 1, SubjectState.REFUSED: 3}
        assert people.reasons == {SubjectState.REFUSED: {Reason.USAGE_LOCATION: 2}}
        assert people.notes == {"teams": 1}


class TestRenderPlan:
    def test_steps_are_counted_by_kind(self) -> None:
        lines = render(sheet()).splitlines()
        assert any(line.split() == ["assign", "1,200"] for line in lines)
        assert any(line.split() == ["swap", "12"] for line in lines)

    def test_each_reason_stands_under_its_state(self) -> None:
        text = render(sheet(person(SubjectState.WAITING, Reason.SEATS_INSUFFICIENT), person(SubjectState.PENDING)))
        block = text[text.index("waiting") : text.index("pending")]
        assert "1: Sentence for SEATS_INSUFFICIENT." in block

    def test_breaches_say_why_it_waits(self) -> None:
        text = render(sheet(breaches=("1,200 assignments; the limit is 1,000.",)))
        assert "Why it does not apply by itself\n  - 1,200 assignments; the limit is 1,000." in text

    def test_without_losses_that_is_said_too(self) -> None:
        assert "Losses: none." in render(sheet())

    def test_the_approver_sees_what_to_type(self) -> None:
        shown = sheet()
        assert f"provisioning plans approve 77aa1234 {shown.digest[:8]}" in render(shown)

    @pytest.mark.parametrize(("awaits", "condition"), [(True, " if it is approved now"), (False, "")])
    def test_it_says_until_when_it_will_be_written(self, *, awaits: bool, condition: str) -> None:
        shown = msgspec.structs.replace(sheet(awaits=awaits), writes_done_at=NOW + timedelta(minutes=9))
        assert f"  Written   by about 2026-08-01 12:09 UTC{condition}\n" in render(shown)

    def test_who_cannot_approve_it_any_more_is_not_asked_to(self) -> None:
        assert "To approve" not in render(sheet(awaits=False))

    def test_it_fits_eighty_columns_whatever_is_said(self) -> None:
        shown = sheet(
            person(SubjectState.CHANGED_MEANWHILE, Reason.CHANGED_MEANWHILE, ("a plan with a long name " * 2,)),
            losses=Losses(families={"exchange online for schools with a very long service name": 12345}),
            breaches=("a long sentence " * 20,),
        )
        text = render_plan(shown, lambda _: "word " * 40, lambda _: "name " * 20)
        assert max(map(len, text.splitlines())) < 80


class TestLossSentences:
    @pytest.mark.parametrize(
        ("losses", "sentence"),
        [
            (Losses(removals_without_replacement=1), "A licence is taken and none is given: 1 person."),
            (Losses(unreplaced_swaps=2), "A licence is swapped that the article does not replace: 2 people."),
            (Losses(families={"exchange": 3}), "The service exchange is lost: 3 people."),
            (Losses(switched_on={"YAMMER": 4}), "YAMMER comes on against policy: 4 people."),
            (Losses(not_carried={"SWAY": 1500}), "SWAY cannot stay switched off: 1,500 people."),
        ],
        ids=["removal", "unreplaced swap", "family", "switched on", "not carried"],
    )
    def test_each_kind_is_a_sentence_with_its_count(self, losses: Losses, sentence: str) -> None:
        assert loss_sentences(losses) == [sentence]

    def test_no_loss_no_sentence(self) -> None:
        assert loss_sentences(Losses(families={"exchange": 0})) == []
