from dataclasses import replace
from datetime import date, timedelta
from typing import NoReturn
from urllib.parse import urlencode

import pytest

from provisioning.domain.catalogue import (
    Article,
    Audience,
    Fulfilment,
    LicenceForm,
    Mappings,
    Metric,
    Variant,
)
from provisioning.domain.errors import (
    ActionRequiredError,
    ConfigurationError,
    ConflictError,
    InputError,
    NotAllowedError,
)
from provisioning.domain.ids import LineKey, OrganisationId, TenantId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import LedgerCause, LedgerEntry, OrderLine, ShopLine
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import BindingEvidence, Relation, RelationKind
from provisioning.planning.consent import ConsentRequest, sign_state
from provisioning.services.confirm_binding import ConfirmBinding
from provisioning.services.consent_url import ConsentApplication, ConsentUrl
from tests.unit.services.fakes_access import (
    A3,
    APPROVER,
    AUDITOR,
    NOW,
    OPERATOR,
    SCHOOL,
    SECOND,
    TENANT,
    FakeClock,
    FakeGateway,
    World,
    a_binding,
    a_school,
    a_tenant,
)

KEY = b"k" * 32
BOARD = OrganisationId("40001")
DOMAIN, SUBSCRIPTION, CONSENT = (
    BindingEvidence.VERIFIED_DOMAIN,
    BindingEvidence.EXPECTED_SUBSCRIPTION,
    BindingEvidence.SIGNED_CONSENT,
)

ARTICLE = Article(
    code="MS-A3",
    supplier="Microsoft",
    sku_id=A3,
    licence_form=LicenceForm.SCHOOL,
    metric=Metric.USER,
    is_named=False,
    audience=Audience.FACULTY,
    variant=Variant.BASE,
    base_article_code=None,
    replaces=frozenset(),
    fulfilment=Fulfilment.GRAPH_USER,
    price_may_be_zero=False,
    min_term_months=12,
    notice_rule="none",
    valid_from=date(2025, 8, 1),
    valid_until=None,
)
MAPPINGS = Mappings(
    articles=(ARTICLE,), skus={}, plan_rules=(), remaps=(), group_licensing=frozenset(), ambiguous={}, digest="m"
)


def held_line(quantity: int | str, article: str = "MS-A3") -> OrderLine:
    shop = ShopLine(
        key=LineKey("shop", "1042", "1"),
        status="placed",
        placed_at=NOW,
        changed_at=NOW,
        organisation_code=SCHOOL,
        actor="client:shop",
        article_code=article,
        quantity=quantity,
        digest="d",
    )
    return OrderLine(shop=shop, state=LineState.HELD, reason=Reason.BINDING_UNCONFIRMED, received_at=NOW)


def bought(number: int, holder: OrganisationId, tenant: TenantId | None) -> LedgerEntry:
    return LedgerEntry(
        holder_id=holder,
        tenant_id=tenant,
        article_code="MS-A3",
        sku_id=A3,
        delta=number,
        effective_on=date(2026, 8, 1),
        ends_on=None,
        cause=LedgerCause.ORDER_LINE,
        cause_ref="shop/1/1",
    )


@pytest.fixture
def world() -> World:
    world = World()
    a_school(world)
    a_tenant(world)
    a_binding(world)
    return world


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


class Confirmation:
    """The service with everything it needs, and who was told to judge held lines again."""

    def __init__(self, world: World, gateway: FakeGateway) -> None:
        self.released: list[OrganisationId] = []
        self.world = world
        self.service = ConfirmBinding(
            open_uow=world.open,
            gateway=gateway,
            clock=FakeClock(),
            mappings=MAPPINGS,
            consent_key=lambda: KEY,
            release_held=self.released.append,
        )

    def without_a_key(self) -> "Confirmation":
        """As an installation that sends no consent links has it."""
        self.service = replace(self.service, consent_key=_no_key)
        return self

    def __call__(self, identity: object = APPROVER, returned: str | None = None) -> object:
        return self.service(identity, SCHOOL, "school.nl", returned_address=returned)


@pytest.fixture
def confirm(world: World, gateway: FakeGateway) -> Confirmation:
    return Confirmation(world, gateway)


def _no_key() -> NoReturn:
    raise ConfigurationError("there is no key")


def returned_address(tenant: str = TENANT) -> str:
    request = ConsentRequest(organisation_id=SCHOOL, tenant_id=TENANT, expires_at=NOW + timedelta(days=1))
    query = urlencode({"admin_consent": "True", "tenant": tenant, "state": sign_state(request, KEY)})
    return f"https://us.example/consent?{query}"


class TestConfirmBinding:
    def test_domain_and_ordered_subscription_are_two_facts(
        self, world: World, gateway: FakeGateway, confirm: Confirmation
    ) -> None:
        world.held.append(held_line(12))
        gateway.buy(12)
        assert confirm().evidence == {DOMAIN, SUBSCRIPTION}
        (binding,) = world.bindings
        assert (binding.is_confirmed, binding.confirmed_by) == (True, APPROVER.actor)
        assert world.events[-1].reason == "expected_subscription verified_domain"

    def test_what_stands_there_before_the_first_order_is_remembered(
        self, world: World, gateway: FakeGateway, confirm: Confirmation
    ) -> None:
        gateway.show(30)
        confirm(returned=returned_address())
        assert world.baselines == {(TENANT, A3): 30}

    def test_of_it_what_was_bought_is_explained(
        self, world: World, gateway: FakeGateway, confirm: Confirmation
    ) -> None:
        world.ledger.append(bought(12, SCHOOL, TENANT))
        gateway.show(30)
        confirm(returned=returned_address())
        assert world.baselines == {(TENANT, A3): 18}

    def test_domain_and_our_consent_are_two_facts(self, confirm: Confirmation) -> None:
        assert confirm(returned=returned_address()).evidence == {DOMAIN, CONSENT}

    def test_the_key_of_consent_links_is_needed_only_for_a_consent_that_came_back(
        self, world: World, gateway: FakeGateway, confirm: Confirmation
    ) -> None:
        with pytest.raises(ConfigurationError):
            confirm.without_a_key()(returned=returned_address())
        world.held.append(held_line(12))
        gateway.buy(12)
        assert confirm().evidence == {DOMAIN, SUBSCRIPTION}

    @pytest.mark.parametrize(
        ("holder", "tenant", "proves"),
        [
            pytest.param(SCHOOL, None, True, id="by the school, for no tenant yet"),
            pytest.param(SCHOOL, TENANT, True, id="by the school, for this tenant"),
            pytest.param(BOARD, None, True, id="by the board above it"),
            pytest.param(SCHOOL, TenantId("other"), False, id="for another tenant"),
            pytest.param(OrganisationId("49999"), None, False, id="by a stranger"),
        ],
    )
    def test_what_was_bought_is_expected_to_be_there(
        self,
        world: World,
        gateway: FakeGateway,
        confirm: Confirmation,
        holder: OrganisationId,
        tenant: TenantId | None,
        proves: bool,
    ) -> None:
        world.relations.append(
            Relation(parent_id=BOARD, child_id=SCHOOL, kind=RelationKind.HIERARCHICAL, valid_from=date(2020, 8, 1))
        )
        world.ledger.append(bought(30, holder, tenant))
        gateway.buy(30)
        assert (SUBSCRIPTION in confirm(returned=returned_address()).evidence) is proves

    def test_one_fact_is_not_enough_and_the_refusal_names_the_others(self, world: World, confirm: Confirmation) -> None:
        with pytest.raises(NotAllowedError, match=r"there is 1\. Missing: no subscription .*; no consent came back"):
            confirm()
        assert not world.bindings[0].is_confirmed
        assert confirm.released == []

    @pytest.mark.parametrize("line", [held_line("some"), held_line(12, "UNKNOWN")], ids=["no number", "no article"])
    def test_a_line_that_cannot_be_read_expects_nothing(
        self, world: World, gateway: FakeGateway, confirm: Confirmation, line: OrderLine
    ) -> None:
        world.held.append(line)
        gateway.buy(12)
        with pytest.raises(NotAllowedError):
            confirm()

    def test_what_waited_for_the_binding_is_judged_again(self, confirm: Confirmation) -> None:
        confirm(returned=returned_address())
        assert confirm.released == [SCHOOL]

    def test_who_made_it_does_not_confirm_it(self, gateway: FakeGateway, confirm: Confirmation) -> None:
        with pytest.raises(NotAllowedError, match="made this binding or changed its selector; a second person"):
            confirm(OPERATOR, returned_address())
        assert gateway.calls == []

    def test_another_operator_may(self, confirm: Confirmation) -> None:
        assert confirm(SECOND, returned_address()).confirmed_by == SECOND.actor

    def test_an_auditor_may_not(self, confirm: Confirmation) -> None:
        with pytest.raises(NotAllowedError, match="may not confirm a binding"):
            confirm(AUDITOR, returned_address())

    def test_it_is_confirmed_once(self, confirm: Confirmation) -> None:
        confirm(returned=returned_address())
        with pytest.raises(ConflictError, match="confirmed by person:ap already"):
            confirm(returned=returned_address())

    def test_a_made_up_consent_is_refused_before_anything_is_observed(
        self, gateway: FakeGateway, confirm: Confirmation
    ) -> None:
        with pytest.raises(InputError, match="a state that we signed"):
            confirm(returned="https://us.example/?admin_consent=True&state=a.b")
        assert gateway.calls == []

    def test_a_tenant_that_cannot_be_read_confirms_nothing(
        self, world: World, gateway: FakeGateway, confirm: Confirmation
    ) -> None:
        gateway.refusal = ActionRequiredError("no consent", Reason.CONSENT_MISSING)
        with pytest.raises(ActionRequiredError):
            confirm(returned=returned_address())
        assert not world.bindings[0].is_confirmed

    def test_no_transaction_is_open_while_microsoft_is_asked(
        self, world: World, gateway: FakeGateway, confirm: Confirmation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_units = []
        real = world.open

        def watched() -> object:
            unit = real()
            open_units.append(unit)
            return unit

        def observe(tenant: str) -> object:
            assert all(unit.gen.gi_frame is None for unit in open_units)
            return type(gateway).observe_tenant(gateway, tenant)

        monkeypatch.setattr(gateway, "observe_tenant", observe)
        object.__setattr__(confirm.service, "open_uow", watched)
        confirm(returned=returned_address())
        assert len(open_units) == 3


class TestConsentUrl:
    def test_what_the_link_sends_along_confirms_the_binding(self, world: World, confirm: Confirmation) -> None:
        application = ConsentApplication(
            login_url="https://login.example", client_id="app", redirect_url="https://us.example/consent", key=KEY
        )
        link = ConsentUrl(open_uow=world.open, clock=FakeClock(), application=application)(
            OPERATOR, SCHOOL, "school.nl"
        )
        state = link.partition("state=")[2]
        answer = f"https://us.example/consent?admin_consent=True&tenant={TENANT}&state={state}"
        assert CONSENT in confirm(returned=answer).evidence
        assert "consent.requested" in world.kinds

    def test_the_tenant_is_pending_from_then_on(self, world: World) -> None:
        application = ConsentApplication(login_url="https://l", client_id="a", redirect_url="https://r", key=KEY)
        ConsentUrl(open_uow=world.open, clock=FakeClock(), application=application)(OPERATOR, SCHOOL, "school.nl")
        assert world.tenants[TENANT].consent == "pending"
