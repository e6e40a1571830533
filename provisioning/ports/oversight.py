"""Stores of oversight: stops, actors, audit, sealing, retention, messages, the work list."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.export import StoredCheckpoint, StoredEvent
from provisioning.audit.note import VerifierKey
from provisioning.audit.sealing import SealedLog, Sealing
from provisioning.domain.actors import Identity, Role
from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.events import Event
from provisioning.domain.ids import (
    Actor,
    ArticleCode,
    MigrationId,
    OperationId,
    OrganisationId,
    Pseudonym,
    SkuId,
    SubjectId,
    TenantId,
    TicketId,
)
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Answer
from provisioning.domain.worklist import FailedAlike, Intent, Notice, Stop, WorkItem
from provisioning.planning.mappings_impact import Holders, OpenLines, OpenWork


class StopStore(Protocol):
    def add(self, stop: Stop) -> None: ...
    def lift(self, scope: str) -> bool: ...
    def list_all(self) -> list[Stop]: ...
    def blocking(self, tenant: TenantId, kind: str) -> Stop | None: ...
    def note_credential_failure(self, tenant: TenantId, reason: Reason, at: datetime, since: datetime) -> FailedAlike:
        """Remember it; how many tenants failed the same way since."""

    def answer_credential_failures(self) -> None:
        """A person resumed everything: what failed until now was looked at."""


class ConfigurationStore(Protocol):
    """Versions of the mappings and of the limits."""

    def in_force(self) -> dict[ConfigurationKind, ConfigurationVersion]:
        """One of each kind, except kinds of which none was installed yet."""

    def list_all(self) -> list[ConfigurationVersion]:
        """Newest first: proposals, the ones in force, and those that were."""

    def install(self, version: ConfigurationVersion) -> bool:
        """The first of its kind; False when there is one already (another process was first)."""

    def propose(self, version: ConfigurationVersion) -> None:
        """Raises ConflictError when the same proposal waits already."""

    def approve(self, kind: ConfigurationKind, digest: str, by: Actor, at: datetime) -> None:
        """It takes the place of the one in force. Raises ConflictError; the database refuses its own proposer."""

    def reject(self, kind: ConfigurationKind, digest: str, at: datetime) -> None:
        """The proposal waits no longer. Raises ConflictError when it did not."""

    def restore(self, version: ConfigurationVersion, instead_of: str) -> ConfigurationVersion:
        """An earlier version comes back by one person; returned with the number of that earlier one.

        `instead_of`: the digest in force. Raises ConflictError when another one is by now.
        """

    def review(self, kind: ConfigurationKind, digest: str, by: Actor, at: datetime) -> None:
        """Somebody else looked at what one person brought back. Raises ConflictError when nothing waits for that."""

    def keep(self, kind: ConfigurationKind, digest: str, packed: bytes) -> None:
        """What the digest names, for processes that load it later. What is kept is never replaced."""

    def content(self, kind: ConfigurationKind, digest: str) -> bytes | None:
        """What was kept of it; None: nothing."""


class ImpactReader(Protocol):
    """What stands on mappings, counted per organisation."""

    def open_lines(self, articles: Collection[ArticleCode]) -> list[OpenLines]:
        """Lines that are received, accepted or held, and name one of these articles."""

    def open_work(self) -> list[OpenWork]:
        """All unfinished operations, counted together where they stand on the same rows."""

    def holders(self, products: Collection[SkuId], today: date) -> list[Holders]:
        """People to whom we gave one of these products, and seats in force on the day."""


class ActorStore(Protocol):
    def add(self, identity: Identity, token_digest: str, at: datetime) -> None: ...
    def find_by_token(self, token_digest: str) -> Identity | None:
        """Who the token stands for, expired or not; None when it is unknown or revoked."""

    def list_all(self) -> list[Identity]:
        """Those not revoked, expired or not."""

    def boards_of(self, actors: Collection[Actor]) -> list[OrganisationId | None]:
        """For each of them that is a board's token, revoked or not, its board; None where none is known."""

    def revoke(self, actor: Actor, at: datetime) -> bool:
        """Whether there was one to revoke; adding the same actor again later is allowed."""

    def has_any(self, role: Role, at: datetime) -> bool:
        """Whether somebody with the role has a token that is valid at that moment."""


class AuditLog(Protocol):
    def record(self, events: Sequence[Event]) -> None:
        """Append in this transaction."""

    def list_by(
        self,
        operation: OperationId | None = None,
        organisation: OrganisationId | None = None,
        limit: int = 1000,
    ) -> list[Event]: ...
    def pseudonyms(self, tenant: TenantId, subjects: Collection[SubjectId]) -> dict[SubjectId, Pseudonym]:
        """The pseudonym of each person, made when there is none yet."""

    def forget(self, tenant: TenantId, subjects: Collection[SubjectId]) -> int:
        """Destroy what ties their pseudonyms to them; returns how many had one. The log verifies as before."""


class AuditArchive(Protocol):
    """The sealed log, read for exports: long readings, so no part of a unit of work."""

    def checkpoints(self) -> list[StoredCheckpoint]:
        """All of them, in order."""

    def events(self, organisation: OrganisationId | None = None) -> Iterator[StoredEvent]:
        """Sealed events in order, of everybody or of one organisation."""

    def leaves(self, size: int) -> Iterator[bytes]:
        """The first `size` leaf hashes, in order."""

    def uncovered(self, size: int, organisation: OrganisationId | None = None) -> int:
        """How many recorded events, of everybody or of one organisation, a checkpoint of `size` does not cover."""


class SealStore(Protocol):
    """The sealer's end of the audit log. Whoever loads it holds it until commit: the tree never forks."""

    def load(self) -> SealedLog: ...
    def unsealed(self, limit: int) -> list[tuple[int, bytes]]:
        """Number and text of events that have no place in the tree yet, in the order they were recorded."""

    def store(
        self, events: Sequence[int], sealing: Sealing, checkpoints: Sequence[StoredCheckpoint], at: datetime
    ) -> None:
        """Give these events (as many as `sealing` has leaves) their places; keep the log's new end and checkpoints."""

    def checkpoints_after(self, size: int) -> list[StoredCheckpoint]:
        """Those of a longer log than `size`, shortest first."""

    def newest_checkpoint(self) -> Checkpoint | None: ...
    def checkpoint_of(self, size: int) -> Checkpoint | None:
        """The one of a log of exactly this size."""

    def has_signed(self, key: VerifierKey) -> bool:
        """Whether any checkpoint bears a line of this key."""


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of one operation went."""

    people: int
    steps: int
    attempts: int
    plans: int


class Retention(Protocol):
    """The end of rows that hold people's object ids. Audit log, ledger and order lines are none of them."""

    def expired(self, before: datetime, limit: int) -> list[OperationId]:
        """Operations that ended before the moment and still have such rows, the oldest first.

        A plan that one person approved alone stays until it is reviewed.
        """

    def purge(self, operation: OperationId) -> Purged:
        """Remove its people, steps, attempts and plans; itself it stays. Raises ConflictError before its end."""

    def expired_migrations(self, before: datetime, limit: int) -> list[MigrationId]:
        """Migrations that ended before the moment and still name people, the oldest first."""

    def purge_migration(self, migration: MigrationId, at: datetime) -> int:
        """Remove its people, and whom its definition names; it and its waves stay. Returns how many people went.

        Raises ConflictError before its end.
        """

    def forget(self, tenant: TenantId, subject: SubjectId) -> int:
        """Remove one person's rows; returns how many.

        Raises ConflictError while an operation or a migration with them goes on. A migration knows them by either of
        their two accounts: both are forgotten there.
        """


class Outbox(Protocol):
    def add(self, intents: Iterable[Intent]) -> None: ...
    def relay(self, now: datetime, older_than: timedelta, burst: int, window: timedelta) -> int:
        """Turn intents into notices, one per organisation, topic and day; stop at `burst` new ones in `window`.

        Answers to tickets are left alone: each is a message by itself. What goes to an approved list is no burst.
        """

    def answers(self, ticket: TicketId) -> list[Answer]:
        """In order, sent or not."""

    def notices(self, organisation: OrganisationId | None = None, limit: int = 200) -> list[Notice]: ...


class WorkListReader(Protocol):
    def items(self, now: datetime) -> list[WorkItem]: ...
