"""What a ticket made that they filled in and another approved: a binding, a policy."""

from collections.abc import Mapping

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import Actor
from provisioning.domain.ticket import Ticket, TicketKind
from tests.factories import TODAY, tickets
from tests.factories.tickets import SCHOOL
from tests.factories.trade import STAFF, sku_of
from tests.integration.web.four_eyes_scene import A_DESK, EVERYTHING, LAST_YEAR, Scene

_THIRD = msgspec.structs.replace(EVERYTHING, actor=Actor("person:third"))


def filled_in(scene: Scene, kind: TicketKind, asked: Mapping[str, object], added: Mapping[str, object]) -> Ticket:
    """A desk asked, they filled in what was missing; it waits for an approver."""
    scene.authorise()
    form = tickets.form(kind=kind, given=dict(asked))
    [taken] = scene.services.submit_tickets(A_DESK, [form])
    completed = msgspec.structs.replace(form, given=dict(added))
    scene.services.submit_tickets.complete(EVERYTHING, taken.ticket.ticket_id, completed)
    return scene.ready(taken.ticket)


def binding_of_ticket(scene: Scene) -> str:
    """It is approved by somebody else, and nobody could look at the tenant to confirm the binding yet."""
    selectors = {"faculty": '{"ids":["0","1"]}'}
    scene.move_in(scene.tenant, 3)
    added = {"tenant": scene.tenant.initial_domain, "selectors": selectors}
    approve(scene, filled_in(scene, TicketKind.REBIND, {"organisation": SCHOOL}, added))
    with scene.services.open_uow() as uow:
        [made] = uow.tenants.bindings_of(SCHOOL, TODAY)
    return made.binding_id


def selectors_of_ticket(scene: Scene) -> str:
    """As before, of a binding that somebody had made and confirmed."""
    present = scene.bind(valid_from=LAST_YEAR, selectors={Audience.FACULTY: '{"everyone":true}'})
    assert binding_of_ticket(scene) == present
    return present


def policy_of_ticket(scene: Scene) -> None:
    """The policy is in force at once."""
    scene.bind(valid_from=LAST_YEAR)
    added = {"sku_id": sku_of(STAFF), "off": ["SWAY"]}
    approve(scene, filled_in(scene, TicketKind.SERVICE_PLAN_POLICY, {"tenant": scene.tenant.initial_domain}, added))


def approve(scene: Scene, ticket: Ticket) -> None:
    scene.services.approve_ticket(_THIRD, ticket.ticket_id, ticket.digest or "")
