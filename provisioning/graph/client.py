"""The SDK's adapter, authentication and middleware around one httpx client; answers come back undecoded."""

import asyncio
import logging
import ssl
import sys
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from urllib.parse import urlsplit

import httpx
import msgspec
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_http.middleware.options import RedirectHandlerOption, ResponseHandlerOption, RetryHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_request_adapter import options as graph_options
from msgraph_core import GraphClientFactory

from provisioning.domain.errors import AmbiguousOutcomeError, PermanentError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.graph.errors import read_failure
from provisioning.graph.requests import Requests, next_page
from provisioning.graph.retries import Sleep, with_patience
from provisioning.graph.settings import GraphSettings
from provisioning.graph.tokens import Tokens
from provisioning.ports import Clock

_NATIVE = ResponseHandlerOption(NativeResponseHandler())
_TALKATIVE = ("azure", "httpx", "httpcore", "msal")  # they log addresses, headers and Entra's texts


class Answer(msgspec.Struct, frozen=True):
    """One HTTP answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class GraphClient:
    """Graph for one process and one loop. `requests` makes reads, `read` and `send` send."""

    def __init__(
        self,
        settings: GraphSettings,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        _spare_searches()
        self.settings = settings
        self.clock = clock
        self.tokens = tokens or Tokens(settings, clock, sleep)
        self.sleep = sleep
        self._http, self._transports = _http_client(settings, transport)
        self._adapters: dict[TenantId, GraphRequestAdapter] = {}
        self.requests = Requests(self._adapter(TenantId("")))  # of no tenant: it never sends

    async def read(self, tenant: TenantId, request: RequestInformation) -> bytes:
        """The body of a successful GET, tried three times at most; raises our GraphErrors."""
        await self.tokens.get(tenant)  # with a patience of its own, which must not multiply with ours
        return await with_patience(lambda: self.read_once(tenant, request), self.settings.patience, self.sleep)

    async def send(self, tenant: TenantId, request: RequestInformation, within: timedelta) -> Answer:
        """Send once, whatever comes back.

        Raises RetryableError when certainly nothing left this machine, AmbiguousOutcomeError when the answer is lost,
        and what `Tokens.get` raises.
        """
        request.headers.remove("Authorization")  # left by an earlier try
        request.add_request_options([_NATIVE])
        try:
            async with asyncio.timeout(within.total_seconds()):
                response = await self._adapter(tenant).send_primitive_async(request, "bytes", {})
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            sentence = f"No connection to Microsoft Graph could be made ({type(error).__name__})."
            raise RetryableError(sentence, Reason.TRANSIENT) from None
        except (httpx.RequestError, TimeoutError) as error:
            sentence = f"Microsoft Graph's answer for tenant {tenant} was lost ({type(error).__name__})."
            raise AmbiguousOutcomeError(sentence, Reason.NO_ANSWER) from None
        return Answer(response.status_code, response.headers, response.content)

    async def fetch_openly(self, url: str) -> Answer:
        """A GET without a token, for public documents; raises RetryableError."""
        try:
            response = await self._http.get(url)
        except httpx.RequestError as error:
            sentence = f"{urlsplit(url).hostname} did not answer ({type(error).__name__})."
            raise RetryableError(sentence, Reason.TRANSIENT) from None
        return Answer(response.status_code, response.headers, response.content)

    def follow(self, link: str) -> RequestInformation:
        """A request for an absolute nextLink; raises PermanentError when it leads to a host that is not Graph."""
        host = urlsplit(link).hostname
        if host not in self.settings.hosts:
            raise PermanentError("A page of Microsoft Graph links to another host; it is left.", Reason.GRAPH_OTHER)
        return next_page(link)

    async def close(self) -> None:
        await self._http.aclose()
        for transport in self._transports:
            await transport.aclose()
        await self.tokens.close()

    async def read_once(self, tenant: TenantId, request: RequestInformation) -> bytes:
        """As `read`, without patience; a rejected token is renewed once."""
        answer = await self._read_answer(tenant, request)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.tokens.forget(tenant)
            answer = await self._read_answer(tenant, request)
        if answer.is_success:
            return answer.body
        raise read_failure(tenant, answer.status, answer.headers, answer.body, self.clock.wall())

    async def _read_answer(self, tenant: TenantId, request: RequestInformation) -> Answer:
        try:
            return await self.send(tenant, request, self.settings.read_timeout)
        except AmbiguousOutcomeError as error:  # of a read nothing is ambiguous
            raise RetryableError(str(error), error.reason) from None

    def _adapter(self, tenant: TenantId) -> GraphRequestAdapter:
        if tenant not in self._adapters:
            authentication = AzureIdentityAuthenticationProvider(
                self.tokens,
                options={"tenant_id": tenant},
                scopes=[self.settings.scope],
                allowed_hosts=self.settings.hosts,
                is_cae_enabled=False,  # learn.microsoft.com: it does not cover multi-tenant applications
            )
            adapter = GraphRequestAdapter(authentication, client=self._http)
            adapter.base_url = self.settings.base_url
            self._adapters[tenant] = adapter
        return self._adapters[tenant]


def _spare_searches() -> None:
    """Six times a request httpcore looks for sniffio: where that is not installed, each look walks the whole path."""
    if find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]  # Python's own word for "do not search"


@cache
def _trust_of_the_system() -> ssl.SSLContext:
    """Read once: it takes 27 ms."""
    return ssl.create_default_context()


def _http_client(
    settings: GraphSettings, transport: httpx.AsyncBaseTransport | None
) -> tuple[httpx.AsyncClient, list[httpx.AsyncBaseTransport]]:
    """A client with the SDK's middleware, and its transports: what the SDK wraps around them does not close them.

    HTTP/1.1: four connections carry all we send, and HTTP/2 in Python costs more CPU than it saves.
    """
    client = httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file else _trust_of_the_system(),
        timeout=httpx.Timeout(settings.read_timeout.total_seconds(), connect=settings.connect_timeout.total_seconds()),
        limits=httpx.Limits(max_keepalive_connections=20, keepalive_expiry=30),
        transport=transport,
    )
    proxies = [mounted for mounted in client._mounts.values() if mounted]  # noqa: SLF001  # there is no other way in
    transports = [client._transport, *proxies]  # noqa: SLF001  # same
    no_retries = RetryHandlerOption(max_retries=0, should_retry=False)
    no_redirects = RedirectHandlerOption(max_redirect=0, should_redirect=False)  # Graph's licensing has none to follow
    options = {**graph_options, no_retries.get_key(): no_retries, no_redirects.get_key(): no_redirects}
    return GraphClientFactory.create_with_default_middleware(client=client, options=options), transports
