import pytest

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.filters import compile_filter
from provisioning.sandbox.model import Assignment, User

SKU = "4b590615-0888-425a-a965-b3bf7789848d"
PERSON = User(
    id="1",
    userPrincipalName="ann.o'neil@school.example",
    displayName="Ann O'Neil",
    usageLocation="NL",
    department="99XA",
    extensions={"extensionAttribute3": "Groep 8", "extension_fe21_Education_Grade": "8"},
    assignments=(Assignment(SKU, "2025-09-01T08:00:00Z"),),
)


class TestCompileFilter:
    @pytest.mark.parametrize(
        ("text", "matches", "is_advanced"),
        [
            ("department eq '99xa'", True, False),
            ("department eq '99XB'", False, False),
            ("displayName eq 'ann o''neil'", True, False),
            ("startsWith(displayName, 'ann o''')", True, False),
            ("startsWith(department,'99')", True, True),
            ("endsWith(userPrincipalName,'.example')", True, True),
            ("usageLocation in ('BE', 'NL')", True, True),
            ("userPrincipalName in ('nobody')", False, False),
            ("usageLocation ne 'NL'", False, True),
            ("not(usageLocation eq 'BE')", True, True),
            ("accountEnabled eq true and userType eq 'Member'", True, False),
            ("accountEnabled eq false or department eq '99XA'", True, False),
            ("(accountEnabled eq false or mail eq null) and department eq '99XB'", False, False),
            ("onPremisesExtensionAttributes/extensionAttribute3 eq 'groep 8'", True, False),
            ("extension_fe21_Education_Grade eq '8'", True, False),
            (f"assignedLicenses/any(x:x/skuId eq {SKU})", True, False),
            (f"assignedLicenses/any(lic:lic/skuId eq {SKU.upper()})", True, False),
            ("assignedLicenses/$count eq 0", False, True),
            ("assignedLicenses/$count ne 0", True, True),
        ],
    )
    def test_decides_and_knows_its_index(self, text: str, matches: bool, is_advanced: bool) -> None:
        compiled = compile_filter(text)
        assert (compiled.matches(PERSON), compiled.is_advanced) == (matches, is_advanced)

    @pytest.mark.parametrize(
        "text",
        [
            "department gt '99'",
            "assignedLicenses/$count gt 1",
            "assignedLicenses/$count eq 2",
            "assignedPlans/any(x:x/service eq 'exchange')",
            "assignedLicenses/any(x:y/skuId eq 1)",
            f"assignedLicenses/any(x:x/skuId eq '{SKU}')",
            "licenseAssignmentStates/any(x:x/state eq 'Error')",
            "department eq '99XA",
            "department eq '99XA' and",
            "in ('a')",
            "",
        ],
    )
    def test_refuses_what_entra_does_not_support(self, text: str) -> None:
        with pytest.raises(GraphError) as refused:
            compile_filter(text)
        assert refused.value.status == 400

    @pytest.mark.parametrize(
        ("text", "expected"), [(f"assignedLicenses/any(x:x/skuId eq {SKU})", True), ("department eq null", False)]
    )
    def test_knows_whether_it_is_about_licences(self, text: str, expected: bool) -> None:
        assert compile_filter(text).is_about_licences is expected
