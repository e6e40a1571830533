"""The last scene: a board asks by ticket, from submission to answer; another person lets it be carried out."""

from collections.abc import Mapping
from typing import Any

from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import NotAllowedError
from provisioning.domain.ids import OrganisationId
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.intake.record_files import read_records
from provisioning.intake.ticket_files import read_tickets
from provisioning.local.errors import StoryError
from provisioning.local.stage import EXAMPLE, WORDS, Stage
from provisioning.words.assessments import Form, render_assessment
from provisioning.words.catalogue import Language

_BOARD = OrganisationId("99004")


def a_board_asks_by_ticket(stage: Stage) -> None:
    stage.narrator.scene(
        "A board asks to hold its school's licences",
        "It asks by ticket, with a token of its own that opens nothing of anybody else's. Records decide whether it "
        "may ask; whoever approves has had no hand in it, and approves exactly the assessment that is shown. No "
        "person of the school notices anything.",
    )
    services, cast = stage.services, stage.cast
    board = _token_of_the_board(stage)
    [taken] = services.submit_tickets(board, read_tickets(EXAMPLE / "ticket.yaml", services.mappings))
    ticket = _in_state(stage, taken.ticket, TicketState.AWAITING_AUTHORITY)
    services.import_records(cast.operator, read_records(EXAMPLE / "records-of-the-board.jsonl"))
    stage.narrator.step("The board's declaration, mandate and agreement come in.")
    ticket = _in_state(stage, ticket, TicketState.AWAITING_APPROVAL)
    assessment = services.assess_ticket(cast.approver, ticket.ticket_id)
    stage.narrator.page(render_assessment(assessment, Language.ENGLISH, Form.TEXT))
    digest = ticket.digest or ""
    for who in (board, cast.operator):  # who asked, and who brought in the records that it rests on
        _refused(stage, who, ticket, digest)
    services.approve_ticket(cast.approver, ticket.ticket_id, digest)
    stage.narrator.step(f"Approved by {cast.approver.actor}.")
    _in_state(stage, ticket, TicketState.COMPLETED)
    for answer in services.browse_tickets.one(board, ticket.ticket_id).answers:
        stage.narrator.step(f"Answer {answer.sequence}: {_first_line(answer.details)}")


def _token_of_the_board(stage: Stage) -> Identity:
    added = stage.services.add_actor(stage.cast.admin, f"client:board-{_BOARD}", {Role.BOARD}, board=_BOARD)
    return stage.services.authenticate(added.token)


def _in_state(stage: Stage, ticket: Ticket, state: TicketState) -> Ticket:
    """Tell where it stands, once it is there. Raises StoryError when it does not come."""

    def now() -> Ticket:
        return stage.services.show_tickets.plain(stage.cast.operator, ticket.ticket_id)

    stage.wait(lambda: now().state is state, lambda: f"ticket {ticket.key} is {now().state}, not {state}")
    found = now()
    why = f": {WORDS.reason(found.reason).what}" if found.reason else ""
    stage.narrator.step(f"ticket {found.key}: {WORDS.of_ticket(found.state)}{why}")
    return found


def _refused(stage: Stage, who: Identity, ticket: Ticket, digest: str) -> None:
    try:
        stage.services.approve_ticket(who, ticket.ticket_id, digest)
    except NotAllowedError as refusal:
        stage.narrator.step(f"Refused: {refusal}")
    else:
        raise StoryError(f"{who.actor} approved a ticket that rests on work of the same hand.")


def _first_line(details: Mapping[str, Any]) -> str:
    return str(details[Language.ENGLISH.value]).splitlines()[0]
