"""The twin, which shares no code with the planners, accepts what they plan, plan by plan and step by step."""

from functools import cache

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provisioning.domain.ids import ServicePlanId, SkuId
from provisioning.domain.migration import Phase
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.planning.migrate import plan_migrate
from provisioning.planning.plan import Plan
from provisioning.planning.release import plan_release
from provisioning.sandbox.catalogue import read_catalogue
from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.licensing import LicenceRequest, Offer, decide
from provisioning.sandbox.model import Assignment, User
from provisioning.sandbox.switches import Switches
from tests.unit.planning.migration_scene import (
    EVIDENCE,
    LONG_AGO,
    given_by,
    migrate_scene,
    release_scene,
    taken_by,
    there,
    traveller,
)
from tests.unit.planning.scene import A1, A3, A5, EMS, FOREIGN, MAPPINGS, person, replaced, seats

MOMENT = "2026-08-17T09:00:00Z"
SUITES = [A1, A3, A5]


@cache
def offer() -> Offer:
    catalogue = read_catalogue()
    return Offer(frozenset(catalogue.skus), catalogue.skus, lambda _: 1_000, catalogue.rules)


def in_twin(one: Person) -> User:
    held = tuple(Assignment(x.sku_id, MOMENT, tuple(sorted(x.disabled_plans)), x.group_id) for x in one.licences)
    return User(id="u", userPrincipalName="u@x", usageLocation=one.usage_location, assignments=held)


def written(one: Person, change: Change) -> Person:
    """The person once the twin has done it; raises its refusal."""
    additions = {change.add_sku: tuple(sorted(change.disabled_plans))} if change.add_sku else {}
    request = LicenceRequest({str(sku): off for sku, off in additions.items()}, tuple(change.remove_skus))
    after = decide(in_twin(one), request, offer(), Switches(), MOMENT)
    return replaced(one, licences=tuple(map(as_held, after)))


def as_held(held: Assignment) -> HeldLicence:
    return HeldLicence(SkuId(held.skuId), frozenset(map(ServicePlanId, held.disabledPlans)))


def done(plan: Plan, one: Person) -> Person:
    for step in plan.steps:
        assert step.kind is not StepKind.REMOVE_MEMBER
        one = written(one, step.change)
    return one


@st.composite
def holding(draw: st.DrawFn, *skus: SkuId) -> Person:
    """Somebody with these products, some plans of each switched off, as the twin itself allows it."""
    one = person("anne")
    for sku in skus:
        off = draw(st.frozensets(st.sampled_from(sorted(MAPPINGS.skus[sku].plan_ids)), max_size=6))
        try:
            one = written(one, Change(add_sku=sku, disabled_plans=off))
        except GraphError:
            assume(False)
    return one


@st.composite
def journeys(draw: st.DrawFn) -> tuple[Person, SkuId, SkuId, Person]:
    source, target = draw(st.sampled_from(SUITES)), draw(st.sampled_from(SUITES))
    here = draw(holding(source))
    far = there(here)
    if draw(st.booleans()):
        far = replaced(far, licences=(HeldLicence(draw(st.sampled_from([FOREIGN, EMS]))),))
    return here, source, target, far


class TestTheTwin:
    @given(journeys())
    def test_accepts_every_step_and_ends_where_it_began(self, journey: tuple[Person, SkuId, SkuId, Person]) -> None:
        here, source, target, before = journey
        gone = (traveller("anne", source_sku=source, target_sku=target, evidence=EVIDENCE, enabled_at=LONG_AGO),)
        plain = {"sku_id": target, "travellers": gone, "seats": seats(10, 0, target)}
        prepare = plan_migrate(migrate_scene(Phase.PREPARE, (here, before), **plain))
        far = done(prepare, before)
        enable = plan_migrate(migrate_scene(Phase.ENABLE, (here, far), **plain))
        far = done(enable, far)
        left = given_by(prepare, target) | given_by(enable, target)

        release = plan_release(release_scene(Phase.RELEASE, (here, far), sku_id=source, travellers=gone))
        after = done(release, here)
        taken = taken_by(release, here)
        back = {"sku_id": source, "travellers": gone, "taken": taken, "seats": seats(10, 0, source)}
        again = done(plan_release(release_scene(Phase.UNDO_SOURCE, (after, far), **back)), after)
        undo = plan_migrate(migrate_scene(Phase.UNDO_TARGET, (again, far), left=left, **plain))
        assert set(again.licences) == set(here.licences)
        assert set(done(undo, far).licences) == set(before.licences)

    @pytest.mark.parametrize("target", SUITES)
    @pytest.mark.parametrize("source", SUITES)
    def test_a_person_with_everything_on_goes_all_the_way(self, source: SkuId, target: SkuId) -> None:
        here = written(person("anne"), Change(add_sku=source))
        gone = (traveller("anne", source_sku=source, target_sku=target, evidence=EVIDENCE, enabled_at=LONG_AGO),)
        plain = {"sku_id": target, "travellers": gone, "seats": seats(10, 0, target)}
        far = done(plan_migrate(migrate_scene(Phase.PREPARE, (here, there(here)), **plain)), there(here))
        assert far.licences[0].disabled_plans
        far = done(plan_migrate(migrate_scene(Phase.ENABLE, (here, far), **plain)), far)
        assert far.licences == (HeldLicence(target),)
        release = plan_release(release_scene(Phase.RELEASE, (here, far), sku_id=source, travellers=gone))
        assert done(release, here).licences == ()
