"""How messages to shops and desks stand."""

import msgspec

from provisioning.domain.webhook import Message
from provisioning.services.paging import LARGEST_PAGE
from provisioning.services.show_webhooks import EndpointStanding
from provisioning.web.calls import Named, Person
from provisioning.web.routing import router as routes_about

router = routes_about("webhooks")


class DueAgain(msgspec.Struct, frozen=True, kw_only=True):
    endpoint: str
    again: int


@router.get("")
def list_all(caller: Person) -> list[EndpointStanding]:
    """Every endpoint, with how many messages it took, has coming, and did not take."""
    return caller.services.show_webhooks()


@router.get("/messages")
def messages(caller: Person) -> list[Message]:
    """The first messages that were not taken yet, or were given up, in their order."""
    return caller.services.show_webhooks.messages(LARGEST_PAGE)


@router.post("/{endpoint}/resend")
def resend(caller: Person, endpoint: Named) -> DueAgain:
    """Send once more what was given up, under the same ids."""
    return DueAgain(endpoint=endpoint, again=caller.services.resend_webhooks(caller.identity, endpoint))
