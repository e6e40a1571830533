"""The tables of the simulation's database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.events import Event
from provisioning.domain.groups import LicensingGroup
from provisioning.domain.ids import (
    AttemptId,
    BindingId,
    LineKey,
    MigrationId,
    OperationId,
    OrganisationId,
    PlanId,
    SkuId,
    StepId,
    SubjectId,
    TenantId,
)
from provisioning.domain.migration import Migration, Traveller, Wave
from provisioning.domain.operation import Operation, Outcome, StepRecord, SubjectRecord
from provisioning.domain.order import LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding, Policy, Tenant
from provisioning.domain.worklist import Intent, Lease, Stop
from provisioning.ports import PlanRecord


@dataclass
class Rows:
    """Every table; values are frozen, so a shallow copy of each container is a snapshot."""

    tenants: dict[TenantId, Tenant] = field(default_factory=dict)
    bindings: list[Binding] = field(default_factory=list)
    policies: dict[TenantId, Policy] = field(default_factory=dict)
    coming_policies: list[Policy] = field(default_factory=list)  # approved, in force from a later day, in that order
    ledger: list[LedgerEntry] = field(default_factory=list)  # what `entitlements` sums up, where a test asks for it
    selection_sizes: dict[tuple[BindingId, Audience], int] = field(default_factory=dict)
    entitlements: dict[tuple[TenantId, SkuId], int] = field(default_factory=dict)
    baselines: list[tuple[TenantId, SkuId, datetime, int]] = field(default_factory=list)
    operations: dict[OperationId, Operation] = field(default_factory=dict)
    migrations: dict[MigrationId, Migration] = field(default_factory=dict)
    waves: dict[tuple[MigrationId, int], Wave] = field(default_factory=dict)
    travellers: dict[tuple[MigrationId, SubjectId], Traveller] = field(default_factory=dict)
    plans: dict[OperationId, PlanRecord] = field(default_factory=dict)  # the latest: a new one voids the earlier
    steps: dict[StepId, StepRecord] = field(default_factory=dict)
    subjects: dict[tuple[OperationId, SubjectId], SubjectRecord] = field(default_factory=dict)
    group_rows: set[tuple[OperationId, SubjectId]] = field(default_factory=set)  # which of the subjects are groups
    groups: dict[tuple[TenantId, SkuId, OrganisationId], LicensingGroup] = field(default_factory=dict)
    attempts: dict[AttemptId, Outcome | None] = field(default_factory=dict)
    tried: dict[AttemptId, StepRecord] = field(default_factory=dict)  # what each was a try of
    drawn: dict[PlanId, PlanRecord] = field(default_factory=dict)  # every plan there was, as it was drawn
    waiting: dict[tuple[TenantId, SkuId, SubjectId], OperationId] = field(default_factory=dict)
    reserved: dict[tuple[TenantId, SkuId, SubjectId], OperationId] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    lines_settled: list[LineKey] = field(default_factory=list)
    failures: list[tuple[TenantId, Reason, datetime]] = field(default_factory=list)

    def snapshot(self) -> Draft:
        return Draft(self)


class Draft(Rows):
    """What one unit of work sees: a table is copied when it is first asked for, for most are not."""

    def __init__(self, begun_from: Rows) -> None:
        self.__dict__["_begun_from"] = begun_from

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a question about the class, not about a table
            raise AttributeError(name)
        table = self.__dict__[name] = getattr(self._begun_from, name).copy()
        return table

    @property
    def tables(self) -> Rows:
        """All of them, those that nobody asked for as they were."""
        drafted = {name: table for name, table in vars(self).items() if name != "_begun_from"}
        whole = Rows.__new__(Rows)
        vars(whole).update(vars(self._begun_from) | drafted)
        return whole


@dataclass(frozen=True, eq=False)
class Said:
    """What the database says, apart from when a migration is looked at next."""

    rows: Rows

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Said):
            return NotImplemented
        if self.rows is other.rows:
            return True
        mine, theirs = vars(self.rows), vars(other.rows)
        is_same = all(mine[name] is theirs[name] or mine[name] == theirs[name] for name in mine if name != "migrations")
        return is_same and _without_look(self.rows) == _without_look(other.rows)

    __hash__ = None  # type: ignore[assignment]  # compared with its neighbours only


def _without_look(rows: Rows) -> list[Migration]:
    return [msgspec.structs.replace(one, due_at=None, version=0) for one in rows.migrations.values()]


class Store:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows
