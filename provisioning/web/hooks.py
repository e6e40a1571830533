"""Where desks tell us something: no token, but a signature over each message (Standard Webhooks)."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request

from provisioning.bootstrap import Services
from provisioning.domain.errors import InputError, NotAllowedError, UnavailableError
from provisioning.domain.ticket import TicketForm
from provisioning.intake.desk_exports import read_desk_message
from provisioning.services.receive_webhook import Received
from provisioning.web.bodies import Content, takes
from provisioning.web.calls import Named
from provisioning.web.problems import RefusedError, seconds, unauthorised
from provisioning.web.routing import Route
from provisioning.webhooks.settings import Sender

HOOKS = "/webhooks"
router = APIRouter(prefix=HOOKS, tags=["webhooks"], route_class=Route)

_MESSAGE: dict[str, Any] = {
    "type": "object",
    "description": "A ticket, or Standard Webhooks' type, timestamp and data with a ticket in data.",
}


@router.post("/{sender}", openapi_extra=takes("application/json", _MESSAGE))
def receive(request: Request, sender: Named, content: Content) -> Received:
    """Take in a desk's message: signed by a secret that we share, at most five minutes old, and only once."""
    services: Services = request.app.state.services
    try:
        message_id = services.verify_webhook(sender, request.headers, content)
        known = next(one for one in services.webhooks.senders if one.name == sender)
        identity = services.receive_webhook.identity_of(known.actor)
    except NotAllowedError as error:
        raise unauthorised(str(error)) from None
    _count(services, known)
    return services.receive_webhook(identity, sender, message_id, lambda: _read(services, known, content))


def _count(services: Services, sender: Sender) -> None:
    """As for tokens: so many a minute, and open while nobody counts."""
    try:
        allowance = services.rate_limit.take(sender.actor)
    except UnavailableError:
        return
    if allowance.is_spent:
        wait = seconds(allowance.resets_in)
        sentence = f"{sender.actor} may ask {allowance.limit:,} times a minute; wait {wait} s."
        raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "too-often", sentence, {"Retry-After": wait})


def _read(services: Services, sender: Sender, content: bytes) -> list[TicketForm]:
    forms = read_desk_message(f"The message of {sender.name}", content, sender.fields, services.mappings)
    if len(forms) > 1:
        raise InputError(f"The message of {sender.name} holds {len(forms)} tickets; send one at a time.")
    return forms
