"""What people have when they are matched says which writes they need: the same that plans have for them later."""

from typing import Any

import pytest

from provisioning.domain.ids import GroupId
from provisioning.domain.migration import Outset, Phase, Traveller
from provisioning.domain.observation import HeldLicence, Person
from provisioning.planning.migrate import plan_migrate
from provisioning.planning.migration_forecast import Outlook, foretell_migration
from provisioning.planning.outset import with_outset
from provisioning.planning.quota import Sizes
from tests.unit.planning.migration_scene import EXCHANGE_A3, SOURCE, census, definition, migrate_scene, traveller
from tests.unit.planning.scene import A1, A3, A5, LIMITS, MAPPINGS, NOW, held, person, policy

OURS, OTHERS = GroupId("ours"), GroupId("others")
WITHOUT_EXCHANGE = held(A3, EXCHANGE_A3)


def seen(old: Person | None, new: Person | None, **known: Any) -> Traveller:
    here = census(*([old] if old else []), tenant=SOURCE)
    there = census(*([new] if new else []))
    one = traveller("anne", target_id=new.subject_id if new else None, **known)
    [found] = with_outset([one], here, there, {OURS}, MAPPINGS)
    return found


def in_target(*licences: HeldLicence, **known: Any) -> Traveller:
    return seen(person("anne", held(A3)), person("anne-there", *licences, **known))


class TestInTheTarget:
    @pytest.mark.parametrize(
        ("licences", "expected"),
        [
            pytest.param([], Outset(), id="nothing"),
            pytest.param([held(A1)], Outset(), id="a smaller product is no such one"),
            pytest.param([held(A3)], Outset(is_licensed=True, has_exchange=True), id="all of it"),
            pytest.param([WITHOUT_EXCHANGE], Outset(is_licensed=True), id="all but Exchange"),
            pytest.param(
                [held(A3, group=OTHERS)],
                Outset(is_licensed=True, is_by_name=False, has_exchange=True),
                id="through a group",
            ),
            pytest.param(
                [held(A5)], Outset(is_licensed=True, is_by_name=False, has_exchange=True), id="a larger product"
            ),
            pytest.param([held(A3, group=OTHERS, state="Error")], Outset(), id="a group that could not give it"),
        ],
    )
    def test_what_they_have(self, licences: list[HeldLicence], expected: Outset) -> None:
        assert in_target(*licences).outset == expected

    def test_whether_a_usage_location_is_missing(self) -> None:
        assert not in_target(usage_location=None).outset.has_location
        assert in_target(usage_location="BE").outset.has_location


class TestInTheSource:
    @pytest.mark.parametrize(
        ("licences", "removals"),
        [
            pytest.param([held(A3)], 1, id="by name"),
            pytest.param([held(A3, group=OURS)], 1, id="through a group of ours"),
            pytest.param([held(A3), held(A3, group=OURS)], 2, id="both"),
            pytest.param([held(A3, group=OTHERS)], 0, id="of others' groups nobody is taken out"),
            pytest.param([held(A3), held(A1)], 1, id="what does not go is no write"),
        ],
    )
    def test_how_many_writes_release_them(self, licences: list[HeldLicence], removals: int) -> None:
        assert seen(person("anne", *licences), person("anne-there")).outset.removals == removals

    @pytest.mark.parametrize(("licence", "has"), [(held(A3), True), (WITHOUT_EXCHANGE, False)])
    def test_whether_there_is_a_mailbox(self, licence: HeldLicence, has: bool) -> None:
        assert seen(person("anne", licence), person("anne-there")).has_mailbox is has


class TestNobodyThere:
    @pytest.mark.parametrize("gone", ["source", "target", "product"])
    def test_nothing_is_known(self, gone: str) -> None:
        old = None if gone == "source" else person("anne", held(A3))
        new = None if gone == "target" else person("anne-there")
        known = {"target_sku": None} if gone == "product" else {}
        assert seen(old, new, **known).outset == Outset()


@pytest.mark.parametrize("location", ["NL", None])
@pytest.mark.parametrize("there", [[], [held(A3)], [WITHOUT_EXCHANGE], [held(A5)], [held(A3, group=OTHERS)]])
@pytest.mark.parametrize("here", [held(A3), WITHOUT_EXCHANGE])
def test_the_plan_has_as_many_writes_as_were_foretold(
    here: HeldLicence, there: list[HeldLicence], location: str | None
) -> None:
    old, new = person("anne", here), person("anne-there", *there, usage_location=location)
    outlook = Outlook(now=NOW, definition=definition(), sizes=Sizes.of(LIMITS))
    foretold = {leg.phase: leg.writes for leg in foretell_migration([seen(old, new)], outlook)}
    plan = plan_migrate(migrate_scene(Phase.PREPARE, (old, new), policy=policy(usage_location="NL")))
    assert foretold.get(Phase.PREPARE, 0) == plan.writes
