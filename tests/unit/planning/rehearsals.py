"""Rehearsals as their reports have them."""

from typing import Any

from provisioning.domain.ids import OperationId, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.migration_lifecycle import PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.planning.rehearsal import (
    Chore,
    Circumstances,
    Deed,
    PlanFacts,
    Rehearsal,
    RehearsedPlan,
    RehearsedWave,
    Straggler,
)
from tests.factories import NOW, guid

A3 = SkuId("a3000000-0000-4000-8000-000000000000")
A5 = SkuId("a5000000-0000-4000-8000-000000000000")
SOURCE, TARGET = TenantId(guid()), TenantId(guid())


def facts(people: int = 10, **numbers: Any) -> PlanFacts:
    return PlanFacts(people=people, **{"steps": {"assign": people}, **numbers})


def plan(phase: Phase = Phase.PREPARE, **fields: Any) -> RehearsedPlan:
    defaults = {
        "phase": phase,
        "tenant_id": TARGET,
        "sku_id": A3,
        "operation_id": OperationId(guid()),
        "facts": facts(),
        "was_shown": True,
        "state": OperationState.COMPLETED,
        "outcome": {SubjectState.VERIFIED: 10},
        "forecast": 30.0,
        "taken": 90.0,
    }
    return RehearsedPlan(**defaults | fields)


def straggler(reason: Reason | None = Reason.SEATS_INSUFFICIENT, **fields: Any) -> Straggler:
    defaults = {
        "source_id": SubjectId(guid()),
        "target_id": SubjectId(guid()),
        "state": PersonState.FAILED,
        "reason": reason,
        "phase": Phase.PREPARE,
    }
    return Straggler(**defaults | fields)


def wave(number: int = 1, **fields: Any) -> RehearsedWave:
    defaults = {
        "number": number,
        "name": "pilot",
        "state": WaveState.DONE,
        "people": {PersonState.RELEASED: 10},
        "plans": (plan(),),
        "minutes": {WaveState.PREPARING: 3.0, WaveState.HOLDING: 43_205.0},
    }
    return RehearsedWave(**defaults | fields)


def rehearsal(*waves: RehearsedWave, **fields: Any) -> Rehearsal:
    defaults = {
        "name": "Twee worden een",
        "digest": "d" * 64,
        "source_tenant": SOURCE,
        "target_tenant": TARGET,
        "taken_at": NOW,
        "circumstances": Circumstances(),
        "situations": {"matched": 10},
        "waves": waves,
        "deeds": (deed(Chore.START), deed(Chore.APPROVE), deed(Chore.APPROVE)),
        "seconds": 61.2,
    }
    return Rehearsal(**defaults | fields)


def deed(chore: Chore, wave: int = 1) -> Deed:
    return Deed(chore=chore, at=NOW, told=f"{chore} wave {wave}", wave=wave)


def part(phase: Phase = Phase.PREPARE, wave: int = 1) -> MigrationPart:
    return MigrationPart(migration_id=guid(), wave=wave, phase=phase)
