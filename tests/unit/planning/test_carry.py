"""Carrying over, on a catalogue of letters and on every pair of real suites."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.loader import load_mappings
from provisioning.domain.catalogue import Audience, ServicePlan, Sku
from provisioning.domain.ids import GroupId, ServicePlanId, SkuId
from provisioning.domain.observation import HeldLicence
from provisioning.domain.tenancy import Policy, SkuPolicy
from provisioning.planning.carry import (
    Carried,
    KnownPlans,
    as_offered,
    carry_over,
    enabled_plans,
    families,
    off_by_advice,
    off_by_policy,
    undecided,
)


def sku(name: str, *plans: str) -> Sku:
    """Plans are written family.number; a bare number has no known family."""
    return Sku(
        sku_id=SkuId(name),
        part_number=name,
        name=name,
        family="A1",
        audience=Audience.STUDENT,
        product_line="",
        is_student_use_benefit=False,
        lifecycle="listed",
        plans=tuple(ServicePlan(ServicePlanId(plan), plan.upper(), plan.rpartition(".")[0]) for plan in plans),
    )


def plans(*names: str) -> frozenset[ServicePlanId]:
    return frozenset(map(ServicePlanId, names))


def held(name: str, *off: str, group: str | None = None, state: str = "Active") -> HeldLicence:
    return HeldLicence(SkuId(name), plans(*off), GroupId(group) if group else None, state)


OLD = sku("old", "mail.1", "team.1", "form.1", "form.2", "only.1")
SIDE = sku("side", "mail.1", "extra.1")
NEW = sku("new", "mail.1", "mail.2", "team.2", "form.2", "form.3", "extra.2", "fresh.1", "9")
CATALOGUE = {one.sku_id: one for one in (OLD, SIDE, NEW)}
KNOWN = KnownPlans.named_in(CATALOGUE)


def carried(*licences: HeldLicence, leaving: tuple[str, ...] = ("old", "side")) -> Carried:
    going = [licence for licence in licences if licence.sku_id in leaving and licence.is_direct]
    return carry_over(licences, going, NEW, CATALOGUE, KNOWN)


class TestCarryOver:
    @pytest.mark.parametrize(
        ("licences", "off", "not_carried"),
        [
            pytest.param([held("old")], [], [], id="nothing was off"),
            pytest.param([held("old", "mail.1")], ["mail.1", "mail.2"], [], id="a service off stays off"),
            pytest.param([held("old", "team.1")], ["team.2"], [], id="its successor stays off"),
            pytest.param([held("old", "form.2")], ["form.2"], [], id="half a service off: that half stays off"),
            pytest.param(
                [held("old", "form.1")],
                ["form.3"],
                [],
                id="the other half off: its successor",
            ),
            pytest.param([held("old", "form.1", "form.2")], ["form.2", "form.3"], [], id="both halves off: all of it"),
            pytest.param([held("old", "only.1")], [], ["ONLY.1"], id="what the target has not is listed"),
            pytest.param(
                [held("old", "mail.1"), held("side")], [], [], id="off in one and on in the other was on: it stays on"
            ),
            pytest.param(
                [held("old", "mail.1"), held("side", "mail.1", "extra.1")],
                ["mail.1", "mail.2", "extra.2"],
                [],
                id="off in both",
            ),
            pytest.param(
                [held("old", "only.1"), held("side"), held("side", "extra.1", group="g")],
                [],
                ["ONLY.1"],
                id="on directly and off through a group was on",
            ),
            pytest.param(
                [held("foreign", "fresh.1"), held("old")], ["fresh.1"], [], id="off in a product that stays, on nowhere"
            ),
            pytest.param([held("old", "9")], ["9"], [], id="a plan of no known family is carried by its id"),
            pytest.param([held("unlisted", "team.1")], ["team.2"], [], id="a product of no list"),
            pytest.param([held("old", "x")], [], ["x"], id="a plan that nobody knows is named by its id"),
        ],
    )
    def test_what_stays_off(self, licences: list[HeldLicence], off: list[str], not_carried: list[str]) -> None:
        assert carried(*licences) == Carried(plans(*off), tuple(not_carried))

    def test_a_lost_plan_is_listed_once_per_person(self) -> None:
        twice = carried(held("old", "only.1"), held("old", "only.1", state="Error"))
        assert twice.not_carried == ("ONLY.1",)

    def test_no_successor_is_switched_off_when_it_alone_keeps_the_service_on(self) -> None:
        alone = sku("alone", "form.9")
        licence = held("old", "form.1")
        result = carry_over(
            [licence], [licence], alone, CATALOGUE, KnownPlans.named_in({**CATALOGUE, alone.sku_id: alone})
        )
        assert result == Carried(frozenset(), ("FORM.1",))


REAL = load_mappings()
REAL_KNOWN = KnownPlans.named_in(REAL.skus)
SUITES = [one for one in REAL.skus.values() if one.family in {"A1", "A3", "A5"} and one.plans]


def keeps_its_promises(licences: list[HeldLicence], target: Sku) -> bool:
    """R28: what was off stays off. L3: what was on and is in the target stays on, unless its plans were off by id."""
    on = enabled_plans(licences, REAL.skus)
    off = frozenset(plan for licence in licences for plan in licence.disabled_plans) - on
    after = target.plan_ids - carry_over(licences, licences, target, REAL.skus, REAL_KNOWN).disabled
    dark = families(off, REAL_KNOWN.family_of) - families(on, REAL_KNOWN.family_of)
    excused = families(target.plan_ids, REAL_KNOWN.family_of) - families(target.plan_ids - off, REAL_KNOWN.family_of)
    wanted = families(on, REAL_KNOWN.family_of) & families(target.plan_ids, REAL_KNOWN.family_of)
    lit = families(after, REAL_KNOWN.family_of)
    return after.isdisjoint(off) and lit.isdisjoint(dark) and wanted - excused <= lit


def service_by_service(source: Sku) -> list[frozenset[ServicePlanId]]:
    single = [frozenset({plan.plan_id}) for plan in source.plans]
    whole = [
        frozenset(plan.plan_id for plan in source.plans if plan.family == family)
        for family in {plan.family for plan in source.plans}
    ]
    return [frozenset(), *single, *whole, source.plan_ids]


@pytest.mark.parametrize("source", SUITES, ids=lambda one: one.part_number)
class TestEveryPairOfSuites:
    def test_a_disabled_service_never_comes_back_and_an_enabled_one_never_goes(self, source: Sku) -> None:
        broken = [
            (target.part_number, off)
            for target in SUITES
            for off in service_by_service(source)
            if not keeps_its_promises([HeldLicence(source.sku_id, off)], target)
        ]
        assert broken == []

    def test_a_plan_carried_over_is_a_plan_of_the_target(self, source: Sku) -> None:
        everything_off = HeldLicence(source.sku_id, source.plan_ids)
        for target in SUITES:
            result = carry_over([everything_off], [everything_off], target, REAL.skus, REAL_KNOWN)
            assert result.disabled <= target.plan_ids


class TestAnyMixtureOfSuites:
    @given(st.data())
    def test_disabled_plans_never_come_back(self, data: st.DataObject) -> None:
        sources = data.draw(st.lists(st.sampled_from(SUITES), min_size=1, max_size=3, unique_by=lambda one: one.sku_id))
        licences = [
            HeldLicence(one.sku_id, frozenset(data.draw(st.sets(st.sampled_from(sorted(one.plan_ids))))))
            for one in sources
        ]
        assert keeps_its_promises(licences, data.draw(st.sampled_from(SUITES)))


class TestAsOffered:
    def test_the_tenant_knows_better_than_the_list(self) -> None:
        offered = as_offered(NEW, plans("team.1", "unheard"), KNOWN)
        assert [(plan.plan_id, plan.family) for plan in offered.plans] == [("team.1", "team"), ("unheard", "")]

    def test_without_a_look_at_the_tenant_the_list_must_do(self) -> None:
        assert as_offered(NEW, plans(), KNOWN) is NEW


def policy(disabled: tuple[str, ...] = (), decided: tuple[str, ...] = (), advised: tuple[str, ...] = ()) -> Policy:
    return Policy(
        tenant_id="t",
        valid_from=date(2026, 8, 1),
        skus={NEW.sku_id: SkuPolicy(plans(*disabled), plans(*decided))},
        advised={Audience.STUDENT: frozenset(advised)},
    )


DECIDED = ("mail.1", "mail.2", "team.2", "form.2", "form.3", "extra.2")


class TestPolicy:
    def test_what_the_school_switched_off(self) -> None:
        assert off_by_policy(NEW, policy(disabled=("mail.1", "only.1"))) == plans("mail.1")

    def test_a_product_without_a_policy_has_nothing_off(self) -> None:
        assert off_by_policy(OLD, policy(disabled=("mail.1",))) == plans()
        assert undecided(OLD, Audience.STUDENT, policy(decided=("mail.1",))) == plans()

    @pytest.mark.parametrize(
        ("audience", "decided", "expected"),
        [
            pytest.param(Audience.STUDENT, DECIDED, ("fresh.1", "9"), id="pupils: off until decided"),
            pytest.param(Audience.FACULTY, ("mail.1",), (), id="staff: on"),
            pytest.param(Audience.STUDENT, (), (), id="a school that never decided about plans gets what it bought"),
        ],
    )
    def test_newly_shipped_plans(self, audience: Audience, decided: tuple[str, ...], expected: tuple[str, ...]) -> None:
        assert undecided(NEW, audience, policy(decided=decided)) == plans(*expected)

    @pytest.mark.parametrize(
        ("audience", "expected"),
        [(Audience.STUDENT, ("form.2", "form.3")), (Audience.FACULTY, ())],
        ids=["pupils", "staff"],
    )
    def test_advice_speaks_of_services_and_to_an_audience(self, audience: Audience, expected: tuple[str, ...]) -> None:
        assert off_by_advice(NEW, audience, policy(advised=("form",))) == plans(*expected)


class TestEnabledPlans:
    @pytest.mark.parametrize(
        ("licence", "expected"),
        [
            pytest.param(held("side"), ("mail.1", "extra.1"), id="all of it"),
            pytest.param(held("side", "mail.1"), ("extra.1",), id="without what is off"),
            pytest.param(held("side", group="g"), ("mail.1", "extra.1"), id="through a group too"),
            pytest.param(held("side", state="ActiveWithError"), ("mail.1", "extra.1"), id="with an error, still held"),
            pytest.param(held("side", state="Error"), (), id="not when it failed"),
            pytest.param(held("side", state="Disabled"), (), id="not when it is suspended"),
            pytest.param(held("foreign"), (), id="an unknown product adds nothing"),
        ],
    )
    def test_what_a_licence_brings(self, licence: HeldLicence, expected: tuple[str, ...]) -> None:
        assert enabled_plans([licence], CATALOGUE) == plans(*expected)


class TestRealMappings:
    def test_a_plan_brings_the_same_service_in_every_product(self) -> None:
        named = {(plan.plan_id, plan.family) for one in REAL.skus.values() for plan in one.plans}
        assert len(named) == len(REAL_KNOWN.family_of)
