"""What is shown of a migration: numbers and codes, and ids of people only to whoever may see them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.catalogue import Sku
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
    GateEvidence,
    MatchRule,
    Migration,
    MigrationDefinition,
    Phase,
    ProductPair,
    Situation,
    Traveller,
    Wave,
    Window,
)
from provisioning.domain.migration_lifecycle import ARRIVED_FOR, MigrationState, PersonState, WaveState
from provisioning.domain.operation import OperationKind
from provisioning.domain.reasons import Reason
from provisioning.planning.identity import Cell
from provisioning.planning.migration_aftermath import LeftToDo
from provisioning.planning.migration_forecast import Prospect
from provisioning.services.situation_counts import SituationCount

# Mailboxes are submitted some two weeks before the day they move (learn.microsoft.com, "Cross-tenant mailbox
# migration"): whose evidence is not there after that is asked about.
GATE_EXPECTED = timedelta(days=14)


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """A migration in short: who goes where and by which rules. Selectors and the identity map name people: not here."""

    migration_id: MigrationId
    name: str
    state: MigrationState
    reason: Reason | None
    source_tenant: TenantId
    target_tenant: TenantId
    source_domain: str | None  # None: the tenant is not known any more
    target_domain: str | None
    source_holder: OrganisationId
    target_holder: OrganisationId
    asked_by: str
    requested_by: Actor
    digest: str
    products: tuple[ProductPair, ...]
    part_numbers: dict[SkuId, str]  # of the products that the mappings know
    rules: tuple[MatchRule, ...]
    mapped: int  # pairs of the identity map
    hold_period: timedelta
    failure_threshold: float
    window: Window
    approvers: tuple[Actor, ...]
    created_at: datetime
    entered_at: datetime
    matched_at: datetime | None


class MigrationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One migration in a list."""

    migration: Brief
    people: dict[PersonState, int]
    waves: dict[WaveState, int]


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """So many people failed in this phase, for this reason."""

    phase: Phase | None
    reason: Reason | None
    people: int


class WaveSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One wave. A gate is open for whoever has the licence and no evidence yet, the oldest since `gates_open_since`.

    It is late when it is open for longer than `GATE_EXPECTED`. `proven_at`: what the latest preflight rests on.

    `missing_exchange`: whose mailbox has moved, the first of them since then, and has no Exchange yet.

    `releasable_from` and `releasable_until`: when the hold period of the first and of the last who arrived is over.
    `arrived` of `going` people have come as far as the state of the wave is about.
    """

    number: int
    name: str
    state: WaveState
    reason: Reason | None
    entered_at: datetime
    started_by: Actor | None
    go_reason: str
    people: dict[PersonState, int]
    failed: list[Failed]
    proven_at: datetime | None
    gates_open: int
    gates_open_since: datetime | None
    gates_late: int
    missing_exchange: int
    missing_exchange_since: datetime | None
    releasable_from: datetime | None
    releasable_until: datetime | None
    arrived: int
    going: int


class OperationLine(msgspec.Struct, frozen=True, kw_only=True):
    """An operation of the migration that is not over. `digest`: of its plan, when somebody has to approve it."""

    operation_id: OperationId
    kind: OperationKind
    wave: int
    phase: Phase
    tenant_id: TenantId
    state: OperationState
    reason: Reason | None
    people: int
    digest: str | None
    writes_left: int
    writes_done_at: datetime | None


class MigrationSheet(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one migration but its people. `without_wave`: people whom no wave takes.

    `rate`: writes a second as the forecast has them; None when nothing is being written. `nameless`: rows of the map
    that name nobody in a tenant.
    """

    migration: Brief
    situations: list[SituationCount]
    waves: list[WaveSheet]
    without_wave: dict[PersonState, int]
    operations: list[OperationLine]
    writes_left: int
    writes_done_at: datetime | None
    rate: float | None
    forecast: list[Prospect]
    nameless: list[Cell] = []
    left_to_do: tuple[LeftToDo, ...] = ()  # by people, once it is completed


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person. Ids are None for who may not see them; the pseudonym is what the audit log calls them."""

    person: Pseudonym | None
    source_id: SubjectId | None
    target_id: SubjectId | None
    wave: int
    situation: Situation
    state: PersonState
    failed_in: Phase | None
    reason: Reason | None
    evidence: GateEvidence | None
    held_until: datetime | None
    operation_id: OperationId | None


def brief_of(migration: Migration, domains: Mapping[TenantId, str], skus: Mapping[SkuId, Sku]) -> Brief:
    """The migration in short; `domains`: by which name its tenants are known."""
    taken = migration.definition
    return Brief(
        migration_id=migration.migration_id,
        name=taken.name,
        state=migration.state,
        reason=migration.reason,
        source_tenant=taken.source_tenant,
        target_tenant=taken.target_tenant,
        source_domain=domains.get(taken.source_tenant),
        target_domain=domains.get(taken.target_tenant),
        source_holder=taken.source_holder,
        target_holder=taken.target_holder,
        asked_by=taken.asked_by,
        requested_by=migration.requested_by,
        digest=migration.digest,
        products=taken.products,
        part_numbers={sku: skus[sku].part_number for sku in taken.skus & skus.keys()},
        rules=taken.rules,
        mapped=len(taken.identity),
        hold_period=taken.hold_period,
        failure_threshold=taken.failure_threshold,
        window=taken.window,
        approvers=taken.approvers,
        created_at=migration.created_at,
        entered_at=migration.entered_at,
        matched_at=migration.matched_at,
    )


def wave_sheet(
    wave: Wave,
    definition: MigrationDefinition,
    people: Sequence[Traveller],
    ended: Mapping[OperationId, datetime],
    now: datetime,
) -> WaveSheet:
    """`people`: of this wave; `ended`: when operations came to their end."""
    at_gate = [one for one in people if is_gate_open(one)]
    since = [ended.get(one.operation_id, wave.entered_at) if one.operation_id else wave.entered_at for one in at_gate]
    moved = [one.evidence.moved_at for one in people if one.evidence and one.misses_exchange]
    until = [end for one in people if _waits_out(one) and (end := one.held_until(definition.hold_period))]
    return WaveSheet(
        number=wave.number,
        name=next((each.name for each in definition.waves if each.number == wave.number), ""),
        state=wave.state,
        reason=wave.reason,
        entered_at=wave.entered_at,
        started_by=wave.started_by,
        go_reason=wave.go_reason,
        people=in_order(one.state for one in people),
        failed=_failures(people),
        proven_at=wave.proven_at,
        gates_open=len(at_gate),
        gates_open_since=min(since, default=None),
        gates_late=sum(now - each > GATE_EXPECTED for each in since),
        missing_exchange=len(moved),
        missing_exchange_since=min(moved, default=None),
        releasable_from=min(until, default=None),
        releasable_until=max(until, default=None),
        arrived=sum(one.state in ARRIVED_FOR[wave.state] for one in people),
        going=sum(one.state is not PersonState.LEFT_OUT for one in people),
    )


def is_gate_open(person: Traveller) -> bool:
    """Whether the licence is there and nobody has said yet that the mailbox is."""
    return person.state is PersonState.PREPARED and person.has_mailbox and person.evidence is None


def in_order(states: Iterable[PersonState]) -> dict[PersonState, int]:
    """How many of each, in the order in which people go through them."""
    counts = Counter(states)
    return {state: counts[state] for state in PersonState if counts[state]}


def person_row(person: Traveller, hold_period: timedelta, *, with_ids: bool) -> PersonRow:
    """The person as somebody sees them who may, or may not, see ids."""
    return PersonRow(
        person=person.pseudonym,
        source_id=person.source_id if with_ids else None,
        target_id=person.target_id if with_ids else None,
        wave=person.wave,
        situation=person.situation,
        state=person.state,
        failed_in=person.failed_in,
        reason=person.reason,
        evidence=person.evidence,
        held_until=person.held_until(hold_period) if _waits_out(person) else None,
        operation_id=person.operation_id,
    )


def _waits_out(person: Traveller) -> bool:
    return person.state in {PersonState.ENABLED, PersonState.RELEASING}


def _failures(people: Iterable[Traveller]) -> list[Failed]:
    counts = Counter((one.failed_in, one.reason) for one in people if one.state is PersonState.FAILED)
    return [Failed(phase=phase, reason=reason, people=number) for (phase, reason), number in counts.most_common()]
