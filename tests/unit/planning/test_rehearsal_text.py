from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import WaveState
from provisioning.domain.operation import StepKind
from provisioning.planning.rehearsal import OTHERS, Chore, Circumstances, Difference, Rehearsal
from provisioning.planning.rehearsal_text import render_differences, render_rehearsal
from tests.unit.planning.rehearsals import deed, facts, plan, rehearsal, straggler, wave


def rendered(played: Rehearsal) -> str:
    def name(code: SubjectState | StepKind) -> str:
        return f"<{code}>"

    text = render_rehearsal(played, lambda reason: f"Sentence for {reason}.", name)
    assert all(len(line) <= 80 for line in text.splitlines())
    return text


def flat(text: str) -> str:
    return " ".join(text.split())


class TestRenderRehearsal:
    def test_the_outcome_comes_first(self) -> None:
        text = flat(rendered(rehearsal(wave(stragglers=(straggler(), straggler(None))))))
        assert "It went through; 2 people did not arrive, 1 of them for want of a seat. It took 61 seconds" in text

    def test_what_stood_in_the_way_is_in_it(self) -> None:
        text = flat(rendered(rehearsal(wave(obstacles=("The consent of the source is missing.",)))))
        assert "It did NOT go through" in text
        assert "In the way: The consent of the source is missing." in text

    def test_what_was_overcome_is_in_it_and_it_went_through(self) -> None:
        text = flat(rendered(rehearsal(wave(overcome=("Wave 1 cannot begin: seats, 3 people.",)))))
        assert "It went through" in text
        assert "In the way at first: Wave 1 cannot begin: seats, 3 people." in text

    def test_what_was_tried_is_in_it(self) -> None:
        hard = Circumstances(until=Phase.ENABLE, late=0.04, refusals=0.1, seats_short=15, lag_seconds=15)
        text = flat(rendered(rehearsal(wave(), circumstances=hard)))
        assert "up to enable, 4% of mailboxes late, 10% of calls refused, 15 seats short, replicas 15 s behind" in text

    def test_each_plan_has_its_steps_refusals_and_times(self) -> None:
        shown = plan(facts=facts(refused={"NOT_FOUND": 2}, waiting={"SEATS_INSUFFICIENT": 1}))
        text = flat(rendered(rehearsal(wave(plans=(shown,)))))
        assert (
            "Plan to prepare: <assign> 10; approved by a person, foretold 30 seconds, read back after 90 seconds"
            in text
        )
        assert "2: Sentence for NOT_FOUND." in text
        assert "1: Sentence for SEATS_INSUFFICIENT." in text

    def test_what_was_written_when_it_was_foretold_takes_no_time(self) -> None:
        assert "foretold 0 seconds" in flat(rendered(rehearsal(wave(plans=(plan(forecast=-0.3),)))))

    def test_a_plan_that_an_approval_of_before_covers_says_so(self) -> None:
        assert "covered by an approval" in flat(rendered(rehearsal(wave(plans=(plan(was_shown=False),)))))

    def test_who_loses_a_whole_product_loses_its_services_in_one_breath(self) -> None:
        lost = {f"service {number}": 4 for number in range(40)} | {"SWAY not carried": 1}
        text = flat(rendered(rehearsal(wave(plans=(plan(Phase.RELEASE, facts=facts(losses=lost)),)))))
        assert "4 lose: service 0, service 1, service 2, service 3, service 4, service 5 and 34 more" in text
        assert "1 lose: SWAY not carried" in text

    def test_ten_people_are_named_and_the_others_counted(self) -> None:
        some = tuple(straggler() for _ in range(12))
        text = rendered(rehearsal(wave(stragglers=some)))
        assert [one.source_id in text for one in some] == [True] * 10 + [False] * 2
        assert "and 2 more" in text

    def test_time_is_told_in_what_reads_best(self) -> None:
        minutes = {
            WaveState.PREPARING: 1.5,
            WaveState.GATED: 150.0,
            WaveState.HOLDING: 43_205.0,
            WaveState.RELEASING: 3,
        }
        told = flat(rendered(rehearsal(wave(minutes=minutes))))
        assert "preparing 90 seconds, gated 2.5 hours, holding 30.0 days, releasing 3.0 minutes" in told

    def test_chores_are_counted(self) -> None:
        text = flat(rendered(rehearsal(wave(), deeds=(deed(Chore.START), deed(Chore.APPROVE), deed(Chore.APPROVE)))))
        assert "What people have to do (3)" in text
        assert "approve a plan 2" in text

    def test_what_was_not_as_in_the_real_run_is_said(self) -> None:
        assert "writes have a window" in flat(rendered(rehearsal(wave(), remarks=("writes have a window",))))


class TestRenderDifferences:
    def test_none_is_said_in_a_sentence(self) -> None:
        assert render_differences((), "Operation dddd0001") == "Operation dddd0001: as it was rehearsed."

    def test_each_has_both_numbers_and_fits(self) -> None:
        long = Difference("losses", "service with a name that is longer than any column could be", 1, 2_000)
        text = render_differences((Difference("steps", "assign", 1_980, 1_975), long), "Operation dddd0001")
        assert all(len(line) <= 80 for line in text.splitlines())
        assert "steps assign 1,980 1,975" in flat(text)
        assert "1 2,000" in flat(text)

    def test_other_people_are_numbers_and_what_these_mean(self) -> None:
        text = render_differences((Difference(OTHERS, "steps assign", 2, 3),), "Operation dddd0001")
        *_, numbers, meaning, _ = text.splitlines()
        assert numbers.split() == ["other", "people", "steps", "assign", "2", "3"]
        assert meaning.startswith("Other people: how many were meant only in the rehearsal")
        assert all(len(line) <= 80 for line in text.splitlines())
