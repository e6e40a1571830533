"""What became of agreements that Microsoft moves: a table over what both tenants show. Pure, and no look is enough by
itself: seats are compared with those that were there when it was asked.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from provisioning.domain.agreement_move import AgreementMove, Look
from provisioning.domain.ids import SkuId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Subscription
from provisioning.domain.reasons import Reason

# companySubscription: in Warning (grace) people keep what they have, and nobody gets a seat; nor in any other status
ACTIVE, GRACE = "Enabled", "Warning"


class Sighting(StrEnum):
    UNCHANGED = "unchanged"
    LEAVING = "leaving"  # some have left or arrived, and the rest has not
    DOUBLED = "doubled"  # in both: nothing is counted twice, and nobody is told of free seats
    VANISHED = "vanished"  # in neither
    LAPSED = "lapsed"  # ran out in the source: in grace or blocked, and not in the target
    MOVED = "moved"


_HALF = frozenset({Sighting.LEAVING, Sighting.DOUBLED})
# of several products the one that is worst off counts
_WORST_FIRST = (Sighting.LAPSED, Sighting.VANISHED, Sighting.DOUBLED, Sighting.LEAVING)


class _Units(msgspec.Struct, frozen=True):
    """Of one product: seats at the beginning, seats of the very same purchases now, and what came in the target."""

    before: int
    left: int
    lapsed: int
    risen: int


def sighting_of(moving: Mapping[SkuId, int], before: Look, now: Look) -> Sighting:
    """Of all products that move together."""
    found = {_sighting(_units(sku, before, now), seats) for sku, seats in moving.items() if seats > 0}
    worst = next((one for one in _WORST_FIRST if one in found), None)
    if worst is not None:
        return worst
    if len(found) > 1:
        return Sighting.LEAVING
    return next(iter(found), Sighting.UNCHANGED)


def _sighting(units: _Units, seats: int) -> Sighting:
    is_gone = units.left <= units.before - seats
    is_there = units.risen >= seats
    if is_gone and is_there:
        return Sighting.MOVED
    if is_there:
        return Sighting.DOUBLED
    if is_gone:
        return Sighting.LAPSED if units.left + units.lapsed > units.before - seats else Sighting.VANISHED
    has_begun = units.left < units.before or units.risen > 0
    return Sighting.LEAVING if has_begun else Sighting.UNCHANGED


def is_untouched(move: AgreementMove) -> bool:
    """Whether the last look shows what the first one showed."""
    return sighting_of(move.inventory.moving, move.before, move.latest) is Sighting.UNCHANGED


def has_moved(move: AgreementMove) -> bool:
    """Whether the last look shows all of it in the target and none of it in the source."""
    moving, staying = move.inventory.moving, move.inventory.staying
    if move.inventory.is_there_already:
        return is_there_already(moving, staying, move.latest)
    return sighting_of(moving, move.before, move.latest) is Sighting.MOVED


def is_there_already(moving: Mapping[SkuId, int], staying: Mapping[SkuId, int], look: Look) -> bool:
    """Without an earlier look only the ledger can tell: none in the source but what others bought, and all beyond what
    was bought in the target.
    """
    return bool(moving) and all(
        seats_of(look.source, sku) <= staying.get(sku, 0)
        and is_arrival(look.target, sku, seats, look.bought.get(sku, 0))
        for sku, seats in moving.items()
    )


def is_in_source(moving: Mapping[SkuId, int], look: Look) -> bool:
    """Whether the source shows as many seats as are to move."""
    return all(seats_of(look.source, sku) >= seats for sku, seats in moving.items())


def gone_along(moving: Mapping[SkuId, int], before: Look, now: Look) -> frozenset[SkuId]:
    """Products of which more left the source than was to move: others under the same customer number went too."""
    skus = {one.sku_id for one in before.source}
    units = {sku: _units(sku, before, now) for sku in skus}
    return frozenset(
        sku for sku, one in units.items() if one.left + one.lapsed < one.before - max(0, moving.get(sku, 0))
    )


def next_vanished_at(sighting: Sighting, since: datetime | None, now: datetime) -> datetime | None:
    """Since when seats are in neither tenant."""
    return (since or now) if sighting is Sighting.VANISHED else None


def worry(move: AgreementMove, now: datetime, limits: Limits) -> Reason | None:
    """What a person must see to; None: patience is all it takes."""
    sighting = sighting_of(move.inventory.moving, move.before, move.latest)
    if move.moved_on is not None or has_moved(move):
        return None
    if move.seen_in is not None and sighting is Sighting.VANISHED:
        return Reason.SEATS_IN_WRONG_TENANT
    if sighting is Sighting.LAPSED:
        return Reason.SEATS_LAPSED
    if sighting is Sighting.VANISHED:
        return _nowhere(timedelta(0) if move.vanished_at is None else now - move.vanished_at, limits)
    return _stuck(move, sighting, now, limits)


def is_stuck_for_days(move: AgreementMove, now: datetime, limits: Limits) -> bool:
    """Seats in both tenants, or in neither, for so long that only Microsoft's word can end it."""
    sighting = sighting_of(move.inventory.moving, move.before, move.latest)
    return sighting in {*_HALF, Sighting.VANISHED} and _seen_for(move, now) >= limits.seats_escalate


def _nowhere(lasting: timedelta, limits: Limits) -> Reason | None:
    if lasting >= limits.seats_escalate:
        return Reason.SEATS_NOWHERE_FOR_DAYS
    return Reason.SEATS_NOWHERE if lasting >= limits.seats_notice else None


def _stuck(move: AgreementMove, sighting: Sighting, now: datetime, limits: Limits) -> Reason | None:
    """Microsoft needs a week or so; a case that nobody filed is asked for elsewhere."""
    lasting = _seen_for(move, now)
    if sighting in _HALF and lasting >= limits.seats_notice:
        return Reason.SEATS_HALF_MOVED
    is_asked = sighting is Sighting.UNCHANGED and move.case_number is not None
    return Reason.MICROSOFT_IS_SILENT if is_asked and lasting >= limits.ask_person_after else None


def _seen_for(move: AgreementMove, now: datetime) -> timedelta:
    return now - (move.seen_since or move.before.at)


def is_arrival(purchases: Iterable[Subscription], sku: SkuId, seats: int, explained: int) -> bool:
    """Whether a tenant shows as many seats of the product beyond those that are known to belong there."""
    return seats > 0 and seats_of(purchases, sku) - explained >= seats


def looks_like(lost: Collection[Subscription], found: Iterable[Subscription]) -> bool:
    """Whether some purchase here may be one of the lost: same product, number and end (a remap changes neither)."""
    marks = {(one.sku_id, one.total, one.next_lifecycle_at) for one in lost}
    return any((one.sku_id, one.total, one.next_lifecycle_at) in marks for one in found if one.status == ACTIVE)


def seats_of(purchases: Iterable[Subscription], sku: SkuId) -> int:
    """Seats that people can have: those in grace do not count (M6)."""
    return sum(one.total for one in purchases if one.sku_id == sku and one.status == ACTIVE)


def _units(sku: SkuId, before: Look, now: Look) -> _Units:
    """Purchases made in the source meanwhile are others; one that grew counts as large as it was."""
    known = {one.subscription_id: one for one in before.source if one.sku_id == sku and one.status == ACTIVE}
    still = [one for one in now.source if one.subscription_id in known]
    kept = [(min(one.total, known[one.subscription_id].total), one.status == ACTIVE) for one in still]
    risen = seats_of(now.target, sku) - seats_of(before.target, sku)
    return _Units(
        before=sum(one.total for one in known.values()),
        left=sum(total for total, is_active in kept if is_active),
        lapsed=sum(total for total, is_active in kept if not is_active),
        risen=risen - max(0, now.bought.get(sku, 0) - before.bought.get(sku, 0)),
    )
