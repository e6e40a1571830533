from typing import Any

import pytest

from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId, TenantId
from provisioning.domain.observation import HeldLicence, Person
from provisioning.planning.probe import Ask
from provisioning.planning.probe_people import (
    UNSURE,
    Cast,
    Interrupted,
    Standing,
    after,
    at_most,
    has_no_more,
    standing_of,
    undoing,
)

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

    def test_takes_each_licence_by_itself(self) -> None:
        changed = Standing(skus=frozenset({"a1", "a3", "a5"}), location="NL")
        assert [asked.body["removeLicenses"] for asked in undoing(changed, BEFORE, CAST)] == [["a3"], ["a5"]]

    def test_writes_to_no_group_when_there_is_none(self) -> None:
        alone = Cast(user=SubjectId("u"))
        assert all("groups" not in asked.path for asked in undoing(Standing(location="KP"), BEFORE, alone))


class TestWhatNobodyKnows:
    def test_may_have_come_true(self) -> None:
        now = at_most(BEFORE, ask("POST", "/users/u/assignLicense", GIVE), CAST)
        assert now.skus == {"a1", "a3"}
        now = at_most(now, ask("PATCH", "/users/u", {"usageLocation": "KP"}), CAST)
        assert now.location == UNSURE

    def test_may_have_come_true_of_each_item_of_a_batch(self) -> None:
        give = ask("POST", "/users/u/assignLicense", GIVE)
        batch = Ask(method="POST", path="/$batch", items=(give, ask("PATCH", "/groups/g", {"members@odata.bind": []})))
        now = at_most(BEFORE, batch, CAST)
        assert (now.skus, now.is_member) == ({"a1", "a3"}, True)

    def test_is_known_of_an_interrupted_run_from_what_it_asked(self) -> None:
        sent = (ask("POST", "/users/u/assignLicense", GIVE), ask("POST", "/groups/g/assignLicense", GIVE))
        left = Interrupted(tenant=TenantId("t"), cast=CAST, before=BEFORE, sent=sent)
        assert (left.at_most.skus, left.at_most.carried) == ({"a1", "a3"}, {"a3"})

    @pytest.mark.parametrize(
        ("seen", "is_so"),
        [
            (BEFORE, True),
            (Standing(location="KP"), True),
            (Standing(skus=frozenset({"a3"})), False),
            (Standing(carried=frozenset({"a3"})), False),
            (Standing(is_member=True), False),
        ],
    )
    def test_is_gone_when_no_more_is_seen(self, seen: Standing, is_so: bool) -> None:
        assert has_no_more(seen, BEFORE) is is_so


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
