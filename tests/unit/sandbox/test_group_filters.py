"""`$filter` on groups."""

import pytest

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.group_filters import compile_group_filter
from provisioning.sandbox.model import Group, GroupLicence

SKU = "4b590615-0888-425a-a965-b3bf7789848d"
STAFF = Group(id="g", displayName="O'Brien and Co", mailNickname="staff", assignedLicenses=(GroupLicence(SKU),))


class TestKnown:
    @pytest.mark.parametrize(
        ("text", "fits"),
        [
            ("mailNickname eq 'STAFF'", True),
            ("mailNickname eq 'x'", False),
            ("displayName eq 'O''Brien and Co'", True),
            ("startswith(displayName,'o''b')", True),
            ("startswith(mailNickname, 'x')", False),
            ("securityEnabled eq true and mailEnabled eq false", True),
            ("securityEnabled eq false", False),
            (f"assignedLicenses/any(x:x/skuId eq {SKU.upper()})", True),
            ("assignedLicenses/any(y:y/skuId eq 00000000-0000-4000-8000-000000000000)", False),
        ],
    )
    def test_decides(self, text: str, fits: bool) -> None:
        assert compile_group_filter(text).matches(STAFF) is fits

    def test_says_what_else_it_is_about(self) -> None:
        found = compile_group_filter("hasMembersWithLicenseErrors eq true and securityEnabled eq true")
        assert (found.has_errors, found.is_about_licences) == (True, False)
        assert compile_group_filter(f"assignedLicenses/any(x:x/skuId eq {SKU})").is_about_licences


class TestUnknown:
    @pytest.mark.parametrize(
        "text", ["", "visibility eq 'x'", "displayName ne 'x'", "mailNickname eq 'a' or mailNickname eq 'b'"]
    )
    def test_is_refused(self, text: str) -> None:
        with pytest.raises(GraphError) as caught:
            compile_group_filter(text)
        assert (caught.value.status, caught.value.code) == (400, "Request_UnsupportedQuery")
