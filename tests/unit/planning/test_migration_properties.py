"""What holds for every migration, whatever people hold in either tenant."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration import Phase
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import SkuPolicy
from provisioning.planning.carry import KnownPlans, enabled_plans, families
from provisioning.planning.migrate import MigrateScene, plan_migrate
from provisioning.planning.plan import Plan
from provisioning.planning.release import plan_release
from tests.unit.planning.migration_scene import (
    EXCHANGE_A3,
    LONG_AGO,
    SOURCE,
    YAMMER,
    carried_out,
    census,
    given_by,
    migrate_scene,
    release_scene,
    taken_by,
    there,
)
from tests.unit.planning.scene import (
    A1,
    A3,
    A5,
    EMS,
    FOREIGN,
    GROUP,
    MAPPINGS,
    held,
    person,
    plan_of,
    policy,
    replaced,
    seats,
)

FORMS = plan_of(A3, "OFFICE_FORMS_PLAN_2")
FAMILY_OF = KnownPlans.named_in(MAPPINGS.skus).family_of
PRODUCT = MAPPINGS.skus[A3]

HERE = [
    (held(A3),),
    (held(A3, YAMMER),),
    (held(A3, YAMMER, FORMS), held(FOREIGN)),
    (held(A3, EXCHANGE_A3),),
    (held(A3, group=GROUP),),
    (held(A3, YAMMER), held(A3, group=GROUP)),
    (held(A3), held(EMS)),
    (held(A3), held(FOREIGN, group=GROUP)),
    (held(A1),),
    (),
]
THERE = [
    (),
    (),
    (),
    (held(FOREIGN),),
    (held(EMS),),
    (held(A1),),
    (held(A3),),
    (held(A3, EXCHANGE_A3),),
    (held(A3, EXCHANGE_A3, FORMS),),
    (held(A3, group=GROUP),),
    (held(A3, EXCHANGE_A3, group=GROUP),),
    (held(A5),),
]


class Case(msgspec.Struct, frozen=True):
    """People in both tenants and what is not about them, without the product list, so that it can be read."""

    pairs: list[tuple[Person, Person]]
    known: dict[str, Any]

    @property
    def far(self) -> list[Person]:
        return [far for _, far in self.pairs]

    @property
    def here(self) -> list[Person]:
        return [here for here, _ in self.pairs]

    def scene(self, phase: Phase, people: tuple[Person, ...] | None = None, **known: Any) -> MigrateScene:
        """With people of the target as they are by now, and no seat too many."""
        far = self.far if people is None else people
        holders = sum(one.holds(A3) for one in far)
        fields = {
            "seats": seats(self.known["enabled"], holders),
            "entitlement": self.known["entitlement"],
            "policy": self.known["policy"],
        }
        return migrate_scene(phase, *zip(self.here, far, strict=True), **(fields | known))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    situations = st.tuples(st.sampled_from(HERE), st.sampled_from(THERE), st.sampled_from(["NL", "NL", None]))
    met = draw(st.lists(situations, max_size=12))
    here = [person(f"p{number:02}", *licences) for number, (licences, _, _) in enumerate(met)]
    far = [
        replaced(there(one), licences=licences, usage_location=place)
        for one, (_, licences, place) in zip(here, met, strict=True)
    ]
    off = SkuPolicy(disabled_plans=draw(st.sampled_from([frozenset(), frozenset({FORMS})])))
    holders = sum(one.holds(A3) for one in far)
    return Case(
        list(zip(here, far, strict=True)),
        {
            "enabled": holders + draw(st.integers(0, 12)),
            "entitlement": draw(st.integers(0, 30)),
            "policy": policy(usage_location=draw(st.none() | st.just("NL")), skus={A3: off}),
        },
    )


def has_mailbox(one: Person) -> bool:
    return "exchange" in services(one.licences)


def services(licences: tuple[HeldLicence, ...]) -> frozenset[str]:
    return families(enabled_plans(licences, MAPPINGS.skus), FAMILY_OF)


def under_way(plan: Plan) -> set[str]:
    return {one.subject_id for one in plan.subjects if one.state is SubjectState.PENDING}


def arrived(case: Case) -> tuple[Person, ...]:
    """Everybody in the target once they are prepared and enabled."""
    far = carried_out(plan_migrate(case.scene(Phase.PREPARE)), *case.far)
    return carried_out(plan_migrate(case.scene(Phase.ENABLE, far)), *far)


class TestInTheTarget:
    @given(cases())
    def test_each_traveller_is_told_of_once(self, case: Case) -> None:
        for phase in (Phase.PREPARE, Phase.ENABLE, Phase.UNDO_TARGET):
            plan = plan_migrate(case.scene(phase))
            assert sorted(one.subject_id for one in plan.subjects) == sorted(one.subject_id for one in case.far)
            assert {step.subject_id for step in plan.steps} == under_way(plan)
            assert plan.needs_approval

    @given(cases())
    def test_nobody_takes_two_seats_and_nobody_one_too_many(self, case: Case) -> None:
        plan = plan_migrate(case.scene(Phase.PREPARE))
        far = carried_out(plan, *case.far)
        assert all(sum(x.sku_id == A3 and x.is_direct for x in one.licences) <= 1 for one in far)
        holders = sum(one.holds(A3) for one in far)
        assert holders <= case.known["enabled"]
        assert holders <= max(case.known["entitlement"], sum(one.holds(A3) for one in case.far))
        licences = [step.subject_id for step in plan.steps if step.kind is StepKind.ASSIGN]
        assert len(licences) == len(set(licences))

    @given(cases())
    def test_to_prepare_makes_no_mailbox(self, case: Case) -> None:
        far = carried_out(plan_migrate(case.scene(Phase.PREPARE)), *case.far)
        for before, after in zip(case.far, far, strict=True):
            assert has_mailbox(after) == has_mailbox(before)

    @given(cases())
    def test_prepared_and_enabled_is_what_was_on_and_is_not_to_be_off(self, case: Case) -> None:
        served = under_way(plan_migrate(case.scene(Phase.PREPARE)))
        off = case.known["policy"].skus[A3].disabled_plans
        for here, far in zip(case.here, arrived(case), strict=True):
            if far.subject_id in served:
                leaving = [one for one in here.licences if one.sku_id == A3]
                assert enabled_plans([one for one in far.licences if one.sku_id == A3], MAPPINGS.skus) == (
                    enabled_plans(leaving, MAPPINGS.skus) - off
                )

    @given(cases())
    def test_nobody_loses_a_service_there(self, case: Case) -> None:
        far = case.far
        for phase in (Phase.PREPARE, Phase.ENABLE):
            after = carried_out(plan_migrate(case.scene(phase, tuple(far))), *far)
            assert all(services(one.licences) <= services(two.licences) for one, two in zip(far, after, strict=True))
            far = list(after)

    @given(cases())
    def test_a_second_plan_writes_nothing(self, case: Case) -> None:
        far: tuple[Person, ...] = tuple(case.far)
        for phase in (Phase.PREPARE, Phase.ENABLE):
            plan = plan_migrate(case.scene(phase, far))
            far = carried_out(plan, *far)
            waiting = [one.subject_id for one in plan.subjects if one.state is SubjectState.WAITING]
            again = plan_migrate(case.scene(phase, far))
            assert again.steps == ()
            assert [one.subject_id for one in again.subjects if one.state is SubjectState.WAITING] == waiting

    @given(cases(), st.booleans())
    def test_to_undo_leaves_everybody_as_before(self, case: Case, is_enabled: bool) -> None:
        prepared = plan_migrate(case.scene(Phase.PREPARE))
        far = carried_out(prepared, *case.far)
        left = given_by(prepared)
        if is_enabled:
            enabled = plan_migrate(case.scene(Phase.ENABLE, far, travellers=_of(case, under_way(prepared))))
            far, left = carried_out(enabled, *far), left | given_by(enabled)
        undone = carried_out(plan_migrate(case.scene(Phase.UNDO_TARGET, far, left=left)), *far)
        assert [set(one.licences) for one in undone] == [set(one.licences) for one in case.far]

    @given(cases(), st.data())
    def test_to_undo_touches_nobody_whom_somebody_changed(self, case: Case, data: st.DataObject) -> None:
        prepared = plan_migrate(case.scene(Phase.PREPARE))
        served = sorted(given_by(prepared))
        changed = data.draw(st.sets(st.sampled_from(served))) if served else set()
        far = tuple(_with_forms_off(one, changed) for one in carried_out(prepared, *case.far))
        undone = plan_migrate(case.scene(Phase.UNDO_TARGET, far, left=given_by(prepared)))
        differing = {one.subject_id for one in far if _differs(one, given_by(prepared))}
        assert {step.subject_id for step in undone.steps}.isdisjoint(differing)
        told = {one.subject_id: one.reason for one in undone.subjects}
        assert all(told[one] is Reason.NOT_AS_WE_LEFT for one in differing)


def _of(case: Case, served: set[str]) -> tuple[Any, ...]:
    return tuple(one for one in case.scene(Phase.ENABLE).travellers if one.target_id in served)


def _with_forms_off(one: Person, changed: set[SubjectId]) -> Person:
    if one.subject_id not in changed:
        return one
    return replaced(
        one,
        licences=tuple(
            replaced(x, disabled_plans=x.disabled_plans | {FORMS}) if x.sku_id == A3 else x for x in one.licences
        ),
    )


def _differs(one: Person, left: dict[SubjectId, HeldLicence]) -> bool:
    ours = left.get(one.subject_id)
    direct = one.direct(A3)
    return ours is not None and direct is not None and direct.disabled_plans != ours.disabled_plans


class TestInTheSource:
    @given(cases())
    def test_a_release_takes_no_service_that_the_target_does_not_serve(self, case: Case) -> None:
        far = arrived(case)
        plan = self.release(case, far)
        after = carried_out(plan, *case.here)
        promised = families(PRODUCT.plan_ids - case.known["policy"].skus[A3].disabled_plans, FAMILY_OF)
        for before, released, there_now in zip(case.here, after, far, strict=True):
            lost = services(before.licences) - services(released.licences)
            assert lost & promised <= services(there_now.licences)

    @given(cases())
    def test_each_traveller_is_told_of_once(self, case: Case) -> None:
        plan = self.release(case, arrived(case))
        assert sorted(one.subject_id for one in plan.subjects) == sorted(one.subject_id for one in case.here)
        assert {step.subject_id for step in plan.steps} == under_way(plan)

    @given(cases())
    def test_nothing_of_others_groups_is_written(self, case: Case) -> None:
        assert all(step.kind is StepKind.REMOVE for step in self.release(case, arrived(case)).steps)

    @given(cases())
    def test_to_undo_gives_everybody_back_what_they_had(self, case: Case) -> None:
        far = arrived(case)
        plan = self.release(case, far)
        after = carried_out(plan, *case.here)
        undo = release_scene(
            Phase.UNDO_SOURCE, *zip(after, far, strict=True), taken=taken_by(plan, *case.here), entitlement=1_000
        )
        again = carried_out(plan_release(undo), *after)
        assert [set(one.licences) for one in again] == [set(one.licences) for one in case.here]

    def release(self, case: Case, far: tuple[Person, ...]) -> Plan:
        scene = release_scene(Phase.RELEASE, *zip(case.here, far, strict=True), target_policy=case.known["policy"])
        assert all(one.enabled_at == LONG_AGO for one in scene.travellers)
        assert scene.census == census(*case.here, tenant=SOURCE)
        return plan_release(scene)
