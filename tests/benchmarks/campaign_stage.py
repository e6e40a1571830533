"""The stage of a campaign's night: schools in the twin and the database, worker processes, and who decides."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from provisioning.domain.actors import Identity, Role
from provisioning.domain.campaign import (
    Campaign,
    CampaignDefinition,
    CampaignMember,
    CampaignPair,
    CampaignSelection,
    CampaignState,
    SelectedBy,
)
from provisioning.domain.ids import Actor, CampaignId, SubjectId
from provisioning.domain.operation import Lane
from provisioning.local.world import APP, LocalWorld
from tests.benchmarks.campaign_bound import Write
from tests.benchmarks.remap_schools import PHONE, RemapSchool, remap_seed, settle
from tests.benchmarks.school import A1, A3
from tests.benchmarks.worker import options
from tests.engines import temporary_folder

OPERATOR = Identity(actor=Actor("person:third"), roles=frozenset({Role.OPERATOR}))
APPROVER = Identity(actor=Actor("person:fourth"), roles=frozenset({Role.APPROVER}))
WORKERS = {"rounds": "sweeps", "worker-1": "orders,bulk", "worker-2": "orders,bulk"}
_BEAT = ("celery", "--app=tasks.app", "--quiet", "beat", "--loglevel=WARNING")
_RUNNING = CampaignState.RUNNING
_LOOK = 0.25  # seconds
_SEEDED_AT_ONCE = 100  # tenants in one request


@dataclass
class Night:
    """One campaign under way. Moments are seconds of the service's clock."""

    world: LocalWorld
    schools: Sequence[RemapSchool]
    campaign_id: CampaignId | None = None
    served: dict[str, set[SubjectId]] = field(default_factory=dict)  # by tenant, who had the new product at planting
    began: float = field(default_factory=time.monotonic)

    @cached_property
    def services(self) -> Any:
        return self.world.services()

    @property
    def control(self) -> Any:
        return self.world.sandbox.control

    @property
    def now(self) -> float:
        return float(self.services.clock.now().timestamp())

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────

    def create(self, canaries: int) -> None:
        definition = CampaignDefinition(
            name="the benchmark",
            asked_by="a letter",
            why="The contract ends.",
            pairs=(CampaignPair(from_sku=A1, to_sku=A3, along={PHONE: PHONE}),),
            selection=CampaignSelection(by=SelectedBy.MAPPING),
            begins_at=self.services.clock.now() - timedelta(minutes=1),
            canaries=canaries,
        )
        self.campaign_id = self.services.create_campaign(OPERATOR, definition).campaign.campaign_id

    def approve(self) -> None:
        self.services.approve_campaign(APPROVER, self.campaign_id, self.campaign().digest)

    def start(self) -> float:
        """The moment; what would be saved up by then is taken from both sides."""
        self.drain()
        self.control.reset_counters()
        self.services.start_campaign(OPERATOR, self.campaign_id)
        return float(self.campaign().entered_at.timestamp())

    def resume(self, reason: str) -> float:
        """The moment; what was saved up while it stood still is taken from both sides."""
        self.drain()
        self.services.steer_campaign(OPERATOR, self.campaign_id, CampaignState.RUNNING, reason)
        return float(self.campaign().entered_at.timestamp())

    def drain(self) -> None:
        """Both sides have nothing saved up, and fill from this moment on."""
        self.control.drain_quotas()
        if buckets := self.services.redis.keys("{quota}:*"):
            self.services.redis.delete(*buckets)
        self.services.quota.take(
            self.schools[0].tenant_id, 0, Lane.BULK
        )  # a bucket that is not there fills from its first use

    # ── what there is to see ─────────────────────────────────────────────────────────────────────────────

    def campaign(self) -> Campaign:
        with self.services.open_uow() as uow:
            found: Campaign = uow.campaigns.get(self.campaign_id)
            return found

    def members(self) -> list[CampaignMember]:
        with self.services.open_uow() as uow:
            found: list[CampaignMember] = uow.campaigns.members(self.campaign_id)
            return found

    def written(self) -> int:
        """What the twin counted since the start."""
        return int(self.control.counters()["total"].get("writes", 0))

    def calls(self) -> list[Write]:
        """What the twin accepted from us."""
        return [Write(entry["time"], entry["tenant"]) for entry in self.control.ledger(app=APP, top=5_000)]

    # ── who works ────────────────────────────────────────────────────────────────────────────────────────

    def start_workers(self) -> None:
        for name, queues in WORKERS.items():
            self.world.start_worker(name, queues)
        if "beat" not in self.world.children:
            self.world.start("beat", [sys.executable, "-m", *_BEAT])

    def kill_workers(self) -> None:
        """Everybody at once, as a power cut would; then they are started again, as a supervisor would."""
        for name in WORKERS:
            self.world.kill(name)
        self.start_workers()

    def watch(self, is_done: Callable[[], bool], within: float, story: str, state: CampaignState = _RUNNING) -> None:
        """Until it is, or raise TimeoutError after so many real seconds, or when the campaign leaves this state."""
        ends = time.monotonic() + within
        while not is_done():
            if (found := self.campaign()).state is not state:
                raise TimeoutError(f"{story}: the campaign is {found.state} ({found.told}), {self._tally()}.")
            if gone := self.world.ended_by_themselves():
                raise TimeoutError(f"These processes ended by themselves: {', '.join(gone)}.")
            if time.monotonic() > ends:
                raise TimeoutError(f"{story}: not within {within:.0f} s; {self.campaign().state}, {self._tally()}.")
            time.sleep(_LOOK)

    def say(self, told: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self.began:7.1f} s  {told}\n")
        sys.stderr.flush()

    def _tally(self) -> str:
        states: dict[str, int] = {}
        for one in self.members():
            states[f"{one.state} {one.reason or ''}"] = states.get(f"{one.state} {one.reason or ''}", 0) + 1
        return ", ".join(f"{number} {state}".strip() for state, number in sorted(states.items()))


@contextmanager
def stage(schools: Sequence[RemapSchool], factor: float) -> Iterator[Night]:
    """Engines, twin and schools; no worker yet."""
    chosen = options(factor=factor, collect_seconds=600)
    with temporary_folder() as folder, LocalWorld(folder, chosen) as world:
        night = Night(world, schools)
        plant(night)
        night.services.make_ready()
        settle(night.services, schools)
        yield night


def plant(night: Night) -> None:
    control = night.control
    secret = night.world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"]
    control.register_app(APP, secrets=[{"value": secret}])
    for start in range(0, len(night.schools), _SEEDED_AT_ONCE):
        control.seed(remap_seed(night.schools[start : start + _SEEDED_AT_ONCE], night.served), reset=False)
