import pytest

from provisioning.domain.ids import SubjectId
from provisioning.domain.operation import Change, Step, StepKind
from provisioning.planning.guards import Usage, breaches
from provisioning.planning.plan import Losses
from tests.unit.planning.scene import LIMITS, replaced

NOTHING = Losses()


def steps(kind: StepKind, number: int) -> list[Step]:
    return [Step(position=n, subject_id=SubjectId(f"p{n}"), kind=kind) for n in range(number)]


class TestBreaches:
    @pytest.mark.parametrize(
        ("kind", "before", "planned", "is_asked"),
        [
            pytest.param(StepKind.ASSIGN, 0, 1_000, False, id="1,000 assignments"),
            pytest.param(StepKind.ASSIGN, 0, 1_001, True, id="1,001 assignments"),
            pytest.param(StepKind.ASSIGN, 999, 1, False, id="the thousandth of the day"),
            pytest.param(StepKind.ASSIGN, 1_000, 1, True, id="one more on the same day"),
            pytest.param(StepKind.ASSIGN, 5_000, 0, False, id="nothing planned, however full the day"),
            pytest.param(StepKind.SWAP, 0, 250, False, id="250 swaps"),
            pytest.param(StepKind.SWAP, 0, 251, True, id="251 swaps"),
            pytest.param(StepKind.SWAP, 200, 50, False, id="the 250th of the day"),
            pytest.param(StepKind.SWAP, 200, 51, True, id="the 251st of the day"),
            pytest.param(StepKind.SET_USAGE_LOCATION, 0, 5_000, False, id="locations are no licences"),
            pytest.param(StepKind.NO_OP, 0, 5_000, False, id="nothing is nothing"),
        ],
    )
    def test_amounts(self, kind: StepKind, before: int, planned: int, *, is_asked: bool) -> None:
        usage = Usage.from_kinds({kind: before}, is_proven=True)
        assert bool(breaches(steps(kind, planned), NOTHING, usage, LIMITS)) is is_asked

    def test_swaps_and_assignments_are_counted_apart(self) -> None:
        both = [*steps(StepKind.ASSIGN, 1_000), *steps(StepKind.SWAP, 250)]
        assert breaches(both, NOTHING, Usage(), LIMITS) == ()

    @pytest.mark.parametrize(
        ("losses", "sentence"),
        [
            pytest.param(
                Losses(removals_without_replacement=1),
                "1 removals without replacement; 0 may go by themselves", id="a removal",
            ),
            pytest.param(
                Losses(families={"exchange": 2}), "2 people lose exchange; 0 may go by themselves", id="a service"
            ),
            pytest.param(
                Losses(switched_on={"YAMMER_EDU": 3}),
                "3 people for whom YAMMER_EDU comes on against the policy", id="a plan that was off",
            ),
            pytest.param(
                Losses(unreplaced_swaps=4),
                "4 swaps from a product that the article does not replace", id="a foreign product",
            ),
        ],
    )  # fmt: skip
    def test_one_is_too_many(self, losses: Losses, sentence: str) -> None:
        assert breaches((), losses, Usage(), LIMITS) == (sentence,)

    @pytest.mark.parametrize(
        ("members", "is_proven", "is_asked"), [(6, False, True), (5, False, False), (6, True, False), (0, False, False)]
    )
    def test_a_group_s_one_write_is_no_first_write(self, members: int, *, is_proven: bool, is_asked: bool) -> None:
        write = Step(
            position=0, subject_id=SubjectId("group"), kind=StepKind.LICENSE_GROUP, change=Change(people=members)
        )
        assert bool(breaches([write], NOTHING, Usage(is_proven=is_proven), LIMITS)) is is_asked

    def test_what_cannot_be_carried_over_is_told_not_asked(self) -> None:
        assert breaches((), Losses(not_carried={"YAMMER_EDU": 9}), Usage(), LIMITS) == ()

    def test_every_breach_is_said(self) -> None:
        worst = Losses(families={"a": 1, "b": 1}, removals_without_replacement=1)
        assert len(breaches(steps(StepKind.SWAP, 251), worst, Usage(), LIMITS)) == 4

    def test_what_went_before_is_said(self) -> None:
        (sentence,) = breaches(steps(StepKind.SWAP, 51), NOTHING, Usage(swaps=200), LIMITS)
        assert sentence == "51 swaps after 200 in the last 24 hours; 250 may go by themselves"

    @pytest.mark.parametrize(("removals", "is_asked"), [(2, False), (3, True)], ids=["at it", "beyond it"])
    def test_an_installation_may_allow_more(self, removals: int, *, is_asked: bool) -> None:
        generous = replaced(LIMITS, guard_removals=2)
        assert bool(breaches((), Losses(removals_without_replacement=removals), Usage(), generous)) is is_asked
