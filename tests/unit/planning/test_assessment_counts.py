"""Who holds what before and after, worked out from the rows of a plan."""

from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import GroupId, OrganisationId, ServicePlanId, SkuId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import BeforeImage, Change, Step, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.assessment_counts import (
    ProductCount,
    ServiceChange,
    count_products,
    count_services,
    lots_of,
    services_of,
)
from provisioning.planning.carry import KnownPlans
from provisioning.planning.plan import SubjectPlan
from tests.unit.planning.scene import A1, A3, A5, A5_PUPIL, EMS, MAPPINGS, held, plan_of

SCHOOL, GROUP = OrganisationId("s"), GroupId("g")
KNOWN = KnownPlans.named_in(MAPPINGS.skus)
TEAMS_A1, TEAMS_A3 = plan_of(A1, "TEAMS1"), plan_of(A3, "TEAMS1")
SWAP = Change(add_sku=A3, remove_skus=(A1,))


def row(name: str, *licences: HeldLicence, **known: object) -> SubjectPlan:
    fields = {"state": SubjectState.PENDING, "organisation_id": SCHOOL} | known
    return SubjectPlan(subject_id=SubjectId(name), before=BeforeImage(licences=licences), **fields)  # type: ignore[arg-type]


def step(name: str, change: Change = SWAP, position: int = 0, kind: StepKind = StepKind.SWAP) -> Step:
    return Step(position=position, subject_id=SubjectId(name), kind=kind, change=change)


def counts(people: list[SubjectPlan], *steps: Step) -> dict[SkuId, tuple[int, int, int, int]]:
    found = count_products(lots_of(people, steps), [A3, A1, A5], {})
    return {one.sku_id: (one.before, one.losing, one.gaining, one.after) for one in found}


def services(*people: SubjectPlan, steps: tuple[Step, ...] = ()) -> ServiceChange:
    return count_services(lots_of(people, steps), MAPPINGS.skus, KNOWN)


class TestProducts:
    def test_a_swap_takes_one_and_gives_one(self) -> None:
        people = [row("anne", held(A1)), row("bram", held(A1)), row("cato", held(A3))]
        assert counts(people, step("anne")) == {A3: (1, 0, 1, 2), A1: (2, 1, 0, 1)}

    def test_what_nobody_has_before_or_after_is_left_out(self) -> None:
        assert A5 not in counts([row("anne", held(A1))])

    def test_who_waits_or_is_refused_keeps_what_they_have(self) -> None:
        waits = row("anne", held(A1), state=SubjectState.WAITING, reason=Reason.SEATS_INSUFFICIENT)
        refused = row("bram", held(A1), state=SubjectState.REFUSED, reason=Reason.DEPENDENCY)
        assert counts([waits, refused]) == {A1: (2, 0, 0, 2)}

    def test_one_product_twice_is_held_once(self) -> None:
        assert counts([row("anne", held(A1), held(A1, group=GROUP))]) == {A1: (1, 0, 0, 1)}

    def test_a_licence_in_error_is_none(self) -> None:
        assert counts([row("anne", held(A1, state="Error"))]) == {}

    def test_steps_of_a_person_follow_one_another(self) -> None:
        into = Change(group_id=GROUP, add_sku=A3)
        out = Change(remove_skus=(A3,))
        steps = (step("anne", out, 1, StepKind.REMOVE), step("anne", into, 0, StepKind.ADD_MEMBERS))
        assert counts([row("anne", held(A3))], *steps) == {A3: (1, 0, 0, 1)}

    def test_a_groups_one_write_changes_its_members(self) -> None:
        through = Change(group_id=GROUP, add_sku=A3, remove_skus=(A1,), people=2)
        people = [row("g", is_group=True), row("anne", held(A1, group=GROUP)), row("bram", held(A1, group=GROUP))]
        licensing = step("g", through, kind=StepKind.LICENSE_GROUP)
        assert counts(people, licensing) == {A3: (0, 0, 2, 2), A1: (2, 2, 0, 0)}

    def test_and_nobody_who_was_not_to_be_served(self) -> None:
        through = Change(group_id=GROUP, add_sku=A3, remove_skus=(A1,))
        right = row("anne", held(A5), state=SubjectState.ALREADY_RIGHT)
        assert counts([right], step("g", through, kind=StepKind.LICENSE_GROUP)) == {A5: (1, 0, 0, 1)}

    def test_a_member_with_empty_hands_gets_it_too(self) -> None:
        licensing = step("g", Change(group_id=GROUP, add_sku=A3), kind=StepKind.LICENSE_GROUP)
        assert counts([row("anne")], licensing) == {A3: (0, 0, 1, 1)}

    @given(
        st.lists(
            st.tuples(
                st.sets(st.sampled_from([A1, A3, A5, A5_PUPIL, EMS]), max_size=3),
                st.sampled_from([None, SWAP, Change(add_sku=A5), Change(remove_skus=(A3,))]),
                st.sampled_from(SubjectState),
            ),
            max_size=12,
        )
    )
    def test_before_and_changes_make_after(self, people: list[tuple[set[SkuId], Change | None, SubjectState]]) -> None:
        rows = [row(str(n), *map(held, skus), state=state) for n, (skus, _, state) in enumerate(people)]
        steps = [step(str(n), change) for n, (_, change, _) in enumerate(people) if change]
        found = count_products(lots_of(rows, steps), [A1, A3, A5], {})
        assert all(one.before - one.losing + one.gaining == one.after for one in found)
        assert all(min(one.before, one.after) >= 0 and max(one.before, one.after) <= len(rows) for one in found)
        assert sum(lot.people for lot in lots_of(rows, steps)) == len(rows)

    def test_is_called_as_the_catalogue_does_or_by_its_id(self) -> None:
        lots = lots_of([row("anne", held(A1), held(A3))], ())
        assert [one.name for one in count_products(lots, [A1, A3], {A1: "Office 365 A1"})] == ["Office 365 A1", A3]
        assert isinstance(count_products(lots, [A1, A1], {})[0], ProductCount)
        assert len(count_products(lots, [A1, A1], {})) == 1


class TestServices:
    def test_says_who_gains_and_who_loses_what(self) -> None:
        up = services(row("anne", held(A1)), row("bram", held(A1)), steps=(step("anne"),))
        assert up.gained["intune"] == 1
        assert up.lost == {}
        down = Change(add_sku=A1, remove_skus=(A3,))
        assert services(row("anne", held(A3)), steps=(step("anne", down),)).lost["intune"] == 1

    def test_plans_are_named_as_microsoft_does(self) -> None:
        change = services(row("anne", held(A1)), steps=(step("anne"),))
        assert "SHAREPOINTSTANDARD_EDU" in change.plans_lost
        assert "SHAREPOINTENTERPRISE_EDU" in change.plans_gained
        assert "sharepoint" not in change.lost

    def test_what_was_off_and_stays_off_is_counted(self) -> None:
        keeps = Change(add_sku=A3, remove_skus=(A1,), disabled_plans=frozenset({TEAMS_A3}))
        change = services(row("anne", held(A1, TEAMS_A1)), row("bram", held(A1)), steps=(step("anne", keeps),))
        assert (change.kept_off, change.switched_on, change.not_carried) == (1, {}, {})

    def test_what_was_off_and_comes_on_is_said(self) -> None:
        change = services(row("anne", held(A1, TEAMS_A1)), steps=(step("anne"),))
        assert (change.kept_off, change.switched_on) == (0, {"TEAMS1": 1})
        assert change.services_switched_on == {"teams": 1}

    def test_what_has_no_counterpart_is_said_of_who_changes(self) -> None:
        off = row("anne", held(A1, TEAMS_A1), notes=("KAIZALA_O365_P2",))
        refused = row("bram", held(A1), state=SubjectState.REFUSED, notes=("group g: 2 of its members cannot get it",))
        keeps = Change(add_sku=A3, remove_skus=(A1,), disabled_plans=frozenset({TEAMS_A3}))
        change = services(off, refused, steps=(step("anne", keeps),))
        assert change.not_carried == {"KAIZALA_O365_P2": 1}
        assert change.services_not_carried == {"kaizala": 1}
        assert change.kept_off == 0

    def test_without_a_change_nothing_is_said(self) -> None:
        assert services(row("anne", held(A1, TEAMS_A1))) == ServiceChange()

    def test_plans_that_nobody_knows_are_no_service(self) -> None:
        assert services_of([ServicePlanId("strange"), "TEAMS1"], KNOWN) == {"teams", "platform"}
