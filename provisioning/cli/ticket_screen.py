"""How a ticket looks on a screen."""

from collections.abc import Iterator, Mapping

from provisioning.cli.operation_screen import operation_columns
from provisioning.cli.output import SHORT, Column, moment, paragraph, sheet, short, table
from provisioning.cli.wording import Wording
from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.ids import SkuId
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.planning.agreement_watch import sighting_of
from provisioning.services.browse_tickets import TicketInShort, TicketView
from provisioning.services.show_tickets import TicketSheet


def ticket_columns(wording: Wording) -> tuple[Column, ...]:
    """How tickets are listed."""
    return (
        Column("Ticket", lambda x: short(x.ticket_id), fixed=True),
        Column("Reference", lambda x: x.key),
        Column("Organisation", lambda x: x.organisation_id),
        Column("Asks", lambda x: wording.of_ticket(x.kind)),
        Column("State", lambda x: standing_of(x, wording)),
        Column("Since (UTC)", lambda x: moment(x.entered_at), fixed=True),
    )


def standing_of(ticket: Ticket | TicketInShort, wording: Wording) -> str:
    """`held: work under way`: the state, and the reason's code as words that can wrap."""
    called = wording.of_ticket(ticket.state)
    return f"{called}: {ticket.reason.replace('_', ' ').lower()}" if ticket.reason else called


def render_ticket(found: TicketSheet | TicketView, wording: Wording) -> str:
    """All of it that whoever asks may see, for people."""
    return "\n\n".join(block for block in _blocks(found, wording) if block)


def _blocks(found: TicketSheet | TicketView, wording: Wording) -> Iterator[str]:
    ticket = found.ticket
    yield sheet(_facts(found, wording))
    if ticket.reason is not None:
        yield _told(found, wording) or paragraph(wording.why_and_how(ticket.reason))
    if ticket.closing_words:
        yield paragraph(ticket.closing_words)
    if ticket.missing:
        yield "\n".join(["Missing:", *(paragraph(f"  {one}: {wording.of_field(one)}") for one in ticket.missing)])
    if ticket.given:
        yield sheet([(f"  {name}", _shown(value)) for name, value in ticket.given.items()])
    if found.standing is not None:
        yield from (paragraph(wording.of_note(note)) for note in found.standing.notes)
    yield table(found.operations, operation_columns(wording)) if found.operations else ""
    yield table(found.answers, _answer_columns(wording)) if found.answers else ""
    if isinstance(found, TicketSheet):
        yield from (f"Written beside it:\n{paragraph(text)}" for text in found.texts)
    yield _next_step(found)


def _told(found: TicketSheet | TicketView, wording: Wording) -> str:
    """Of what was refused all that the board was told, with what it can ask instead: it may call to ask about that."""
    if found.ticket.state is not TicketState.REJECTED or not found.answers:
        return ""
    return paragraph(found.answers[-1].details.get(wording.language, ""))


def _facts(found: TicketSheet | TicketView, wording: Wording) -> list[tuple[str, str]]:
    ticket, counts = found.ticket, {} if found.standing is None else found.standing.counts
    ours = found if isinstance(found, TicketSheet) else None  # what follows from it is no client's to read
    facts = [
        ("Ticket", f"{ticket.key} ({ticket.ticket_id})"),
        ("Asks", wording.of_ticket(ticket.kind)),
        ("Organisation", ticket.organisation_id),
        ("Asked by", ticket.requester or "-"),
        ("Brought in by", ", ".join(ours.ticket.authors) if ours else ""),
        ("State", wording.of_ticket(ticket.state)),
        ("Since (UTC)", moment(ticket.entered_at)),
        ("Comes to", ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in counts.items())),
        *(_away(ours.move) if ours and ours.move else ()),
        ("Digest", ticket.digest or ""),
        ("Approved by", ours.ticket.approved_by or "" if ours else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _away(move: AgreementMove) -> list[tuple[str, str]]:
    """Of agreements that Microsoft moves: what the last look showed, for our own people."""
    sighting = sighting_of(move.inventory.moving, move.before, move.latest)
    return [
        ("Moves", _seats(move.inventory.moving)),
        ("May move along", _seats(move.inventory.along)),
        ("Stays there", _seats(move.inventory.staying)),
        ("Case at Microsoft", move.case_number or ""),
        ("From, to", f"{move.source} → {move.target}"),
        ("Seats", sighting if move.moved_on is None else f"moved, seen on {move.moved_on}"),
        ("Nowhere since", moment(move.vanished_at) if move.vanished_at else ""),
        ("Seem to be in", move.seen_in or ""),
        ("Last look (UTC)", moment(move.latest.at)),
        ("Alarms", ", ".join(one.replace("_", " ").lower() for one in move.alarms)),
    ]


def _seats(by_product: Mapping[SkuId, int]) -> str:
    return ", ".join(f"{seats} of {sku}" for sku, seats in by_product.items())


def _answer_columns(wording: Wording) -> tuple[Column, ...]:
    return (
        Column("Answer", lambda x: str(x.sequence), right=True),
        Column("When (UTC)", lambda x: moment(x.at), fixed=True),
        Column("To", lambda x: x.organisation_id),
        Column("What", lambda x: wording.topic(x.topic)),
        Column("Sent", lambda x: moment(x.sent_at), fixed=True),
    )


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {one}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _next_step(found: TicketSheet | TicketView) -> str:
    """Of what whoever reads it may do."""
    name = short(found.ticket.ticket_id)
    if found.ticket.state is TicketState.INCOMPLETE:
        return paragraph(f"Fill in what is missing: provisioning tickets complete {name} FILE")
    return _next_step_of_ours(found.ticket) if isinstance(found, TicketSheet) else ""


def _next_step_of_ours(ticket: Ticket) -> str:
    name = short(ticket.ticket_id)
    match ticket.state:
        case TicketState.AWAITING_APPROVAL:
            digest = (ticket.digest or "")[:SHORT]
            return paragraph(f"To let it be carried out: provisioning tickets approve {name} {digest}")
        case TicketState.AWAITING_MICROSOFT if ticket.reason is not None:
            sheet = f"What Microsoft's support asks for: provisioning tickets show {name} --sheet case.html"
            return paragraph(f"{sheet}\nOnce it is asked: provisioning tickets filed {name} --case NUMBER")
        case _:
            return ""
