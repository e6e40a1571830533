"""What the gateway must be told: who we are to Entra, where Graph is, and how long to wait."""

from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from provisioning.domain.errors import ConfigurationError
from provisioning.domain.ids import TenantId


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """One app registration: a secret, or certificates (PEM with key, the newest first; two while they rotate)."""

    client_id: str
    client_secret: str | None = None
    certificates: tuple[str, ...] = ()  # paths

    def __post_init__(self) -> None:
        if bool(self.client_secret) == bool(self.certificates):
            raise ConfigurationError(f"Application {self.client_id} needs either a secret or certificates.")

    def __repr__(self) -> str:
        kind = "a secret" if self.client_secret else f"{len(self.certificates)} certificates"
        return f"Application({self.client_id}, {kind})"


class GraphSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the gateway needs; the defaults are Microsoft's public cloud.

    `overrides`: tenants that know us by an app registration of their own. `allowed_hosts`: the hosts that may get
    a token; empty means the host of `base_url`. `ca_file`: the authorities to trust instead of the usual ones.
    """

    application: Application
    overrides: dict[TenantId, Application] = {}
    base_url: str = "https://graph.microsoft.com/v1.0"
    authority: str = "https://login.microsoftonline.com"
    scope: str = "https://graph.microsoft.com/.default"
    allowed_hosts: tuple[str, ...] = ()
    ca_file: str | None = None
    connect_timeout: timedelta = timedelta(seconds=5)
    read_timeout: timedelta = timedelta(seconds=30)
    write_timeout: timedelta = timedelta(seconds=20)
    census_timeout: timedelta = timedelta(minutes=10)
    patience: timedelta = timedelta(seconds=5)  # for all tries of one read or token request together
    batch_size: int = 20  # learn.microsoft.com: "Combine multiple HTTP requests using JSON batching"
    batches_at_once: int = 4

    @property
    def hosts(self) -> list[str]:
        """Host names, without ports, that may get a token."""
        return list(self.allowed_hosts) or [urlsplit(self.base_url).hostname or ""]

    def application_for(self, tenant: TenantId) -> Application:
        return self.overrides.get(tenant, self.application)
