"""Migrations, waves and people of one, as short as a test wants them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import (
    Actor,
    ArticleCode,
    MigrationId,
    OperationId,
    OrganisationId,
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
    ProductPair,
    Traveller,
    Wave,
    WaveDefinition,
)
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish

NOW = datetime(2027, 7, 20, 12, tzinfo=UTC)
MIGRATION = MigrationId("5f0c9a4e-0000-4000-8000-000000000001")
SOURCE, TARGET = TenantId("11111111-0000-4000-8000-000000000000"), TenantId("22222222-0000-4000-8000-000000000000")
SOURCE_HOLDER, TARGET_HOLDER = OrganisationId("41111"), OrganisationId("42222")
A3 = SkuId("4b590615-0888-425a-a965-b3bf7789848d")
EVIDENCE = GateEvidence(
    source=EvidenceSource.LIST, reference="list.csv sha256:0000", given_by=Actor("person:one"), given_at=NOW
)


def definition(**changes: Any) -> MigrationDefinition:
    """Two waves of everybody, one product."""
    settings = {
        "name": "fusie",
        "source_tenant": SOURCE,
        "target_tenant": TARGET,
        "source_holder": SOURCE_HOLDER,
        "target_holder": TARGET_HOLDER,
        "asked_by": "letter 2027-14",
        "people": '{"everyone":true}',
        "products": (ProductPair(source_sku=A3, target_sku=A3),),
        "waves": tuple(
            WaveDefinition(number=number, name=f"wave {number}", selector='{"everyone":true}') for number in (1, 2)
        ),
    }
    return MigrationDefinition(**{**settings, **changes})


def migration(**changes: Any) -> Migration:
    """One that runs."""
    defined = changes.pop("definition", None) or definition()
    settings = {
        "migration_id": MIGRATION,
        "definition": defined,
        "digest": "d" * 64,
        "state": MigrationState.RUNNING,
        "requested_by": Actor("person:one"),
        "created_at": NOW,
        "entered_at": NOW,
        "due_at": NOW,
    }
    return Migration(**{**settings, **changes})


def wave(number: int = 1, **changes: Any) -> Wave:
    return Wave(**{"migration_id": MIGRATION, "number": number, "entered_at": NOW, **changes})


def traveller(name: str, **changes: Any) -> Traveller:
    """Somebody in the first wave, whose id in the target is theirs in the source with a mark."""
    settings = {
        "migration_id": MIGRATION,
        "source_id": SubjectId(name),
        "target_id": SubjectId(f"{name}'"),
        "organisation_id": SOURCE_HOLDER,
        "wave": 1,
        "source_sku": A3,
        "target_sku": A3,
    }
    return Traveller(**{**settings, **changes})


def operation(number: str, part: MigrationPart, people: tuple[str, ...], **changes: Any) -> Operation:
    """The operation that works on these people (ids of its tenant); completed unless said otherwise."""
    settings = {
        "operation_id": OperationId(number),
        "kind": OperationKind.MIGRATE,
        "tenant_id": TARGET,
        "lane": Lane.BULK,
        "state": OperationState.COMPLETED,
        "wish": Wish(
            sku_id=A3,
            audience=Audience.ANY,
            article_code=ArticleCode(""),
            replaces=frozenset(),
            holder_id=TARGET_HOLDER,
            organisations=(TARGET_HOLDER,),
            seats_wanted=0,
            named=tuple(map(SubjectId, people)),
            part=part,
        ),
        "requested_by": Actor("person:one"),
        "created_at": NOW,
        "entered_at": NOW,
        "due_at": None,
    }
    return Operation(**{**settings, **changes})


AFTER_HOLD = NOW + timedelta(days=31)
