"""What the diagnosis measures with: each instrument looks at one part of this installation."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property

from redis.exceptions import RedisError

from provisioning.bootstrap.adapters import Adapters
from provisioning.database.engine import measure_skew
from provisioning.database.migrate import pending
from provisioning.database.realm import read_realm
from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import TenantId
from provisioning.domain.tenancy import Tenant
from provisioning.graph.certificates import valid_until
from provisioning.graph.settings import Application
from provisioning.services.diagnose import Credential, Instruments
from provisioning.services.measure_quota import MeasureQuota

_NOBODYS = "example.com"  # RFC 2606: asked only to see whether Entra answers
_NEVER = datetime.min.replace(tzinfo=UTC)
_AFTER = timedelta(microseconds=1)


class Measured(Adapters):
    """The adapters, and how to see whether they are well."""

    @property
    def instruments(self) -> Instruments:
        return Instruments(
            database_time=lambda: self.clock.wall() + measure_skew(self.engine, self.clock),
            pending_migrations=lambda: pending(self.settings.database_url.get_secret_value()),
            realm=lambda: read_realm(self.engine) or "nobody's yet",
            broker=self._ping_broker,
            order_source=self._read_shop if self.has_shop else None,
            graph=self._ask_microsoft,
            credentials=self.credentials,
            measure_quota=self.measure_quota,
            uncollected_since=self._uncollected_since if self.has_shop else None,
        )

    def credentials(self) -> list[Credential]:
        """Every certificate that a setting names, with its end."""
        return [*map(_credential, self._certificates())]

    @cached_property
    def measure_quota(self) -> MeasureQuota:
        return MeasureQuota(open_uow=self.open_uow, gauge=self.quota_gauge, clock=self.clock, limits=self.limits)

    def _ping_broker(self) -> None:
        try:
            self.redis.ping()
        except RedisError as error:
            raise UnavailableError(f"Redis does not answer ({type(error).__name__}).") from error

    def _read_shop(self) -> None:
        next(iter(self.order_source.changed_since(self.clock.now())), None)

    def _uncollected_since(self) -> datetime | None:
        """When the oldest line past the watermark was changed; a quiet shop has none, however old the watermark is."""
        with self.open_uow() as uow:
            watermark = uow.orders.watermark(self.order_source.name)
        oldest = next(iter(self.order_source.changed_since(watermark and watermark + _AFTER)), None)
        return oldest.changed_at if oldest else None

    def _ask_microsoft(self) -> None:
        """With each app registration, in a tenant that has let it in; without such a tenant, at Entra's door."""
        tenants = self._tenants_by_application()
        for tenant in tenants.values():
            self.gateway.observe_tenant(tenant)
        if not tenants:
            self.gateway.find_tenant(_NOBODYS)

    def _tenants_by_application(self) -> dict[Application, TenantId]:
        """The tenant that was proven last has the least reason to refuse us."""
        proven = sorted(self._tenants(), key=lambda tenant: tenant.proven_at or _NEVER)
        return {self.graph_settings.application_for(tenant.tenant_id): tenant.tenant_id for tenant in proven}

    def _tenants(self) -> Iterable[Tenant]:
        try:
            with self.open_uow() as uow:
                return [tenant for tenant in uow.tenants.list_all() if tenant.permissions]
        except UnavailableError:  # the database has a line of its own
            return []

    def _certificates(self) -> list[str]:
        settings = self.graph_settings
        applications = [settings.application, *settings.overrides.values()]
        return sorted({path for application in applications for path in application.certificates})


def _credential(path: str) -> Credential:
    return Credential(f"The certificate {path}", valid_until(path))
