"""What the files of a migration say, before anybody looked up the tenants and people that they name."""

from datetime import datetime, timedelta

import msgspec

from provisioning.domain.ids import Actor
from provisioning.domain.migration import (
    EvidenceSource,
    MatchRule,
    ProductPair,
    Situation,
    Treatment,
    WaveDefinition,
    Window,
)


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Where people come from or go to."""

    tenant: str  # a domain or a tenant id, in lower case
    holder: str  # code of the organisation in whose name the licences stand, as it was written


class IdentityPair(msgspec.Struct, frozen=True, order=True):
    """One row of an identity map: the same human being in two tenants, each an object id or UPN in lower case."""

    source: str
    target: str
    line: int = 0  # where it stands in its file; 0: in none


class MigrationFile(msgspec.Struct, frozen=True, kw_only=True):
    """A migration as a file asks for it. Products and selectors are checked; tenants, holders and people are words."""

    name: str
    source: Side
    target: Side
    asked_by: str
    people: str  # selector (JSON text) over the source
    products: tuple[ProductPair, ...]
    waves: tuple[WaveDefinition, ...]
    identity_file: str | None = None  # as written: beside the migration file, unless it is a whole path
    identity: tuple[IdentityPair, ...] = ()
    rules: tuple[MatchRule, ...] = ()
    treatments: dict[Situation, Treatment] = {}
    plan_mapping: dict[str, str] = {}
    hold_period: timedelta = timedelta(days=30)
    failure_threshold: float = 0.05
    window: Window = Window()
    approvers: tuple[Actor, ...] = ()
    moves_mailboxes: bool = True


class ReadyPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose mailbox has moved, according to one file."""

    person: str  # object id or UPN, in either tenant, in lower case
    source: EvidenceSource
    reference: str  # the file's name and the beginning of its SHA-256
    completed_at: datetime | None = None  # UTC


class UnreadyPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in the same file whose mailbox has not, or not wholly, moved; `status` in the file's own word."""

    person: str
    status: str


class EvidenceFile(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody of one file of gate evidence, once."""

    source: EvidenceSource
    reference: str
    ready: tuple[ReadyPerson, ...]
    unready: tuple[UnreadyPerson, ...] = ()

    @property
    def completed(self) -> dict[str, datetime]:
        """When the mailbox had moved, of whom the file says so."""
        return {one.person: one.completed_at for one in self.ready if one.completed_at}
