"""What assignLicense decides, without a server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.sandbox.catalogue import Dependency, PlanRules, ServicePlan, Sku
from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.licensing import LicenceRequest, Offer, decide, enabled_plans, is_same, read_request
from provisioning.sandbox.model import Assignment, Directory, User
from provisioning.sandbox.switches import Switches

NOW, THEN = "2026-02-03T08:00:00Z", "2025-09-01T08:00:00Z"
MAIL, OFFICE, PHONE, CHAT = "plan-mail", "plan-office", "plan-phone", "plan-chat"


def sku(sku_id: str, *plans: str) -> Sku:
    return Sku(sku_id, sku_id.upper(), tuple(ServicePlan(plan, plan) for plan in plans))


SKUS = {
    held.skuId: held for held in (sku("basic", MAIL), sku("full", MAIL, OFFICE), sku("phone", PHONE), sku("chat", CHAT))
}
RULES = PlanRules([(OFFICE, CHAT)], [Dependency(PHONE, (MAIL, CHAT))])


def offer(free: int = 5, **owned: Any) -> Offer:
    return Offer(frozenset(owned.get("owned", SKUS)), SKUS, lambda _: free, RULES)


def user(*assignments: Assignment, location: str | None = "NL") -> User:
    return User(id="u", userPrincipalName="u@x", usageLocation=location, assignments=assignments)


def held(sku_id: str, *disabled: str, group: str | None = None, state: str = "Active") -> Assignment:
    return Assignment(sku_id, THEN, disabled, group, state)


def outcome(person: User, add: dict[str, tuple[str, ...]], remove: tuple[str, ...] = (), **more: Any) -> Any:
    return decide(person, LicenceRequest(add, remove), more.get("given", offer()), Switches(), NOW)


def refusal(person: User, add: dict[str, tuple[str, ...]], remove: tuple[str, ...] = (), **more: Any) -> str:
    with pytest.raises(GraphError) as refused:
        outcome(person, add, remove, **more)
    assert refused.value.code == "Request_BadRequest"
    return refused.value.message


class TestDecide:
    @pytest.mark.parametrize(
        ("before", "add", "remove", "after"),
        [
            pytest.param([], {"basic": ()}, (), [Assignment("basic", NOW)], id="a first licence"),
            pytest.param([held("basic")], {"full": ()}, ("basic",), [Assignment("full", NOW)], id="a swap"),
            pytest.param([held("basic")], {}, ("basic",), [], id="a removal"),
            pytest.param(
                [held("full", MAIL)], {"full": (OFFICE,)}, (), [Assignment("full", NOW, (OFFICE,))],
                id="disabled plans are replaced",
            ),
            pytest.param(
                [held("full", group="g")], {"full": ()}, (), [held("full", group="g"), Assignment("full", NOW)],
                id="direct beside inherited",
            ),
            pytest.param(
                [held("full", group="g"), held("full")], {}, ("full",), [held("full", group="g")],
                id="only the direct one goes",
            ),
            pytest.param([held("phone"), held("basic")], {"full": ()}, ("basic",), None, id="order is kept"),
        ],
    )  # fmt: skip
    def test_gives_the_new_assignments(
        self, before: list[Assignment], add: dict[str, tuple[str, ...]], remove: tuple[str, ...], after: Any
    ) -> None:
        expected = [held("phone"), Assignment("full", NOW)] if after is None else after
        assert list(outcome(user(*before), add, remove)) == expected

    def test_ownership_is_noticed_before_a_wrong_removal(self) -> None:
        assert "valid company License" in refusal(user(), {"basic": ()}, ("full",), given=offer(owned=[]))

    def test_a_wrong_removal_before_the_location(self) -> None:
        assert "corresponding license" in refusal(user(location=None), {"basic": ()}, ("full",))

    def test_the_location_before_conflicts(self) -> None:
        assert "usage location" in refusal(user(held("chat"), location=None), {"full": ()})

    def test_conflicts_before_seats(self) -> None:
        assert "mutually exclusive" in refusal(user(held("chat")), {"full": ()}, given=offer(free=0))

    @pytest.mark.parametrize("location", [None, "", "ZZ", "Nederland"])
    def test_a_location_must_be_a_country(self, location: str | None) -> None:
        assert "usage location" in refusal(user(location=location), {"basic": ()})

    def test_a_removal_needs_no_location(self) -> None:
        assert outcome(user(held("basic"), location=None), {}, ("basic",)) == ()

    def test_a_plan_switched_off_conflicts_with_nothing(self) -> None:
        assert len(outcome(user(held("chat")), {"full": (OFFICE,)})) == 2

    def test_an_inherited_licence_in_error_conflicts_with_nothing(self) -> None:
        assert len(outcome(user(held("chat", group="g", state="Error")), {"full": ()})) == 2

    def test_a_dependency_may_be_met_by_any_of_its_plans(self) -> None:
        assert "depends on" in refusal(user(), {"phone": ()})
        assert len(outcome(user(held("chat")), {"phone": ()})) == 2
        assert len(outcome(user(), {"phone": (), "basic": ()})) == 2

    def test_an_add_on_goes_along_with_its_suite_or_the_whole_call_is_refused(self) -> None:
        """The dossier, G3.4: a dependency is judged on what is left when the whole request is done."""
        before = user(held("basic"), held("phone"))
        assert "depends on" in refusal(before, {"chat": (CHAT,)}, ("basic",))
        after = outcome(before, {"chat": (CHAT,), "full": ()}, ("basic", "phone"))
        assert {one.skuId for one in after} == {"chat", "full"}

    def test_the_last_seat_is_for_the_first(self) -> None:
        assert outcome(user(), {"basic": ()}, given=offer(free=1))
        assert "available licenses" in refusal(user(), {"basic": ()}, given=offer(free=0))

    def test_who_holds_a_seat_needs_no_other(self) -> None:
        assert outcome(user(held("basic")), {"basic": ()}, given=offer(free=0))
        assert outcome(user(held("basic", group="g")), {"basic": ()}, given=offer(free=-3))


class TestReadRequest:
    SKU, PLAN = "94763226-9B3C-4E75-A931-5C89701ABE66", "2078E8DF-CFF6-4290-98CB-5408261A760A"

    def test_ids_are_lowered_and_other_fields_ignored(self) -> None:
        body = {
            "addLicenses": [{"@odata.type": "x", "skuId": self.SKU, "disabledPlans": [self.PLAN]}],
            "removeLicenses": [],
        }
        assert read_request(body, Switches()) == LicenceRequest({self.SKU.lower(): (self.PLAN.lower(),)}, ())

    @pytest.mark.parametrize(
        "body",
        [
            {"addLicenses": [], "removeLicenses": ["{" + SKU + "}"]},
            {"addLicenses": [{"skuId": SKU, "disabledPlans": [""]}], "removeLicenses": []},
            {"addLicenses": [{}], "removeLicenses": []},
            {"addLicenses": "", "removeLicenses": []},
            None,
        ],
    )
    def test_malformed_bodies_are_bad_requests(self, body: Any) -> None:
        with pytest.raises(GraphError) as refused:
            read_request(body, Switches())
        assert refused.value.status == 400


class TestEnabledPlans:
    def test_is_the_union_over_what_works(self) -> None:
        assignments = (held("full", OFFICE), held("full", MAIL, group="g"), held("phone", state="Error"))
        assert enabled_plans(assignments, SKUS) == {MAIL, OFFICE}


class TestIsSame:
    def test_ignores_dates_and_order_only(self) -> None:
        one, other = held("full", MAIL, OFFICE), Assignment("full", NOW, (OFFICE, MAIL))
        assert is_same((one, held("basic")), (held("basic"), other))
        assert not is_same((one,), (held("full", MAIL),))


SEATS = 3
changes = st.tuples(
    st.sampled_from(["ann", "ben", "cas", "dee", "eva"]),
    st.dictionaries(st.sampled_from(sorted(SKUS)), st.sampled_from([(), (MAIL,), (OFFICE,)]), max_size=2),
    st.sets(st.sampled_from(sorted(SKUS)), max_size=2),
)


class TestInvariants:
    @given(st.lists(changes, max_size=40))
    def test_consumed_units_are_people_and_never_above_the_seats(self, attempts: list[Any]) -> None:
        directory = Directory()
        for name in ("ann", "ben", "cas", "dee", "eva"):
            directory.put(User(id=name, userPrincipalName=f"{name}@x", usageLocation="NL"))
        given = Offer(frozenset(SKUS), SKUS, lambda sku_id: SEATS - directory.consumed[sku_id], RULES)
        for name, add, remove in attempts:
            before, counts = directory.users[name], dict(directory.consumed)
            assert before is not None
            try:
                after = decide(before, LicenceRequest(add, tuple(remove)), given, Switches(), NOW)
            except GraphError:
                assert dict(directory.consumed) == counts
                continue
            directory.put(User(id=name, userPrincipalName=f"{name}@x", usageLocation="NL", assignments=after))
            plans = enabled_plans(after, SKUS)
            assert not any(RULES.conflicts(plans))
            assert not any(RULES.unmet(plans))
            for sku_id in SKUS:
                holders = [person for person in directory.users.values() if person and sku_id in person.consumed_skus]
                assert directory.consumed[sku_id] == len(holders) <= SEATS
