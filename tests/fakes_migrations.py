"""The store of migrations in memory; tests/integration/database holds it together with the real one."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import MigrationId, OperationId, Pseudonym, SubjectId, TenantId
from provisioning.domain.migration import GateEvidence, Migration, Phase, Situation, Traveller, Wave
from provisioning.domain.migration_lifecycle import (
    ARRIVED,
    BEFORE_EXCHANGE,
    MIGRATION_ENDS,
    MigrationState,
    PersonState,
    WaveState,
    advance_migration,
    advance_person,
    advance_wave,
)
from provisioning.domain.operation import Operation
from provisioning.ports.migrations import Missing

_NOT_BEGUN = {PersonState.WAITING, PersonState.LEFT_OUT}
_OUT = {PersonState.LEFT_OUT, PersonState.ROLLED_BACK}
_DISPUTED = {Situation.DISPUTED, Situation.MATCHED_TWICE}


class Rows(Protocol):
    """What a fake database has to hold."""

    migrations: dict[MigrationId, Migration]
    waves: dict[tuple[MigrationId, int], Wave]
    travellers: dict[tuple[MigrationId, SubjectId], Traveller]
    operations: dict[OperationId, Operation]


class MemoryMigrations:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def add(self, migration: Migration, waves: Sequence[Wave], travellers: Sequence[Traveller] = ()) -> None:
        if migration.migration_id in self.rows.migrations:
            raise ConflictError("The migration exists already.")
        self.rows.migrations[migration.migration_id] = migration
        self.rows.waves |= {(wave.migration_id, wave.number): wave for wave in waves}
        self.replace_travellers(migration.migration_id, travellers)

    def find(self, migration: MigrationId) -> Migration | None:
        return self.rows.migrations.get(migration)

    def get(self, migration: MigrationId) -> Migration:
        found = self.find(migration)
        if found is None:
            raise InputError(f"There is no migration {migration}.")
        return found

    def list_by(self, states: Collection[MigrationState] = (), limit: int = 1000) -> list[Migration]:
        found = [one for one in self.rows.migrations.values() if not states or one.state in states]
        return sorted(found, key=lambda one: (one.created_at, one.migration_id))[:limit]

    def asked_by(self, reference: str) -> list[Migration]:
        return [one for one in self.list_by() if one.definition.asked_by == reference]

    def starting_with(self, prefix: str, limit: int = 3) -> list[MigrationId]:
        return sorted(each for each in self.rows.migrations if each.startswith(prefix))[:limit]

    def save(self, migration: Migration) -> Migration:
        present = self.get(migration.migration_id)
        if present.version != migration.version:
            raise ConflictError("The migration changed since it was read.")
        if present.state is not migration.state:
            advance_migration(present.state, migration.state)
        news = {"version": migration.version + 1, "definition": present.definition}
        self.rows.migrations[migration.migration_id] = msgspec.structs.replace(migration, **news)
        return msgspec.structs.replace(migration, version=migration.version + 1)

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[MigrationId]:
        due = [
            (one.due_at, one.migration_id)
            for one in self.rows.migrations.values()
            if one.due_at is not None and one.due_at <= now
        ]
        claimed = [migration for _, migration in sorted(due)[:limit]]
        for migration in claimed:
            self.postpone(migration, again_at)
        return claimed

    def postpone(self, migration: MigrationId, until: datetime) -> None:
        present = self.get(migration)
        if present.due_at is not None:
            self.rows.migrations[migration] = msgspec.structs.replace(present, due_at=until)

    def waves(self, migration: MigrationId) -> list[Wave]:
        return [wave for (of, _), wave in sorted(self.rows.waves.items()) if of == migration]

    def save_wave(self, wave: Wave) -> None:
        present = self.rows.waves.get((wave.migration_id, wave.number))
        if present is None:
            raise InputError("The migration has no such wave.")
        if present.state is not wave.state:
            advance_wave(present.state, wave.state)
        if present.started_by and (present.started_by, present.go_reason) != (wave.started_by, wave.go_reason):
            raise ConflictError("The wave was started by somebody else.")
        if wave.state is not WaveState.WAITING:
            assert wave.started_by is not None, "a wave is started by a person"
        self.rows.waves[wave.migration_id, wave.number] = wave

    def travellers(
        self, migration: MigrationId, wave: int | None = None, states: Collection[PersonState] = ()
    ) -> list[Traveller]:
        found = [
            one
            for (of, _), one in self.rows.travellers.items()
            if of == migration and wave in {None, one.wave} and (not states or one.state in states)
        ]
        return sorted(found, key=lambda one: (one.wave, one.source_id))

    def counts(self, migration: MigrationId) -> dict[int, Counter[PersonState]]:
        counted: dict[int, Counter[PersonState]] = {}
        for one in self.travellers(migration):
            counted.setdefault(one.wave, Counter())[one.state] += 1
        return counted

    def situations(self, migration: MigrationId) -> Counter[Situation]:
        return Counter(one.situation for one in self.travellers(migration))

    def replace_travellers(self, migration: MigrationId, travellers: Sequence[Traveller]) -> None:
        self.get(migration)
        present = self.travellers(migration)
        if any(one.state not in _NOT_BEGUN for one in present):
            raise ConflictError("People have begun: nobody is matched anew.")
        _refuse_an_account_for_two(travellers)
        proven = {(one.source_id, one.target_id): one.evidence for one in present}
        for one in present:
            del self.rows.travellers[migration, one.source_id]
        for one in travellers:
            self._put(
                one,
                pseudonym=one.pseudonym or Pseudonym(f"p_{one.source_id}"),
                evidence=one.evidence or proven.get((one.source_id, one.target_id)),
            )

    def save_travellers(self, migration: MigrationId, travellers: Sequence[Traveller]) -> None:
        self.get(migration)
        standing = [self._standing(migration, one) for one in travellers]
        for one in standing:
            _require_whole(one)
            self._put(one)

    def give_evidence(self, migration: MigrationId, evidence: Mapping[SubjectId, GateEvidence]) -> set[SubjectId]:
        first = {
            one.source_id
            for one in self.travellers(migration)
            if one.source_id in evidence and one.evidence is None and one.state not in _OUT
        }
        for person in first:
            self._put(self.rows.travellers[migration, person], evidence=evidence[person])
        return first

    def withdraw_evidence(self, migration: MigrationId, people: Collection[SubjectId]) -> None:
        for person in people:
            one = self.rows.travellers[migration, person]
            before = {PersonState.WAITING, PersonState.PREPARING, PersonState.PREPARED}
            if one.state not in before and (one.state, one.failed_in) != (PersonState.FAILED, Phase.PREPARE):
                raise ConflictError("People changed since they were read.")
            self._put(one, evidence=None)

    def sharing_people(self, migration: MigrationId) -> dict[MigrationId, int]:
        mine = self._accounts(migration)
        living = [each for each, one in self.rows.migrations.items() if one.state not in MIGRATION_ENDS]
        shared = {
            other: len({mine[account] for account in self._accounts(other).keys() & mine.keys()})
            for other in living
            if other != migration
        }
        return {other: people for other, people in shared.items() if people}

    def _accounts(self, migration: MigrationId) -> dict[tuple[TenantId, SubjectId], SubjectId]:
        """Whose each account of the migration is, by the id of the source."""
        definition = self.get(migration).definition
        present = [one for one in self.travellers(migration) if one.situation is not Situation.MISSING_IN_SOURCE]
        going = [one for one in present if one.state not in _OUT]
        here = {(definition.source_tenant, one.source_id): one.source_id for one in going}
        return here | {(definition.target_tenant, one.target_id): one.source_id for one in going if one.target_id}

    def awaiting_exchange(self, tenant: TenantId) -> frozenset[SubjectId]:
        return frozenset(
            one.target_id
            for (migration, _), one in self.rows.travellers.items()
            if one.target_id is not None
            and self.rows.migrations[migration].definition.target_tenant == tenant
            and self.rows.migrations[migration].state not in MIGRATION_ENDS
            and (one.state in BEFORE_EXCHANGE or (one.state is PersonState.FAILED and one.failed_in != Phase.RELEASE))
        )

    def missing_exchange(self, before: datetime) -> list[Missing]:
        people = [one for one in self.rows.travellers.values() if one.misses_exchange]
        found = [
            Missing(one.migration_id, of.target_tenant, of.target_holder, one.evidence.moved_at)
            for one in people
            if one.evidence and (of := self.get(one.migration_id).definition)
        ]
        return sorted(
            (one for one in found if one.moved_at <= before), key=lambda one: (one.moved_at, one.migration_id)
        )

    def operations_of(self, migration: MigrationId) -> list[Operation]:
        parts = [one for one in self.rows.operations.values() if one.wish.part is not None]
        theirs = [one for one in parts if one.wish.part and one.wish.part.migration_id == migration]
        return sorted(theirs, key=lambda one: (one.created_at, one.operation_id))

    def followers_of(self, migration: Migration) -> list[Operation]:
        followers = [
            one
            for one in self.rows.operations.values()
            if one.tenant_id == migration.definition.target_tenant
            and one.wish.follows is not None
            and one.wish.follows.migration_id == migration.migration_id
        ]
        return sorted(followers, key=lambda one: (one.created_at, one.operation_id))

    def _standing(self, migration: MigrationId, wanted: Traveller) -> Traveller:
        """The person as matched, where they stand now; raises what the database would."""
        present = self.rows.travellers.get((migration, wanted.source_id))
        if present is None:
            raise ConflictError("People are not in the migration (any more).")
        if present.state is not wanted.state:
            advance_person(present.state, wanted.state)
        if present.wave != wanted.wave and present.state is not PersonState.WAITING:
            raise ConflictError("People who have begun stay in their wave.")
        names = ("wave", "state", "reason", "failed_in", "operation_id", "enabled_at")
        news = {name: getattr(wanted, name) for name in names}
        return msgspec.structs.replace(present, **news, evidence=present.evidence or wanted.evidence)

    def _put(self, traveller: Traveller, **news: object) -> None:
        key = traveller.migration_id, traveller.source_id
        self.rows.travellers[key] = msgspec.structs.replace(traveller, **news)


def _require_whole(one: Traveller) -> None:
    """As the constraints of the table say it."""
    assert one.state is not PersonState.FAILED or (one.reason and one.failed_in), "why and where they failed"
    assert one.state is not PersonState.ENABLING or one.evidence, "evidence before Exchange"
    assert one.state not in ARRIVED or one.enabled_at, "when the hold period began"


def _refuse_an_account_for_two(travellers: Sequence[Traveller]) -> None:
    going = [one for one in travellers if one.state is not PersonState.LEFT_OUT and one.situation not in _DISPUTED]
    accounts = Counter(one.target_id for one in going if one.target_id is not None)
    if any(people > 1 for people in accounts.values()):
        raise InputError("Two people of the migration lead to the same account in the target.")
