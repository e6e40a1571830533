"""Service plans that a school wants off, or on again: its tenant's policy (R28).

Who has the product already keeps what they have until their next change: nothing is switched behind anybody's back,
and the answer says so.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy, SkuPolicy
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import ServicePlanPolicy, wish_of
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.ports import Clock, UnitOfWork
from provisioning.services.approve_policy import put_in_force
from provisioning.services.lookup import get_tenant
from provisioning.services.set_policy import PolicyChange, draw_policy, propose
from provisioning.services.ticket_work import Objection, WithoutOperations

NEXT_DELIVERY = "plans_at_next_delivery"


@dataclass(frozen=True, kw_only=True)
class ServicePlanPolicyWork(WithoutOperations):
    mappings: Mappings
    clock: Clock

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None:  # noqa: ARG002
        try:
            current, drawn = self._draw(uow, ticket)
        except InputError:
            return Objection(reason=Reason.TENANT_UNKNOWN)
        return Objection(reason=Reason.NOTHING_TO_CHANGE, is_final=True) if current.skus == drawn.skus else None

    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:  # noqa: ARG002
        try:
            current, drawn = self._draw(uow, ticket)
        except InputError:
            return Standing(progress=Progress.STUCK, reason=Reason.TENANT_UNKNOWN)
        policies = uow.tenants.list_policies(drawn.tenant_id)
        counts = {"plans_off": str(len(drawn.skus[_wish(ticket).sku_id].disabled_plans))}
        if any(one.asked_by == ticket.cause and one.approved_by is not None for one in policies):
            return Standing(progress=Progress.ENDED, counts=counts, notes=(NEXT_DELIVERY,))
        if current.skus == drawn.skus:
            return Standing(progress=Progress.ENDED)
        return Standing(progress=Progress.DRAWN, digest=drawn.digest, counts=counts, notes=(NEXT_DELIVERY,))

    def authors(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[tuple[str, str]]:  # noqa: ARG002
        try:
            current, _ = self._draw(uow, ticket)
        except InputError:
            return []
        return [(author, "proposed the policy that this one continues") for author in current.hands]

    def approve(self, uow: UnitOfWork, identity: Identity, ticket: Ticket, now: datetime) -> list[Operation]:
        try:
            current, drawn = self._draw(uow, ticket)
        except InputError as error:
            raise ConflictError(str(error)) from error
        if drawn.digest != ticket.digest:  # somebody decided something else for the tenant meanwhile
            raise ConflictError(f"What ticket {ticket.key} comes to is not what you saw. Look at it again.")
        propose(uow, drawn, current, now)
        return put_in_force(uow, drawn, identity.actor, now, self.clock.wall())

    def _draw(self, uow: UnitOfWork, ticket: Ticket) -> tuple[Policy, Policy]:
        """The policy of the day, and what it becomes. Raises InputError when the tenant or a plan is not known."""
        wish, begin = _wish(ticket), _day(ticket)
        current = uow.tenants.policy_on(get_tenant(uow, wish.tenant).tenant_id, begin)
        change = PolicyChange(asked_by=ticket.cause, disabled_plans={wish.sku_id: self._off(current, wish)})
        drawn = draw_policy(self.mappings, current, change, begin, ticket.requested_by)
        return current, msgspec.structs.replace(drawn, authors=ticket.authors)

    def _off(self, current: Policy, wish: ServicePlanPolicy) -> set[str]:
        """Names of everything that stays off: what was, and what is to be, less what is wanted on."""
        plans = {plan.plan_id: plan.name.lower() for plan in self.mappings.skus[wish.sku_id].plans}
        before = current.skus.get(wish.sku_id, SkuPolicy()).disabled_plans
        off = {plans[plan] for plan in before if plan in plans} | {name.lower() for name in wish.off}
        return off - {name.lower() for name in wish.on}


def _wish(ticket: Ticket) -> ServicePlanPolicy:
    return cast("ServicePlanPolicy", wish_of(ticket.kind, ticket.given))


def _day(ticket: Ticket) -> date:
    return _wish(ticket).valid_from or dutch_day(ticket.created_at)
