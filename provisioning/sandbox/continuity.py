"""When a person had a service and when not: what the ledger says of them, and the lives of the subscriptions behind.

A service is had at an instant when a licence that holds (Active or ActiveWithError) enables one of its plans and a
subscription of that SKU serves: Enabled, or in grace as long as the switch `warning_serves` says so. Suspended, locked
out, deleted or moved to another tenant, it serves nobody, whatever the licence says; with fewer seats than holders it
serves them all. A SKU of which the tenant never had a subscription is not judged: the seed does not tell of its seats.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from provisioning.sandbox.catalogue import Sku
from provisioning.sandbox.ledger import Ledger
from provisioning.sandbox.model import User
from provisioning.sandbox.subscriptions import Subscription


class Gap(msgspec.Struct, frozen=True):
    """A span in which a person had none of the service plans of a family; `until` None: still so at the end."""

    user: str
    family: tuple[str, ...]
    since: float
    until: float | None


class Supply:
    """Which SKUs served at which moment in one tenant. Its subscriptions are advanced to the end of the question."""

    def __init__(self, subscriptions: Iterable[Subscription], serving: frozenset[str]) -> None:
        self._serving = serving
        self._by_sku: defaultdict[str, list[Subscription]] = defaultdict(list)
        for held in subscriptions:
            self._by_sku[held.skuId].append(held)

    def serves(self, sku_id: str, moment: float) -> bool:
        held = self._by_sku.get(sku_id)
        return held is None or any(one.status_at(moment) in self._serving for one in held)

    def moments(self) -> set[float]:
        """When anything changed its status, appeared or went."""
        held = [one for same in self._by_sku.values() for one in same]
        return {one.appears_at for one in held} | {at for one in held for at, _ in one.history}


class Witness:
    """Looks for gaps in one tenant between the two moments of `span`."""

    def __init__(
        self, ledger: Ledger, tenant: str, skus: Mapping[str, Sku], supply: Supply, span: tuple[float, float]
    ) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._skus = skus
        self._supply = supply
        self._since, self._until = span
        self._supply_moments = sorted(at for at in supply.moments() if self._since < at <= self._until)

    def gaps(self, user: str, current: User | None, families: Iterable[tuple[str, ...]]) -> Iterator[Gap]:
        """Family by family, oldest first; `current` answers for people nobody ever wrote to."""
        instants = [(at, self._plans(state, at)) for at, state in self._timeline(user, current)]
        for family in families:
            yield from _without(user, family, instants)

    def _plans(self, state: User | None, moment: float) -> frozenset[str]:
        """The service plans that work for the person at this moment."""
        plans: frozenset[str] = frozenset()
        for held in state.assignments if state else ():
            if held.consumes and held.skuId in self._skus and self._supply.serves(held.skuId, moment):
                plans |= self._skus[held.skuId].plan_ids.difference(held.disabledPlans)
        return plans

    def _timeline(self, user: str, current: User | None) -> Iterator[tuple[float, User | None]]:
        """Every instant at which something changed, with the person's state then."""
        state = self._ledger.state_at(self._tenant, user, self._since, current)
        yield self._since, state
        changes = iter(self._supply_moments)
        upcoming = next(changes, None)
        for entry in self._ledger.of(self._tenant, user):
            if not self._since < entry.time <= self._until:
                continue
            while upcoming is not None and upcoming <= entry.time:
                yield upcoming, state
                upcoming = next(changes, None)
            state = entry.after
            yield entry.time, state
        while upcoming is not None:
            yield upcoming, state
            upcoming = next(changes, None)


def _without(user: str, family: tuple[str, ...], instants: list[tuple[float, frozenset[str]]]) -> Iterator[Gap]:
    lacking: float | None = None
    for moment, plans in instants:
        has = not plans.isdisjoint(family)
        if has and lacking is not None:
            yield Gap(user, family, lacking, moment)
        lacking = None if has else (moment if lacking is None else lacking)
    if lacking is not None:
        yield Gap(user, family, lacking, None)
