"""Everything the twin knows, and the one place where the state of a user or a group is written."""

import contextlib
import random
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from provisioning.sandbox.agenda import Agenda
from provisioning.sandbox.catalogue import Catalogue, read_catalogue
from provisioning.sandbox.clock import SandboxClock
from provisioning.sandbox.faults import Faults
from provisioning.sandbox.ledger import Author, Ledger
from provisioning.sandbox.model import Group, User
from provisioning.sandbox.processing import IN_PROGRESS, QUEUED
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
        self.agenda = Agenda()
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
        catalogue, agenda = Catalogue(self.catalogue.skus, self.catalogue.rules), self.agenda.copy()
        try:
            yield
        except BaseException:
            self.__dict__.update(before | kept | {"catalogue": catalogue, "agenda": agenda})
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
        index = Replicas(rng, copies=self._settings.replicas)
        tenant = self.tenants[tenant_id] = Tenant(tenant_id, name, domains, (replicas, index), self.catalogue.rules)
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

    def put_user(self, tenant: Tenant, after: User, author: Author, at: float | None = None) -> None:
        """Store a state, tell the replicas, write the ledger; `at`: when it became due, if not now."""
        now = self.clock.now() if at is None else at
        consumed = dict(tenant.directory.consumed)
        before = tenant.directory.put(after)
        self._publish(tenant, consumed, before, after, author, now)
        self._follow_rules(tenant, before, after, now)

    def remove_user(self, tenant: Tenant, user_id: str, author: Author) -> None:
        consumed = dict(tenant.directory.consumed)
        before = tenant.directory.remove(user_id)
        if before is not None:
            for group_id in tenant.groups.of(user_id):
                tenant.groups.leave(group_id, [user_id])
            self._publish(tenant, consumed, before, None, author, self.clock.now())

    def write_group(
        self, tenant: Tenant, after: Group, author: Author, at: float | None = None,
        *, joining: Iterable[str] = (), leaving: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """Store a group's state and change its members, as one write. What follows from it is processed later.

        learn.microsoft.com: "Change static group membership to dynamic": everybody leaves first, then the rule runs.
        """
        now, groups = self.clock.now() if at is None else at, tenant.groups
        before = groups.put(after, now)
        if after.is_dynamic and before and not before.is_dynamic:
            leaving = list(groups.members(after.id))
        removed, added = groups.leave(after.id, leaving), groups.join(after.id, joining)
        self._publish_group(tenant, before, after, now)
        self._publish_members(tenant, after.id, added, removed, now)
        self.ledger.record_group(now, tenant.id, author, before, after, added, removed)
        self._process_later(tenant, before, after, [*removed, *added], now)

    def _process_later(self, tenant: Tenant, before: Group | None, after: Group, moved: list[str], now: float) -> None:
        if after.is_dynamic and (before is None or _rule(before) != _rule(after)):
            self.enqueue(tenant, after.id, [None], now, is_rule=True)
        if (before.assignedLicenses if before else ()) != after.assignedLicenses:
            everybody = dict.fromkeys([*tenant.groups.members(after.id), *moved])
            self.enqueue(tenant, after.id, everybody or [None], now)
        elif after.assignedLicenses:
            self.enqueue(tenant, after.id, moved, now)

    def remove_group(self, tenant: Tenant, group_id: str, author: Author) -> None:
        now, members = self.clock.now(), list(tenant.groups.members(group_id))
        before = tenant.groups.remove(group_id)
        if before is None:
            return
        self._publish_group(tenant, before, None, now)
        self._publish_members(tenant, group_id, [], members, now)
        self.ledger.record_group(now, tenant.id, author, before, None, [], members)
        if before.assignedLicenses:
            self.enqueue(tenant, group_id, members, now)

    def enqueue(
        self, tenant: Tenant, group_id: str, users: Iterable[str | None], now: float, *, is_rule: bool = False
    ) -> None:
        """Have the tenant see to these people's licences from a group, or to its rule, after the usual delay."""
        earliest = now + self.switches.group_processing_seconds
        is_idle = not tenant.queue.jobs
        tenant.queue.add(group_id, users, earliest, 1 / self.switches.group_processing_per_second, is_rule=is_rule)
        if is_idle and tenant.queue.jobs:
            self.agenda.note(tenant)
        group = tenant.groups.get(group_id)
        if group and tenant.queue.is_pending(group_id) and group.processing not in {QUEUED, IN_PROGRESS}:
            self.set_processing(tenant, group, QUEUED, now)

    def set_processing(self, tenant: Tenant, group: Group, state: str, now: float) -> None:
        """How far the licences of a group are: read by everybody, written by nobody."""
        after = msgspec.structs.replace(group, processing=state)
        tenant.groups.put(after)
        self._publish_group(tenant, group, after, now)

    def count(self, counter: str, tenant: str = "", amount: int = 1) -> None:
        self.counters[counter, tenant] += amount

    def _publish(
        self, tenant: Tenant, consumed: dict[str, int], before: User | None, after: User | None, author: Author,
        now: float,
    ) -> None:  # fmt: skip
        user_id = (after or before).id  # type: ignore[union-attr]  # a write has at least one side
        self._tell_copies(tenant, [user_id], before, after, now)
        tenant.changes.record(now, user_id, before, after)
        for sku_id, units in tenant.directory.consumed.items():
            if units != consumed.get(sku_id, 0):
                tenant.replicas.write(("consumed", sku_id), consumed.get(sku_id, 0), units, now)
        self.ledger.record(now, tenant.id, author, before, after)

    def _publish_group(self, tenant: Tenant, before: Group | None, after: Group | None, now: float) -> None:
        if before is not after:
            group_id = (after or before).id  # type: ignore[union-attr]  # a write has at least one side
            self._tell_copies(tenant, [("group", group_id)], before, after, now)

    def _publish_members(self, tenant: Tenant, group_id: str, added: list[str], removed: list[str], now: float) -> None:
        for people, was in ((removed, True), (added, False)):
            if people:
                keys = [("member", group_id, member_id) for member_id in people]
                self._tell_copies(tenant, keys, was, not was, now)

    def _tell_copies(self, tenant: Tenant, keys: Sequence[Hashable], before: Any, after: Any, now: float) -> None:
        """One write, to the objects' copies and to those of the index of advanced queries."""
        tenant.replicas.write_together(keys, before, after, now)
        tenant.index.follow(tenant.replicas, self.switches.index_extra_lag_seconds)
        tenant.index.write_together(keys, before, after, now)

    def _follow_rules(self, tenant: Tenant, before: User | None, after: User, now: float) -> None:
        """Rules look at what a person is, not at what they hold."""
        dynamic = tenant.groups.dynamic
        if dynamic and before and msgspec.structs.replace(after, assignments=before.assignments) == before:
            return
        for group in dynamic:
            self.enqueue(tenant, group.id, [after.id], now, is_rule=True)


def _rule(group: Group) -> tuple[bool, str | None, str | None]:
    return group.is_dynamic, group.membershipRule, group.membershipRuleProcessingState
