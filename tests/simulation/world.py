"""One process, one seed, virtual time: planner, executor and services against a fake store and a fake Graph."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from config.limits import default_limits
from provisioning.domain.campaign import CampaignApproval
from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import (
    Actor,
    ArticleCode,
    BindingId,
    OperationId,
    OrganisationId,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.observation import Person
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.domain.permissions import PEOPLE, TIERS
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Binding, Policy, Tenant
from provisioning.execution.executor import Executor
from provisioning.ports import Grant, Quota
from provisioning.services.advance_operation import AdvanceOperation, Work
from provisioning.services.apply_plan import ApplyPlan
from provisioning.services.expire_approval import ExpireApproval
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.only_in_force import only_in_force
from provisioning.services.plan_operation import PlanOperation
from provisioning.services.prepare_operation import PrepareOperation
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.verify_operation import VerifyOperation
from tests.simulation.boundaries import Crash, CrashPoint
from tests.simulation.graph import FakeGraph, licence
from tests.simulation.store import Database
from tests.simulation.weather import Weather

TENANT = TenantId("11111111-1111-1111-1111-111111111111")
SCHOOL = OrganisationId("10OF00")
A1 = SkuId("94763226-9b3c-4e75-a931-5c89701abe66")
A3 = SkuId("4b590615-0888-425a-a965-b3bf7789848d")
YAMMER = "2078e8df-cff6-4290-98cb-5408261a760a"
BEGINNING = datetime(2026, 11, 2, 8, tzinfo=UTC)


@dataclass
class VirtualClock:
    moment: datetime = BEGINNING

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.moment


class Messages:
    """The broker: delivers late, twice, or never."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.queue: list[OperationId] = []

    def advance(self, operation: OperationId, lane: Lane) -> None:
        copies = self._dice.choice((0, 1, 1, 1, 2))
        self.queue.extend([operation] * copies)


class Unlimited:
    def __init__(self, clock: VirtualClock) -> None:
        """Needs no clock: there is always more."""

    def take(self, tenant: TenantId, writes: int, lane: Lane) -> Grant:
        return Grant(writes)


def lasting(*_: object) -> AbstractContextManager[None]:
    """No time passes while something is read, so a lease lasts without anybody renewing it."""
    return nullcontext()


class World:
    """A school with a wish. `run` goes on until the operation ended or nothing more can happen."""

    def __init__(
        self,
        seed: int,
        mappings: Mappings,
        weather: Weather,
        *,
        people: int = 12,
        seats: int = 40,
        crash_at: frozenset[int] = frozenset(),
        crash_chance: float = 0.0,
        quota: Callable[[VirtualClock], Quota] = Unlimited,
        mode: AssignmentMode = AssignmentMode.DIRECT,
        kind: OperationKind = OperationKind.DELIVER,
    ) -> None:
        self.limits = default_limits()
        self.dice = random.Random(seed)
        self.clock = VirtualClock()
        self.quota = quota(self.clock)
        self.crash = CrashPoint(crash_at, crash_chance, self.dice)
        self.database = Database(self.crash)
        self.messages = Messages(self.dice)
        self.mappings = mappings
        self.graph = FakeGraph(
            tenant=TENANT,
            now=self.clock.now,
            at_call=self.crash,
            dice=self.dice,
            weather=weather,
            people=self._people(people),
            enabled={A3: seats, A1: 1_000_000},
            exclusive=frozenset({frozenset({A1, A3})}),
            permissions=frozenset().union(*TIERS) if mode is AssignmentMode.GROUP else PEOPLE,
        )
        self.operation_id = OperationId("op-1")
        self._kind = kind
        self._furnish(entitlement=seats, mode=mode)
        self.unapproved: dict[ConfigurationKind, datetime] = {}  # what this worker has that is not in force
        self.campaign_approval: CampaignApproval | None = None  # what a campaign of this operation stands on
        self.objection: Reason | None = None  # what looking at the order once more would say
        self.crashes = self.postponed = 0
        self.crash.armed = True

    def _people(self, number: int) -> dict[SubjectId, Person]:
        """A third on A1 with one plan off, a third on A1, a third new; every fifth without usage location."""
        kinds = ((licence(A1, YAMMER),), (licence(A1),), ())
        people = {}
        for place in range(number):
            subject = SubjectId(f"person-{place:03}")
            people[subject] = Person(
                subject_id=subject,
                domain="school.example",
                usage_location=None if place % 5 == 4 else "NL",
                licences=kinds[place % 3],
            )
        return people

    def _furnish(self, entitlement: int, mode: AssignmentMode) -> None:
        author, approver = Actor("person:author"), Actor("person:approver")
        with self.database.open() as uow:
            rows = uow.rows
            rows.tenants[TENANT] = Tenant(tenant_id=TENANT, initial_domain="school.example")
            rows.policies[TENANT] = Policy(
                tenant_id=TENANT,
                valid_from=date(2026, 1, 1),
                assignment_mode=mode,
                usage_location="NL",
                created_by=author,
                approved_by=approver,
            )
            rows.bindings.append(
                Binding(
                    binding_id=BindingId("b-1"),
                    organisation_id=SCHOOL,
                    tenant_id=TENANT,
                    valid_from=date(2026, 1, 1),
                    selectors={Audience.FACULTY: '{"everyone": true}'},
                    created_by=author,
                    confirmed_by=approver,
                    confirmed_at=BEGINNING,
                )
            )
            rows.entitlements[TENANT, A3] = entitlement
            uow.operations.add(self._operation())
            uow.commit()

    def _operation(self) -> Operation:
        return Operation(
            operation_id=self.operation_id,
            kind=self._kind,
            tenant_id=TENANT,
            lane=Lane.ORDER,
            state=OperationState.NEW,
            wish=Wish(
                sku_id=A3,
                audience=Audience.FACULTY,
                article_code=ArticleCode("BASIS-A3"),
                replaces=frozenset({A1}),
                holder_id=SCHOOL,
                organisations=(SCHOOL,),
                seats_wanted=1,
            ),
            requested_by=Actor("client:shop"),
            created_at=BEGINNING,
            entered_at=BEGINNING,
            due_at=BEGINNING,
        )

    # ── a worker ─────────────────────────────────────────────────────────────────────────────────────────

    def _worker(self) -> AdvanceOperation:
        """A fresh process: nothing survives a crash but the rows."""
        return AdvanceOperation(
            open_uow=self.database.open,
            clock=self.clock,
            dispatcher=self.messages,
            limits=self.limits,
            holder=f"worker-{self.crashes}",
            work=self._work(),
        )

    def _work(self) -> dict[OperationState, Work]:
        rows = {"open_uow": self.database.open, "clock": self.clock}
        shared: dict[str, Any] = {**rows, "gateway": self.graph, "limits": self.limits}
        executor = Executor(**shared, check_clock=lambda: None)
        shared["trouble"] = TenantTrouble(self.database.open, self.clock, self.limits)
        finish = FinishOperation(self.clock)
        prepare = PrepareOperation(**shared, validate_again=lambda _uow, _operation: self.objection)
        prepare = self._in_force(prepare)
        plan = PlanOperation(
            **shared,
            mappings=self.mappings,
            finish=finish,
            campaign_approval=lambda _uow, _campaign: self.campaign_approval,
            keep_alive=lasting,
        )
        return {
            OperationState.NEW: prepare,
            OperationState.AWAITING_CONSENT: prepare,
            OperationState.AWAITING_SEATS: prepare,
            OperationState.AWAITING_DATE: prepare,
            OperationState.PLANNING: self._in_force(plan),
            OperationState.AWAITING_APPROVAL: ExpireApproval(**rows),
            OperationState.APPLYING: ApplyPlan(
                **shared,
                quota=self.quota,
                mappings=self.mappings,
                executor=executor,
                unapproved=lambda: self.unapproved,
            ),
            OperationState.VERIFYING: VerifyOperation(**shared, executor=executor, finish=finish, keep_alive=lasting),
        }

    def _in_force(self, work: Work) -> Work:
        return only_in_force(work, lambda: self.unapproved, self.database.open, self.clock)

    @property
    def operation(self) -> Operation:
        return self.database.rows.operations[self.operation_id]

    def run(self, longest: timedelta = timedelta(days=3), until: OperationState | None = None) -> OperationState:
        """Go on for so long, or until the operation is in that state, or until nothing more can happen."""
        worker = self._worker()
        begun = self.clock.moment
        while self.clock.moment - begun < longest and self.operation.state is not until:
            if self.operation.due_at is None and not self.messages.queue:
                break
            try:
                worker(self._next_message())
            except Crash:
                self.crashes += 1
                worker = self._worker()
            except UnavailableError:
                self.postponed += 1  # the task says so in the log, and the worker takes its next message
            self.clock.moment += timedelta(milliseconds=self.dice.randint(1, 400))
        return self.operation.state

    def _next_message(self) -> OperationId:
        """From the queue, or from the sweep after time has passed to when something is due."""
        if self.messages.queue:
            return self.messages.queue.pop(self.dice.randrange(len(self.messages.queue)))
        due = self.operation.due_at
        if due is not None:
            self.clock.moment = max(self.clock.moment, due)
        return self.operation_id
