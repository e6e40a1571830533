import msgspec
import pytest
from msgspec.structs import replace

from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration import Phase
from provisioning.domain.operation import Step, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import Losses
from provisioning.planning.rehearsal import OTHERS, Difference, PlanFacts, Rehearsal, compare, facts_of, promised
from tests.unit.planning.rehearsals import A5, facts, part, plan, rehearsal, straggler, wave
from tests.unit.planning.test_render import person, sheet


class TestCompare:
    def test_a_plan_as_it_was_rehearsed_differs_in_nothing(self) -> None:
        assert compare(facts(refused={"GUEST": 1}), facts(refused={"GUEST": 1})) == ()

    @pytest.mark.parametrize(
        ("rehearsed", "live", "expected"),
        [
            pytest.param(
                facts(10),
                facts(9),
                [Difference("people", "", 10, 9), Difference("steps", "assign", 10, 9)],
                id="somebody is not there any more",
            ),
            pytest.param(
                facts(steps={"assign": 10}),
                facts(steps={"assign": 8, "swap": 2}),
                [Difference("steps", "assign", 10, 8), Difference("steps", "swap", 0, 2)],
                id="another kind of step",
            ),
            pytest.param(
                facts(refused={"NOT_FOUND": 2}),
                facts(refused={"DEPENDENCY": 2}),
                [Difference("refused", "DEPENDENCY", 0, 2), Difference("refused", "NOT_FOUND", 2, 0)],
                id="as many refusals for another reason",
            ),
            pytest.param(
                facts(),
                facts(waiting={"SEATS_INSUFFICIENT": 3}),
                [Difference("waiting", "SEATS_INSUFFICIENT", 0, 3)],
                id="seats are short by now",
            ),
            pytest.param(
                facts(losses={"service teams": 1}),
                facts(losses={"service teams": 4}),
                [Difference("losses", "service teams", 1, 4)],
                id="more people lose a service",
            ),
            pytest.param(
                facts(not_carried={"SWAY": 1}),
                facts(),
                [Difference("not_carried", "SWAY", 1, 0)],
                id="everything is carried over by now",
            ),
        ],
    )
    def test_each_number_that_differs_is_told(
        self, rehearsed: PlanFacts, live: PlanFacts, expected: list[Difference]
    ) -> None:
        assert list(compare(rehearsed, live)) == expected


class TestCompareWhoTheyAre:
    """Numbers alone would call a plan about other people as it was rehearsed."""

    @pytest.mark.parametrize(
        ("live", "expected"),
        [
            pytest.param({"anna": "steps assign", "bo": "refused GUEST"}, [], id="the same people"),
            pytest.param(
                {"anna": "steps assign", "cas": "refused GUEST"},
                [Difference(OTHERS, "refused GUEST", 1, 1)],
                id="somebody else is refused",
            ),
            pytest.param(
                {"bo": "steps assign", "anna": "refused GUEST"},
                [Difference(OTHERS, "refused GUEST", 1, 1), Difference(OTHERS, "steps assign", 1, 1)],
                id="they changed places",
            ),
            pytest.param(
                {"anna": "steps swap", "bo": "refused GUEST"},
                [Difference(OTHERS, "steps assign", 1, 0), Difference(OTHERS, "steps swap", 0, 1)],
                id="something else is written for one",
            ),
            pytest.param(
                {"anna": "steps assign"}, [Difference(OTHERS, "refused GUEST", 1, 0)], id="one is not there any more"
            ),
        ],
    )
    def test_as_many_people_can_be_other_people(self, live: dict[str, str], expected: list[Difference]) -> None:
        rehearsed = facts(2, persons={"anna": "steps assign", "bo": "refused GUEST"})
        assert list(compare(rehearsed, facts(2, persons=live))) == expected

    def test_what_is_meant_for_whom_is_told_by_their_steps_in_turn_or_by_why_there_are_none(self) -> None:
        anna, bo, cas, dirk = (SubjectId(name) for name in ("anna", "bo", "cas", "dirk"))
        subjects = [
            replace(person(SubjectState.VERIFIED), subject_id=anna),
            replace(person(SubjectState.REFUSED, Reason.NOT_FOUND), subject_id=bo),
            replace(person(SubjectState.WAITING, Reason.SEATS_INSUFFICIENT), subject_id=cas),
            replace(person(SubjectState.ALREADY_RIGHT), subject_id=dirk),
        ]
        steps = [
            Step(position=1, subject_id=anna, kind=StepKind.ASSIGN, sequence=1),
            Step(position=0, subject_id=anna, kind=StepKind.SET_USAGE_LOCATION, sequence=0),
            Step(position=2, subject_id=SubjectId("a group"), kind=StepKind.LICENSE_GROUP),
        ]
        assert facts_of(sheet(*subjects), subjects, steps).persons == {
            anna: "steps set_usage_location, assign",
            bo: "refused NOT_FOUND",
            cas: "waiting SEATS_INSUFFICIENT",
            dirk: "steps none",
        }

    def test_a_report_has_them_by_their_real_ids(self) -> None:
        masked = facts(2, persons={"mask-1": "steps assign", "mask-2": "steps assign"})
        assert masked.named({SubjectId("mask-1"): SubjectId("anna")}).persons == {
            "anna": "steps assign",
            "mask-2": "steps assign",
        }

    def test_who_came_in_several_portions_is_counted_once(self) -> None:
        first = plan(Phase.ENABLE, facts=facts(1, persons={"anna": "steps set_plans", "bo": "refused NOT_FOUND"}))
        later = plan(Phase.ENABLE, facts=facts(1, persons={"bo": "steps set_plans"}))
        found = promised(rehearsal(wave(plans=(first, later))), part(Phase.ENABLE), first.sku_id)
        assert found is not None
        assert found.persons == {"anna": "steps set_plans", "bo": "steps set_plans"}


class TestFactsOf:
    def test_people_steps_and_reasons_are_counted(self) -> None:
        shown = sheet(
            person(SubjectState.PENDING),
            person(SubjectState.REFUSED, Reason.NOT_FOUND, notes=("SWAY stays off",)),
            person(SubjectState.WAITING, Reason.SEATS_INSUFFICIENT),
        )
        assert facts_of(shown) == PlanFacts(
            people=3,
            steps={"assign": 1200, "swap": 12},
            refused={"NOT_FOUND": 1},
            waiting={"SEATS_INSUFFICIENT": 1},
            not_carried={"SWAY stays off": 1},
        )

    def test_who_was_served_meanwhile_makes_no_difference(self) -> None:
        drawn, done = (sheet(person(state)) for state in (SubjectState.PENDING, SubjectState.VERIFIED))
        assert compare(facts_of(drawn), facts_of(done)) == ()

    def test_each_kind_of_loss_has_a_name_of_its_own(self) -> None:
        losses = Losses(
            removals_without_replacement=1,
            families={"teams": 2},
            switched_on={"SWAY": 3},
            not_carried={"YAMMER": 4},
            unreplaced_swaps=5,
        )
        told = facts_of(sheet(losses=losses)).losses
        assert sorted(told.values()) == [1, 2, 3, 4, 5]
        assert told["service teams"] == 2

    def test_no_loss_is_no_fact(self) -> None:
        assert facts_of(sheet()).losses == {}


class TestPromised:
    def test_it_is_the_plan_of_this_wave_phase_and_product(self) -> None:
        played = rehearsal(
            wave(1, plans=(plan(facts=facts(1)), plan(sku_id=A5, facts=facts(2)), plan(Phase.ENABLE, facts=facts(3)))),
            wave(2, plans=(plan(facts=facts(4)),)),
        )
        found = promised(played, part(Phase.PREPARE, 1), A5)
        assert found is not None
        assert found.people == 2

    def test_several_plans_of_a_phase_are_taken_together(self) -> None:
        late = plan(Phase.ENABLE, facts=facts(2, refused={"NOT_FOUND": 1}))
        played = rehearsal(wave(plans=(plan(Phase.ENABLE, facts=facts(8)), late)))
        assert promised(played, part(Phase.ENABLE), late.sku_id) == facts(10, refused={"NOT_FOUND": 1})

    def test_what_was_not_played_promises_nothing(self) -> None:
        assert promised(rehearsal(wave()), part(Phase.RELEASE), A5) is None


class TestRehearsal:
    def test_is_read_back_as_it_was_written(self) -> None:
        played = rehearsal(wave(stragglers=(straggler(),)))
        assert msgspec.json.decode(msgspec.json.encode(played), type=Rehearsal) == played

    def test_went_through_when_nothing_stood_in_the_way_though_people_were_left_behind(self) -> None:
        assert rehearsal(wave(stragglers=(straggler(),))).went_through
        assert not rehearsal(wave(obstacles=("no consent",))).went_through
        assert not rehearsal(wave(), obstacles=("unread",)).went_through

    def test_counts_approvals(self) -> None:
        assert rehearsal(wave()).approvals == 2


class TestWave:
    def test_only_who_lacks_a_seat_is_missing_one(self) -> None:
        some = (straggler(), straggler(Reason.SEATS_NOT_VISIBLE), straggler(Reason.NOT_FOUND), straggler(None))
        it = wave(stragglers=some)
        assert it.seats_missing == 2
        assert it.reasons == {Reason.NOT_FOUND: 1, Reason.SEATS_INSUFFICIENT: 1, Reason.SEATS_NOT_VISIBLE: 1}

    def test_its_work_is_that_of_its_plans(self) -> None:
        it = wave(plans=(plan(), plan(taken=None, forecast=None), plan(Phase.RELEASE)))
        assert (it.taken, it.forecast) == (180.0, 60.0)
