"""Finds everybody of a migration in both tenants, names each one's situation, and puts them into waves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, GroupId, MigrationId, SubjectId
from provisioning.domain.migration import Migration, MigrationDefinition, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, advance_migration
from provisioning.domain.observation import Census, Membership
from provisioning.domain.tenancy import Binding
from provisioning.planning.identity import IdentityMap, RuleReading
from provisioning.planning.matching import MatchScene, match
from provisioning.planning.outset import with_outset
from provisioning.planning.selection import keys_needed
from provisioning.planning.waves import in_waves, keys_of, schools_of, spoken_of
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.boards import Neighbours, board_of, is_under, neighbours_in
from provisioning.services.migration_deeds import require_nobody_elsewhere
from provisioning.services.nameless_rows import forget_names, look_again, map_of, open_rows

_UNMATCHED = frozenset({MigrationState.NEW, MigrationState.MATCHED})


class _Observed(msgspec.Struct, frozen=True, kw_only=True):
    source: Census
    target: Census
    claimed: frozenset[SubjectId]
    memberships: Mapping[str, Membership]
    readings: tuple[RuleReading, ...]


@dataclass(frozen=True, kw_only=True)
class MatchMigration:
    """May be repeated until the first wave begins; evidence that was given for a pair of accounts is kept."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    mappings: Mappings

    def __call__(self, migration_id: MigrationId) -> Migration:
        """Raises GraphError when a tenant cannot be read, InputError once a wave has begun.

        PeopleElsewhereError when people go along in another migration; nothing is changed then.
        """
        with self.open_uow() as uow:
            migration = uow.migrations.get(migration_id)
            own, strangers = self._bindings(uow, migration)
            there = self._neighbours(uow, migration.definition)
            rows = open_rows(uow, migration)
        if migration.state not in _UNMATCHED:
            raise InputError(f"Migration {migration.definition.name} has begun; its people stay as they were matched.")
        rows = look_again(self.gateway, migration, rows)
        observed = self._observe(migration, own, strangers, there)
        travellers = self._travellers(migration, own, strangers, observed, map_of(migration, rows))
        with self.open_uow() as uow:
            forget_names(uow, migration, rows)
            matched = self._store(uow, migration, travellers)
            uow.commit()
        return matched

    def _bindings(self, uow: UnitOfWork, migration: Migration) -> tuple[list[Binding], list[Binding]]:
        """Of the source: those of whoever leaves, and those of others who use the tenant too.

        When one school leaves a board, the schools that stay are others: who works at both is not simply taken along.
        """
        today = dutch_day(self.clock.now())
        definition = migration.definition
        own: list[Binding] = []
        strangers: list[Binding] = []
        for binding in uow.tenants.bindings_in(definition.source_tenant, today):
            leaves = is_under(uow, binding.organisation_id, definition.source_holder, today)
            (own if leaves else strangers).append(binding)
        return own, strangers

    def _neighbours(self, uow: UnitOfWork, definition: MigrationDefinition) -> Neighbours:
        """Of the target: no strangers are schools of the board that takes people, and of the one that sends them."""
        today = dutch_day(self.clock.now())
        found = neighbours_in(uow, definition.target_tenant, definition.target_holder, today)
        board = board_of(uow, definition.source_holder, today)
        others = tuple(one for one in found.strangers if board_of(uow, one.organisation_id, today) != board)
        return msgspec.structs.replace(found, strangers=others)

    def _observe(
        self, migration: Migration, own: Sequence[Binding], strangers: Sequence[Binding], there: Neighbours
    ) -> _Observed:
        definition = migration.definition
        source, target = definition.source_tenant, definition.target_tenant
        keys = keys_of(definition, strangers) | keys_needed(own)
        census = self.gateway.observe_census(target)
        return _Observed(
            source=self.gateway.observe_census(source),
            target=census,
            claimed=there.claimed(self.gateway, census),
            memberships=self.gateway.observe_memberships(source, keys),
            readings=tuple(
                RuleReading(
                    rule=rule,
                    source=self.gateway.read_match_keys(source, rule),
                    target=self.gateway.read_match_keys(target, rule),
                )
                for rule in definition.rules
            ),
        )

    def _travellers(
        self,
        migration: Migration,
        own: Sequence[Binding],
        strangers: Sequence[Binding],
        observed: _Observed,
        identity: IdentityMap,
    ) -> tuple[Traveller, ...]:
        definition = migration.definition
        spoken = spoken_of(definition, observed.source, observed.memberships, strangers)
        found = match(
            MatchScene(
                migration_id=migration.migration_id,
                definition=msgspec.structs.replace(definition, identity=identity),
                source=observed.source,
                target=observed.target,
                selected=schools_of(spoken.selected, definition, observed.source, observed.memberships, own),
                of_two_boards=spoken.of_two_boards,
                claimed=observed.claimed,
                readings=observed.readings,
            )
        )
        in_turn = in_waves(found, definition, observed.source, observed.memberships)
        return tuple(with_outset(in_turn, observed.source, observed.target, self._ours(migration), self.mappings))

    def _ours(self, migration: Migration) -> frozenset[GroupId]:
        """The groups of the source that we made."""
        with self.open_uow() as uow:
            listed = uow.groups.list_in(migration.definition.source_tenant)
        return frozenset(group.group_id for group in listed if group.group_id)

    def _store(self, uow: UnitOfWork, migration: Migration, travellers: Sequence[Traveller]) -> Migration:
        now = self.clock.now()
        uow.migrations.replace_travellers(migration.migration_id, travellers)
        require_nobody_elsewhere(uow, migration)
        uow.audit.record([_matched(migration, travellers, now=now)])
        return uow.migrations.save(
            msgspec.structs.replace(
                migration,
                state=advance_migration(migration.state, MigrationState.MATCHED),
                reason=None,
                entered_at=now,
                matched_at=now,
                due_at=None,
            )
        )


def _matched(migration: Migration, travellers: Sequence[Traveller], *, now: datetime) -> Event:
    counts: dict[str, int] = {}
    for one in travellers:
        counts[one.situation] = counts.get(one.situation, 0) + 1
    return Event(
        at=now,
        actor=SYSTEM,
        kind="migration.matched",
        organisation=migration.definition.target_holder,
        tenant=migration.definition.target_tenant,
        details={"migration": migration.migration_id, **{kind: str(n) for kind, n in sorted(counts.items())}},
    )
