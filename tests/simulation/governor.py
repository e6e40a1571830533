"""Two workers, many tenants, one store of buckets and one Microsoft, in virtual time; whatever may go wrong does."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random

import msgspec

from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning import quota
from provisioning.planning.forecast import forecast
from provisioning.planning.quota import Bucket, Quota, Sizes, Taken
from tests.unit.planning.contention import Meter, Window

APP_SCOPE, TENANT_SCOPE = "Application/Write/app/tenant", "Tenant_Application/Write/app/tenant"
OUR_NAME = TenantId("another installation under our name")  # writes somewhere, through the application's quota
ASKED = 160  # a chunk
TRAVEL_SECONDS = 0.25  # the longest time that a call takes to where Microsoft counts it
IDLE_SECONDS = 0.5  # the longest time that a tenant whose turn it is goes unnoticed
FOREIGN_STEP = 0.5


class Store:
    """What Redis keeps: the app's record, and each tenant's. It may be lost at any moment."""

    def __init__(self, sizes: Sizes, now: float) -> None:
        self._sizes = sizes
        self.lose(now)

    def lose(self, now: float) -> None:
        self._shared, self._born = Quota.empty(now), now
        self._tenants: dict[TenantId, Quota] = {}

    def take(self, tenant: TenantId, writes: int, lane: Lane, now: float) -> Taken:
        after, taken = quota.take(self._seen(tenant), self._sizes, writes, lane, now)
        self._keep(tenant, after)
        return taken

    def refused(self, tenant: TenantId, scope: str | None, after: float, now: float, writes: int) -> None:
        told = timedelta(seconds=after)
        self._keep(tenant, quota.refused(self._seen(tenant), self._sizes, scope, told, now, writes))

    def pace(self) -> dict[TenantId, float]:
        paces = {tenant: known.watch.pace for tenant, known in self._tenants.items()}
        return {tenant: pace for tenant, pace in paces.items() if pace is not None}

    def _seen(self, tenant: TenantId) -> Quota:
        own = self._tenants.get(tenant, Quota(self._shared.app, Bucket(0.0, self._born)))
        return msgspec.structs.replace(self._shared, tenant=own.tenant, turn_at=own.turn_at, watch=own.watch)

    def _keep(self, tenant: TenantId, after: Quota) -> None:
        self._shared = self._tenants[tenant] = after


class Microsoft:
    """Counts every call, refused or not, by the shape of its window; and refuses by chance what it likes."""

    def __init__(self, shape: Window) -> None:
        self._app: Meter = shape.value(35_000, 300)
        self._tenants: dict[TenantId, Meter] = defaultdict(lambda: shape.value(3_000, 150))
        self.moody = 0.0  # the share of calls that is refused although no limit is reached

    def refusal(self, tenant: TenantId, now: float, random: Random) -> tuple[str | None, float] | None:
        """Why a write is not accepted, and for how long to stay away."""
        in_tenant, in_app = self._tenants[tenant].accepts(now), self._app.accepts(now)
        if not in_app:
            return APP_SCOPE, 5.0
        if not in_tenant:
            return TENANT_SCOPE, float(random.randint(1, 5))
        return (None, 1.0) if random.random() < self.moody else None

    def foreign_write(self, tenant: TenantId, now: float) -> None:
        meter = self._app if tenant == OUR_NAME else self._tenants[tenant]
        meter.accepts(now)

    def use_up(self, tenant: TenantId) -> None:
        """What others wrote before the story begins."""
        for _ in range(35_000 if tenant == OUR_NAME else 3_000):
            self.foreign_write(tenant, 0.0)


@dataclass
class Governed:
    """`work`: bulk writes by tenant. Each event happens at one moment; equal seeds give equal stories."""

    sizes: Sizes
    shape: Window
    random: Random
    work: Mapping[TenantId, int]
    orders: Sequence[tuple[float, TenantId]] = ()
    lost_at: Sequence[float] = ()
    moody: float = 0.0
    foreign: Mapping[TenantId, float] = field(default_factory=dict)
    lane: Lane = Lane.BULK  # of the work
    asked_at: float = 0.0  # when somebody wants to know how long it will take

    def __post_init__(self) -> None:
        self.store, self.microsoft = Store(self.sizes, 0.0), Microsoft(self.shape)
        self.microsoft.moody = self.moody
        self.left = Counter(self.work)
        self.accepted: Counter[TenantId] = Counter()
        self.sent: list[tuple[float, TenantId]] = []
        self.refused: Counter[str | None] = Counter()
        self.closed: list[tuple[float, float, str | None, TenantId]] = []
        self.granted: list[tuple[float, TenantId]] = []
        self.done: dict[TenantId, float] = {}
        self.order_waits: list[float] = []
        self.foretold: dict[TenantId, float] = {}
        self._busy_until = [0.0, 0.0]
        self._numbers = count()
        self._events: list[tuple[float, int, str, TenantId, float]] = []
        self._asking: set[TenantId] = set()

    def run(self, longest: float = 3_600.0) -> Governed:
        for tenant in self.work:
            self._ask_at(0.0, tenant)
        for at, tenant in self.orders:
            self._at(at, "order", tenant, at)
        for at in self.lost_at:
            self._at(at, "lose", TenantId(""))
        if self.asked_at:
            self._at(self.asked_at, "foretell", TenantId(""))
        for tenant in self.foreign:
            self.microsoft.use_up(tenant)
            self._at(0.0, "foreign", tenant)
        while self._events and (len(self.done) < len(self.work) or len(self.order_waits) < len(self.orders)):
            now, _, what, tenant, detail = heapq.heappop(self._events)
            assert now < longest, f"no end: {self.left.total()} writes are left"
            getattr(self, f"_{what}")(now, tenant, detail)
        return self

    def _at(self, moment: float, what: str, tenant: TenantId, detail: float = 0.0) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), what, tenant, detail))

    def _ask_at(self, moment: float, tenant: TenantId) -> None:
        if tenant not in self._asking:
            self._asking.add(tenant)
            self._at(moment + self.random.random() * IDLE_SECONDS, "ask", tenant)

    # ── events ───────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, now: float, tenant: TenantId, _: float) -> None:
        worker = min(range(2), key=self._busy_until.__getitem__)
        if self._busy_until[worker] > now:
            self._at(self._busy_until[worker], "ask", tenant)
            return
        self._asking.discard(tenant)
        taken = self.store.take(tenant, min(ASKED, self.left[tenant]), self.lane, now)
        self.left[tenant] -= taken.writes
        back = now + taken.after
        if taken.writes:
            back = max(back, self._send(now, tenant, taken.writes, worker))
        if self.left[tenant]:
            self._ask_at(back, tenant)

    def _order(self, now: float, tenant: TenantId, placed: float) -> None:
        taken = self.store.take(tenant, 1, Lane.ORDER, now)
        if not taken.writes:
            self._at(now + taken.after + 1e-3, "order", tenant, placed)
            return
        self.order_waits.append(now - placed)
        self._send(now, tenant, -1)

    def _send(self, now: float, tenant: TenantId, writes: int, worker: int | None = None) -> float:
        """`writes` below zero: an order's."""
        self.granted.append((now, tenant))
        arrives = now + self.random.random() * TRAVEL_SECONDS
        if worker is not None:
            self._busy_until[worker] = arrives
        self._at(arrives, "arrive", tenant, writes)
        return arrives

    def _arrive(self, now: float, tenant: TenantId, detail: float) -> None:
        """The writes of one call; an order's are not counted as the tenant's bulk work."""
        refusals = Counter[tuple[str | None, float]]()
        for _ in range(int(abs(detail))):
            self.sent.append((now, tenant))
            refusal = self.microsoft.refusal(tenant, now, self.random)
            if refusal:
                refusals[refusal] += 1
            elif detail > 0:
                self.accepted[tenant] += 1
        for (scope, after), writes in refusals.items():
            self.refused[scope] += writes
            self.closed.append((now, now + after, scope, tenant))
            self.store.refused(tenant, scope, after, now, writes)
        if detail > 0 and refusals:
            self.left[tenant] += refusals.total()
            self._ask_at(now + max(after for _, after in refusals), tenant)
        if self.accepted[tenant] == self.work.get(tenant):
            self.done.setdefault(tenant, now)

    def _lose(self, now: float, _tenant: TenantId, _: float) -> None:
        self.store.lose(now)

    def _foretell(self, now: float, _tenant: TenantId, _: float) -> None:
        pending = {tenant: writes - self.accepted[tenant] for tenant, writes in self.work.items()}
        ends = forecast(pending, self.sizes, self.store.pace())
        self.foretold = {tenant: now + left.total_seconds() for tenant, left in ends.items()}

    def _foreign(self, now: float, tenant: TenantId, debt: float) -> None:
        due = debt + self.foreign[tenant] * FOREIGN_STEP
        for _ in range(int(due)):
            self.microsoft.foreign_write(tenant, now)
        self._at(now + FOREIGN_STEP, "foreign", tenant, due % 1)
