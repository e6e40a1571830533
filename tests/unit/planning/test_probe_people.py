from typing import Any

import pytest

from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId
from provisioning.domain.observation import HeldLicence, Person
from provisioning.planning.probe import Ask
from provisioning.planning.probe_people import Cast, Standing, after, standing_of, undoing

CAST = Cast(user=SubjectId("u"), group=GroupId("g"))
GIVE = {"addLicenses": [{"skuId": "a3", "disabledPlans": []}], "removeLicenses": ["a1"]}
BEFORE = Standing(skus=frozenset({"a1"}), location="NL")


def ask(method: str, path: str, body: Any = None) -> Ask:
    return Ask(method=method, path=path, body=body)


class TestWhatARequestMakes:
    @pytest.mark.parametrize(
        ("asked", "made"),
        [
            (ask("POST", "/users/u/assignLicense", GIVE), Standing(skus=frozenset({"a3"}), location="NL")),
            (ask("PATCH", "/users/u", {"usageLocation": None}), Standing(skus=frozenset({"a1"}), location=None)),
            (
                ask("PATCH", "/groups/g", {"members@odata.bind": ["x"]}),
                Standing(skus=frozenset({"a1"}), location="NL", is_member=True),
            ),
            (
                ask("POST", "/groups/g/assignLicense", GIVE),
                Standing(skus=frozenset({"a1"}), location="NL", carried=frozenset({"a3"})),
            ),
            (ask("DELETE", "/groups/g/members/u/$ref"), BEFORE),
            (ask("POST", "/users/other/assignLicense", GIVE), BEFORE),
            (ask("POST", "/groups/other/assignLicense", GIVE), BEFORE),
            (ask("GET", "/users/u"), BEFORE),
        ],
    )
    def test_is_known_without_looking(self, asked: Ask, made: Standing) -> None:
        assert after(BEFORE, asked, CAST) == made

    def test_of_one_who_leaves_the_group(self) -> None:
        inside = Standing(is_member=True)
        assert not after(inside, ask("DELETE", "/groups/g/members/u/$ref"), CAST).is_member


class TestUndoing:
    def test_of_nothing_is_nothing(self) -> None:
        assert list(undoing(BEFORE, BEFORE, CAST)) == []

    def test_leads_back_to_where_they_were(self) -> None:
        changed = Standing(skus=frozenset({"a1", "a3"}), location=None, is_member=True, carried=frozenset({"a5"}))
        now = changed
        for asked in undoing(changed, BEFORE, CAST):
            now = after(now, asked, CAST)
        assert now == BEFORE

    def test_takes_licences_before_the_country(self) -> None:
        changed = Standing(skus=frozenset({"a1", "a3"}), location="KP")
        assert [asked.path for asked in undoing(changed, BEFORE, CAST)] == ["/users/u/assignLicense", "/users/u"]

    def test_writes_to_no_group_when_there_is_none(self) -> None:
        alone = Cast(user=SubjectId("u"))
        assert all("groups" not in asked.path for asked in undoing(Standing(location="KP"), BEFORE, alone))


class TestStanding:
    def test_is_of_licences_of_their_own(self) -> None:
        licences = (HeldLicence(SkuId("a1")), HeldLicence(SkuId("a3"), group_id=GroupId("g")))
        person = Person(subject_id=SubjectId("u"), usage_location="NL", licences=licences)
        group = ObservedGroup(
            group_id=GroupId("g"),
            nickname="",
            members=frozenset({SubjectId("u")}),
            licences=(GroupLicence(SkuId("a3")),),
        )
        assert standing_of(person, group) == Standing(
            skus=frozenset({"a1"}), location="NL", is_member=True, carried=frozenset({"a3"})
        )
        assert standing_of(person, None) == BEFORE
