from datetime import UTC, datetime

import pytest

from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.observation import Seats, Subscription, TenantProfile
from provisioning.domain.tenancy import BindingEvidence, Organisation, OrganisationKind
from provisioning.planning.consent import ConsentRequest, ReturnedConsent
from provisioning.planning.evidence import gather_evidence, missing_evidence, web_host

NOW = datetime(2026, 8, 1, tzinfo=UTC)
TENANT, STRANGER = TenantId("tenant-1"), TenantId("tenant-2")
SCHOOL, OTHER_SCHOOL = OrganisationId("41234"), OrganisationId("41235")
A3, A5 = SkuId("a3"), SkuId("a5")


def organisation(web_domain: str | None = "www.school.nl") -> Organisation:
    return Organisation(organisation_id=SCHOOL, kind=OrganisationKind.SCHOOL, name="x", web_domain=web_domain)


def profile(*domains: str, permissions: frozenset[str] = frozenset({"User.Read.All"})) -> TenantProfile:
    return TenantProfile(
        tenant_id=TENANT,
        initial_domain="x.onmicrosoft.com",
        verified_domains=domains,
        country="NL",
        default_usage_location=None,
        permissions=permissions,
    )


def seats(**totals: int) -> Seats:
    bought = tuple(
        Subscription(subscription_id=sku, sku_id=SkuId(sku), status="Enabled", total=total)
        for sku, total in totals.items()
    )
    return Seats(tenant_id=TENANT, observed_at=NOW, counts={}, subscriptions=bought)


def consent(
    organisation_id: OrganisationId = SCHOOL, asked: TenantId = TENANT, answered: TenantId = TENANT
) -> ReturnedConsent:
    request = ConsentRequest(organisation_id=organisation_id, tenant_id=asked, expires_at=NOW)
    return ReturnedConsent(request=request, tenant_id=answered)


class TestWebHost:
    @pytest.mark.parametrize(
        ("printed", "host"),
        [
            ("www.school.nl", "school.nl"),
            ("https://www.School.nl/home", "school.nl"),
            ("  school.nl ", "school.nl"),
            ("school.nl:8080", "school.nl"),
            ("", ""),
            (None, ""),
        ],
    )
    def test_registers_print_it_in_many_ways(self, printed: str | None, host: str) -> None:
        assert web_host(printed) == host


class TestVerifiedDomain:
    @pytest.mark.parametrize(
        ("web_domain", "verified", "proves"),
        [
            pytest.param("www.school.nl", "School.nl", True, id="the very domain"),
            pytest.param("school.board.nl", "board.nl", True, id="a name under the board's domain"),
            pytest.param("board.nl", "school.board.nl", False, id="a name above proves nothing"),
            pytest.param("myschool.nl", "school.nl", False, id="the same ending is another name"),
            pytest.param("x.onmicrosoft.com", "x.onmicrosoft.com", False, id="everybody can get one of these"),
            pytest.param(None, "school.nl", False, id="an organisation without a web domain"),
        ],
    )
    def test_whose_domain_it_is(self, web_domain: str | None, verified: str, proves: bool) -> None:
        found = gather_evidence(organisation(web_domain), profile(verified), seats(), {}, None)
        assert (BindingEvidence.VERIFIED_DOMAIN in found) is proves


class TestExpectedSubscription:
    @pytest.mark.parametrize(
        ("bought", "ordered", "proves"),
        [
            pytest.param({"a3": 12}, {A3: [12]}, True, id="the number of one line"),
            pytest.param({"a3": 20}, {A3: [12, 8]}, True, id="the lines together"),
            pytest.param({"a3": 8}, {A3: [12, 8]}, True, id="one of several lines"),
            pytest.param({"a3": 500}, {A3: [12]}, False, id="enough is not the number"),
            pytest.param({"a5": 12}, {A3: [12]}, False, id="another product"),
            pytest.param({}, {A3: [12]}, False, id="nothing there"),
            pytest.param({"a3": 12}, {}, False, id="nothing ordered"),
            pytest.param({"a3": 0}, {A3: []}, False, id="nothing of nothing proves nothing"),
        ],
    )
    def test_the_number_that_was_ordered(
        self, bought: dict[str, int], ordered: dict[SkuId, list[int]], proves: bool
    ) -> None:
        found = gather_evidence(organisation(None), profile(), seats(**bought), ordered, None)
        assert (BindingEvidence.EXPECTED_SUBSCRIPTION in found) is proves


class TestSignedConsent:
    @pytest.mark.parametrize(
        ("returned", "permissions", "proves"),
        [
            pytest.param(consent(), {"User.Read.All"}, True, id="our link, this tenant"),
            pytest.param(None, {"User.Read.All"}, False, id="nothing came back"),
            pytest.param(consent(OTHER_SCHOOL), {"User.Read.All"}, False, id="asked for another school"),
            pytest.param(consent(asked=STRANGER), {"User.Read.All"}, False, id="asked of another tenant"),
            pytest.param(consent(answered=STRANGER), {"User.Read.All"}, False, id="answered by another tenant"),
            pytest.param(consent(), set(), False, id="Microsoft knows of no permission"),
        ],
    )
    def test_it_counts_only_for_what_we_asked(
        self, returned: ReturnedConsent | None, permissions: set[str], proves: bool
    ) -> None:
        here = profile(permissions=frozenset(permissions))
        found = gather_evidence(organisation(None), here, seats(), {}, returned)
        assert (BindingEvidence.SIGNED_CONSENT in found) is proves


class TestMissingEvidence:
    def test_each_missing_fact_is_named_once(self) -> None:
        sentence = missing_evidence({BindingEvidence.VERIFIED_DOMAIN})
        assert "web domain" not in sentence
        assert "subscription" in sentence
        assert "signed state" in sentence
