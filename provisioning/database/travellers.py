"""People of migrations: many at once, along the domain's table, one writer of a migration's people at a time."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Subquery, delete, exists, func, select, text, union_all

from provisioning.database.audit_log import SqlAuditLog
from provisioning.database.jsonb import as_rows
from provisioning.database.store import Store, columns_of, in_chunks, inserted, row_of
from provisioning.database.tables.tenant_migrations import migrations
from provisioning.database.tables.tenant_migrations import travellers as people_rows
from provisioning.database.transitions import sources_or_itself
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import MigrationId, SubjectId, TenantId
from provisioning.domain.migration import GateEvidence, Phase, Situation, Traveller
from provisioning.domain.migration_lifecycle import (
    BEFORE_EXCHANGE,
    MIGRATION_ENDS,
    PERSON_TRANSITIONS,
    PersonState,
    advance_person,
)
from provisioning.ports.migrations import Missing

_SOURCES = sources_or_itself(PERSON_TRANSITIONS)
_NOT_BEGUN = frozenset({PersonState.WAITING, PersonState.LEFT_OUT})
_OUT = frozenset({PersonState.LEFT_OUT, PersonState.ROLLED_BACK})

# Evidence may arrive between reading a person and saving them: what is there is never taken away.
_SAVE = text("""
    WITH given AS MATERIALIZED (
        SELECT CAST(:migration AS text) AS migration_id, * FROM json_to_recordset(CAST(:rows AS json)) AS given (
            source_id text, wave integer, state text, sources text[], reason text, failed_in text, evidence jsonb,
            operation_id text, enabled_at timestamptz))
    UPDATE migration_travellers AS people SET
        wave = given.wave, state = given.state, reason = given.reason, failed_in = given.failed_in,
        evidence = coalesce(people.evidence, given.evidence), operation_id = given.operation_id,
        enabled_at = given.enabled_at
    FROM given
    WHERE people.migration_id = given.migration_id AND people.source_id = given.source_id
      AND people.state = ANY (given.sources) AND (people.wave = given.wave OR people.state = 'waiting')""")

_GIVE_EVIDENCE = text("""
    WITH given AS MATERIALIZED (
        SELECT CAST(:migration AS text) AS migration_id, * FROM json_to_recordset(CAST(:rows AS json)) AS given (
            source_id text, evidence jsonb))
    UPDATE migration_travellers AS people SET evidence = given.evidence
    FROM given
    WHERE people.migration_id = given.migration_id AND people.source_id = given.source_id
      AND people.evidence IS NULL AND people.state <> ALL (:out)
    RETURNING people.source_id""")


_WITHDRAW_EVIDENCE = text("""
    UPDATE migration_travellers SET evidence = NULL
    WHERE migration_id = :migration AND source_id = ANY (:people)
      AND (state IN ('waiting', 'preparing', 'prepared') OR (state = 'failed' AND failed_in = 'prepare'))""")

# As `Traveller.misses_exchange` and `GateEvidence.moved_at` say it.
_MISSING_EXCHANGE = text("""
    WITH proven AS MATERIALIZED (
        SELECT migration_id,
               CAST(coalesce(evidence ->> 'completed_at', evidence ->> 'given_at') AS timestamptz) AS moved_at
        FROM migration_travellers
        WHERE evidence IS NOT NULL AND has_mailbox
          AND (state IN ('waiting', 'preparing', 'prepared', 'enabling')
               OR (state = 'failed' AND (failed_in IN ('prepare', 'enable')
                                         OR (reason = 'MIGRATION_ABORTED' AND enabled_at IS NULL)))))
    SELECT migration_id, target_tenant_id AS tenant_id, definition ->> 'target_holder' AS holder, moved_at
    FROM proven JOIN migrations USING (migration_id)
    WHERE moved_at <= :before
    ORDER BY moved_at, migration_id""")


class SqlTravellers(Store):
    """The part of the store of migrations that speaks of people."""

    def travellers(
        self, migration: MigrationId, wave: int | None = None, states: Collection[PersonState] = ()
    ) -> list[Traveller]:
        query = columns_of(people_rows, Traveller).where(_of(migration))
        if wave is not None:
            query = query.where(people_rows.c.wave == wave)
        if states:
            query = query.where(people_rows.c.state.in_(states))
        return self._list(query.order_by(people_rows.c.wave, people_rows.c.source_id), Traveller)

    def counts(self, migration: MigrationId) -> dict[int, Counter[PersonState]]:
        table = people_rows.c
        query = select(table.wave, table.state, func.count()).where(_of(migration)).group_by(table.wave, table.state)
        counted: dict[int, Counter[PersonState]] = {}
        for wave, state, people in self._connection.execute(query.order_by(table.wave)):
            counted.setdefault(wave, Counter())[PersonState(state)] = people
        return counted

    def situations(self, migration: MigrationId) -> Counter[Situation]:
        table = people_rows.c
        query = select(table.situation, func.count()).where(_of(migration)).group_by(table.situation)
        return Counter({Situation(situation): people for situation, people in self._connection.execute(query)})

    def replace_travellers(self, migration: MigrationId, travellers: Sequence[Traveller]) -> None:
        source = self._lock(migration)
        has_begun = exists().where(_of(migration), people_rows.c.state.not_in(_NOT_BEGUN))
        if self._connection.scalar(select(has_begun)):
            raise ConflictError(f"People of migration {migration} have begun: nobody is matched anew.")
        proven = {_pair(each): each.evidence for each in self.travellers(migration) if each.evidence}
        self._connection.execute(delete(people_rows).where(_of(migration)))
        kept = [msgspec.structs.replace(each, evidence=each.evidence or proven.get(_pair(each))) for each in travellers]
        self._insert(source, kept)

    def save_travellers(self, migration: MigrationId, travellers: Sequence[Traveller]) -> None:
        self._lock(migration)
        wanted = {each.source_id: each for each in travellers}
        for some in in_chunks(wanted.values()):
            bound = {"migration": migration, "rows": as_rows(map(_standing, some))}
            if self._changed(_SAVE, bound) != len(some):
                raise self._refusal(migration, wanted)

    def give_evidence(self, migration: MigrationId, evidence: Mapping[SubjectId, GateEvidence]) -> set[SubjectId]:
        self._lock(migration)
        rows = as_rows({"source_id": person, "evidence": given} for person, given in evidence.items())
        bound = {"migration": migration, "rows": rows, "out": sorted(_OUT)}
        return {SubjectId(person) for person in self._connection.scalars(_GIVE_EVIDENCE, bound)}

    def withdraw_evidence(self, migration: MigrationId, people: Collection[SubjectId]) -> None:
        self._lock(migration)
        bound = {"migration": migration, "people": sorted(people)}
        if self._changed(_WITHDRAW_EVIDENCE, bound) != len(set(people)):
            raise ConflictError(f"People of migration {migration} changed since they were read. Look again.")

    def sharing_people(self, migration: MigrationId) -> dict[MigrationId, int]:
        mine, theirs = _accounts("mine"), _accounts("theirs")
        is_same = (mine.c.tenant_id == theirs.c.tenant_id) & (mine.c.account == theirs.c.account)
        query = select(theirs.c.migration_id, func.count(mine.c.source_id.distinct()))
        query = query.select_from(mine.join(theirs, is_same & (mine.c.migration_id != theirs.c.migration_id)))
        query = query.where(mine.c.migration_id == migration).group_by(theirs.c.migration_id)
        return {MigrationId(other): people for other, people in self._connection.execute(query)}

    def awaiting_exchange(self, tenant: TenantId) -> frozenset[SubjectId]:
        table = people_rows.c
        goes_on = (migrations.c.target_tenant_id == tenant) & migrations.c.state.not_in(MIGRATION_ENDS)
        has_failed_before = (table.state == PersonState.FAILED) & (table.failed_in != Phase.RELEASE)
        query = select(table.target_id).join(migrations, migrations.c.migration_id == table.migration_id)
        query = query.where(goes_on, table.target_id.is_not(None), table.state.in_(BEFORE_EXCHANGE) | has_failed_before)
        return frozenset(map(SubjectId, self._connection.scalars(query)))

    def missing_exchange(self, before: datetime) -> list[Missing]:
        return [Missing(**row) for row in self._rows(_MISSING_EXCHANGE, {"before": before})]

    def _lock(self, migration: MigrationId) -> TenantId:
        """The migration's row, taken before its people's: two who write many of them never wait for each other.

        Returns the source tenant; raises InputError when there is no such migration.
        """
        query = select(migrations.c.source_tenant_id).where(migrations.c.migration_id == migration)
        source = self._connection.scalar(query.with_for_update(key_share=True))
        if source is None:
            raise no_migration(migration)
        return TenantId(source)

    def _insert(self, source: TenantId, people: Sequence[Traveller]) -> None:
        nameless = [each.source_id for each in people if each.pseudonym is None]
        drawn = SqlAuditLog(self._connection).pseudonyms(source, nameless) if nameless else {}
        for some in in_chunks(people):
            rows = [row_of(each) | {"pseudonym": each.pseudonym or drawn[each.source_id]} for each in some]
            self._connection.execute(inserted(people_rows, rows))

    def _refusal(self, migration: MigrationId, wanted: Mapping[SubjectId, Traveller]) -> ConflictError:
        """Why not all of them were saved; raises TransitionError itself where the table says no."""
        present = {each.source_id: each for each in self.travellers(migration)}
        if strangers := wanted.keys() - present.keys():
            return ConflictError(f"{len(strangers)} people are not in migration {migration} (any more). Look again.")
        for person, each in wanted.items():
            if each.state is not present[person].state:
                advance_person(present[person].state, each.state)
        return ConflictError(f"People of migration {migration} who have begun stay in their wave.")


def no_migration(migration: MigrationId) -> InputError:
    return InputError(f"There is no migration {migration}.")


def _of(migration: MigrationId) -> ColumnElement[bool]:
    return people_rows.c.migration_id == migration


def _accounts(name: str) -> Subquery:
    """Both accounts of everybody who goes along in a migration that goes on. Who is not in the source has none."""
    table, of = people_rows.c, migrations.c
    whose = (table.migration_id, table.source_id)
    is_there = table.situation != Situation.MISSING_IN_SOURCE
    goes_on = of.state.not_in(MIGRATION_ENDS) & table.state.not_in(_OUT) & is_there
    sides = ((of.source_tenant_id, table.source_id), (of.target_tenant_id, table.target_id))
    found = (
        select(*whose, tenant.label("tenant_id"), account.label("account"))
        .join_from(people_rows, migrations, table.migration_id == of.migration_id)
        .where(goes_on, account.is_not(None))
        for tenant, account in sides
    )
    return union_all(*found).subquery(name)


def _pair(traveller: Traveller) -> tuple[SubjectId, SubjectId | None]:
    return traveller.source_id, traveller.target_id


def _standing(traveller: Traveller) -> dict[str, Any]:
    """What may change of a person once they are matched."""
    return {
        "source_id": traveller.source_id,
        "wave": traveller.wave,
        "state": traveller.state,
        "sources": _SOURCES[traveller.state],
        "reason": traveller.reason,
        "failed_in": traveller.failed_in,
        "evidence": traveller.evidence,
        "operation_id": traveller.operation_id,
        "enabled_at": traveller.enabled_at,
    }
