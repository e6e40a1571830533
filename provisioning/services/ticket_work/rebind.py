"""An organisation uses another tenant from a day on, or others of a tenant are its people.

The tenant is looked at before anybody approves it: whom the selectors choose. Nothing is written until then: a selector
that changes makes its binding unconfirmed at once. Who approves the ticket confirms the binding with it, on the ground
of two independent facts like everybody else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar
from uuid import NAMESPACE_URL, uuid5

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, GraphError, InputError, NotAllowedError, RetryableError
from provisioning.domain.events import Event
from provisioning.domain.ids import BindingId, OrganisationId, TenantId
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import RebindLook
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.planning.rebinding import counts_of, digest_of, notes_on, reason_against
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.ports import UnitOfWork
from provisioning.services.rebind.look import LOOKED_IN
from provisioning.services.rebind.proposal import Proposal, binding_of, day_of, draw_basis, propose, wish_in
from provisioning.services.ticket_work import Objection, WithoutOperations

Confirm = Callable[[Identity, OrganisationId, TenantId, date], object]


@dataclass(frozen=True, kw_only=True)
class RebindWork(WithoutOperations):
    """`confirm` looks at the tenant and confirms, or says which facts are missing; `look` counts whom it chooses."""

    confirm: Confirm
    look: Callable[[Ticket], None]

    followed_in: ClassVar[frozenset[TicketState]] = LOOKED_IN | {TicketState.RUNNING}

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None:
        proposal = propose(uow, ticket, now)
        if proposal is None:
            return Objection(reason=Reason.TENANT_UNKNOWN)
        if uow.organisations.find(wish_in(ticket).organisation) is None:
            return Objection(reason=Reason.ORGANISATION_UNKNOWN)
        missing = tuple(_missing(proposal))
        if missing:
            return Objection(reason=Reason.TICKET_INCOMPLETE, missing=missing)
        return None

    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:
        proposal = propose(uow, ticket, now)
        if proposal is None:
            return Standing(progress=Progress.STUCK, reason=Reason.TENANT_UNKNOWN)
        if proposal.is_made:
            return _made(ticket, proposal)
        if ticket.state is TicketState.RUNNING:  # somebody chose others since: what is asked is assessed anew
            return Standing(progress=Progress.DRAWN)
        return _assessed(uow, ticket, proposal, uow.rebind_looks.find(ticket.ticket_id), now)

    def authors(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[tuple[str, str]]:
        """Selectors that go along to another tenant are somebody's work."""
        proposal = propose(uow, ticket, now)
        present = None if proposal is None else proposal.present
        hands = () if present is None else present.hands
        return [(author, "made the binding that this one follows") for author in hands]

    def approve(self, uow: UnitOfWork, identity: Identity, ticket: Ticket, now: datetime) -> list[Operation]:  # noqa: ARG002
        """The proposal is written in the name of whoever brought the ticket in; it is confirmed after commit."""
        proposal = propose(uow, ticket, now)
        if proposal is None:
            raise ConflictError("The tenant of this ticket is known no longer; look at the ticket again.")
        look = uow.rebind_looks.find_for_work(ticket.ticket_id)
        # somebody chose other people for the binding meanwhile, or a worker looked before this had the row
        if look is None or _assessed(uow, ticket, proposal, look, now).digest != ticket.digest:
            raise ConflictError(f"What ticket {ticket.key} comes to is not what you saw. Look at it again.")
        if proposal.present is None or proposal.needs_a_binding(dutch_day(now)):
            _bind_anew(uow, ticket, proposal)
        else:
            _select_anew(uow, ticket, proposal, proposal.present.binding_id, look, now)
        uow.audit.record([_event(ticket, proposal, look, now)])
        return []

    def follow_up(self, ticket: Ticket) -> Reason | None:
        """What a look finds is stored, and told by `standing`."""
        if ticket.state is not TicketState.RUNNING:
            self.look(ticket)
            return None
        return self._confirmed(ticket)

    def _confirmed(self, ticket: Ticket) -> Reason | None:
        if ticket.approved_by is None:
            return None
        approver = Identity(actor=ticket.approved_by, roles=frozenset({Role.APPROVER}))
        wish = wish_in(ticket)
        try:
            self.confirm(approver, wish.organisation, TenantId(wish.tenant), day_of(ticket))
        except (ConflictError, RetryableError):  # confirmed already, or Microsoft is away: the next look tells
            return None
        except (NotAllowedError, InputError):
            return Reason.BINDING_UNCONFIRMED
        except GraphError as error:
            return error.reason
        return None


def _missing(proposal: Proposal) -> Iterator[str]:
    """All at once: a board is asked back in one message."""
    present = proposal.present
    if not proposal.selectors:
        yield "selectors"
    if present is not None and not proposal.stays_in_tenant and proposal.begins <= present.valid_from:
        yield "valid_from"


def _made(ticket: Ticket, proposal: Proposal) -> Standing:
    is_confirmed = proposal.present is not None and proposal.present.is_confirmed
    if ticket.state is TicketState.HELD and not is_confirmed:  # a person confirms it now, nobody else
        return Standing(progress=Progress.STUCK, reason=ticket.reason)
    return Standing(progress=Progress.ENDED if is_confirmed else Progress.RUNNING)


def _assessed(uow: UnitOfWork, ticket: Ticket, proposal: Proposal, look: RebindLook | None, now: datetime) -> Standing:
    """By the last look, if it was at this very binding, among these very strangers."""
    if look is None or look.basis != draw_basis(uow, ticket, proposal, now).digest:
        return Standing(progress=Progress.DRAWING)
    if look.trouble is not None:
        return Standing(progress=Progress.STUCK, reason=look.trouble)
    if look.seen_at is None:
        return Standing(progress=Progress.DRAWING)
    reason, counts, notes = reason_against(look), counts_of(look), notes_on(look)
    if reason is not None:
        return Standing(progress=Progress.STUCK, reason=reason, counts=counts, notes=notes)
    return Standing(progress=Progress.DRAWN, digest=digest_of(look), counts=counts, notes=notes)


def _select_anew(
    uow: UnitOfWork, ticket: Ticket, proposal: Proposal, binding: BindingId, look: RebindLook, now: datetime
) -> None:
    """Whoever approves saw how many it are: the next order is not held because they are fewer than before."""
    for audience, selector in proposal.changed.items():
        uow.tenants.set_selector(binding, audience, selector, ticket.requested_by, now, ticket.authors)
        seen = look.audiences[audience]
        size = seen.selected + sum(seen.undecided.values())
        uow.tenants.note_selection(binding, audience, size, now)


def _bind_anew(uow: UnitOfWork, ticket: Ticket, proposal: Proposal) -> None:
    if proposal.present is not None:
        uow.tenants.end_binding(proposal.present.binding_id, proposal.begins - timedelta(days=1))
    binding_id = BindingId(str(uuid5(NAMESPACE_URL, f"binding:{ticket.ticket_id}")))
    hands = proposal.present.hands if proposal.present is not None else ()
    binding = msgspec.structs.replace(
        binding_of(ticket, proposal), binding_id=binding_id, authors=(*ticket.authors, *hands)
    )
    uow.tenants.add_binding(binding)


def _event(ticket: Ticket, proposal: Proposal, look: RebindLook, now: datetime) -> Event:
    """Selectors can be long, so the log keeps the proposal's digest, and how many people it chose."""
    return Event(
        at=now,
        actor=ticket.requested_by,
        kind="binding.made" if proposal.needs_a_binding(dutch_day(now)) else "selector.set",
        organisation=wish_in(ticket).organisation,
        tenant=proposal.tenant_id,
        after=proposal.digest,
        details={"ticket": ticket.ticket_id, "selected": str(look.total.selected)},
    )
