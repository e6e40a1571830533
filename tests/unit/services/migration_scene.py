"""A merger half done, in rows in memory: two waves of nine people, and one in none."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from provisioning.domain.ids import (
    Actor,
    MigrationId,
    OperationId,
    OrganisationId,
    Pseudonym,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import (
    EvidenceSource,
    GateEvidence,
    Migration,
    MigrationDefinition,
    MigrationPart,
    Phase,
    ProductPair,
    Situation,
    Traveller,
    Treatment,
    Wave,
    WaveDefinition,
)
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Organisation, OrganisationKind
from tests.unit.services.fakes_access import NOW, OPERATOR, TENANT, World, a_tenant, an_operation

MIGRATION = MigrationId("5f0c9a4e-0000-4000-8000-000000000001")
TARGET = TenantId("22222222-2222-4222-8222-222222222222")
OLD_BOARD, NEW_BOARD = OrganisationId("41111"), OrganisationId("42222")
A3 = SkuId("4b590615-0888-425a-a965-b3bf7789848d")
PREPARE, ENABLE, RELEASE = OperationId("aaaa0001"), OperationId("bbbb0001"), OperationId("cccc0001")
OPEN = OperationId("dddd0001")
DAY = timedelta(days=1)
P, W = PersonState, WaveState
TOLD = GateEvidence(
    source=EvidenceSource.TOOL_REPORT, reference="report.csv 9c1f22ab", given_by=OPERATOR.actor, given_at=NOW - 35 * DAY
)
PEOPLE = (
    ("anne", P.RELEASED, 1, {"operation_id": RELEASE, "enabled_at": NOW - 34 * DAY, "evidence": TOLD}),
    ("bram", P.ENABLED, 1, {"operation_id": ENABLE, "enabled_at": NOW - 34 * DAY, "evidence": TOLD}),
    ("cato", P.ENABLED, 1, {"operation_id": ENABLE, "enabled_at": NOW - 4 * DAY, "evidence": TOLD}),
    (
        "daan",
        P.FAILED,
        1,
        {
            "operation_id": RELEASE,
            "failed_in": Phase.RELEASE,
            "reason": Reason.NOT_AS_WE_LEFT,
            "evidence": TOLD,
            "enabled_at": NOW - 34 * DAY,
        },
    ),
    ("emma", P.PREPARED, 2, {"operation_id": PREPARE}),
    ("finn", P.PREPARED, 2, {"operation_id": PREPARE, "evidence": TOLD}),
    ("guus", P.PREPARING, 2, {"operation_id": OPEN}),
    ("hugo", P.WAITING, 2, {}),
    ("isa", P.LEFT_OUT, 2, {"situation": Situation.GUEST, "reason": Reason.LEFT_OUT}),
    ("jan", P.WAITING, 0, {"situation": Situation.DISPUTED, "target_id": None}),
)


def a_merger(world: World, **changes: Any) -> Migration:
    """It runs: the first wave is being released, the second is being prepared."""
    definition = MigrationDefinition(
        name="Fusie Noord en Zuid",
        source_tenant=TENANT,
        target_tenant=TARGET,
        source_holder=OLD_BOARD,
        target_holder=NEW_BOARD,
        asked_by="letter 2026-14",
        people='{"ids":["anne"]}',
        products=(ProductPair(source_sku=A3, target_sku=A3),),
        waves=tuple(
            WaveDefinition(number=number, name=name, selector='{"everyone":true}')
            for number, name in ((1, "Pilot"), (2, "All others"))
        ),
        identity=((SubjectId("anne"), SubjectId("anne2")),),
        treatments={Situation.GUEST: Treatment.LEAVE_OUT},
    )
    migration = Migration(
        migration_id=MIGRATION,
        definition=definition,
        digest="d" * 64,
        state=MigrationState.RUNNING,
        requested_by=OPERATOR.actor,
        created_at=NOW - 40 * DAY,
        entered_at=NOW - 38 * DAY,
    )
    migration = msgspec.structs.replace(migration, **changes)
    a_tenant(world)
    a_tenant(world, TARGET, "zuid.onmicrosoft.com")
    for board, name in ((OLD_BOARD, "Stichting Noord"), (NEW_BOARD, "Stichting Zuid")):
        world.organisations[board] = Organisation(organisation_id=board, kind=OrganisationKind.BOARD, name=name)
    world.migrations[MIGRATION] = migration
    for number, state in ((1, W.RELEASING), (2, W.PREPARING)):
        world.waves[MIGRATION, number] = Wave(
            migration_id=MIGRATION,
            number=number,
            state=state,
            entered_at=NOW - number * DAY,
            started_by=OPERATOR.actor,
            go_reason="the pilot went well" if number > 1 else "",
            proven_at=NOW - number * DAY,
            failures_seen=2 - number,  # of the pilot's one
        )
    for name, state, wave, more in PEOPLE:
        a_traveller(world, name, state=state, wave=wave, **more)
    worked(world, PREPARE, Phase.PREPARE, ["bram", "anne", "cato", "daan", "emma", "finn"], ended=NOW - 36 * DAY)
    worked(world, ENABLE, Phase.ENABLE, ["anne", "bram", "cato", "daan"], ended=NOW - 34 * DAY)
    worked(world, RELEASE, Phase.RELEASE, ["anne", "daan"], ended=NOW - DAY, kind=OperationKind.RELEASE)
    return migration


def a_traveller(world: World, name: str, **changes: Any) -> Traveller:
    traveller = Traveller(
        **{
            "migration_id": MIGRATION,
            "source_id": SubjectId(name),
            "target_id": SubjectId(f"{name}2"),
            "pseudonym": Pseudonym(f"p-{name}"),
            "organisation_id": OLD_BOARD,
            "source_sku": A3,
            "target_sku": A3,
            **changes,
        }
    )
    world.travellers[MIGRATION, traveller.source_id] = traveller
    return traveller


def worked(
    world: World, operation: OperationId, phase: Phase, people: Sequence[str], ended: Any = None, **changes: Any
) -> Operation:
    """An operation of the merger; it completed at `ended`, or is what `changes` say."""
    in_source = phase in {Phase.RELEASE, Phase.UNDO_SOURCE}
    made = an_operation(world, OperationState.COMPLETED, operation_id=operation)
    wish = msgspec.structs.replace(
        made.wish,
        named=tuple(SubjectId(name if in_source else f"{name}2") for name in people),
        part=MigrationPart(migration_id=MIGRATION, wave=1, phase=phase),
    )
    settings = {
        "kind": OperationKind.MIGRATE,
        "tenant_id": TENANT if in_source else TARGET,
        "entered_at": ended or NOW,
        "requested_by": Actor("person:duty"),
        "wish": wish,
        **changes,
    }
    world.operations[operation] = msgspec.structs.replace(made, **settings)
    return world.operations[operation]
