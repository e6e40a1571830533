"""What a remap stands on beside what every delivery does: that it was ordered, that we may, seats for its add-ons."""

from collections.abc import Mapping
from datetime import date

from provisioning.domain.ids import SkuId
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.planning.deliver_scene import AddonSeats
from provisioning.planning.seats import situation
from provisioning.planning.selection import Selection
from provisioning.ports import UnitOfWork
from provisioning.services.observe_scene import Observed


def against_remap(uow: UnitOfWork, operation: Operation, policy: Policy, today: date) -> Reason | None:
    """Why a remap cannot even begin, or None; of anything else it says nothing."""
    wish = operation.wish
    if wish.remap is None:
        return None
    if policy.assignment_mode is AssignmentMode.NONE:
        return Reason.REMAP_SCHOOL_ASSIGNS
    ordered = uow.ledger.entitlement(wish.holder_id, operation.tenant_id, wish.sku_id, today)
    return None if ordered > 0 else Reason.REMAP_NOT_ORDERED


def seats_along(
    uow: UnitOfWork, operation: Operation, observed: Observed, selection: Selection, today: date
) -> Mapping[SkuId, AddonSeats]:
    """Of each add-on that comes in the place of another: how many may be given, within what was ordered of it."""
    along = operation.wish.remap.along if operation.wish.remap else {}
    coming = sorted({new for old, new in along.items() if new != old})
    return {sku: _seats_of(uow, operation, observed, selection, today, sku) for sku in coming}


def _seats_of(
    uow: UnitOfWork, operation: Operation, observed: Observed, selection: Selection, today: date, sku: SkuId
) -> AddonSeats:
    tenant, holder = operation.tenant_id, operation.wish.holder_id
    count = observed.seats.counts.get(sku)
    reserved = uow.seats.reserved(tenant, sku, apart_from=operation.operation_id)
    seats = situation(count, observed.census, reserved, uow.ledger.entitlement(holder, tenant, sku, today))
    ours = {person.subject_id for person, _ in selection.chosen}.union(selection.undecidable)
    return AddonSeats(seats.to_give(len(ours & seats.holders)), count.plan_ids if count else frozenset())
