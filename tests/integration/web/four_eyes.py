"""Everything that takes a second person, each begun by the very person who then tries to be the second.

Undoing an operation is not built yet; a wave's way back is among the turns of a migration.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.operation import OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.remap import RemapPart
from provisioning.domain.rights import Action
from provisioning.domain.ticket import TicketKind, TicketState
from provisioning.ports import UnitOfWork
from tests.factories import NOW, orders, tenancy, tickets
from tests.factories import operations as make
from tests.factories.tickets import SCHOOL
from tests.factories.trade import STAFF, sku_of
from tests.integration.web.four_eyes_again import retried, retried_in_campaign, served_since
from tests.integration.web.four_eyes_doors import (
    Attempt,
    of_binding,
    of_broken_glass,
    of_campaign,
    of_plan,
    of_policy,
    of_rollback,
    of_ticket,
    of_version,
)
from tests.integration.web.four_eyes_scene import DESK, EVERYTHING, HASH, LAST_YEAR, OTHER, SELF, Scene
from tests.integration.web.four_eyes_tickets import binding_of_ticket, filled_in, policy_of_ticket, selectors_of_ticket


def _plan_on_binding(scene: Scene) -> Attempt:
    scene.bind(SELF)
    return of_plan(scene, scene.plan())


def _plan_on_selector(scene: Scene) -> Attempt:
    scene.select(scene.bind())
    return of_plan(scene, scene.plan())


def _plan_on_policy(scene: Scene) -> Attempt:
    scene.policy(SELF, approved_by=OTHER)
    return of_plan(scene, scene.plan())


def _plan_on_mappings(scene: Scene) -> Attempt:
    scene.version(ConfigurationKind.MAPPINGS, approved=True)
    return of_plan(scene, scene.plan())


def _plan_after_ticket(scene: Scene) -> Attempt:
    """Seats that came later go on with what a ticket began: an operation of their own, beside the ticket's."""
    over: dict[str, Any] = {"state": TicketState.PARTIALLY_COMPLETED, "approved_by": OTHER, "approved_at": NOW}
    asked = scene.kept(tickets.ticket(authors=(DESK, SELF), digest=HASH, **over))
    return of_plan(scene, scene.remap(RemapPart(from_sku=make.A1, ticket_id=asked.ticket_id)))


def _plan_after_migration(scene: Scene) -> Attempt:
    """People who were moved join the group afterwards, by an operation of their own."""
    moved = scene.migration(asked_by=SELF)
    wish = msgspec.structs.replace(moved.wish, part=None, follows=moved.wish.part)
    after = {"kind": OperationKind.CHANGE, "wish": wish, "state": OperationState.AWAITING_APPROVAL}
    return of_plan(scene, scene.plan(make.operation(scene.tenant.tenant_id, **after)))


def _plan_of_moving_school(scene: Scene) -> Attempt:
    asked = scene.kept(tickets.ticket(kind=TicketKind.MOVE_SCHOOL, given={}, authors=(DESK, SELF)))
    return of_plan(scene, scene.migration(because=asked.cause))


def _plan_after_campaign(scene: Scene) -> Attempt:
    asked = scene.campaign(SELF)
    return of_plan(scene, scene.remap(RemapPart(from_sku=make.A1, campaign_id=asked.campaign_id)))


def _release_of_moved(scene: Scene) -> Attempt:
    """What an agreement left behind is taken by another operation than the first, which was given up."""
    asked = scene.kept(tickets.ticket(kind=TicketKind.REMAP_AGREEMENT, given={}, grounded_by=(SELF,)))
    release = {"kind": OperationKind.RELEASE, "wish": scene.wish(), "state": OperationState.FAILED}
    first = make.operation(scene.tenant.tenant_id, **release)
    scene.moved(asked, first)
    retried = make.operation(scene.tenant.tenant_id, **release | {"state": OperationState.AWAITING_APPROVAL})
    return of_plan(scene, scene.plan(retried))


def _ticket_to_rebind(scene: Scene) -> Attempt:
    scene.bind(SELF, valid_from=LAST_YEAR, selectors={Audience.FACULTY: '{"everyone":true}'})
    with scene.services.open_uow() as uow:
        new = tenancy.tenant()
        uow.tenants.save(new)
        uow.commit()
    scene.move_in(new, 3)
    given = {"organisation": SCHOOL, "tenant": new.initial_domain}
    return of_ticket(scene, scene.ticket(kind=TicketKind.REBIND, given=given))


def _ticket_about_policy(scene: Scene) -> Attempt:
    scene.bind(valid_from=LAST_YEAR)
    scene.policy(SELF, approved_by=OTHER, valid_from=LAST_YEAR)
    given = {"tenant": scene.tenant.initial_domain, "sku_id": sku_of(STAFF), "off": ["SWAY"]}
    return of_ticket(scene, scene.ticket(kind=TicketKind.SERVICE_PLAN_POLICY, given=given))


def _ticket_with_plans(scene: Scene) -> Attempt:
    scene.bind(SELF, valid_from=LAST_YEAR)
    return of_ticket(scene, scene.change_of_product())


def _campaign_on_mappings(scene: Scene) -> Attempt:
    scene.version(ConfigurationKind.MAPPINGS, approved=True)
    return of_campaign(scene.campaign())


def _filled_in(scene: Scene) -> Attempt:
    given = tickets.holder_wish()
    asked, added = {"from_holders": given["from_holders"]}, {"to_holder": given["to_holder"]}
    return of_ticket(scene, filled_in(scene, TicketKind.REMAP_HOLDER, asked, added))


def _plan_on_binding_of_ticket(scene: Scene) -> Attempt:
    binding_of_ticket(scene)
    return of_plan(scene, scene.plan())


def _plan_on_policy_of_ticket(scene: Scene) -> Attempt:
    policy_of_ticket(scene)
    return of_plan(scene, scene.plan())


def _plan_of_released_line(scene: Scene) -> Attempt:
    line = orders.shop_line()

    def released(uow: UnitOfWork) -> None:
        uow.orders.receive(line, NOW)
        uow.orders.set_state(line.key, LineState.ACCEPTED, None, NOW, released_by=SELF)

    wish, state = scene.wish(line=line.key), OperationState.AWAITING_APPROVAL
    return of_plan(scene, scene.plan(make.operation(scene.tenant.tenant_id, wish=wish, state=state), released))


def _plan_on_declaration(scene: Scene) -> Attempt:
    return of_plan(scene, scene.plan(around=lambda uow: uow.records.save([tickets.declaration(SCHOOL)], NOW, SELF)))


def _ticket_on_declaration(scene: Scene) -> Attempt:
    """The mandate and the agreement are of somebody else."""
    with scene.services.open_uow() as uow:
        uow.records.save([tickets.declaration(SCHOOL, record_id="d")], NOW, SELF)
        uow.commit()
    return of_ticket(scene, scene.ticket(declares=False))


def _binding_of_chosen(scene: Scene) -> Attempt:
    binding = scene.bind(confirmed=False)
    scene.select(binding)
    return of_binding(scene, binding)


Row = tuple[Action, Callable[[Scene], Attempt]]

ROWS: Mapping[str, Row] = {
    "a plan they asked for": (Action.APPROVE_PLAN, lambda s: of_plan(s, s.plan(by=SELF))),
    "a plan on their binding": (Action.APPROVE_PLAN, _plan_on_binding),
    "a plan on their selector": (Action.APPROVE_PLAN, _plan_on_selector),
    "a plan on their policy": (Action.APPROVE_PLAN, _plan_on_policy),
    "a plan on their mappings": (Action.APPROVE_PLAN, _plan_on_mappings),
    "a plan of their migration": (Action.APPROVE_PLAN, lambda s: of_plan(s, s.migration(asked_by=SELF))),
    "a start, release, retry or way back of a wave that they asked for": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, s.migration(turn_by=SELF)),
    ),
    "a plan on their word that mailboxes have moved": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, s.migration(given_by=SELF)),
    ),
    "a plan on a binding of a ticket they filled in": (Action.APPROVE_PLAN, _plan_on_binding_of_ticket),
    "a plan on a policy of a ticket they filled in": (Action.APPROVE_PLAN, _plan_on_policy_of_ticket),
    "a plan of an order line they released": (Action.APPROVE_PLAN, _plan_of_released_line),
    "a plan on a declaration they imported": (Action.APPROVE_PLAN, _plan_on_declaration),
    "a plan that goes on with their ticket": (Action.APPROVE_PLAN, _plan_after_ticket),
    "a plan that follows a migration of theirs": (Action.APPROVE_PLAN, _plan_after_migration),
    "a plan of a migration that comes of their ticket": (Action.APPROVE_PLAN, _plan_of_moving_school),
    "a plan that goes on with their campaign": (Action.APPROVE_PLAN, _plan_after_campaign),
    "a release that is tried again, of an agreement they had a hand in": (Action.APPROVE_PLAN, _release_of_moved),
    "a plan of work they had tried again": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, retried(s, state=OperationState.HELD, reason=Reason.POISON)),
    ),
    "a plan whose shrunken selection they accepted": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(
            s,
            retried(
                s,
                state=OperationState.HELD,
                reason=Reason.SELECTOR_SHRANK,
                resume_state=OperationState.AWAITING_APPROVAL,
            ),
        ),
    ),
    "a plan of work that failed and they had tried again": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, retried(s, state=OperationState.FAILED, reason=Reason.POISON)),
    ),
    "a plan for those left out, whom they had tried again": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, retried(s, state=OperationState.PARTIALLY_COMPLETED)),
    ),
    "a plan for those left out of what they asked for": (Action.APPROVE_PLAN, lambda s: of_plan(s, served_since(s))),
    "a plan of a campaign's tenant that was held, tried again by them": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, retried_in_campaign(s, OperationState.HELD)),
    ),
    "a plan of a campaign's tenant that failed, tried again by them": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, retried_in_campaign(s, OperationState.FAILED)),
    ),
    "a plan for those left in a campaign's tenant, tried again by them": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, retried_in_campaign(s, OperationState.PARTIALLY_COMPLETED)),
    ),
    "a plan of a campaign's tenant that could not begin, tried again by them": (
        Action.APPROVE_PLAN,
        lambda s: of_plan(s, retried_in_campaign(s, None)),
    ),
    "a plan they approved alone": (Action.REVIEW_PLAN, of_broken_glass),
    "a ticket they brought in": (Action.APPROVE_TICKET, lambda s: of_ticket(s, s.ticket(by=EVERYTHING))),
    "a ticket they filled in": (Action.APPROVE_TICKET, _filled_in),
    "a ticket on records they imported": (Action.APPROVE_TICKET, lambda s: of_ticket(s, s.ticket(records=SELF))),
    "a ticket on a declaration they imported": (Action.APPROVE_TICKET, _ticket_on_declaration),
    "a ticket they ask for at the board": (Action.APPROVE_TICKET, lambda s: of_ticket(s, s.ticket(requester=SELF))),
    "a ticket that takes over their binding": (Action.APPROVE_TICKET, _ticket_to_rebind),
    "a ticket that continues their policy": (Action.APPROVE_TICKET, _ticket_about_policy),
    "a ticket whose plans rest on their binding": (Action.APPROVE_TICKET, _ticket_with_plans),
    "a campaign they asked for": (Action.APPROVE_CAMPAIGN, lambda s: of_campaign(s.campaign(SELF))),
    "a campaign on their mappings": (Action.APPROVE_CAMPAIGN, _campaign_on_mappings),
    "a binding they made": (Action.CONFIRM_BINDING, lambda s: of_binding(s, s.bind(SELF, confirmed=False))),
    "a binding whose people they chose": (Action.CONFIRM_BINDING, _binding_of_chosen),
    "a binding of a ticket they filled in": (
        Action.CONFIRM_BINDING,
        lambda s: of_binding(s, binding_of_ticket(s)),
    ),
    "a binding whose people a ticket chose that they filled in": (
        Action.CONFIRM_BINDING,
        lambda s: of_binding(s, selectors_of_ticket(s)),
    ),
    "a policy they proposed": (Action.APPROVE_POLICY, lambda s: of_policy(s, s.policy(SELF, approved_by=None))),
    "mappings they proposed": (Action.APPROVE_CONFIGURATION, lambda s: of_version(s, ConfigurationKind.MAPPINGS)),
    "limits they proposed": (Action.APPROVE_CONFIGURATION, lambda s: of_version(s, ConfigurationKind.LIMITS)),
    "mappings they brought back": (Action.REVIEW_CONFIGURATION, of_rollback),
}
