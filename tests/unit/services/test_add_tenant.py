import pytest

from provisioning.domain.errors import ActionRequiredError, InputError, NotAllowedError, UnavailableError
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import ConsentState
from provisioning.services.add_tenant import AddTenant
from tests.unit.services.fakes_access import AUDITOR, OPERATOR, TENANT, FakeClock, FakeGateway, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def add(world: World, gateway: FakeGateway, domain: str = "school.nl", identity: object = OPERATOR) -> object:
    return AddTenant(open_uow=world.open, gateway=gateway, clock=FakeClock())(identity, domain)


class TestAddTenant:
    def test_a_tenant_that_lets_us_is_stored_as_it_shows_itself(self, world: World, gateway: FakeGateway) -> None:
        tenant = add(world, gateway, " School.NL ")
        assert (tenant.tenant_id, tenant.initial_domain) == (TENANT, "school.onmicrosoft.com")
        assert (tenant.consent, tenant.verified_domains) == (ConsentState.GRANTED, ("school.nl",))
        assert world.tenants == {TENANT: tenant}

    def test_without_consent_it_is_known_by_its_domain_only(self, world: World, gateway: FakeGateway) -> None:
        gateway.refusal = ActionRequiredError("no consent", Reason.CONSENT_MISSING)
        tenant = add(world, gateway)
        assert (tenant.initial_domain, tenant.consent) == ("school.nl", ConsentState.NONE)

    def test_consent_for_less_than_reading_is_not_enough(self, world: World, gateway: FakeGateway) -> None:
        gateway.permissions = frozenset({"User.Read.All"})
        assert add(world, gateway).consent is ConsentState.INSUFFICIENT

    def test_looking_again_forgets_nothing(self, world: World, gateway: FakeGateway) -> None:
        add(world, gateway)
        gateway.refusal = ActionRequiredError("no consent", Reason.CONSENT_REVOKED)
        again = add(world, gateway)
        assert (again.verified_domains, again.consent) == (("school.nl",), ConsentState.REVOKED)
        assert world.kinds == ["tenant.added", "tenant.observed"]

    def test_a_refused_credential_says_nothing_about_the_tenant(self, world: World, gateway: FakeGateway) -> None:
        before = add(world, gateway)
        gateway.refusal = ActionRequiredError("expired", Reason.CREDENTIAL_REJECTED, credential=True)
        with pytest.raises(ActionRequiredError, match="expired"):
            add(world, gateway)
        assert world.tenants == {TENANT: before}

    def test_a_domain_of_nobody_is_refused(self, world: World, gateway: FakeGateway) -> None:
        with pytest.raises(InputError, match="No Entra tenant owns the domain scholl"):
            add(world, gateway, "scholl.nl")

    def test_when_microsoft_does_not_answer_nothing_is_stored(self, world: World, gateway: FakeGateway) -> None:
        gateway.refusal = UnavailableError("away")
        with pytest.raises(UnavailableError):
            add(world, gateway)
        assert world.tenants == {}

    def test_who_may_not_asks_microsoft_nothing(self, world: World, gateway: FakeGateway) -> None:
        with pytest.raises(NotAllowedError):
            add(world, gateway, identity=AUDITOR)
        assert gateway.calls == []
