"""Every field of a ticket and what belongs in it: for help texts, for the manual, and for the reader itself."""

from collections.abc import Mapping

from provisioning.domain.catalogue import Audience
from provisioning.domain.ticket import TicketKind

_OR_LEFT_OUT = ", may be left out"
_PRODUCT = "a product: its part number or id"
_TENANT = "a domain of the tenant, or its id"
_DAY = "a date as 2027-08-01"

TICKET_FIELDS: Mapping[str, str] = {
    "reference": "the desk's number of the ticket, unique for its source",
    "source": "which desk it comes from; left out: file. A client is always its own source",
    "kind": f"one of {', '.join(TicketKind)}",
    "organisation": "the code of the board or school that it is about; a board's own token may leave it out",
    "requester": "who asks at the board: a contact's number or other reference, no name or address",
    "text": f"what was written beside the fields; kept apart, read by operators alone{_OR_LEFT_OUT}",
    "wish": "an object with the fields of its kind; what is missing there is asked back",
}

WISH_FIELDS: Mapping[TicketKind, Mapping[str, str]] = {
    TicketKind.CHANGE_SKU: {
        "organisations": "codes of the organisations whose people change",
        "from_sku": _PRODUCT,
        "to_sku": _PRODUCT,
        "audience": f"for whom: {', '.join(Audience)}; left out: whom the new product is for",
        "along": f"add-on: add-on that takes its place in the same call (itself: it stays){_OR_LEFT_OUT}",
        "starts_on": f"{_DAY}, before which nothing changes{_OR_LEFT_OUT}",
    },
    TicketKind.REMAP_HOLDER: {
        "from_holders": "codes of the organisations that hold the licences now",
        "to_holder": "code of the organisation that is to hold them",
        "sku_id": f"{_PRODUCT}; left out: all that they hold",
        "agreement_id": "the new holder's agreement that they come under; left out: the only one that runs",
        "effective_on": f"{_DAY}; left out: the day the ticket came in",
    },
    TicketKind.REMAP_AGREEMENT: {
        "public_customer_number": "the customer number at Microsoft (PCN)",
        "licence_ids": "all License IDs under it",
        "from_tenant": _TENANT,
        "to_tenant": _TENANT,
        "seats": "only when a part of the seats is wanted, which Microsoft cannot do: it is told what to ask instead",
        "staying_behind": "how many who have the licence in the old tenant need none in the new one; left out: nobody",
    },
    TicketKind.MOVE_SCHOOL: {
        "school": "the code of the school that moves",
        "to_board": "the number of the board that it moves to",
        "from_tenant": _TENANT,
        "to_tenant": _TENANT,
        "people": "a selector over the old tenant, without ids",
        "products": "product they hold: product they get (itself: it stays)",
        "moves_on": f"{_DAY}{_OR_LEFT_OUT}",
    },
    TicketKind.REBIND: {
        "organisation": "the code of the organisation",
        "tenant": _TENANT,
        "selectors": "audience: selector, without ids; left out: those of the present binding",
        "valid_from": f"{_DAY}; left out: the day the ticket came in",
    },
    TicketKind.SERVICE_PLAN_POLICY: {
        "tenant": _TENANT,
        "sku_id": _PRODUCT,
        "off": "names of service plans that are to be off; this, or on",
        "on": f"names of service plans that are to be on again{_OR_LEFT_OUT}",
        "valid_from": f"{_DAY}; left out: the day the ticket came in",
    },
}
