"""Reports to be written, with as many people of each kind as a test wants."""

from datetime import UTC, datetime, timedelta
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
    Migration,
    MigrationDefinition,
    MigrationPart,
    Phase,
    ProductPair,
    Traveller,
    Wave,
    WaveDefinition,
)
from provisioning.domain.migration_lifecycle import MigrationState, WaveState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.planning.migration_report import Facts, MigrationReport, Party, draw_report
from provisioning.planning.migration_statement import Tongue
from provisioning.words.catalogue import Language, Words

NOW = datetime(2027, 9, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
OF = MigrationId("5f0c9a4e-0000-4000-8000-000000000001")
SOURCE, TARGET = TenantId("11111111"), TenantId("22222222")
A3 = SkuId("a3")


def person(name: str, **changes: Any) -> Traveller:
    settings = {
        "migration_id": OF,
        "source_id": SubjectId(name),
        "target_id": SubjectId(f"{name}2"),
        "pseudonym": Pseudonym(f"p-{name}"),
        "organisation_id": OrganisationId("41111"),
        "wave": 1,
        "source_sku": A3,
        "target_sku": A3,
    }
    return Traveller(**{**settings, **changes})


def done(phase: Phase, people: tuple[str, ...], at: datetime, **changes: Any) -> Operation:
    """An operation over these people (ids of its tenant) that completed then."""
    wish = Wish(
        sku_id=A3,
        audience="any",
        article_code="",
        replaces=frozenset(),
        holder_id=OrganisationId("42222"),
        organisations=(),
        seats_wanted=0,
        named=tuple(map(SubjectId, people)),
        part=MigrationPart(migration_id=OF, wave=1, phase=phase),
    )
    settings = {
        "operation_id": OperationId(f"{phase}-{at:%d}"),
        "kind": OperationKind.MIGRATE,
        "tenant_id": TARGET,
        "lane": Lane.BULK,
        "state": OperationState.COMPLETED,
        "wish": wish,
        "requested_by": Actor("person:duty"),
        "created_at": at,
        "entered_at": at,
        "due_at": None,
    }
    return Operation(**{**settings, **changes})


def facts(*people: Traveller, operations: tuple[Operation, ...] = (), **changes: Any) -> Facts:
    definition = MigrationDefinition(
        name=changes.pop("name", "Fusie"),
        source_tenant=SOURCE,
        target_tenant=TARGET,
        source_holder=OrganisationId("41111"),
        target_holder=OrganisationId("42222"),
        asked_by=changes.pop("asked_by", "brief 2027-14"),
        people='{"everyone":true}',
        products=(ProductPair(source_sku=A3, target_sku=A3),),
        waves=(WaveDefinition(number=1, name=changes.pop("wave_name", "Proefgroep"), selector="{}"),),
    )
    migration = Migration(
        migration_id=OF,
        definition=definition,
        digest="d" * 64,
        state=changes.pop("state", MigrationState.RUNNING),
        requested_by=Actor("person:duty"),
        created_at=NOW - 60 * DAY,
        entered_at=NOW - 50 * DAY,
    )
    made = Facts(
        migration=migration,
        source=Party(tenant_id=SOURCE, domain="noord.nl", holder=OrganisationId("41111"), name="Stichting Noord"),
        target=Party(tenant_id=TARGET, domain="zuid.nl", holder=OrganisationId("42222"), name="Stichting Zuid"),
        waves=(Wave(migration_id=OF, number=1, state=WaveState.RELEASING, entered_at=NOW),),
        travellers=people,
        operations=operations,
        approvals=(),
        products={A3: "Microsoft 365 A3"},
        with_ids=True,
        now=NOW,
    )
    return msgspec.structs.replace(made, **changes)


def report(*people: Traveller, **changes: Any) -> MigrationReport:
    return draw_report(facts(*people, **changes))


def tongue(language: Language = Language.DUTCH) -> Tongue:
    words = Words(language)
    return Tongue(words.report, words.of_migration, lambda reason: words.reason(reason).what)
