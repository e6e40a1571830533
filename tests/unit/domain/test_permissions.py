from itertools import pairwise

import pytest

from provisioning.domain.operation import StepKind
from provisioning.domain.permissions import GROUPS, LICENCES, PEOPLE, READ, TIERS, missing_for, tier_for


class TestMissingFor:
    def test_reading_needs_the_reading_tier(self) -> None:
        assert missing_for([], frozenset()) == READ
        assert missing_for([], READ) == frozenset()

    @pytest.mark.parametrize("kind", [StepKind.ASSIGN, StepKind.REMOVE, StepKind.SWAP, StepKind.SET_PLANS])
    def test_licences_need_one_permission_more(self, kind: StepKind) -> None:
        assert missing_for([kind], READ) == {"LicenseAssignment.ReadWrite.All"}
        assert missing_for([kind], LICENCES) == frozenset()

    @pytest.mark.parametrize("kind", [StepKind.SET_USAGE_LOCATION, StepKind.REPROCESS])
    def test_people_themselves_are_not_covered_by_licences(self, kind: StepKind) -> None:
        assert missing_for([kind], LICENCES) == {"User.ReadWrite.All"}

    @pytest.mark.parametrize(
        ("kind", "permission"),
        [
            (StepKind.CREATE_GROUP, "Group.Create"),
            (StepKind.ADD_MEMBERS, "GroupMember.ReadWrite.All"),
            (StepKind.REMOVE_MEMBER, "GroupMember.ReadWrite.All"),
        ],
    )
    def test_groups(self, kind: StepKind, permission: str) -> None:
        assert missing_for([kind], PEOPLE) == {permission}
        assert missing_for([kind], GROUPS) == frozenset()

    def test_doing_nothing_needs_nothing_more(self) -> None:
        assert missing_for([StepKind.NO_OP], READ) == frozenset()

    def test_a_school_that_gave_more_is_not_asked_for_less(self) -> None:
        generous = {"Directory.ReadWrite.All"}
        assert missing_for(list(StepKind), generous) == frozenset()

    def test_writing_people_includes_reading_them(self) -> None:
        assert missing_for([], READ - {"User.Read.All"} | {"User.ReadWrite.All"}) == frozenset()


class TestTiers:
    def test_each_holds_the_one_below(self) -> None:
        assert all(below < above for below, above in pairwise(TIERS))

    def test_none_asks_for_everything(self) -> None:
        assert GROUPS.isdisjoint({"Group.ReadWrite.All", "Directory.ReadWrite.All"})

    @pytest.mark.parametrize(
        ("kinds", "tier"),
        [([], 0), ([StepKind.SWAP], 1), ([StepKind.SWAP, StepKind.SET_USAGE_LOCATION], 2), (list(StepKind), 3)],
    )
    def test_the_lowest_that_serves(self, kinds: list[StepKind], tier: int) -> None:
        assert tier_for(kinds) == tier
