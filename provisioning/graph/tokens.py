"""Access tokens: one credential per app registration and process, one map of tokens in front.

azure-identity signs and posts; it neither caches nor retries here, so that there is one place for each.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import msgspec
import structlog
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.identity.aio import CertificateCredential, ClientSecretCredential

from provisioning.domain.errors import ActionRequiredError, ConfigurationError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.graph import wire
from provisioning.graph.errors import retry_after, token_failure
from provisioning.graph.retries import Sleep, with_patience
from provisioning.graph.settings import Application, GraphSettings
from provisioning.ports import Clock

_log = structlog.get_logger()
_CLAIMS = msgspec.json.Decoder(wire.Claims)
_MICROSOFT = ("https://login.microsoftonline.com", "https://login.microsoftonline.us", "https://login.chinacloudapi.cn")

EARLY = timedelta(minutes=5)  # a token is renewed this long before it ends
Credential = CertificateCredential | ClientSecretCredential
CredentialsOf = Callable[[Application, GraphSettings], Sequence[Credential]]


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token that Entra gave for `tenant_id`, and the application permissions in it."""

    text: str
    tenant_id: TenantId
    roles: frozenset[str]
    obtained_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Token({self.tenant_id}, until {self.expires_at:%H:%M:%S})"


class Tokens:
    """The tokens of this process. kiota's authentication provider asks it as it would ask a credential."""

    def __init__(
        self, settings: GraphSettings, clock: Clock, sleep: Sleep, credentials_of: CredentialsOf | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._credentials_of = credentials_of or credentials_of_application
        self._signers: dict[Application, _Signer] = {}
        self._tokens: dict[TenantId, Token] = {}

    async def get(self, tenant: TenantId, max_age: timedelta | None = None) -> Token:
        """A token of the tenant, at most `max_age` old; raises RetryableError, ActionRequiredError, PermanentError."""
        token = self._tokens.get(tenant)
        if token and self._clock.wall() < token.expires_at - EARLY and self._is_fresh(token, max_age):
            return token
        try:
            return await self._renew(tenant)
        except RetryableError:
            if token and max_age is None and self._clock.wall() < token.expires_at:
                return token  # Entra is away, ours still works
            raise

    def _is_fresh(self, token: Token, max_age: timedelta | None) -> bool:
        """Waiting for permissions is the service's own waiting; only the life of a token is real time."""
        return max_age is None or self._clock.now() - token.obtained_at <= max_age

    def forget(self, tenant: TenantId) -> None:
        """Graph rejected it: the next call asks Entra again."""
        self._tokens.pop(tenant, None)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: Any,
    ) -> AccessToken:
        """What the SDK asks of a credential. With `claims` (Graph wants them answered) always a new token."""
        del scopes, enable_cae, options  # ours are fixed
        tenant = TenantId(tenant_id or "")
        token = await (self._renew(tenant, claims) if claims else self.get(tenant))
        return AccessToken(token.text, int(token.expires_at.timestamp()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        for signer in self._signers.values():
            await signer.close()

    async def _renew(self, tenant: TenantId, claims: str | None = None) -> Token:
        signer = self._signer(self._settings.application_for(tenant))
        answer = await with_patience(lambda: signer.token(tenant, claims), self._settings.patience, self._sleep)
        token = self._token(tenant, answer)
        self._tokens[tenant] = token
        return token

    def _signer(self, application: Application) -> "_Signer":
        if application not in self._signers:
            credentials = self._credentials_of(application, self._settings)
            self._signers[application] = _Signer(credentials, self._settings.scope, self._clock)
        return self._signers[application]

    def _token(self, tenant: TenantId, answer: AccessToken) -> Token:
        claims = read_claims(answer.token)
        if claims.tid.lower() != tenant.lower():
            raise ActionRequiredError(
                f"Entra gave a token for another tenant than the one that was asked for ({tenant}); nothing is sent.",
                Reason.TENANT_MISMATCH,
            )
        return Token(
            text=answer.token,
            tenant_id=tenant,
            roles=claims.roles,
            obtained_at=self._clock.now(),
            expires_at=datetime.fromtimestamp(answer.expires_on, UTC),
        )


class _Signer:
    """One app registration. While certificates rotate, whichever Entra accepts is tried first from then on."""

    def __init__(self, credentials: Sequence[Credential], scope: str, clock: Clock) -> None:
        self._credentials = credentials
        self._scope = scope
        self._clock = clock

    async def token(self, tenant: TenantId, claims: str | None) -> AccessToken:
        """From the first credential that Entra accepts; else raises what it said of the last."""
        last = len(self._credentials) - 1
        for place, credential in enumerate(self._credentials):
            try:
                answer = await self._ask(credential, tenant, claims)
            except ActionRequiredError as error:
                if place == last or not error.credential:
                    raise
                _log.warning("graph.credential_refused", tenant=tenant, credential=place, reason=error.reason)
            else:
                self._credentials = _with_first(self._credentials, place)
                return answer
        raise ConfigurationError("There is no credential to ask a token with.")

    async def close(self) -> None:
        for credential in self._credentials:
            await credential.close()

    async def _ask(self, credential: Credential, tenant: TenantId, claims: str | None) -> AccessToken:
        try:
            return await credential.get_token(self._scope, claims=claims, tenant_id=tenant)
        except AzureError as error:
            response = getattr(error, "response", None)
            headers = response.headers if response is not None else {}
            after = retry_after(headers.get("Retry-After"), self._clock.wall())
            status = response.status_code if response is not None else None
            # Entra's text names the directory and the application: it stays behind.
            raise token_failure(tenant, status, str(error), after) from None


class _NoCache:
    """Stands where azure-identity keeps tokens: it would keep a rejected one for its whole life."""

    def add(self, event: dict[str, Any], now: float | None = None) -> None: ...

    def search(self, *_: object, **__: object) -> Iterable[dict[str, Any]]:
        return ()


def read_claims(token: str) -> wire.Claims:
    """Tenant and roles of a token, its signature unchecked: Graph checks that."""
    try:
        payload = token.split(".")[1]
        return _CLAIMS.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        raise RetryableError("Entra's answer holds no readable token.", Reason.TOKEN_REJECTED) from None


def credentials_of_application(application: Application, settings: GraphSettings) -> Sequence[Credential]:
    """One credential per certificate, or one for the secret; raises ConfigurationError for an unusable file."""
    options: dict[str, Any] = {
        "authority": settings.authority,
        "additionally_allowed_tenants": ["*"],
        "retry_total": 0,
        "disable_instance_discovery": settings.authority.rstrip("/") not in _MICROSOFT,
        "connection_verify": settings.ca_file or True,
        "connection_timeout": settings.connect_timeout.total_seconds(),
        "read_timeout": settings.patience.total_seconds(),
        "cache": _NoCache(),
        "cae_cache": _NoCache(),
    }
    home = "organizations"  # every call names its tenant
    if application.client_secret:
        return [ClientSecretCredential(home, application.client_id, application.client_secret, **options)]
    return [_certificate(home, application.client_id, path, options) for path in application.certificates]


def _certificate(home: str, client_id: str, path: str, options: dict[str, Any]) -> CertificateCredential:
    try:
        return CertificateCredential(home, client_id, path, **options)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The certificate {path} cannot be used: {type(error).__name__}.") from error


def _with_first(credentials: Sequence[Credential], place: int) -> Sequence[Credential]:
    return [credentials[place], *credentials[:place], *credentials[place + 1 :]]
