import asyncio
import base64
import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from provisioning.domain.errors import ActionRequiredError, ConfigurationError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.graph import tokens
from provisioning.graph.settings import Application
from provisioning.graph.tokens import Tokens
from tests.unit.graph import fakes
from tests.unit.graph.fakes import NOW, SETTINGS, TENANT, StandingClock

HOUR = timedelta(hours=1)


def jwt(tenant: str = TENANT, **claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"tid": tenant, **claims}).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


def refusal(code: int, status: int = 401, retry_after: str | None = None) -> ClientAuthenticationError:
    headers = {"Retry-After": retry_after} if retry_after else {}
    message = f"Microsoft Entra ID error '(invalid_client) AADSTS{code}: for app 'Licences' of 'Contoso School'."
    error = ClientAuthenticationError(message=message)
    error.response = SimpleNamespace(status_code=status, headers=headers)  # type: ignore[assignment]  # as much as is read
    return error


class Credential:
    """Answers in turn, the last answer for ever: an error, or a token text."""

    def __init__(self, *answers: Exception | str) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str | None]] = []
        self.is_closed = False

    async def get_token(self, scope: str, *, claims: str | None, tenant_id: str) -> AccessToken:
        assert scope == SETTINGS.scope
        self.asked.append((tenant_id, claims))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return AccessToken(answer, int((NOW + HOUR).timestamp()))

    async def close(self) -> None:
        self.is_closed = True


class FastClock(StandingClock):
    """`hurried`: how far the service's time has run ahead."""

    hurried = timedelta(0)

    def now(self) -> datetime:
        return self.moment + self.hurried


class Entra:
    """Tokens over fake credentials; `applications` are those that credentials were made for."""

    def __init__(self, *credentials: Credential, settings: Any = SETTINGS) -> None:
        self.clock = FastClock()
        self.applications: list[Application] = []
        self._credentials = credentials
        self.tokens = Tokens(settings, self.clock, fakes.patiently, self._credentials_of)

    def _credentials_of(self, application: Application, _: object) -> Sequence[Any]:
        self.applications.append(application)
        return self._credentials

    def get(self, tenant: TenantId = TENANT, max_age: timedelta | None = None) -> tokens.Token:
        return asyncio.run(self.tokens.get(tenant, max_age))


class TestGet:
    def test_names_tenant_and_permissions(self) -> None:
        token = Entra(Credential(jwt(roles=["User.Read.All"]))).get()
        assert (token.tenant_id, token.roles) == (TENANT, {"User.Read.All"})

    def test_a_token_without_permissions_is_a_token(self) -> None:
        assert Entra(Credential(jwt())).get().roles == frozenset()

    def test_one_token_serves_until_five_minutes_before_its_end(self) -> None:
        credential = Credential(jwt())
        entra = Entra(credential)
        entra.get()
        entra.clock.advance(HOUR - timedelta(minutes=5, seconds=1))
        entra.get()
        assert len(credential.asked) == 1
        entra.clock.advance(timedelta(seconds=1))
        entra.get()
        assert len(credential.asked) == 2

    def test_while_entra_is_away_the_last_minutes_are_used_too(self) -> None:
        entra = Entra(Credential(jwt(), ServiceRequestError("away")))
        token = entra.get()
        entra.clock.advance(HOUR - timedelta(minutes=1))
        assert entra.get() is token
        entra.clock.advance(timedelta(minutes=1))
        with pytest.raises(RetryableError):
            entra.get()

    def test_who_wants_present_permissions_gets_a_young_token(self) -> None:
        entra = Entra(Credential(jwt(), jwt(roles=["User.Read.All"])))
        entra.get()
        entra.clock.advance(timedelta(minutes=2))
        assert entra.get().roles == frozenset()
        assert entra.get(max_age=timedelta(minutes=1)).roles == {"User.Read.All"}

    def test_young_is_by_the_service_clock_which_may_be_in_a_hurry(self) -> None:
        entra = Entra(Credential(jwt(), jwt(roles=["User.Read.All"])))
        entra.get()
        entra.clock.hurried = timedelta(minutes=2)
        assert entra.get().roles == frozenset()
        assert entra.get(max_age=timedelta(minutes=1)).roles == {"User.Read.All"}

    def test_a_forgotten_token_is_asked_anew(self) -> None:
        credential = Credential(jwt())
        entra = Entra(credential)
        entra.get()
        entra.tokens.forget(TENANT)
        entra.get()
        assert len(credential.asked) == 2

    def test_each_tenant_is_asked_for_by_name_with_one_set_of_credentials(self) -> None:
        other = TenantId("6c1d2a1f-8b62-4d1f-8e4c-3a7a2e0b2002")
        credential = Credential(jwt(), jwt(other))
        entra = Entra(credential)
        entra.get()
        entra.get(other)
        assert [tenant for tenant, _ in credential.asked] == [TENANT, other]
        assert entra.applications == [SETTINGS.application]

    def test_a_tenant_may_have_an_application_of_its_own(self) -> None:
        import msgspec

        own = Application(client_id="theirs", client_secret="their secret")
        entra = Entra(Credential(jwt()), settings=msgspec.structs.replace(SETTINGS, overrides={TENANT: own}))
        entra.get()
        assert entra.applications == [own]

    def test_a_token_of_another_tenant_is_never_used(self) -> None:
        with pytest.raises(ActionRequiredError, match="another tenant") as caught:
            Entra(Credential(jwt("6c1d2a1f-8b62-4d1f-8e4c-3a7a2e0b2002"))).get()
        assert caught.value.reason is Reason.TENANT_MISMATCH

    @pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "a.e30.c", f"a.{base64.b64encode(b'[]').decode()}.c"])
    def test_an_unreadable_token_is_never_used(self, text: str) -> None:
        with pytest.raises(RetryableError, match="no readable token"):
            Entra(Credential(text)).get()

    def test_claims_that_graph_asks_for_go_to_entra_at_once(self) -> None:
        credential = Credential(jwt())
        entra = Entra(credential)
        entra.get()
        asyncio.run(entra.tokens.get_token("x", claims='{"nbf":1}', tenant_id=TENANT))
        assert credential.asked[-1] == (TENANT, '{"nbf":1}')

    def test_closing_closes_the_credentials(self) -> None:
        credential = Credential(jwt())
        entra = Entra(credential)
        entra.get()
        asyncio.run(entra.tokens.close())
        assert credential.is_closed


class TestRetries:
    @pytest.mark.parametrize(
        "failure",
        [refusal(90033, 503), refusal(90024, 429, "1"), ServiceRequestError("no route")],
        ids=["503", "429", "no connection"],
    )
    def test_three_tries_when_time_helps(self, failure: Exception) -> None:
        credential = Credential(failure)
        with pytest.raises(RetryableError):
            Entra(credential).get()
        assert len(credential.asked) == 3

    def test_a_success_after_a_failure_is_a_success(self) -> None:
        assert Entra(Credential(refusal(90033, 503), jwt())).get().tenant_id == TENANT

    @pytest.mark.parametrize("code", [700016, 7000215, 90002])
    def test_one_try_when_a_person_must_act(self, code: int) -> None:
        credential = Credential(refusal(code))
        with pytest.raises(ActionRequiredError):
            Entra(credential).get()
        assert len(credential.asked) == 1

    def test_nobody_waits_for_a_long_retry_after(self) -> None:
        credential = Credential(refusal(90024, 429, "60"))
        with pytest.raises(RetryableError) as caught:
            Entra(credential).get()
        assert len(credential.asked) == 1
        assert caught.value.after == timedelta(seconds=60)


class TestRotation:
    @pytest.mark.parametrize("code", [700027, 700024, 50012, 700030, 7000222])
    def test_when_the_new_certificate_is_refused_the_old_one_serves(self, code: int) -> None:
        new, old = Credential(refusal(code)), Credential(jwt())
        assert Entra(new, old).get().tenant_id == TENANT

    def test_the_accepted_one_is_tried_first_from_then_on(self) -> None:
        new, old = Credential(refusal(700027)), Credential(jwt())
        entra = Entra(new, old)
        entra.get()
        entra.tokens.forget(TENANT)
        entra.get()
        assert (len(new.asked), len(old.asked)) == (1, 2)

    def test_when_the_old_one_ends_the_new_one_serves_again(self) -> None:
        new = Credential(refusal(700027), jwt())
        old = Credential(jwt(), refusal(700027))
        entra = Entra(new, old)
        entra.get()
        entra.tokens.forget(TENANT)
        assert entra.get().tenant_id == TENANT

    def test_when_both_are_refused_it_may_be_our_fault(self) -> None:
        with pytest.raises(ActionRequiredError) as caught:
            Entra(Credential(refusal(700027)), Credential(refusal(700027))).get()
        assert caught.value.credential

    def test_what_is_wrong_with_the_tenant_is_not_tried_twice(self) -> None:
        second = Credential(jwt())
        with pytest.raises(ActionRequiredError):
            Entra(Credential(refusal(700016)), second).get()
        assert second.asked == []

    def test_a_file_that_is_no_certificate_is_a_configuration_error(self) -> None:
        application = Application(client_id="app", certificates=("/nowhere/app.pem",))
        with pytest.raises(ConfigurationError, match=r"/nowhere/app\.pem"):
            tokens.credentials_of_application(application, SETTINGS)


class TestSecrecy:
    def test_nothing_shows_a_secret_or_a_token(self) -> None:
        token = Entra(Credential(jwt())).get()
        shown = repr(token) + repr(SETTINGS) + str(SETTINGS.application)
        assert token.text not in shown
        assert "nobody-knows" not in shown

    def test_entras_text_is_left_behind(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        with pytest.raises(ActionRequiredError) as caught:
            Entra(Credential(refusal(7000215)), Credential(refusal(7000215))).get()
        assert "Contoso" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        assert "Contoso" not in caplog.text
