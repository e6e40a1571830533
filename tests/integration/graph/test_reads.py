import pytest

from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.ids import SkuId, SubjectId, TenantId
from provisioning.domain.observation import HeldLicence
from provisioning.domain.reasons import Reason
from provisioning.graph.gateway import GraphGateway
from tests.conformance import school
from tests.sandbox_process import SandboxProcess

CROWD = TenantId("77777777-7777-4777-8777-777777777777")


@pytest.fixture
def crowd(sandbox: SandboxProcess) -> TenantId:
    """A school of 2,500 people: three pages."""
    held = [{"skuId": school.A1, "disabledPlans": [school.YAMMER]}]
    sandbox.control.seed(
        {
            "apps": [],
            "tenants": [
                {
                    "id": CROWD,
                    "domains": ["crowd.example"],
                    "consents": [{"app": school.APP, "roles": school.ROLES}],
                    "subscriptions": [{"skuId": school.A1, "totalLicenses": 5000}],
                    "population": [{"count": 2500, "prefix": "leerling", "user": {"assignments": held}}],
                }
            ],
        },
        reset=False,
    )
    return CROWD


class TestTenant:
    def test_profile(self, gateway: GraphGateway, tenant: TenantId) -> None:
        profile = gateway.observe_tenant(tenant)
        assert profile.tenant_id == tenant
        assert school.DOMAIN in profile.verified_domains
        assert profile.initial_domain == "eenschool.onmicrosoft.com"
        assert profile.permissions == set(school.ROLES)

    def test_found_by_domain(self, gateway: GraphGateway, tenant: TenantId) -> None:
        assert gateway.find_tenant(school.DOMAIN) == tenant
        assert gateway.find_tenant("nowhere.example") is None

    def test_seats(self, gateway: GraphGateway, tenant: TenantId) -> None:
        seats = gateway.observe_seats(tenant)
        [school_seed, _] = school.world_seed()["tenants"]
        for sku_id in (school.A1, school.A3):
            bought = [each["totalLicenses"] for each in school_seed["subscriptions"] if each["skuId"] == sku_id]
            assert seats.enabled(SkuId(sku_id)) == sum(bought)
        assert school.YAMMER in seats.counts[SkuId(school.A3)].plan_ids
        assert {subscription.sku_id for subscription in seats.subscriptions} >= {school.A1, school.A3}


class TestCensus:
    def test_a_whole_school_over_pages(self, gateway: GraphGateway, crowd: TenantId) -> None:
        census = gateway.observe_census(crowd)
        assert census.is_complete
        assert len(census.people) == 2500
        assert all(person.holds(SkuId(school.A1)) for person in census.people)

    def test_an_empty_page_in_the_middle_loses_nobody(
        self, sandbox: SandboxProcess, gateway: GraphGateway, crowd: TenantId
    ) -> None:
        sandbox.control.set_switches(empty_page_every=2)
        try:
            census = gateway.observe_census(crowd)
        finally:
            sandbox.control.set_switches(empty_page_every=None)
        assert census.is_complete
        assert len(census.people) == 2500

    def test_a_page_that_stays_away_makes_it_incomplete(
        self, sandbox: SandboxProcess, gateway: GraphGateway, crowd: TenantId
    ) -> None:
        sandbox.control.add_fault("unavailable", tenant=crowd, route="users", after=1)
        census = gateway.observe_census(crowd)
        assert not census.is_complete
        assert len(census.people) == 999

    def test_direct_and_inherited_licences_are_told_apart(self, gateway: GraphGateway, tenant: TenantId) -> None:
        people = {person.subject_id: person for person in gateway.observe_census(tenant).people}
        both = people[SubjectId(school.BOTH_WAYS)]
        assert {(licence.is_direct, licence.group_id) for licence in both.licences} == {
            (True, None),
            (False, school.GROUP),
        }


class TestPeople:
    def test_by_themselves(self, gateway: GraphGateway, tenant: TenantId) -> None:
        gone = SubjectId("00000000-0000-4000-8000-000000000000")
        people = gateway.observe_people(tenant, [SubjectId(school.WITH_A1), SubjectId(school.PUPIL), gone])
        assert people[gone] is None
        with_a1, pupil = people[SubjectId(school.WITH_A1)], people[SubjectId(school.PUPIL)]
        assert with_a1 is not None
        assert pupil is not None
        assert with_a1.licences == (HeldLicence(SkuId(school.A1), frozenset({school.YAMMER})),)  # type: ignore[arg-type]  # text
        assert (pupil.is_enabled, pupil.attributes["extensionAttribute1"]) == (False, "groep 8")

    def test_by_upn(self, gateway: GraphGateway, tenant: TenantId) -> None:
        upn = f"with-a1@{school.DOMAIN}"
        assert gateway.resolve_subjects(tenant, [upn, "nobody@school.example", school.PUPIL]) == {
            upn: school.WITH_A1,
            "nobody@school.example": None,
            school.PUPIL: school.PUPIL,
        }

    def test_memberships(self, gateway: GraphGateway, tenant: TenantId) -> None:
        keys = [f"group:{school.GROUP}", f"unit:{school.UNIT}", "school:school-1:teacher", "school:school-1:student"]
        found = gateway.observe_memberships(tenant, [*keys, "group:00000000-0000-4000-8000-000000000000"])
        assert [found[key].members for key in keys] == [
            {school.INHERITING, school.BOTH_WAYS},
            {school.WITH_A1, school.WITH_NOTHING},
            {school.WITH_A1},
            {school.PUPIL},
        ]
        assert not found["group:00000000-0000-4000-8000-000000000000"].is_complete


class TestTrouble:
    @pytest.mark.parametrize("fault", ["unavailable", "gateway_timeout", "drop", "unauthorized"])
    def test_one_hiccup_is_not_noticed(
        self, sandbox: SandboxProcess, gateway: GraphGateway, tenant: TenantId, fault: str
    ) -> None:
        sandbox.control.add_fault(fault, route="users", times=1)
        assert gateway.observe_census(tenant).is_complete

    def test_a_claims_challenge_is_answered(
        self, sandbox: SandboxProcess, gateway: GraphGateway, tenant: TenantId
    ) -> None:
        sandbox.control.add_fault("unauthorized", route="users", times=1, claims=True)
        assert gateway.observe_census(tenant).is_complete

    def test_a_missing_permission_needs_a_person(
        self, sandbox: SandboxProcess, gateway: GraphGateway, tenant: TenantId
    ) -> None:
        sandbox.control.withdraw_consent(tenant, school.APP, ["User.Read.All", "User.ReadWrite.All"])
        with pytest.raises(ActionRequiredError) as caught:
            gateway.observe_census(tenant)
        assert caught.value.reason is Reason.FORBIDDEN


class TestASnapshotsReads:
    def test_a_whole_school_in_parts(self, gateway: GraphGateway, crowd: TenantId) -> None:
        seen: set[str] = set()
        after, parts = None, 0
        while parts == 0 or after:
            page = gateway.observe_page(crowd, after)
            seen |= {person.subject_id for person in page.people}
            after, parts = page.after, parts + 1
        assert (len(seen), parts) == (2500, 3)

    def test_what_products_consist_of(self, gateway: GraphGateway, tenant: TenantId) -> None:
        products = {product.sku_id: product for product in gateway.observe_products(tenant)}
        plans = {plan.plan_id: plan for plan in products[SkuId(school.A3)].plans}
        assert products[SkuId(school.A3)].part_number == "M365EDU_A3_FACULTY"
        assert (plans[school.YAMMER].name, plans[school.YAMMER].scope) == ("YAMMER_EDU", "User")
