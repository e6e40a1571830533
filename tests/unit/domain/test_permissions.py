from itertools import pairwise

import pytest

from provisioning.domain.operation import StepKind
from provisioning.domain.permissions import GROUPS, LICENCES, PEOPLE, READ, TIERS, missing_for, tier_for

FAR_TOO_MUCH = {"Directory.ReadWrite.All", "Group.ReadWrite.All"}


class TestTiers:
    def test_each_holds_the_one_below(self) -> None:
        assert all(lower < higher for lower, higher in pairwise(TIERS))

    def test_no_tier_asks_for_the_whole_directory(self) -> None:
        assert FAR_TOO_MUCH.isdisjoint(GROUPS)

    @pytest.mark.parametrize(
        ("kinds", "tier"),
        [
            pytest.param([], 0, id="looking"),
            pytest.param([StepKind.NO_OP], 0, id="doing nothing"),
            pytest.param([StepKind.ASSIGN, StepKind.SWAP], 1, id="licences"),
            pytest.param([StepKind.REMOVE, StepKind.SET_PLANS, StepKind.LICENSE_GROUP], 1, id="every licence write"),
            pytest.param([StepKind.ASSIGN, StepKind.SET_USAGE_LOCATION], 2, id="locations"),
            pytest.param([StepKind.REPROCESS], 2, id="reprocessing"),
            pytest.param([StepKind.CREATE_GROUP], 3, id="groups"),
            pytest.param([StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER], 3, id="members"),
        ],
    )
    def test_what_takes_which(self, kinds: list[StepKind], tier: int) -> None:
        assert tier_for(kinds) == tier

    @pytest.mark.parametrize("kind", list(StepKind))
    def test_every_kind_of_step_has_a_tier(self, kind: StepKind) -> None:
        assert missing_for([kind], TIERS[tier_for([kind])]) == frozenset()


class TestMissingFor:
    @pytest.mark.parametrize(
        ("kinds", "roles", "missing"),
        [
            pytest.param([], READ, set(), id="enough to look"),
            pytest.param([], set(), READ, id="nothing at all"),
            pytest.param([StepKind.ASSIGN], READ, {"LicenseAssignment.ReadWrite.All"}, id="looking is not writing"),
            pytest.param([StepKind.ASSIGN], LICENCES, set(), id="enough to assign"),
            pytest.param([StepKind.SET_USAGE_LOCATION], LICENCES, {"User.ReadWrite.All"}, id="not to change a person"),
            pytest.param([StepKind.SET_USAGE_LOCATION], PEOPLE, set(), id="enough to change a person"),
            pytest.param(
                [StepKind.ASSIGN], {"Directory.ReadWrite.All"}, set(), id="a school may have granted far too much"
            ),
            pytest.param([], PEOPLE - {"User.Read.All"}, set(), id="who may write people may read them"),
            pytest.param([], READ - {"User.Read.All"}, {"User.Read.All"}, id="one is missing"),
            pytest.param([StepKind.ADD_MEMBERS], PEOPLE | {"Group.ReadWrite.All"}, set(), id="all groups: members too"),
        ],
    )
    def test_what_a_token_lacks(self, kinds: list[StepKind], roles: set[str], missing: set[str]) -> None:
        assert missing_for(kinds, roles) == missing
