"""Plans, and people's decisions about them."""

from typing import Annotated

from fastapi import Query

from provisioning.domain.operation import Operation
from provisioning.planning.assessment import Assessment
from provisioning.planning.render import PlanSheet
from provisioning.web.calls import Because, Body, Named, Person, Reason, Text
from provisioning.web.routing import router as routes_about

router = routes_about("plans")


class PlanApproval(Body):
    """`digest`: at least the first 8 characters, as the plan shows them: exactly what was seen is approved.

    `break_glass`: why an administrator has to approve alone; another person reviews it.
    """

    digest: Text
    break_glass: Reason | None = None


@router.get("/{operation}/assessment")
def assess(caller: Person, operation: Named, also: Annotated[list[Text] | None, Query()] = None) -> Assessment:
    """What these operations would do together: licences per school, seats, services, who is held, how long it takes."""
    return caller.services.assess(caller.identity, [operation, *(also or ())])


@router.get("/{operation}")
def show(caller: Person, operation: Named) -> PlanSheet:
    """An operation's plan: steps, people, losses, why it waits."""
    return caller.services.show_plan(operation)


@router.post("/{operation}/approve")
def approve(caller: Person, operation: Named, approval: PlanApproval) -> Operation:
    """Let exactly the plan that was seen be applied. Takes an approver who had no hand in it."""
    return caller.services.approve_plan(caller.identity, operation, approval.digest, break_glass=approval.break_glass)


@router.post("/{operation}/review")
def review(caller: Person, operation: Named) -> Operation:
    """Say that one looked at a plan that somebody else approved alone."""
    return caller.services.review_plan(caller.identity, operation)


@router.post("/{operation}/reject")
def reject(caller: Person, operation: Named, because: Because) -> Operation:
    """Refuse the plan; the operation is held."""
    return caller.services.reject_plan(caller.identity, operation, because.reason)
