"""What boards ask, and what came of it."""

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from provisioning.domain.ticket import TicketKind, TicketState
from provisioning.intake.ticket_fields import TICKET_FIELDS
from provisioning.intake.ticket_files import parse_sent_completion, parse_sent_tickets
from provisioning.planning.agreement_sheet import CaseSheet
from provisioning.planning.assessment import Assessment
from provisioning.services.browse_tickets import TicketInShort, TicketView, in_short
from provisioning.services.paging import Page
from provisioning.services.show_tickets import TicketSheet
from provisioning.services.submit_tickets import Submitted
from provisioning.web import accepting
from provisioning.web.bodies import Content, takes
from provisioning.web.calls import Anybody, Because, Body, Filter, Named, PageWanted, Person, Text
from provisioning.web.kept import bare
from provisioning.web.routing import router as routes_about
from provisioning.words.assessments import Form, render_assessment
from provisioning.words.catalogue import Language

router = routes_about("tickets")

_TICKET: dict[str, Any] = {
    "type": "object",
    "required": ["reference", "kind"],
    "properties": {
        name: {"type": "object" if name == "wish" else "string", "description": told}
        for name, told in TICKET_FIELDS.items()
    },
}
_TICKET["properties"]["kind"]["enum"] = [kind.value for kind in TicketKind]
_TICKETS: dict[str, Any] = {
    "type": "object",
    "required": ["tickets"],
    "properties": {"tickets": {"type": "array", "items": _TICKET}},
}
_FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {form: {"schema": {"type": "string"}} for form in ("text/html", "text/plain")}}
}
_COMPLETION: dict[str, Any] = {
    "type": "object",
    "properties": {name: _TICKET["properties"][name] for name in ("requester", "text", "wish")},
}


class TakenTicket(msgspec.Struct, frozen=True, kw_only=True):
    """`is_new` and `is_continued` are false for what was here already: it had no effect."""

    ticket: TicketInShort
    is_new: bool
    is_continued: bool = False

    def to_keep(self) -> "TakenTicket":
        return msgspec.structs.replace(self, ticket=bare(self.ticket))


class TicketApproval(Body):
    """`digest`: at least the first 8 characters, as the ticket shows it: exactly what was seen is approved."""

    digest: Text


class CaseNumber(Body):
    """What Microsoft's support calls the case."""

    case: Text


class MigrationDraft(msgspec.Struct, frozen=True, kw_only=True):
    """`content`: the file that `migrations create` reads, with marks where a person has to decide."""

    content: str


@router.post("", openapi_extra=takes("application/json", _TICKETS))
def submit(caller: Anybody, content: Content) -> list[TakenTicket]:
    """Bring in one ticket, or several: all of them, or nothing. What a board forgot is asked back."""
    forms = parse_sent_tickets("The request", content, caller.services.mappings)
    return list(map(_taken, caller.services.submit_tickets(caller.identity, forms)))


@router.get("")
def list_all(
    caller: Anybody,
    wanted: PageWanted,
    state: Annotated[list[TicketState] | None, Query()] = None,
    reference: Filter = None,
) -> Page[TicketInShort]:
    """Tickets and where they stand, newest first. `reference`: as its desk calls it."""
    return caller.services.browse_tickets(caller.identity, wanted, state or (), reference)


@router.get("/{ticket}")
def show(caller: Anybody, ticket: Named) -> TicketSheet | TicketView:
    """One ticket with its answers; people of ours see who had a hand in it and what was written beside it too."""
    return caller.services.show_to.ticket(caller.identity, ticket)


@router.post("/{ticket}/complete", openapi_extra=takes("application/json", _COMPLETION))
def complete(caller: Anybody, ticket: Named, content: Content) -> TakenTicket:
    """Fill in what was asked back: fields of the wish, alone or under `wish`."""
    services = caller.services
    present = services.show_tickets.plain(caller.identity, ticket)
    form = parse_sent_completion("The request", content, present, services.mappings)
    return _taken(services.submit_tickets.complete(caller.identity, ticket, form))


@router.get("/{ticket}/assessment", responses=_FORMS)
def assess(
    caller: Anybody, ticket: Named, request: Request, language: Language = Language.DUTCH
) -> Assessment | Response:
    """What it comes to; as `text/html` a page to print, as `text/plain` eighty columns. A board's own is in Dutch."""
    made = caller.services.assess_ticket(caller.identity, ticket)
    match accepting.preferred(request.headers.get("accept", ""), accepting.PAGE, accepting.TEXT):
        case accepting.PAGE:
            return HTMLResponse(render_assessment(made, language, Form.PAGE))
        case accepting.TEXT:
            return PlainTextResponse(render_assessment(made, language, Form.TEXT))
        case _:
            return made


@router.get("/{ticket}/draft")
def draft(caller: Person, ticket: Named) -> MigrationDraft:
    """Of a school that moves: its migration, as far as the ticket says it."""
    return MigrationDraft(content=caller.services.show_tickets.draft(caller.identity, ticket))


@router.get("/{ticket}/sheet")
def sheet(caller: Person, ticket: Named) -> CaseSheet:
    """What Microsoft's support asks for before it moves an agreement."""
    return caller.services.draw_sheet(caller.identity, ticket)


@router.post("/{ticket}/filed")
def filed(caller: Person, ticket: Named, case: CaseNumber) -> TicketInShort:
    """Note that the case was filed at Microsoft; the board hears of it."""
    return in_short(caller.services.note_case(caller.identity, ticket, case.case))


@router.post("/{ticket}/approve")
def approve(caller: Anybody, ticket: Named, approval: TicketApproval) -> TicketInShort:
    """Let exactly what was seen be carried out, with every plan of it. Takes an approver who had no hand in it."""
    # a client that tries it with its own is refused, on record; of another's it is not told that there is one
    caller.services.show_tickets.plain(caller.identity, ticket)
    return in_short(caller.services.approve_ticket(caller.identity, ticket, approval.digest))


@router.post("/{ticket}/reject")
def reject(caller: Person, ticket: Named, because: Because) -> TicketInShort:
    """Refuse it; the reason goes to the board: what it can do instead."""
    return in_short(caller.services.close_ticket.reject(caller.identity, ticket, because.reason))


@router.post("/{ticket}/withdraw")
def withdraw(caller: Anybody, ticket: Named, because: Because) -> TicketInShort:
    """Take it back before it was approved. A client takes back what it brought in."""
    return in_short(caller.services.close_ticket.withdraw(caller.identity, ticket, because.reason))


def _taken(one: Submitted) -> TakenTicket:
    return TakenTicket(ticket=in_short(one.ticket), is_new=one.is_new, is_continued=one.is_continued)
