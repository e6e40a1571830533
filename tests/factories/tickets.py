"""Tickets, and the records by which whoever asks may ask."""

from datetime import date
from typing import Any

from provisioning.domain.ids import Actor, OrganisationId, TicketId
from provisioning.domain.records import Agreement, Declaration, Mandate
from provisioning.domain.ticket import Ticket, TicketForm, TicketKind
from provisioning.domain.ticket_wishes import missing_in
from tests.factories import NOW, TODAY, guid, number

BOARD, SCHOOL, SISTER = OrganisationId("41000"), OrganisationId("00XX00"), OrganisationId("01XX00")
CONTACT = "contact-17"
DESK = Actor("client:desk")
A_YEAR_AGO = TODAY.replace(year=TODAY.year - 1)


def holder_wish(**fields: Any) -> dict[str, object]:
    return {"from_holders": [SCHOOL], "to_holder": BOARD} | fields


def form(**fields: Any) -> TicketForm:
    """Of a board that wants to hold its school's licences."""
    defaults = {
        "reference": f"T-{number()}",
        "kind": TicketKind.REMAP_HOLDER,
        "organisation_id": BOARD,
        "requester": CONTACT,
        "given": holder_wish(),
    }
    return TicketForm(**defaults | fields)


def ticket(**fields: Any) -> Ticket:
    defaults = {
        "ticket_id": TicketId(guid()),
        "source": "desk",
        "reference": f"T-{number()}",
        "kind": TicketKind.REMAP_HOLDER,
        "organisation_id": BOARD,
        "requested_by": DESK,
        "authors": (DESK,),
        "requester": CONTACT,
        "given": holder_wish(),
        "created_at": NOW,
        "entered_at": NOW,
        "due_at": NOW,
    }
    whole = defaults | fields
    missing = missing_in(whole["kind"], whole["given"], whole["requester"])
    return Ticket(**{"missing": missing} | whole)


def mandate(organisation: str = BOARD, scope: str = "tickets", **fields: Any) -> Mandate:
    defaults = {"record_id": f"m-{number()}", "actor": CONTACT, "valid_from": A_YEAR_AGO}
    return Mandate(organisation_id=OrganisationId(organisation), scope=scope, **defaults | fields)


def declaration(*participants: str, board: str = BOARD, **fields: Any) -> Declaration:
    defaults = {"record_id": f"d-{number()}", "signed_on": A_YEAR_AGO}
    return Declaration(
        organisation_id=OrganisationId(board),
        participants=tuple(map(OrganisationId, participants)),
        **defaults | fields,
    )


def agreement(holder: str = BOARD, **fields: Any) -> Agreement:
    defaults = {
        "record_id": f"a-{number()}",
        "supplier": "microsoft",
        "licence_form": "group",
        "starts_on": A_YEAR_AGO,
        "ends_on": date(TODAY.year + 2, 12, 31),
    }
    return Agreement(organisation_id=OrganisationId(holder), **defaults | fields)
