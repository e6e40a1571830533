"""What a migration did, per wave and person: a value that pages, lists and statements are made from. Pure."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from io import StringIO

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
from provisioning.domain.lifecycle import OPERATION_ENDS
from provisioning.domain.migration import TARGET_PHASES, EvidenceSource, Migration, Phase, Situation, Traveller, Wave
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.planning.migration_aftermath import LeftToDo


class Outcome(StrEnum):
    """What a migration came to for a person; everybody has exactly one, so that the numbers add up."""

    MOVED = "moved"  # released in the source
    ARRIVED = "arrived"  # everything on in the target; the old licence is still there
    UNDER_WAY = "under_way"  # licensed in the target, or about to be
    NOT_BEGUN = "not_begun"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    LEFT_OUT = "left_out"


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two boards, and its tenant."""

    tenant_id: TenantId
    domain: str
    holder: OrganisationId
    name: str


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Who let which plan be carried out."""

    wave: int
    phase: Phase
    operation_id: OperationId
    people: int
    digest: str
    approved_by: Actor
    approved_at: datetime
    is_alone: bool  # in an emergency, without a second person


class ReportedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one person, when, and why not. Ids are None for who may not see them."""

    wave: int
    person: Pseudonym | None
    source_id: SubjectId | None
    target_id: SubjectId | None
    organisation_id: OrganisationId
    source_product: str | None
    target_product: str | None
    situation: Situation
    state: PersonState
    outcome: Outcome
    prepared_at: datetime | None
    mailbox_at: datetime | None  # when it was said that the mailbox had moved
    mailbox_by: EvidenceSource | None
    mailbox_reference: str | None
    enabled_at: datetime | None
    held_until: datetime | None
    released_at: datetime | None
    rolled_back_at: datetime | None
    failed_in: Phase | None
    reason: Reason | None


class ReportedWave(msgspec.Struct, frozen=True, kw_only=True):
    """One wave with its people; number 0 is made of those in no wave."""

    number: int
    name: str
    state: WaveState | None
    started_by: Actor | None
    go_reason: str
    outcomes: dict[Outcome, int]
    people: tuple[ReportedPerson, ...]


class MigrationReport(msgspec.Struct, frozen=True, kw_only=True):
    migration_id: MigrationId
    name: str
    state: MigrationState
    reason: Reason | None
    source: Party
    target: Party
    asked_by: str
    requested_by: Actor
    digest: str
    created_at: datetime
    entered_at: datetime
    written_at: datetime
    outcomes: dict[Outcome, int]
    waves: tuple[ReportedWave, ...]
    approvals: tuple[Approval, ...]
    left_to_do: tuple[LeftToDo, ...] = ()  # by people, once it is completed

    @property
    def people(self) -> tuple[ReportedPerson, ...]:
        """Everybody, by wave."""
        return tuple(person for wave in self.waves for person in wave.people)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is drawn from. `with_ids`: whether its reader may see ids of people."""

    migration: Migration
    source: Party
    target: Party
    waves: Sequence[Wave]
    travellers: Sequence[Traveller]
    operations: Sequence[Operation]
    approvals: Sequence[Approval]
    products: Mapping[SkuId, str]
    with_ids: bool
    now: datetime
    left_to_do: tuple[LeftToDo, ...] = ()
    read_back: Mapping[tuple[Phase, SubjectId], datetime] = {}  # when a person's own steps of a phase were


def draw_report(facts: Facts) -> MigrationReport:
    """The report of everything up to now; a migration need not be over."""
    migration, definition = facts.migration, facts.migration.definition
    ended = _Ended(facts.operations, facts.read_back)
    people = [_person(one, facts, ended) for one in facts.travellers]
    return MigrationReport(
        migration_id=migration.migration_id,
        name=definition.name,
        state=migration.state,
        reason=migration.reason,
        source=facts.source,
        target=facts.target,
        asked_by=definition.asked_by,
        requested_by=migration.requested_by,
        digest=migration.digest,
        created_at=migration.created_at,
        entered_at=migration.entered_at,
        written_at=facts.now,
        outcomes=_outcomes(people),
        waves=tuple(_waves(facts, people)),
        approvals=tuple(sorted(facts.approvals, key=lambda one: one.approved_at)),
        left_to_do=facts.left_to_do,
    )


class _Ended:
    """When a phase was done for a person: read back, or, where nothing had to be written, with its last operation."""

    def __init__(self, operations: Iterable[Operation], read_back: Mapping[tuple[Phase, SubjectId], datetime]) -> None:
        self._at: dict[tuple[Phase, SubjectId], datetime] = {}
        for operation in sorted(operations, key=lambda one: one.entered_at):
            if operation.wish.part is not None and operation.state in OPERATION_ENDS:
                phase = operation.wish.part.phase
                self._at |= dict.fromkeys(((phase, one) for one in operation.wish.named), operation.entered_at)
        self._at |= {key: at for key, at in read_back.items() if key in self._at}

    def at(self, phase: Phase, traveller: Traveller) -> datetime | None:
        person = traveller.target_id if phase in TARGET_PHASES else traveller.source_id
        return None if person is None else self._at.get((phase, person))


_BEFORE_PREPARED = frozenset({PersonState.WAITING, PersonState.PREPARING, PersonState.LEFT_OUT})


def _person(one: Traveller, facts: Facts, ended: _Ended) -> ReportedPerson:
    evidence, outcome = one.evidence, _OUTCOMES[one.state]
    is_prepared = one.state not in _BEFORE_PREPARED and one.failed_in is not Phase.PREPARE
    return ReportedPerson(
        wave=one.wave,
        person=one.pseudonym,
        source_id=one.source_id if facts.with_ids else None,
        target_id=one.target_id if facts.with_ids else None,
        organisation_id=one.organisation_id,
        source_product=_product(one.source_sku, facts.products),
        target_product=_product(one.target_sku, facts.products),
        situation=one.situation,
        state=one.state,
        outcome=outcome,
        prepared_at=ended.at(Phase.PREPARE, one) if is_prepared else None,
        mailbox_at=evidence.given_at if evidence else None,
        mailbox_by=evidence.source if evidence else None,
        mailbox_reference=evidence.reference if evidence else None,
        enabled_at=one.enabled_at,
        held_until=one.held_until(facts.migration.definition.hold_period) if outcome is Outcome.ARRIVED else None,
        released_at=ended.at(Phase.RELEASE, one) if one.state is PersonState.RELEASED else None,
        rolled_back_at=ended.at(Phase.UNDO_TARGET, one) if one.state is PersonState.ROLLED_BACK else None,
        failed_in=one.failed_in,
        reason=one.reason,
    )


_OUTCOMES: Mapping[PersonState, Outcome] = {
    PersonState.WAITING: Outcome.NOT_BEGUN,
    PersonState.PREPARING: Outcome.UNDER_WAY,
    PersonState.PREPARED: Outcome.UNDER_WAY,
    PersonState.ENABLING: Outcome.UNDER_WAY,
    PersonState.ENABLED: Outcome.ARRIVED,
    PersonState.RELEASING: Outcome.ARRIVED,
    PersonState.RELEASED: Outcome.MOVED,
    PersonState.ROLLING_BACK: Outcome.UNDER_WAY,
    PersonState.ROLLED_BACK: Outcome.ROLLED_BACK,
    PersonState.FAILED: Outcome.FAILED,
    PersonState.LEFT_OUT: Outcome.LEFT_OUT,
}


def _product(sku: SkuId | None, products: Mapping[SkuId, str]) -> str | None:
    return None if sku is None else products.get(sku, sku)


def _outcomes(people: Iterable[ReportedPerson]) -> dict[Outcome, int]:
    counts = Counter(person.outcome for person in people)
    return {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}


def _waves(facts: Facts, people: Sequence[ReportedPerson]) -> Iterable[ReportedWave]:
    names = {wave.number: wave.name for wave in facts.migration.definition.waves}
    for wave in sorted(facts.waves, key=lambda one: one.number):
        own = tuple(person for person in people if person.wave == wave.number)
        yield ReportedWave(
            number=wave.number,
            name=names.get(wave.number, ""),
            state=wave.state,
            started_by=wave.started_by,
            go_reason=wave.go_reason,
            outcomes=_outcomes(own),
            people=own,
        )
    if rest := tuple(person for person in people if not person.wave):
        yield ReportedWave(
            number=0, name="", state=None, started_by=None, go_reason="", outcomes=_outcomes(rest), people=rest
        )


# ── as a list for spreadsheets ───────────────────────────────────────────────────────────────────────────

# What a spreadsheet takes for a formula, also in the wide forms that it reads alike (owasp.org, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # fmt: skip

COLUMNS = tuple(name for name in ReportedPerson.__struct_fields__ if name != "outcome")


def to_csv(report: MigrationReport, why: Callable[[Reason], str]) -> str:
    """One line for each person, by RFC 4180, with codes as they are and `why` as the sentence of the reason.

    A text that a spreadsheet would take for a formula begins with an apostrophe, as spreadsheets themselves do it.
    """
    written = StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow((*COLUMNS, "explanation"))
    for person in report.people:
        cells = (getattr(person, name) for name in COLUMNS)
        writer.writerow([*map(_cell, cells), _cell(why(person.reason) if person.reason else None)])
    return written.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case _:
            text = str(value)
            return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
