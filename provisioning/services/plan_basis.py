"""What the database says before a tenant is observed for a plan, and what speaks against planning at all."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Binding, Policy
from provisioning.planning.selection import selectors_of
from provisioning.ports import UnitOfWork
from provisioning.services.boards import board_of
from provisioning.services.grounds import own_bindings
from provisioning.services.observe_groups import GroupBasis, group_basis


class PlanBasis(msgspec.Struct, frozen=True, kw_only=True):
    """`hold`: why no plan may be drawn now."""

    policy: Policy
    own: tuple[Binding, ...]
    strangers: tuple[Binding, ...]
    unresolved: tuple[str, ...]
    groups: GroupBasis
    hold: Reason | None = None


def plan_basis(uow: UnitOfWork, operation: Operation, now: datetime, limits: Limits) -> PlanBasis:
    """Read in the caller's transaction."""
    today = dutch_day(now)
    own = tuple(own_bindings(uow, operation, today))
    policy = uow.tenants.policy_on(operation.tenant_id, today)
    line = operation.wish.line
    goes_through = policy.assignment_mode is AssignmentMode.GROUP
    return PlanBasis(
        policy=policy,
        own=own,
        strangers=tuple(_strangers(uow, operation, today)),
        unresolved=tuple(uow.references.unresolved(line)) if line else (),
        groups=group_basis(uow, operation, now, limits, is_asked=goes_through),
        hold=_reason_against(own, operation) or _school_assigns(uow, operation, policy),
    )


def _reason_against(own: Sequence[Binding], operation: Operation) -> Reason | None:
    if not own:
        return Reason.TENANT_NOT_BOUND
    if not all(binding.is_confirmed for binding in own):
        return Reason.BINDING_UNCONFIRMED
    audience = operation.wish.audience
    return None if all(selectors_of(binding, audience) for binding in own) else Reason.SELECTOR_MISSING


def _school_assigns(uow: UnitOfWork, operation: Operation, policy: Policy) -> Reason | None:
    """A remap that came to nobody yet does not end as done because the school has since decided to assign itself."""
    is_theirs = operation.wish.remap is not None and policy.assignment_mode is AssignmentMode.NONE
    is_begun = is_theirs and bool(uow.journal.subjects(operation.operation_id))
    return Reason.REMAP_SCHOOL_ASSIGNS if is_theirs and not is_begun else None


def _strangers(uow: UnitOfWork, operation: Operation, today: date) -> list[Binding]:
    board = board_of(uow, operation.wish.holder_id, today)
    return [
        binding
        for binding in uow.tenants.bindings_in(operation.tenant_id, today)
        if binding.organisation_id not in operation.wish.organisations
        and board_of(uow, binding.organisation_id, today) != board
    ]
