"""Migrations between two tenants, their waves, and people with an account in both."""

from collections.abc import Sequence
from typing import Any

from provisioning.domain.ids import Actor, MigrationId, OrganisationId, SubjectId, TenantId
from provisioning.domain.migration import (
    EvidenceSource,
    GateEvidence,
    Migration,
    MigrationDefinition,
    MigrationPart,
    Phase,
    ProductPair,
    Traveller,
    Wave,
    WaveDefinition,
)
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Lane, Operation, OperationKind
from tests.factories import NOW, guid
from tests.factories.operations import A1, A3, operation, wish

OPERATOR = Actor("person:duty")
EVERYONE = '{"everyone":true}'


def definition(source: str, target: str, **fields: Any) -> MigrationDefinition:
    defaults = {
        "name": "Two boards become one",
        "source_tenant": TenantId(source),
        "target_tenant": TenantId(target),
        "source_holder": OrganisationId("41000"),
        "target_holder": OrganisationId("42000"),
        "asked_by": "ticket 7",
        "people": EVERYONE,
        "products": (ProductPair(source_sku=A1, target_sku=A3),),
        "waves": (
            WaveDefinition(number=1, name="pilot", selector=EVERYONE, limit=5),
            WaveDefinition(number=2, name="the rest", selector=EVERYONE),
        ),
    }
    return MigrationDefinition(**defaults | fields)


def migration(source: str, target: str, *, asked: dict[str, Any] | None = None, **fields: Any) -> Migration:
    """`asked`: fields of its definition."""
    defaults = {
        "migration_id": MigrationId(guid()),
        "definition": definition(source, target, **asked or {}),
        "digest": "d",
        "state": MigrationState.NEW,
        "requested_by": OPERATOR,
        "created_at": NOW,
        "entered_at": NOW,
    }
    return Migration(**defaults | fields)


def waves(of: Migration, **fields: Any) -> list[Wave]:
    """As many as it asks for."""
    numbers = [wave.number for wave in of.definition.waves]
    return [Wave(migration_id=of.migration_id, number=each, entered_at=NOW, **fields) for each in numbers]


def started(wave: Wave, state: WaveState = WaveState.PREPARING, **fields: Any) -> Wave:
    defaults = {"started_by": OPERATOR, "go_reason": "the pilot works", "proven_at": NOW, "entered_at": NOW}
    of = {"migration_id": wave.migration_id, "number": wave.number}
    return Wave(**of | {"state": state} | defaults | fields)


def traveller(of: Migration, **fields: Any) -> Traveller:
    """Matched, in the pilot, and waiting."""
    defaults = {
        "migration_id": of.migration_id,
        "source_id": SubjectId(guid()),
        "target_id": SubjectId(guid()),
        "organisation_id": OrganisationId("41000"),
        "wave": 1,
        "source_sku": A1,
        "target_sku": A3,
    }
    return Traveller(**defaults | fields)


def travellers(of: Migration, how_many: int, **fields: Any) -> list[Traveller]:
    return sorted((traveller(of, **fields) for _ in range(how_many)), key=lambda each: each.source_id)


def on_their_way(of: Migration, how_many: int) -> list[Traveller]:
    return travellers(of, how_many, state=PersonState.PREPARING)


def evidence(**fields: Any) -> GateEvidence:
    defaults = {"source": EvidenceSource.LIST, "reference": "list of 3 August", "given_by": OPERATOR, "given_at": NOW}
    return GateEvidence(**defaults | fields)


def part(of: Migration, phase: Phase = Phase.PREPARE, wave: int = 1) -> MigrationPart:
    return MigrationPart(migration_id=of.migration_id, wave=wave, phase=phase)


def operation_for(of: Migration, named: Sequence[SubjectId] = (), **fields: Any) -> Operation:
    """What prepares the pilot in the target."""
    defaults = {
        "kind": OperationKind.MIGRATE,
        "lane": Lane.BULK,
        "wish": wish(named=tuple(named), replaces=frozenset(), part=part(of)),
    }
    return operation(of.definition.target_tenant, **defaults | fields)
