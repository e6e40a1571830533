"""Microsoft moves whole agreements to another tenant, or nothing (S28, S31).

We say beforehand what it comes to, prepare what Microsoft's support asks for, watch both tenants for days, and do our
own part once the seats are there. Nothing we do brings them there.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.planning.agreement_inventory import are_too_few, counts_of, digest_of, notes_on
from provisioning.planning.agreement_watch import has_moved, is_in_source, is_stuck_for_days, is_untouched, worry
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.planning.whole_agreement import WAYS_OUT, obstacle
from provisioning.ports import UnitOfWork
from provisioning.services.agreement.hands import hands_in_move
from provisioning.services.agreement.parties import Parties, find_parties, licences_under, wish_in
from provisioning.services.ticket_work import Objection, WithoutOperations

LEFT_IN_OLD_TENANT = "left_in_old_tenant"
_T = TicketState
_STUCK = frozenset({OperationState.HELD, OperationState.FAILED})
_OPEN = frozenset(set(OperationState) - OPERATION_ENDS)
_SERVED = (SubjectState.VERIFIED, SubjectState.ALREADY_RIGHT)
# why it was held while Microsoft had it: from there it goes on by way of the wait, so that its board hears of it
_WHILE_AWAY = frozenset(
    {
        Reason.SEATS_NOWHERE,
        Reason.SEATS_NOWHERE_FOR_DAYS,
        Reason.SEATS_IN_WRONG_TENANT,
        Reason.SEATS_LAPSED,
        Reason.SEATS_HALF_MOVED,
        Reason.MICROSOFT_IS_SILENT,
    }
)

_GIVEN_UP = frozenset({Reason.SEATS_NOWHERE_FOR_DAYS, Reason.SEATS_LAPSED})


@dataclass(frozen=True, kw_only=True)
class RemapAgreementWork(WithoutOperations):
    """`follow` looks at both tenants when it is time, and begins what can be begun; `look` looks out of turn."""

    follow: Callable[[Ticket], None]
    look: Callable[[Ticket], None]
    limits: Limits

    followed_in: ClassVar[frozenset[TicketState]] = frozenset(
        {_T.ASSESSING, _T.AWAITING_APPROVAL, _T.AWAITING_MICROSOFT, _T.RUNNING, _T.HELD}
    )
    once_approved: ClassVar[TicketState] = TicketState.AWAITING_MICROSOFT

    # ── before anything ──────────────────────────────────────────────────────────────────────────────────

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None:
        wish, today = wish_in(ticket), dutch_day(now)
        reason = obstacle(wish, licences_under(uow, wish.public_customer_number))
        if reason is not None:
            return Objection(reason=reason, is_final=True, instead=WAYS_OUT)
        parties = find_parties(uow, ticket, uow.agreement_moves.find(ticket.ticket_id), today)
        if parties is None:
            return Objection(reason=Reason.TENANT_UNKNOWN)
        if parties.source.tenant_id == parties.target.tenant_id:
            return Objection(reason=Reason.NOTHING_TO_CHANGE, is_final=True)
        if not parties.holders:
            return Objection(reason=Reason.AGREEMENT_NOT_SEEN)
        is_bound = parties.bindings_in(uow, parties.target.tenant_id, today)
        return None if is_bound else Objection(reason=Reason.TENANT_NOT_BOUND)

    def authors(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[tuple[str, str]]:
        """What moves, and who gets the seats there, is somebody's decision."""
        return list(hands_in_move(uow, ticket, dutch_day(now)))

    def approve(self, uow: UnitOfWork, identity: Identity, ticket: Ticket, now: datetime) -> list[Operation]:  # noqa: ARG002
        """From here on what the tenants show is compared with what was approved."""
        move = _move(uow, ticket)
        if self._assessed(uow, ticket, move, now).digest != ticket.digest:  # a worker looked before this had the row
            raise ConflictError(f"What ticket {ticket.key} comes to is not what you saw. Look at it again.")
        parties = find_parties(uow, ticket, move, dutch_day(now))
        holders = parties.holders if parties else ()
        since_now = msgspec.structs.replace(move, seen_since=now, next_look_at=now, holders=holders)
        uow.agreement_moves.save(ticket.ticket_id, since_now, now)
        return []

    def look_before_end(self, ticket: Ticket) -> None:
        """Microsoft may have begun in this hour: a ticket that ended would leave the seats to nobody."""
        self.look(ticket)

    def close(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> None:
        """Until seats are on their way; and when Microsoft has given up on them, which a person must say."""
        move = uow.agreement_moves.find_for_work(ticket.ticket_id)
        if move is None or ticket.approved_by is None:
            return
        has_given_up = ticket.reason in _GIVEN_UP or is_stuck_for_days(move, now, self.limits)
        is_there = move.moved_on is not None or (has_moved(move) and not move.inventory.is_there_already)
        if is_there or not (is_untouched(move) or has_given_up):
            raise ConflictError(
                f"Microsoft has begun to move the seats of ticket {ticket.key}; it ends when they are in one tenant."
            )

    # ── where it stands ──────────────────────────────────────────────────────────────────────────────────

    def follow_up(self, ticket: Ticket) -> Reason | None:
        """What it finds is stored, and told by `standing`."""
        self.follow(ticket)
        return None

    def due_at(self, uow: UnitOfWork, ticket: Ticket) -> datetime | None:
        move = uow.agreement_moves.find(ticket.ticket_id)
        is_waiting = move is not None and ticket.approved_by is not None and move.moved_on is None
        return move.next_look_at if move is not None and is_waiting else None

    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:
        move = uow.agreement_moves.find(ticket.ticket_id)
        if move is None:
            return Standing(progress=Progress.DRAWING)
        if ticket.approved_by is None:
            return self._assessed(uow, ticket, move, now)
        return self._away(move, now) if move.moved_on is None else self._at_work(uow, ticket, move)

    def _assessed(self, uow: UnitOfWork, ticket: Ticket, move: AgreementMove, now: datetime) -> Standing:
        today = dutch_day(now)
        parties = find_parties(uow, ticket, move, today)
        reason = move.trouble if parties else Reason.TENANT_UNKNOWN
        if parties is None or reason is not None:
            return Standing(progress=Progress.STUCK, reason=reason)
        if move.inventoried_at is None:
            return Standing(progress=Progress.DRAWING)
        obstacle_here = _obstacle(uow, parties, move, wish_in(ticket).staying_behind)
        if obstacle_here is not None:
            return Standing(progress=Progress.STUCK, reason=obstacle_here)
        mode = uow.tenants.policy_on(move.target, today).assignment_mode
        return Standing(
            progress=Progress.DRAWN,
            digest=digest_of(wish_in(ticket), move.source, move.target, move.inventory, tuple(parties.everybody)),
            counts=_told(move),
            notes=notes_on(move.inventory, mode, wish_in(ticket).staying_behind),
        )

    def _away(self, move: AgreementMove, now: datetime) -> Standing:
        reason = move.trouble or worry(move, now, self.limits)
        if move.inventory.is_there_already and not has_moved(move):
            reason = reason or Reason.AGREEMENT_NOT_SEEN  # what was there when it was approved is not there now
        if reason is not None:
            return Standing(progress=Progress.STUCK, reason=reason, counts=_told(move))
        is_asked = move.case_number is not None or move.inventory.is_there_already
        reason = None if is_asked else Reason.MICROSOFT_TO_BE_ASKED
        return Standing(progress=Progress.AT_MICROSOFT, reason=reason, counts=_told(move))

    def _at_work(self, uow: UnitOfWork, ticket: Ticket, move: AgreementMove) -> Standing:
        if ticket.state is TicketState.HELD and ticket.reason in _WHILE_AWAY:
            return Standing(progress=Progress.AT_MICROSOFT)
        operations = [uow.operations.get(one) for one in (*move.serving, *move.releasing)]
        stuck = next((one for one in operations if one.state in _STUCK), None)
        is_over = move.is_released and all(one.state in OPERATION_ENDS for one in operations)
        progress = Progress.STUCK if stuck else Progress.ENDED if is_over else Progress.RUNNING
        return Standing(
            progress=progress,
            reason=stuck.reason if stuck else None,
            counts=_outcome(uow, move),
            notes=_ending(move) if is_over else (),
            is_whole=not move.unserved and all(one.state is OperationState.COMPLETED for one in operations),
        )


def _move(uow: UnitOfWork, ticket: Ticket) -> AgreementMove:
    move = uow.agreement_moves.find_for_work(ticket.ticket_id)
    if move is None:
        raise ConflictError(f"Ticket {ticket.key} was not looked at yet; look at it again.")
    return move


def _obstacle(uow: UnitOfWork, parties: Parties, move: AgreementMove, staying_behind: int) -> Reason | None:
    """After the remap the people of the source lose the service at once: those of the target must be ready before."""
    is_seen = move.inventory.is_there_already or is_in_source(move.inventory.moving, move.before)
    if not move.inventory.moving or not is_seen:
        return Reason.AGREEMENT_NOT_SEEN
    if are_too_few(move.inventory, staying_behind, is_withheld=move.is_withheld):
        return Reason.PEOPLE_NOT_THERE
    under_way = uow.operations.list_by(states=_OPEN, tenant=move.source)
    theirs = [one for one in under_way if one.wish.holder_id in parties.holders]
    is_touched = any(one.wish.sku_id in move.inventory.moving for one in theirs)
    return Reason.WORK_UNDER_WAY if is_touched and not move.is_withheld else None


def _told(move: AgreementMove) -> dict[str, str]:
    """Of a tenant that is another customer's nothing is counted."""
    counts = counts_of(move.inventory)
    return {name: n for name, n in counts.items() if name != "people_who_lose"} if move.is_withheld else counts


def _outcome(uow: UnitOfWork, move: AgreementMove) -> dict[str, str]:
    served, released = _people(uow, move.serving), _people(uow, move.releasing)
    return {
        "seats": str(sum(move.inventory.moving.values())),
        "people_served": str(sum(served[state] for state in _SERVED)),
        "people_waiting": str(served[SubjectState.WAITING]),
        "people_not_served": str(sum(served.values()) - sum(served[one] for one in (*_SERVED, SubjectState.WAITING))),
        "people_released": str(released[SubjectState.VERIFIED]),
    }


def _people(uow: UnitOfWork, operations: tuple[OperationId, ...]) -> Counter[SubjectState]:
    found: Counter[SubjectState] = Counter()
    for operation in operations:
        found.update(uow.journal.subject_counts(operation))
    return found


def _ending(move: AgreementMove) -> tuple[str, ...]:
    """What a board must know when it is over."""
    is_left = not move.releasing and not move.is_withheld and not move.unserved
    return (LEFT_IN_OLD_TENANT,) if is_left else ()
