"""Microsoft Graph behind the port `LicenceGateway`: synchronous outside, one loop and one client per process inside."""

from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from provisioning.domain.errors import RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.migration import MatchRule
from provisioning.domain.observation import Census, Membership, PeoplePage, Person, Product, Seats, TenantProfile
from provisioning.domain.operation import Attempt, Outcome, Receipt
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.graph import groups as group_reads
from provisioning.graph import inventory, match_keys, memberships, reads
from provisioning.graph.bridge import Bridge, PerProcess
from provisioning.graph.client import GraphClient
from provisioning.graph.settings import GraphSettings
from provisioning.graph.writes import Writer
from provisioning.ports import Clock, Quota

T = TypeVar("T")
Connect = Callable[[GraphSettings, Clock], GraphClient]

_SLACK = timedelta(seconds=5)


class GraphGateway:
    """Implements `LicenceGateway` and `TenantReader`.

    Safe to build before a fork: clients are made by the process that uses them.
    """

    def __init__(
        self, settings: GraphSettings, quota: Quota, clock: Clock, bridge: Bridge, connect: Connect = GraphClient
    ) -> None:
        self._settings = settings
        self._quota = quota
        self._clock = clock
        self._bridge = bridge
        self._client = PerProcess(lambda: connect(settings, clock))

    def observe_tenant(self, tenant: TenantId) -> TenantProfile:
        return self._read(lambda client: inventory.observe_tenant(client, tenant))

    def find_tenant(self, domain: str) -> TenantId | None:
        return self._read(lambda client: inventory.find_tenant(client, domain))

    def observe_seats(self, tenant: TenantId) -> Seats:
        return self._read(lambda client: inventory.observe_seats(client, tenant))

    def observe_readiness(self, tenant: TenantId) -> tuple[TenantProfile, Seats]:
        return self._read(lambda client: inventory.observe_readiness(client, tenant))

    def observe_census(self, tenant: TenantId) -> Census:
        return self._read(lambda client: reads.observe_census(client, tenant))

    def observe_page(self, tenant: TenantId, after: str | None) -> PeoplePage:
        return self._read(lambda client: reads.observe_page(client, tenant, after))

    def observe_products(self, tenant: TenantId) -> tuple[Product, ...]:
        return self._read(lambda client: inventory.observe_products(client, tenant))

    def observe_people(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        return self._read(lambda client: reads.observe_people(client, tenant, subjects))

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
        return self._read(lambda client: memberships.observe_memberships(client, tenant, keys))

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool = True
    ) -> dict[GroupId, ObservedGroup | None]:
        return self._read(lambda client: group_reads.observe_groups(client, tenant, groups, with_members=with_members))

    def list_licensed_groups(self, tenant: TenantId) -> frozenset[GroupId]:
        return self._read(lambda client: group_reads.list_licensed(client, tenant))

    def find_group(self, tenant: TenantId, nickname: str) -> ObservedGroup | None:
        return self._read(lambda client: group_reads.find_group(client, tenant, nickname))

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        return self._read(lambda client: reads.resolve_subjects(client, tenant, references))

    def read_match_keys(self, tenant: TenantId, rule: MatchRule) -> dict[SubjectId, str]:
        return self._read(lambda client: match_keys.read_match_keys(client, tenant, rule))

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        """Nothing leaves that might outlast the lease, so the lease also bounds the call."""
        writer = Writer(self._client.get(), self._quota, tenant, lease)
        remaining = max(lease.expires_at - self._clock.wall(), timedelta(0))
        try:
            return self._bridge.run(writer.apply(attempts), remaining + self._settings.patience + _SLACK)
        except TimeoutError:
            return [_unknown(attempt) for attempt in attempts]

    def close(self) -> None:
        """Close this process's connections; the gateway makes new ones when it is used again."""
        if client := self._client.pop():
            self._bridge.run(client.close(), _SLACK)

    def _read(self, work: Callable[[GraphClient], Coroutine[Any, Any, T]]) -> T:
        try:
            return self._bridge.run(work(self._client.get()), self._settings.census_timeout)
        except TimeoutError:
            raise RetryableError("Microsoft Graph took too long to show everything.", Reason.NO_ANSWER) from None


def _unknown(attempt: Attempt) -> Receipt:
    return Receipt(attempt_id=attempt.attempt_id, outcome=Outcome.UNKNOWN, reason=Reason.NO_ANSWER)
