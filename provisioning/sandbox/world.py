"""Everything the twin knows, and the one place where a user's state is written."""

import contextlib
import random
from collections import Counter
from collections.abc import Iterator

import msgspec

from provisioning.sandbox.catalogue import Catalogue, read_catalogue
from provisioning.sandbox.clock import SandboxClock
from provisioning.sandbox.faults import Faults
from provisioning.sandbox.ledger import Author, Ledger
from provisioning.sandbox.model import User
from provisioning.sandbox.quotas import Quotas, Shape
from provisioning.sandbox.replicas import Replicas
from provisioning.sandbox.switches import Switches
from provisioning.sandbox.tenants import App, Tenant


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a world starts, and what a reset returns to."""

    random_seed: int = 1
    clock_factor: float = 1.0
    lag: float = 0.0
    replicas: int = 5
    quota_shape: Shape = "bucket"
    switches: Switches = Switches()


class World:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.clock = SandboxClock(settings.clock_factor)
        self.reset(settings.random_seed)

    def reset(self, seed: int | None = None) -> None:
        """Empty the world and undo all settings since the start; only the clock does not go back."""
        seed = self._settings.random_seed if seed is None else seed
        self.clock.set_factor(self._settings.clock_factor)
        self.switches = self._settings.switches
        self.lag = self._settings.lag
        self.quotas = Quotas(self._settings.quota_shape)
        self.rng = random.Random(seed)
        self.catalogue = read_catalogue()
        self.faults = Faults(random.Random(seed))
        self.ledger = Ledger()
        self.tenants: dict[str, Tenant] = {}
        self.apps: dict[str, App] = {}
        self.counters: Counter[tuple[str, str]] = Counter()
        self._by_domain: dict[str, str] = {}

    @contextlib.contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """What is planted within, or emptied, stays only if the end of the block is reached.

        A seed adds and never changes what is there, so the collections are enough.
        """
        before, factor = dict(self.__dict__), self.clock.factor
        kept = {name: dict(before[name]) for name in ("tenants", "apps", "_by_domain")}
        catalogue = Catalogue(self.catalogue.skus, self.catalogue.rules)
        try:
            yield
        except BaseException:
            self.__dict__.update(before | kept | {"catalogue": catalogue})
            self.clock.set_factor(factor)
            raise

    def add_tenant(self, tenant_id: str, name: str, domains: list[str]) -> Tenant:
        """A new, empty tenant; raises ValueError when the id or a domain is taken."""
        taken = [domain for domain in domains if domain.lower() in self._by_domain]
        if tenant_id in self.tenants or taken:
            raise ValueError(f"Tenant {tenant_id} cannot be added: its id or domain is already in use.")
        # One stream per tenant: what one tenant draws does not change what another sees.
        rng = random.Random(f"{tenant_id}{self.rng.random()}")
        replicas = Replicas(rng, self.lag, self._settings.replicas)
        tenant = self.tenants[tenant_id] = Tenant(tenant_id, name, domains, replicas, self.catalogue.rules)
        self._by_domain.update({domain.lower(): tenant_id for domain in domains})
        return tenant

    def find_tenant(self, id_or_domain: str) -> Tenant | None:
        wanted = id_or_domain.lower()
        return self.tenants.get(self._by_domain.get(wanted, wanted))

    def set_lag(self, seconds: float, tenants: list[Tenant] | None = None) -> None:
        if tenants is None:
            self.lag = seconds
        for tenant in self.tenants.values() if tenants is None else tenants:
            tenant.replicas.lag = seconds

    def put_user(self, tenant: Tenant, after: User, author: Author) -> None:
        """Store a state, tell the replicas, write the ledger."""
        consumed = dict(tenant.directory.consumed)
        before = tenant.directory.put(after)
        self._publish(tenant, consumed, before, after, author)

    def remove_user(self, tenant: Tenant, user_id: str, author: Author) -> None:
        consumed = dict(tenant.directory.consumed)
        before = tenant.directory.remove(user_id)
        if before is not None:
            self._publish(tenant, consumed, before, None, author)

    def count(self, counter: str, tenant: str = "", amount: int = 1) -> None:
        self.counters[counter, tenant] += amount

    def _publish(
        self, tenant: Tenant, consumed: dict[str, int], before: User | None, after: User | None, author: Author
    ) -> None:
        now = self.clock.now()
        user_id = (after or before).id  # type: ignore[union-attr]  # a write has at least one side
        tenant.replicas.write(user_id, before, after, now)
        for sku_id, units in tenant.directory.consumed.items():
            if units != consumed.get(sku_id, 0):
                tenant.replicas.write(("consumed", sku_id), consumed.get(sku_id, 0), units, now)
        self.ledger.record(now, tenant.id, author, before, after)
