"""Shares that add up, hints that are read, License IDs that are counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import TenantId
from provisioning.planning.fan_out import domain_of, largest_remainder, unserved_tenants
from tests.factories.trade import OTHER_TENANT, TENANT, licence

WEIGHTS = st.dictionaries(st.text("abcdef", min_size=1).map(TenantId), st.integers(0, 5000), min_size=1).filter(
    lambda weights: any(weights.values())
)


class TestLargestRemainder:
    @given(st.integers(0, 100_000), WEIGHTS)
    def test_the_shares_add_up_and_are_never_a_whole_seat_off(self, amount: int, weights: dict[TenantId, int]) -> None:
        shares = largest_remainder(amount, weights)
        total = sum(weights.values())
        assert sum(shares.values()) == amount
        assert all(abs(shares[one] * total - amount * weight) < total for one, weight in weights.items())

    @given(WEIGHTS)
    def test_asking_for_exactly_the_heads_gives_each_its_own(self, weights: dict[TenantId, int]) -> None:
        assert largest_remainder(sum(weights.values()), weights) == weights


class TestDomainOf:
    @pytest.mark.parametrize(
        ("hint", "expected"),
        [
            (None, ""),
            ("  School.Example ", "school.example"),
            ("https://www.school.example/", "school.example"),
            ("@school.example", "school.example"),
            ("head@school.example", "school.example"),
            (TENANT.upper(), TENANT),
        ],
    )
    def test_reads_a_domain_or_tenant_id_and_drops_who_is_before_it(self, hint: str | None, expected: str) -> None:
        assert domain_of(hint) == expected


class TestUnservedTenants:
    def test_a_mapped_license_id_serves_its_tenant_and_no_other(self) -> None:
        assert unserved_tenants([licence(1, tenant_id=TENANT)], [TENANT, OTHER_TENANT]) == {OTHER_TENANT}

    def test_an_unmapped_one_goes_to_the_first_without(self) -> None:
        assert unserved_tenants([licence(1)], [TENANT, OTHER_TENANT]) == {OTHER_TENANT}

    def test_two_that_live_in_the_same_tenant_do_not_help_another(self) -> None:
        both = [licence(1, tenant_id=TENANT), licence(2, tenant_id=TENANT)]
        assert unserved_tenants(both, [TENANT, OTHER_TENANT]) == {OTHER_TENANT}

    def test_where_none_is_known_there_is_nothing_to_check(self) -> None:
        assert unserved_tenants([], [TENANT, OTHER_TENANT]) == set()
