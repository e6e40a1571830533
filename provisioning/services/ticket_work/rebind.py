"""An organisation uses another tenant from a day on, or others of a tenant are its people.

Nothing is written before it is approved: a selector that changes makes its binding unconfirmed at once. Who approves
the ticket confirms the binding with it, on the ground of two independent facts like everybody else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import cast
from uuid import NAMESPACE_URL, uuid5

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import ConflictError, GraphError, InputError, NotAllowedError, RetryableError
from provisioning.domain.events import Event
from provisioning.domain.ids import BindingId, OrganisationId, TenantId
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.domain.ticket_wishes import Rebind, wish_of
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.ports import UnitOfWork
from provisioning.services.lookup import get_tenant
from provisioning.services.ticket_work import Objection, WithoutOperations

Confirm = Callable[[Identity, OrganisationId, TenantId, date], object]


class _Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """`present`: the binding that changes or ends, as it is; `selectors`: all that will hold."""

    tenant_id: TenantId
    begins: date
    selectors: dict[Audience, str]
    present: Binding | None

    @property
    def stays_in_tenant(self) -> bool:
        return self.present is not None and self.present.tenant_id == self.tenant_id

    @property
    def changed(self) -> dict[Audience, str]:
        """Selectors that differ from what the present binding says."""
        before = self.present.selectors if self.present is not None else {}
        return {audience: it for audience, it in self.selectors.items() if before.get(audience) != it}

    def needs_a_binding(self, today: date) -> bool:
        """In the same tenant only what is to hold later does: a selector that is set holds at once."""
        if self.present is None or not self.stays_in_tenant:
            return True
        return self.begins > max(today, self.present.valid_from)

    @property
    def is_made(self) -> bool:
        return self.stays_in_tenant and not self.changed

    @property
    def digest(self) -> str:
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class RebindWork(WithoutOperations):
    """`confirm` looks at the tenant and confirms, or says which facts are missing."""

    confirm: Confirm

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None:
        proposal = _proposal(uow, ticket, now)
        if proposal is None:
            return Objection(reason=Reason.TENANT_UNKNOWN)
        if uow.organisations.find(_wish(ticket).organisation) is None:
            return Objection(reason=Reason.ORGANISATION_UNKNOWN)
        missing = tuple(_missing(proposal))
        if missing:
            return Objection(reason=Reason.TICKET_INCOMPLETE, missing=missing)
        return None

    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:
        proposal = _proposal(uow, ticket, now)
        if proposal is None:
            return Standing(progress=Progress.STUCK, reason=Reason.TENANT_UNKNOWN)
        if proposal.is_made:
            is_confirmed = proposal.present is not None and proposal.present.is_confirmed
            if ticket.state is TicketState.HELD and not is_confirmed:  # a person confirms it now, nobody else
                return Standing(progress=Progress.STUCK, reason=ticket.reason)
            return Standing(progress=Progress.ENDED if is_confirmed else Progress.RUNNING)
        return Standing(progress=Progress.DRAWN, digest=proposal.digest)

    def authors(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[tuple[str, str]]:
        """Selectors that go along to another tenant are somebody's work."""
        proposal = _proposal(uow, ticket, now)
        present = None if proposal is None else proposal.present
        hands = () if present is None else present.hands
        return [(author, "made the binding that this one follows") for author in hands]

    def approve(self, uow: UnitOfWork, identity: Identity, ticket: Ticket, now: datetime) -> list[Operation]:  # noqa: ARG002
        """The proposal is written in the name of whoever brought the ticket in; it is confirmed after commit."""
        proposal = _proposal(uow, ticket, now)
        if proposal is None:
            raise ConflictError("The tenant of this ticket is known no longer; look at the ticket again.")
        if proposal.digest != ticket.digest:  # somebody chose other people for the binding meanwhile
            raise ConflictError(f"What ticket {ticket.key} comes to is not what you saw. Look at it again.")
        if proposal.present is not None and not proposal.needs_a_binding(dutch_day(now)):
            for audience, selector in proposal.changed.items():
                uow.tenants.set_selector(
                    proposal.present.binding_id, audience, selector, ticket.requested_by, now, ticket.authors
                )
        else:
            _bind_anew(uow, ticket, proposal)
        uow.audit.record([_event(ticket, proposal, now)])
        return []

    def follow_up(self, ticket: Ticket) -> Reason | None:
        if ticket.approved_by is None:
            return None
        approver = Identity(actor=ticket.approved_by, roles=frozenset({Role.APPROVER}))
        wish = _wish(ticket)
        try:
            self.confirm(approver, wish.organisation, TenantId(wish.tenant), _day(ticket))
        except (ConflictError, RetryableError):  # confirmed already, or Microsoft is away: the next look tells
            return None
        except (NotAllowedError, InputError):
            return Reason.BINDING_UNCONFIRMED
        except GraphError as error:
            return error.reason
        return None


def _missing(proposal: _Proposal) -> Iterator[str]:
    """All at once: a board is asked back in one message."""
    present = proposal.present
    if not proposal.selectors:
        yield "selectors"
    if present is not None and not proposal.stays_in_tenant and proposal.begins <= present.valid_from:
        yield "valid_from"


def _wish(ticket: Ticket) -> Rebind:
    return cast("Rebind", wish_of(ticket.kind, ticket.given))


def _day(ticket: Ticket) -> date:
    return _wish(ticket).valid_from or dutch_day(ticket.created_at)


def _proposal(uow: UnitOfWork, ticket: Ticket, now: datetime) -> _Proposal | None:
    """None when the tenant is not known."""
    wish = _wish(ticket)
    try:
        tenant = get_tenant(uow, wish.tenant)
    except InputError:
        return None
    begins = _day(ticket)
    bound = uow.tenants.bindings_of(wish.organisation, max(begins, dutch_day(now)))
    there = [one for one in bound if one.tenant_id == tenant.tenant_id]
    present = next(iter(there or [one for one in bound if not one.is_transition]), None)
    before = present.selectors if present is not None else {}
    return _Proposal(tenant_id=tenant.tenant_id, begins=begins, selectors=before | wish.selectors, present=present)


def _bind_anew(uow: UnitOfWork, ticket: Ticket, proposal: _Proposal) -> None:
    if proposal.present is not None:
        uow.tenants.end_binding(proposal.present.binding_id, proposal.begins - timedelta(days=1))
    binding = Binding(
        binding_id=BindingId(str(uuid5(NAMESPACE_URL, f"binding:{ticket.ticket_id}"))),
        organisation_id=_wish(ticket).organisation,
        tenant_id=proposal.tenant_id,
        valid_from=proposal.begins,
        selectors=proposal.selectors,
        created_by=ticket.requested_by,
        authors=(*ticket.authors, *(proposal.present.hands if proposal.present is not None else ())),
    )
    uow.tenants.add_binding(binding)


def _event(ticket: Ticket, proposal: _Proposal, now: datetime) -> Event:
    """Selectors can be long, so the log keeps the proposal's digest."""
    return Event(
        at=now,
        actor=ticket.requested_by,
        kind="binding.made" if proposal.needs_a_binding(dutch_day(now)) else "selector.set",
        organisation=_wish(ticket).organisation,
        tenant=proposal.tenant_id,
        after=proposal.digest,
        details={"ticket": ticket.ticket_id},
    )
