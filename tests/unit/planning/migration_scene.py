"""Two small tenants of two boards, and a migration from one to the other."""

from datetime import timedelta
from typing import Any

from provisioning.domain.ids import Actor, MigrationId, OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.migration import (
    EvidenceSource,
    GateEvidence,
    MigrationDefinition,
    MigrationPart,
    Phase,
    ProductPair,
    Traveller,
    WaveDefinition,
)
from provisioning.domain.observation import Census, HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.permissions import GROUPS
from provisioning.planning.guards import Usage
from provisioning.planning.leaving import Taken
from provisioning.planning.losses import after_changes
from provisioning.planning.migrate import MigrateScene
from provisioning.planning.plan import Grounds, Plan
from provisioning.planning.release import ReleaseScene
from tests.unit.planning.scene import A3, A5, LIMITS, MAPPINGS, NOW, plan_of, policy, replaced, seats, wish

MIGRATION = MigrationId("migration")
SOURCE, TARGET = TenantId("source"), TenantId("target")
OLD_BOARD, NEW_BOARD = OrganisationId("41000"), OrganisationId("42000")
EVERYONE = '{"everyone":true}'
EVIDENCE = GateEvidence(
    source=EvidenceSource.TOOL_REPORT,
    reference="report-1",
    given_by=Actor("person:anna"),
    given_at=NOW - timedelta(days=46),
)
EXCHANGE_A3 = plan_of(A3, "EXCHANGE_S_ENTERPRISE")
EXCHANGE_A5 = plan_of(A5, "EXCHANGE_S_ENTERPRISE")
THREATS_A5 = plan_of(A5, "THREAT_INTELLIGENCE")
YAMMER = plan_of(A3, "YAMMER_EDU")
LONG_AGO = NOW - timedelta(days=31)


def definition(**known: Any) -> MigrationDefinition:
    fields: dict[str, Any] = {
        "name": "merger",
        "source_tenant": SOURCE,
        "target_tenant": TARGET,
        "source_holder": OLD_BOARD,
        "target_holder": NEW_BOARD,
        "asked_by": "letter 1",
        "people": EVERYONE,
        "products": (ProductPair(source_sku=A3, target_sku=A3),),
        "waves": (WaveDefinition(number=1, name="pilot", selector=EVERYONE),),
    }
    return MigrationDefinition(**(fields | known))


def census(*people: Person, tenant: TenantId = TARGET, **known: Any) -> Census:
    return Census(**({"tenant_id": tenant, "observed_at": NOW, "is_complete": True, "people": people} | known))


def traveller(name: str, **known: Any) -> Traveller:
    """`name` in the source, `name`-there in the target."""
    fields: dict[str, Any] = {
        "migration_id": MIGRATION,
        "source_id": SubjectId(name),
        "target_id": SubjectId(f"{name}-there"),
        "organisation_id": OLD_BOARD,
        "wave": 1,
        "source_sku": A3,
        "target_sku": A3,
    }
    return Traveller(**(fields | known))


def there(one: Person) -> Person:
    """The same human being in the target, with nothing yet."""
    return replaced(one, subject_id=SubjectId(f"{one.subject_id}-there"), licences=())


def _common(phase: Phase, sku_id: SkuId, known: dict[str, Any]) -> dict[str, Any]:
    part = MigrationPart(migration_id=MIGRATION, wave=1, phase=phase)
    fields: dict[str, Any] = {
        "plan_id": "plan",
        "operation_id": "operation",
        "now": NOW,
        "wish": wish(sku_id=sku_id, replaces=frozenset(), part=part),
        "definition": definition(),
        "policy": policy(),
        "mappings": MAPPINGS,
        "grounds": Grounds(mapping="m", policy="p", bindings="b", authority="a"),
        "seats": seats(1_000, 0, sku_id),
        "entitlement": 1_000,
        "permissions": GROUPS,
        "usage": Usage(),
        "limits": LIMITS,
    }
    return fields | known


def migrate_scene(
    phase: Phase, *pairs: tuple[Person, Person], sku_id: SkuId = A3, others: tuple[Person, ...] = (), **known: Any
) -> MigrateScene:
    """`pairs`: each human being as they are in the source and in the target; `others` are in the target too."""
    fields = _common(phase, sku_id, known)
    plain = {
        "tenant_id": TARGET,
        "travellers": tuple(
            traveller(here.subject_id, target_id=far.subject_id, target_sku=sku_id, evidence=EVIDENCE)
            for here, far in pairs
        ),
        "census": census(*(far for _, far in pairs), *others),
        "other": census(*(here for here, _ in pairs), tenant=SOURCE),
    }
    return MigrateScene(**(plain | fields))


def release_scene(
    phase: Phase, *pairs: tuple[Person, Person], sku_id: SkuId = A3, target_sku: SkuId = A3, **known: Any
) -> ReleaseScene:
    """As `migrate_scene`, planned in the source; everybody was enabled long ago."""
    fields = _common(phase, sku_id, known)
    plain = {
        "tenant_id": SOURCE,
        "target_policy": policy(),
        "travellers": tuple(
            traveller(
                here.subject_id,
                target_id=far.subject_id,
                source_sku=sku_id,
                target_sku=target_sku,
                enabled_at=LONG_AGO,
                evidence=EVIDENCE,
            )
            for here, far in pairs
        ),
        "census": census(*(here for here, _ in pairs), tenant=SOURCE),
        "other": census(*(far for _, far in pairs)),
    }
    return ReleaseScene(**(plain | fields))


def writes(plan: Plan) -> list[tuple[str, StepKind, Change]]:
    return [(step.subject_id, step.kind, step.change) for step in plan.steps]


def changes_of(plan: Plan) -> dict[str, tuple[Change, ...]]:
    changes: dict[str, tuple[Change, ...]] = {}
    for step in plan.steps:
        changes[step.subject_id] = (*changes.get(step.subject_id, ()), step.change)
    return changes


def carried_out(plan: Plan, *people: Person) -> tuple[Person, ...]:
    """The people once every step is done and read back."""
    changes = changes_of(plan)
    return tuple(
        replaced(
            one,
            licences=tuple(after_changes(one.licences, changes.get(one.subject_id, ()))),
            usage_location=next(
                (each.usage_location for each in changes.get(one.subject_id, ()) if each.usage_location),
                one.usage_location,
            ),
        )
        for one in people
    )


def taken_by(plan: Plan, *people: Person) -> dict[SubjectId, Taken]:
    """What a release, carried out, took from them."""
    changes = changes_of(plan)
    taken = (one for one in people if one.subject_id in changes)
    return {one.subject_id: Taken(one.licences, changes[one.subject_id], NOW) for one in taken}


def given_by(plan: Plan, product: SkuId = A3) -> dict[SubjectId, HeldLicence]:
    """What a plan in the target, carried out, gave."""
    return {
        SubjectId(step.subject_id): HeldLicence(product, step.change.disabled_plans)
        for step in plan.steps
        if step.change.add_sku == product
    }
