"""Members keep their places, so that pages do."""

from provisioning.sandbox.memberships import Groups, Members
from provisioning.sandbox.model import Group


def group(group_id: str = "g", **more: object) -> Group:
    return Group(id=group_id, displayName=group_id, **more)  # type: ignore[arg-type]


class TestMembers:
    def test_keep_the_order_of_joining(self) -> None:
        members = Members()
        for one in "abc":
            members.add(one)
        assert (list(members), len(members), "b" in members, members.is_whole) == (["a", "b", "c"], 3, True, True)

    def test_who_leaves_leaves_a_place_behind(self) -> None:
        members = Members()
        members.add("a")
        members.add("b")
        members.remove("a")
        assert (members.order, list(members), members.is_whole) == (["a", "b"], ["b"], False)

    def test_who_comes_back_has_one_place(self) -> None:
        members = Members()
        members.add("a")
        members.add("b")
        members.remove("a")
        members.add("a")
        assert (members.order, list(members)) == (["", "b", "a"], ["b", "a"])


class TestGroups:
    def test_joining_and_leaving_tell_who_did(self) -> None:
        groups = Groups()
        groups.put(group())
        assert groups.join("g", ["a", "b", "a"]) == ["a", "b"]
        assert groups.join("g", ["b", "c"]) == ["c"]
        assert groups.leave("g", ["a", "z"]) == ["a"]
        assert (list(groups.members("g")), groups.of("a"), groups.of("b")) == (["b", "c"], [], ["g"])

    def test_a_removed_group_has_nobody_and_keeps_its_place(self) -> None:
        groups = Groups()
        groups.put(group("g"))
        groups.put(group("h"))
        groups.join("g", ["a"])
        assert groups.remove("g") == group("g")
        assert (groups.order, [one.id for one in groups], groups.of("a")) == (["g", "h"], ["h"], [])
        assert groups.remove("g") is None

    def test_a_new_group_knows_since_when(self) -> None:
        groups = Groups()
        assert groups.put(group(), 5.0) is None
        assert groups.put(group(description="x"), 9.0) == group()
        assert groups.created_at["g"] == 5.0

    def test_those_with_a_rule_are_known(self) -> None:
        groups = Groups()
        groups.put(group("g", groupTypes=("DynamicMembership",)))
        assert [one.id for one in groups.dynamic] == ["g"]
        groups.put(group("g"))
        assert groups.dynamic == []
