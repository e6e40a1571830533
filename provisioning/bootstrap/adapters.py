"""Settings become adapters: the one place that knows Graph, database and broker together.

Each is made when it is first asked for, in the process that asks: nothing here may cross a fork.
"""

import os
import socket
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import msgspec
from redis import Redis
from sqlalchemy import Engine

from config.clock import clock_from
from config.limits import limits_from
from config.settings import Realm, Settings
from mappings.loader import OURS, load_mappings
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.note import SignerKey
from provisioning.broker.connection import connect
from provisioning.broker.dispatch import CeleryDispatcher
from provisioning.broker.quota import QuotaTime, RedisQuota
from provisioning.broker.quota_gauge import RedisQuotaGauge
from provisioning.broker.rate_limit import RedisRateLimit
from provisioning.checkpoints import CheckpointFolder
from provisioning.database import engine as database
from provisioning.database import order_source
from provisioning.database.audit_archive import SqlAuditArchive
from provisioning.database.order_database import SqlOrderDesk
from provisioning.database.order_source import SqlOrderSource
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.catalogue import Mappings
from provisioning.domain.configuration import Configuration
from provisioning.domain.errors import ConfigurationError
from provisioning.domain.ids import TenantId
from provisioning.domain.limits import Limits
from provisioning.graph.bridge import Bridge
from provisioning.graph.gateway import GraphGateway
from provisioning.graph.prober import GraphProber
from provisioning.graph.settings import Application, GraphSettings
from provisioning.planning.configuration import describe_limits, describe_mappings
from provisioning.planning.quota import Sizes
from provisioning.ports import (
    AuditArchive,
    CheckpointSink,
    Clock,
    Dispatcher,
    LicenceGateway,
    MessageSender,
    OrderDesk,
    OrderSource,
    Prober,
    QuotaGauge,
    RateLimit,
    TenantReader,
    UnitOfWork,
)
from provisioning.services.mappings_in_force import mappings_in_force
from provisioning.webhooks.sender import WebhookSender
from provisioning.webhooks.settings import WebhookSettings, load_webhooks
from provisioning.webhooks.verifier import WebhookVerifier

_POOL_SIZE = 2  # a task uses one connection, and its lease another


class TwinAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a twin answers, and the secret by which it knows our application."""

    graph: str
    authority: str
    ca_file: str
    secret: str


class Adapters:
    """The world as this installation has it."""

    def __init__(self, settings: Settings, *, pool_size: int = _POOL_SIZE) -> None:
        self.settings = settings
        self._pool_size = pool_size
        self.machine = socket.gethostname()
        self.holder = f"{self.machine}:{os.getpid()}:{uuid4().hex[:8]}"  # who we are on leases

    @cached_property
    def clock(self) -> Clock:
        return clock_from(self.settings)

    @cached_property
    def limits(self) -> Limits:
        return limits_from(self.settings)

    @property
    def mappings_folder(self) -> Path:
        """Where mappings are edited and proposed from."""
        return self.settings.mappings_folder or OURS

    @cached_property
    def mappings(self) -> Mappings:
        """Those in force, as they were approved; the files' before any were installed, or where nothing was kept."""
        return mappings_in_force(self.open_uow) or load_mappings(self.mappings_folder)

    @cached_property
    def loaded(self) -> tuple[Configuration, ...]:
        """The rules of this process, as versions; how fast time goes in a sandbox is no rule."""
        unhurried = limits_from(self.settings.model_copy(update={"clock_factor": 1.0}))
        return describe_mappings(self.mappings), describe_limits(unhurried)

    @cached_property
    def engine(self) -> Engine:
        return database.create(self.settings.database_url.get_secret_value(), pool_size=self._pool_size)

    def open_uow(self) -> UnitOfWork:
        """One transaction on our own database."""
        return SqlUnitOfWork(self.engine)

    @cached_property
    def audit_archive(self) -> AuditArchive:
        return SqlAuditArchive(self.engine)

    @property
    def has_shop(self) -> bool:
        """Whether there is an order database to collect from."""
        return self.settings.order_database_url is not None

    @cached_property
    def order_source(self) -> OrderSource:
        return SqlOrderSource(self._shop_engine, self.settings.order_source)

    @cached_property
    def _shop_engine(self) -> Engine:
        if self.settings.order_database_url is None:
            raise ConfigurationError("ORDER_DATABASE_URL is missing: there is no shop to collect orders from.")
        return order_source.create(self.settings.order_database_url.get_secret_value())

    @cached_property
    def order_desk(self) -> OrderDesk:
        return SqlOrderDesk(self._desk_engine, self.settings.order_source)

    @cached_property
    def _desk_engine(self) -> Engine:
        if self.settings.order_desk_database_url is None:
            raise ConfigurationError("PROVISIONING_ORDER_DESK_DATABASE_URL is missing: orders have no place to go.")
        return order_source.create(self.settings.order_desk_database_url.get_secret_value())

    @cached_property
    def redis(self) -> Redis:
        return connect(self.settings.redis_url.get_secret_value())

    @cached_property
    def quota(self) -> RedisQuota:
        return RedisQuota(self.redis, self.quota_sizes, **self._quota_time)

    @cached_property
    def quota_gauge(self) -> QuotaGauge:
        return RedisQuotaGauge(self.redis, self.quota_sizes, **self._quota_time)

    @cached_property
    def rate_limit(self) -> RateLimit:
        return RedisRateLimit(self.redis, self.settings.api_requests_per_minute)

    @property
    def quota_sizes(self) -> Sizes:
        """How large the write buckets are here."""
        return Sizes.of(self.limits)

    @property
    def _quota_time(self) -> QuotaTime:
        origin = self.settings.clock_origin
        return {} if origin is None else {"factor": self.settings.clock_factor, "origin": origin}

    @cached_property
    def dispatcher(self) -> Dispatcher:
        lifetime: timedelta = self.limits.requeue_after / self.settings.clock_factor
        return CeleryDispatcher(self.settings.redis_url.get_secret_value(), lifetime)

    @cached_property
    def gateway(self) -> LicenceGateway:
        return self._graph

    @cached_property
    def tenant_reader(self) -> TenantReader:
        """The same gateway, as snapshots see it."""
        return self._graph

    @cached_property
    def prober(self) -> Prober:
        return GraphProber(self.graph_settings, self.clock, self._bridge)

    def twin_prober(self, tenant: TenantId, address: TwinAddress) -> Prober:
        """The same questions, to a twin that knows our application by a secret of its own."""
        known_as = self.graph_settings.application_for(tenant).client_id
        settings = GraphSettings(
            application=Application(client_id=known_as, client_secret=address.secret),
            base_url=address.graph,
            authority=address.authority,
            ca_file=address.ca_file,
        )
        return GraphProber(settings, self.clock, self._bridge)

    @cached_property
    def _graph(self) -> GraphGateway:
        return GraphGateway(self.graph_settings, self.quota, self.clock, self._bridge)

    @cached_property
    def _bridge(self) -> Bridge:
        return Bridge()

    @cached_property
    def graph_settings(self) -> GraphSettings:
        settings = self.settings
        secret = settings.graph_client_secret
        application = Application(
            client_id=settings.graph_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            certificates=tuple(map(str, settings.graph_certificate_files)),
        )
        return GraphSettings(
            application=application,
            overrides=_overrides(settings.graph_overrides_file),
            base_url=settings.graph_base_url,
            authority=settings.graph_authority,
            ca_file=str(settings.graph_ca_file) if settings.graph_ca_file else None,
            write_timeout=self.limits.write_timeout,
            batch_size=self.limits.batch_size,
        )

    @property
    def has_signing_key(self) -> bool:
        """Always in a live realm; a sandbox may do without sealing."""
        return self.settings.checkpoint_key_file is not None

    @cached_property
    def signer(self) -> SignerKey:
        if self.settings.checkpoint_key_file is None:
            raise ConfigurationError("PROVISIONING_CHECKPOINT_KEY_FILE is missing: without it nothing can be sealed.")
        try:
            return SignerKey.parse(self.settings.checkpoint_key_file.read_text("utf-8").strip())
        except (AuditFormatError, OSError) as error:
            raise ConfigurationError(f"PROVISIONING_CHECKPOINT_KEY_FILE is wrong: {error}") from None

    @cached_property
    def checkpoint_sink(self) -> CheckpointSink:
        if self.settings.checkpoint_folder is None:
            raise ConfigurationError("PROVISIONING_CHECKPOINT_FOLDER is missing: checkpoints have no place to go.")
        return CheckpointFolder(self.settings.checkpoint_folder)

    @cached_property
    def webhooks(self) -> WebhookSettings:
        """Whom we tell and who may tell us; nobody, without a file."""
        file = self.settings.webhooks_file
        return load_webhooks(file, is_live=self.settings.realm is Realm.LIVE) if file else WebhookSettings()

    @cached_property
    def message_sender(self) -> MessageSender:
        return WebhookSender(self.webhooks.outgoing_secrets)

    @cached_property
    def verify_webhook(self) -> WebhookVerifier:
        """Whether a webhook is from whom it says."""
        return WebhookVerifier(self.webhooks.incoming_secrets)

    def close(self) -> None:
        """Let go of what was opened; it is opened anew when it is asked for again."""
        made = self.__dict__
        for client in ("_graph", "prober", "message_sender"):
            if client in made:
                made[client].close()
        if "_bridge" in made:
            self._bridge.close()
        if "redis" in made:
            self.redis.close()
        for engine in ("engine", "_shop_engine", "_desk_engine"):
            if engine in made:
                made[engine].dispose()


def _overrides(file: Path | None) -> dict[TenantId, Application]:
    if file is None:
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[TenantId, Application])
    except (msgspec.DecodeError, OSError) as error:
        raise ConfigurationError(f"PROVISIONING_GRAPH_OVERRIDES_FILE is wrong: {error}.") from None
