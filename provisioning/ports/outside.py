"""What lies outside: time, Microsoft, the quota in front of it, the broker, the shop, the place for checkpoints."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from provisioning.audit.checkpoint import Checkpoint
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import (
    Actor,
    GroupId,
    LineKey,
    OperationId,
    SubjectId,
    TenantId,
)
from provisioning.domain.migration import MatchRule
from provisioning.domain.observation import Census, Membership, PeoplePage, Person, Product, Seats, TenantProfile
from provisioning.domain.operation import (
    Attempt,
    Lane,
    Receipt,
)
from provisioning.domain.order import ShopLine
from provisioning.domain.worklist import Lease
from provisioning.planning.probe import Ask
from provisioning.planning.probe_answers import Answered
from provisioning.planning.probe_people import Interrupted
from provisioning.planning.quota_reading import QuotaReading


class Clock(Protocol):
    """`now` drives all waiting (accelerated in a sandbox); `wall` is real: leases, tokens, time-outs."""

    def now(self) -> datetime: ...
    def wall(self) -> datetime: ...


class LicenceGateway(Protocol):
    """Microsoft Graph. Reads raise GraphError subclasses; `apply` never does: a failure is a receipt."""

    def observe_tenant(self, tenant: TenantId) -> TenantProfile: ...
    def find_tenant(self, domain: str) -> TenantId | None:
        """The tenant that owns a domain by Entra's discovery document; None when no tenant does."""

    def observe_seats(self, tenant: TenantId) -> Seats: ...
    def observe_readiness(self, tenant: TenantId) -> tuple[TenantProfile, Seats]:
        """Both at once, in one call: it is asked before every operation."""

    def observe_census(self, tenant: TenantId) -> Census:
        """Everybody, 999 a page; `is_complete` is false when a page stayed unreadable."""

    def observe_people(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        """These people by themselves, 20 a batch; None: Graph says 404; absent from the answer: not readable."""

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
        """Members by key: "group:<id>", "unit:<id>", "school:<id>:teacher", "school:<id>:student"."""

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool = True
    ) -> dict[GroupId, ObservedGroup | None]:
        """Kind, rule, licences and direct members; None: Graph says 404; absent: not readable.

        Without members (`is_complete` false) it is one cheap call: what is looked at before each chunk.
        """

    def find_group(self, tenant: TenantId, nickname: str) -> ObservedGroup | None:
        """The group with this mailNickname, with its members; None when there is none.

        Raises ActionRequiredError (GROUP_CHANGED) when there are several.
        """

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        """Object ids for UPNs or ids as ordered; None: no such person."""

    def read_match_keys(self, tenant: TenantId, rule: MatchRule) -> Mapping[SubjectId, str]:
        """What everybody carries under the rule, of those who carry anything; all of them or a GraphError.

        Personal data that no table knows: it is matched with and forgotten.
        """

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        """Send each attempt once, 20 a batch, within the lease; one receipt each, in any order.

        The caller took the quota's tokens before it journalled. `kind` and `change` say what to write: assign,
        remove, swap, set_plans → assignLicense; set_usage_location → PATCH user; reprocess → of one user;
        create_group → POST (`subject_id` is its nickname too); license_group → assignLicense on the group;
        add_members → one PATCH for all attempts that share a `call_id`, at most 20; remove_member → DELETE.
        A PATCH is refused as a whole: then nobody of it was added.
        """


class TenantReader(Protocol):
    """What a snapshot reads of a tenant. Each raises GraphError subclasses."""

    def observe_readiness(self, tenant: TenantId) -> tuple[TenantProfile, Seats]: ...
    def observe_products(self, tenant: TenantId) -> tuple[Product, ...]:
        """What the SKUs of subscribedSkus consist of."""

    def observe_page(self, tenant: TenantId, after: str | None) -> PeoplePage:
        """Everybody in parts of at most 999, so that nobody has to hold a whole tenant; begin with None."""

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]: ...
    def list_licensed_groups(self, tenant: TenantId) -> frozenset[GroupId]:
        """Groups that carry a licence, whether or not anybody has it through them."""

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool = True
    ) -> dict[GroupId, ObservedGroup | None]: ...


class Prober(Protocol):
    """Asks Microsoft, or the twin, what no use case asks; answers come back undecoded, refusals too."""

    def ask(self, tenant: TenantId, ask: Ask, call_id: str) -> Answered:
        """Send once. Raises RetryableError when nothing left, AmbiguousOutcomeError when the answer is lost."""

    @property
    def root(self) -> str:
        """Where it asks, with the version: what absolute addresses begin with."""

    def observe_person(self, tenant: TenantId, user: SubjectId) -> Person | None: ...
    def observe_group(self, tenant: TenantId, group: GroupId) -> ObservedGroup | None: ...
    def close(self) -> None: ...


class ProbeJournal(Protocol):
    """What a calibration is about to do, kept where a crash cannot reach it."""

    def unfinished(self) -> Interrupted | None:
        """Whom an interrupted run may have left changed, and by what."""

    def begin(self, left: Interrupted) -> None: ...
    def asking(self, probe: str, call_id: str, ask: Ask) -> None:
        """On disk before the request leaves."""

    def answered(self, call_id: str, status: int) -> None: ...
    def finish(self) -> None:
        """The person was read back as before: there is nothing to remember."""


class Quota(Protocol):
    """The write buckets, shared by all workers."""

    def take(self, tenant: TenantId, writes: int, lane: Lane) -> "Grant": ...
    def refused(self, tenant: TenantId, scope: str | None, after: timedelta | None, writes: int = 1) -> None:
        """Microsoft answered 429 to so many writes: close the bucket that `scope` names until `after` has passed."""

    def pressed(self, tenant: TenantId, percentage: float) -> None:
        """x-ms-throttle-limit-percentage: lower the rate by a tenth for a window."""


class Grant(msgspec.Struct, frozen=True):
    """`writes` may be sent now (0 to what was asked); `after` says when the rest may be tried."""

    writes: int
    after: timedelta = timedelta(0)


class QuotaGauge(Protocol):
    """Looks at the write buckets and changes nothing."""

    def read(self, tenants: Collection[TenantId]) -> QuotaReading:
        """The application's bucket and those of these tenants. Raises UnavailableError when it is away."""


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What an actor may still ask for. `remaining` below zero: this request was one too many."""

    limit: int
    remaining: int
    resets_in: timedelta

    @property
    def is_spent(self) -> bool:
        return self.remaining < 0


class RateLimit(Protocol):
    """How often one actor may ask."""

    def take(self, actor: Actor) -> Allowance:
        """Counts one request. Raises UnavailableError when the counts are away."""


class Dispatcher(Protocol):
    """Tells a worker to look at something now. Losing a message is harmless: the sweep looks again."""

    def advance(self, operation: OperationId, lane: Lane) -> None: ...


class OrderSource(Protocol):
    """The shop's view `licence_order_lines`, read only. Raises UnavailableError when the shop is away."""

    name: str

    def changed_since(self, moment: datetime | None) -> Iterable[ShopLine]: ...
    def all_digests(self) -> dict[LineKey, str]: ...
    def lines(self, keys: Collection[LineKey]) -> list[ShopLine]: ...


class OrderDesk(Protocol):
    """The default order database behind the same view, for those without a shop."""

    name: str  # the source of its lines

    def submit(self, lines: Sequence[ShopLine]) -> int:
        """Insert what is new and update what says something else, all or none; returns how many of both.

        `digest` is not stored. Raises ConflictError when somebody else wrote one of the keys in between.
        """


class CheckpointSink(Protocol):
    """A place outside the database where checkpoints are safe from whoever rules the database."""

    def newest(self) -> Checkpoint | None:
        """The checkpoint of the longest log. Raises ConflictError when it cannot be read as one."""

    def write(self, checkpoint: Checkpoint) -> None:
        """Keep it for good. Raises ConflictError when another checkpoint of the same size is there: the log forked."""
