"""The store of migrations: what was asked for, its waves, and where each of its people stands."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from provisioning.domain.ids import MigrationId, OrganisationId, SubjectId, TenantId
from provisioning.domain.migration import GateEvidence, Migration, Situation, Traveller, Wave
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.operation import Operation


class Missing(NamedTuple):
    """One person without Exchange for a mailbox that has moved, and who is told of it."""

    migration_id: MigrationId
    tenant_id: TenantId  # the target
    holder: OrganisationId
    moved_at: datetime


class MigrationStore(Protocol):
    """Migrations, waves and people move along the tables of `domain.migration_lifecycle`, and only along those.

    Saving any of them where it is, with another reason for instance, is allowed. What would break the table raises
    TransitionError. Whoever moves waves or people saves their migration in the same transaction: its version is what
    tells one of two that the other was first.
    """

    def add(self, migration: Migration, waves: Sequence[Wave], travellers: Sequence[Traveller] = ()) -> None:
        """Its tenants are known. Raises ConflictError when there is one with this id."""

    def find(self, migration: MigrationId) -> Migration | None: ...
    def get(self, migration: MigrationId) -> Migration: ...
    def list_by(self, states: Collection[MigrationState] = (), limit: int = 1000) -> list[Migration]:
        """In these states, or all of them; oldest first."""

    def asked_by(self, reference: str) -> list[Migration]:
        """Those that say they were asked for by this; oldest first."""

    def starting_with(self, prefix: str, limit: int = 3) -> list[MigrationId]:
        """Migrations whose id begins so: people name them by their first characters."""

    def save(self, migration: Migration) -> Migration:
        """Write where it stands if `version` is still ours, return it with the next version; else raise ConflictError.

        The definition stays as it was added, whatever is handed in.
        """

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[MigrationId]:
        """Migrations whose `due_at` has come, longest due first; it is moved to `again_at` for the next sweep."""

    def postpone(self, migration: MigrationId, until: datetime) -> None:
        """Move `due_at` alone, without a new version. What waits for a person has none and gets none."""

    def waves(self, migration: MigrationId) -> list[Wave]:
        """By number."""

    def save_wave(self, wave: Wave) -> None:
        """Who started it and why stay as they were first written: a second starter gets a ConflictError."""

    def travellers(
        self, migration: MigrationId, wave: int | None = None, states: Collection[PersonState] = ()
    ) -> list[Traveller]:
        """By wave and source id; of everybody, or of one wave, or in these states."""

    def counts(self, migration: MigrationId) -> dict[int, Counter[PersonState]]:
        """How many people of each wave are in which state; wave 0 are those in none."""

    def situations(self, migration: MigrationId) -> Counter[Situation]: ...
    def replace_travellers(self, migration: MigrationId, travellers: Sequence[Traveller]) -> None:
        """Matching again: these people instead of all that were there. Who has no pseudonym gets one.

        Evidence that was given for a pair of accounts is kept while the pair is the same. Raises ConflictError once
        anybody has begun, InputError when two who may go lead to the same account of the target.
        """

    def save_travellers(self, migration: MigrationId, travellers: Sequence[Traveller]) -> None:
        """Wave, state, reason, operation and hold period of many at once, all or none; operations are added before.

        Accounts, products and situation stay as they were matched, and evidence that is there stays. Raises
        ConflictError for whoever is not in the migration, or changes waves after they began.
        """

    def give_evidence(self, migration: MigrationId, evidence: Mapping[SubjectId, GateEvidence]) -> set[SubjectId]:
        """By source id; the first evidence stays. Returns for whom this was the first; others changed nothing.

        Who was left out or rolled back, or is not in the migration, gets none.
        """

    def withdraw_evidence(self, migration: MigrationId, people: Collection[SubjectId]) -> None:
        """By source id. Whoever withdraws saves the migration too: workers may have read the evidence a moment ago.

        Raises ConflictError when Exchange is on its way for one of them meanwhile.
        """

    def sharing_people(self, migration: MigrationId) -> dict[MigrationId, int]:
        """Other migrations that go on and name people of this one, by either account, and how many of them.

        Who was left out or rolled back takes part in none, nor does a row of the map that names nobody in the source.
        """

    def awaiting_exchange(self, tenant: TenantId) -> frozenset[SubjectId]:
        """Accounts of the target `tenant` whose mailbox a migration that goes on may still have to bring."""

    def missing_exchange(self, before: datetime) -> list[Missing]:
        """Whose mailbox had moved before then and has no Exchange yet (`Traveller.misses_exchange`), longest first.

        Of all migrations, those that are paused or called off too.
        """

    def operations_of(self, migration: MigrationId) -> list[Operation]:
        """What works, or worked, on any of its waves; oldest first."""

    def followers_of(self, migration: Migration) -> list[Operation]:
        """What came after a part of it in the target without being one: moves into a group. Oldest first."""
