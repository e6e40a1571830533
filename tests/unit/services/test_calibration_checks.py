from typing import Any

import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId, TenantId
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.tenancy import Tenant
from provisioning.services.calibration_checks import check_typed, require_test_group, require_test_person

USER, GROUP = SubjectId("u"), GroupId("g")
TENANT = Tenant(tenant_id=TenantId("t"), initial_domain="Test.onmicrosoft.com", verified_domains=("test.nl",))


def person(**known: Any) -> Person:
    return Person(**{"subject_id": USER, "usage_location": "NL", **known})


def group(**known: Any) -> ObservedGroup:
    return ObservedGroup(**{"group_id": GROUP, "nickname": "test", **known})


class TestTheDomain:
    def test_is_typed_in_full(self) -> None:
        check_typed(TENANT, " test.ONMICROSOFT.com ")

    @pytest.mark.parametrize("typed", [None, "", "test", "test.nl", "other.onmicrosoft.com"])
    def test_is_no_other(self, typed: str | None) -> None:
        with pytest.raises(InputError, match="--i-know-this-is-a-test-tenant Test"):
            check_typed(TENANT, typed)


class TestThePerson:
    def test_is_a_member_without_licences(self) -> None:
        assert require_test_person(USER, person()) == person()

    @pytest.mark.parametrize(
        "found",
        [
            None,
            person(licences=(HeldLicence(SkuId("a1")),)),
            person(licences=(HeldLicence(SkuId("a1"), group_id=GROUP),)),
            person(licences=(HeldLicence(SkuId("a1"), state="Error"),)),
            person(is_guest=True),
            person(usage_location=None),
        ],
        ids=["nobody", "licensed", "licensed by a group", "in error", "a guest", "without a country"],
    )
    def test_is_nobody_who_may_be_real(self, found: Person | None) -> None:
        with pytest.raises(InputError):
            require_test_person(USER, found)


class TestTheGroup:
    def test_is_empty(self) -> None:
        assert require_test_group(GROUP, group()) == group()

    @pytest.mark.parametrize(
        "found",
        [
            None,
            group(members=frozenset({USER})),
            group(licences=(GroupLicence(SkuId("a1")),)),
            group(is_complete=False),
            group(is_dynamic=True),
            group(is_synced=True),
            group(is_security=False),
        ],
        ids=["none", "with members", "licensed", "half read", "with a rule", "synchronised", "no security group"],
    )
    def test_is_none_that_may_be_used(self, found: ObservedGroup | None) -> None:
        with pytest.raises(InputError):
            require_test_group(GROUP, found)
