"""Who may ask what for whom on a day (R19, S33): records decide, and nobody's word.

An organisation speaks through whom it gave a mandate; a board speaks for its participants too while its declaration
is in force; a board's own token speaks for that board alone.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

import msgspec

from provisioning.domain.ids import OrganisationId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Declaration, Mandate
from provisioning.domain.ticket import Ticket, TicketKind

SIGNATORY, ALL_TICKETS, ONE_TICKET = "signatory", "tickets", "ticket:"


class Ground(msgspec.Struct, frozen=True, order=True):
    """A record that an authority rests on."""

    kind: str
    record_id: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` is None when the requester may ask it; else `unspoken_for` are the organisations to be asked."""

    reason: Reason | None = None
    unspoken_for: tuple[OrganisationId, ...] = ()
    grounds: tuple[Ground, ...] = ()


def judge_authority(
    ticket: Ticket,
    concerned: Sequence[OrganisationId],
    mandates: Collection[Mandate],
    declarations: Collection[Declaration],
    on: date,
    writers: Collection[OrganisationId | None] = (),
) -> Finding:
    """`concerned`: every organisation whose affairs the ticket touches; each must be spoken for.

    `writers`: the boards whose own tokens wrote some of it; None: a board's token that no board is known of.
    """
    own = [one for one in mandates if one.actor == ticket.requester and _covers(one, ticket) and _runs(one, on)]
    for board in {ticket.board_id, *writers} if ticket.board_id is not None else set(writers):
        own = [one for one in own if one.organisation_id in _reach(board, declarations, on)]
    grounds: set[Ground] = set()
    unspoken: list[OrganisationId] = []
    for organisation in dict.fromkeys(concerned):
        found = _spoken_for(organisation, own, declarations, on)
        grounds |= set(found)
        if not found:
            unspoken.append(organisation)
    if not unspoken:
        return Finding(grounds=tuple(sorted(grounds)))
    return Finding(reason=_why(own, declarations, on), unspoken_for=tuple(unspoken))


def in_force(declaration: Declaration, on: date) -> bool:
    """From the day it was signed until the day before it was revoked."""
    return declaration.signed_on <= on and (declaration.revoked_on is None or on < declaration.revoked_on)


def scopes_of(mandate: Mandate) -> frozenset[str]:
    """The words of its scope."""
    return frozenset(mandate.scope.replace(",", " ").split())


def scope_words() -> tuple[str, ...]:
    """What a scope may say about tickets, for help texts."""
    return (SIGNATORY, ALL_TICKETS, *TicketKind, f"{ONE_TICKET}SOURCE/REFERENCE")


def _covers(mandate: Mandate, ticket: Ticket) -> bool:
    asked = {SIGNATORY, ALL_TICKETS, ticket.kind.value, f"{ONE_TICKET}{ticket.key}"}
    return not asked.isdisjoint(scopes_of(mandate))


def _runs(mandate: Mandate, on: date) -> bool:
    return mandate.valid_from <= on and (mandate.valid_until is None or on <= mandate.valid_until)


def _reach(board: OrganisationId | None, declarations: Iterable[Declaration], on: date) -> set[OrganisationId]:
    """The board, and the schools for which it may act; of a board that is not known, nobody."""
    if board is None:
        return set()
    declared = (one for one in declarations if one.organisation_id == board and in_force(one, on))
    return {board}.union(*(one.participants for one in declared))


def _spoken_for(
    organisation: OrganisationId, own: Iterable[Mandate], declarations: Collection[Declaration], on: date
) -> list[Ground]:
    """The mandate by which it, or its board under a declaration, is spoken for; none: nobody here speaks for it."""
    for mandate in own:
        by_mandate = Ground("mandate", mandate.record_id)
        if mandate.organisation_id == organisation:
            return [by_mandate]
        for one in declarations:
            is_boards = one.organisation_id == mandate.organisation_id and organisation in one.participants
            if is_boards and in_force(one, on):
                return [by_mandate, Ground("declaration", one.record_id)]
    return []


def _why(own: Sequence[Mandate], declarations: Iterable[Declaration], on: date) -> Reason:
    """Of a mandated contact it is the declaration that falls short; of anybody else, their authority."""
    if not own:
        return Reason.ACTOR_NOT_AUTHORISED
    boards = {mandate.organisation_id for mandate in own}
    declared = any(one.organisation_id in boards and in_force(one, on) for one in declarations)
    return Reason.ORGANISATION_NOT_PARTICIPANT if declared else Reason.BOARD_DECLARATION_MISSING
