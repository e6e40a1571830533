"""What a person gets from a group. Pure: a state, a group and the tenant's offer in, the new assignments out.

learn.microsoft.com: "Resolve group license assignment problems in Microsoft Entra ID". All of a group's SKUs or none:
where one cannot be given or taken, what the group gave before stays, in state ActiveWithError.
"""

from collections.abc import Iterator

import msgspec

from provisioning.sandbox.countries import COUNTRIES
from provisioning.sandbox.licensing import Offer, Violation, enabled_plans, plan_violations, seat_violation
from provisioning.sandbox.model import Assignment, Group, GroupLicence, User
from provisioning.sandbox.switches import Switches

LOCATION = "ProhibitedInUsageLocationViolation"


class Inheritance(msgspec.Struct, frozen=True):
    """The assignments of a person after a group was seen to, and what stood in the way of its licences."""

    assignments: tuple[Assignment, ...]
    violation: Violation | None = None


class Heir(msgspec.Struct, frozen=True):
    """A person and a group that licenses them (None or another: no longer), in a tenant with a usage location."""

    user: User
    group_id: str
    group: Group | None
    location: str | None

    @property
    def wanted(self) -> tuple[GroupLicence, ...]:
        return self.group.assignedLicenses if self.group else ()

    @property
    def held(self) -> tuple[Assignment, ...]:
        return tuple(one for one in self.user.assignments if one.assignedByGroup == self.group_id)

    @property
    def others(self) -> tuple[Assignment, ...]:
        return tuple(one for one in self.user.assignments if one.assignedByGroup != self.group_id)


def inherit(heir: Heir, offer: Offer, switches: Switches, moment: str) -> Inheritance:
    """Give and take what the group says, or say why not."""
    given = tuple(_given(heir, licence, moment) for licence in heir.wanted)
    after = (*heir.others, *given)
    violation = _violation(heir, given, offer, switches)
    if violation is None:
        return Inheritance(after)
    return Inheritance((*heir.others, *_in_error(heir, violation, offer, moment)), violation)


def _given(heir: Heir, licence: GroupLicence, moment: str) -> Assignment:
    """The assignment in good order; one that was so already keeps its date."""
    fresh = Assignment(licence.skuId, moment, licence.disabledPlans, heir.group_id)
    same = [one for one in heir.held if msgspec.structs.replace(one, lastUpdatedDateTime=moment) == fresh]
    return same[0] if same else fresh


def _violation(heir: Heir, given: tuple[Assignment, ...], offer: Offer, switches: Switches) -> Violation | None:
    if not heir.wanted:
        return _new_violation(heir, given, offer)
    return (
        _location_violation(heir, switches)
        or _clash(heir, switches)
        or _new_violation(heir, given, offer)
        or seat_violation(heir.user, (*heir.others, *given), offer)
    )


def _new_violation(heir: Heir, given: tuple[Assignment, ...], offer: Offer) -> Violation | None:
    """What the group's plans take part in, and what others would miss without those that go.

    An old quarrel between other licences of the person is not the group's.
    """
    broken = list(plan_violations((*heir.others, *given), offer))
    if not broken:
        return None
    plans = enabled_plans(given, offer.skus)
    before = set(plan_violations(heir.user.assignments, offer))
    return next((one for one in broken if not plans.isdisjoint(one.plans) or one not in before), None)


def _location_violation(heir: Heir, switches: Switches) -> Violation | None:
    """Without a usage location of their own a person has the directory's."""
    location = (heir.user.usageLocation or heir.location or "").upper()
    if location not in COUNTRIES:
        return Violation(LOCATION, "License assignment cannot be done for user with invalid usage location.")
    if location in switches.unsupported_locations:
        return Violation(LOCATION, switches.unsupported_location_message)
    return None


def _clash(heir: Heir, switches: Switches) -> Violation | None:
    if heir.user.id not in switches.proxy_address_clashes:
        return None
    message = "Another object with the same value for property proxyAddresses already exists."
    return Violation("UniquenessViolation", message)


def _in_error(heir: Heir, violation: Violation, offer: Offer, moment: str) -> Iterator[Assignment]:
    """What the person had from the group stays; the rest is named with what stood in its way."""
    kept = {one.skuId: one for one in heir.held if one.consumes}
    wanted = {licence.skuId: licence for licence in heir.wanted}
    for sku_id, one in kept.items():
        is_taken = sku_id not in wanted and violation.error == "DependencyViolation"  # another licence needs it
        error = violation.error if is_taken else _error_of(sku_id, violation, offer)
        yield _dated(one, moment, state="ActiveWithError", error=error)
    for sku_id in (sku_id for sku_id in wanted if sku_id not in kept):
        licence = _last_tried(heir, wanted[sku_id], moment)
        yield _dated(licence, moment, state="Error", error=_error_of(sku_id, violation, offer))


def _last_tried(heir: Heir, licence: GroupLicence, moment: str) -> Assignment:
    """The entry of a licence that failed before with these plans, or a new one."""
    same = (one for one in heir.held if (one.skuId, one.disabledPlans) == (licence.skuId, licence.disabledPlans))
    return next(same, Assignment(licence.skuId, moment, licence.disabledPlans, heir.group_id))


def _dated(one: Assignment, moment: str, *, state: str, error: str) -> Assignment:
    """In this state; its date changes when the state does."""
    if (one.state, one.error) == (state, error):
        return one
    return msgspec.structs.replace(one, state=state, error=error, lastUpdatedDateTime=moment)


def _error_of(sku_id: str, violation: Violation, offer: Offer) -> str:
    """The violation, for the SKUs that it is about; "Other" for those that failed with them."""
    if violation.plans:
        plans = offer.skus[sku_id].plan_ids if sku_id in offer.skus else frozenset()
        return violation.error if not plans.isdisjoint(violation.plans) else "Other"
    return violation.error if violation.sku in {None, sku_id} else "Other"
