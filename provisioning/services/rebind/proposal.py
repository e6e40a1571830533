"""What a ticket proposes to bind, and what the database says of it: read in the caller's transaction."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import InputError
from provisioning.domain.ids import BindingId, OrganisationId, SkuId, TenantId
from provisioning.domain.tenancy import Binding, Organisation, RelationKind, Tenant
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import Rebind, wish_of
from provisioning.planning.agreement_inventory import entitled
from provisioning.planning.evidence import domain_is_verified
from provisioning.planning.rebinding import basis_of, digest
from provisioning.ports import UnitOfWork
from provisioning.services.agreement.parties import held_by, served_by
from provisioning.services.boards import board_of
from provisioning.services.lookup import get_tenant

_SERVES = frozenset({RelationKind.HIERARCHICAL, RelationKind.PARTICIPATES})


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
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

    @property
    def in_question(self) -> frozenset[Audience]:
        """Whose selectors are to be approved: in another tenant those that go along as well."""
        return frozenset(self.changed if self.stays_in_tenant else self.selectors)

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
        return digest(self)


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says before the tenants are read. `strangers`: bindings of other boards in the tenant.

    `strangers_left`: in the tenant that is left. `bought`, `left`: seats of whoever holds licences for the
    organisation, in the one and in the other. `is_theirs`: something other than the ticket says so.
    """

    proposal: Proposal
    binding: Binding
    strangers: tuple[Binding, ...]
    strangers_left: tuple[Binding, ...] = ()
    bought: dict[SkuId, int] = {}
    left: dict[SkuId, int] = {}
    is_theirs: bool = False

    @property
    def digest(self) -> str:
        return basis_of(self.proposal.tenant_id, self.proposal, self.strangers)

    @property
    def former(self) -> Binding | None:
        """By which people may be counted: of a tenant that nobody confirmed to be theirs nobody is."""
        present = self.proposal.present
        may_look = present is not None and (self.proposal.stays_in_tenant or present.is_confirmed)
        return present if may_look else None


def wish_in(ticket: Ticket) -> Rebind:
    """Of a ticket in which nothing is missing."""
    return cast("Rebind", wish_of(ticket.kind, ticket.given))


def day_of(ticket: Ticket) -> date:
    return wish_in(ticket).valid_from or dutch_day(ticket.created_at)


def propose(uow: UnitOfWork, ticket: Ticket, now: datetime) -> Proposal | None:
    """None when the tenant is not known."""
    wish = wish_in(ticket)
    try:
        tenant = get_tenant(uow, wish.tenant)
    except InputError:
        return None
    begins = day_of(ticket)
    bound = uow.tenants.bindings_of(wish.organisation, max(begins, dutch_day(now)))
    there = [one for one in bound if one.tenant_id == tenant.tenant_id]
    present = next(iter(there or [one for one in bound if not one.is_transition]), None)
    before = present.selectors if present is not None else {}
    return Proposal(tenant_id=tenant.tenant_id, begins=begins, selectors=before | wish.selectors, present=present)


def draw_basis(uow: UnitOfWork, ticket: Ticket, proposal: Proposal, now: datetime) -> Basis:
    wish, on = wish_in(ticket), max(proposal.begins, dutch_day(now))
    present, tenant = proposal.present, proposal.tenant_id
    leaves = present.tenant_id if present is not None and not proposal.stays_in_tenant else None
    held = held_by(uow, _holders(uow, ticket, on))
    return Basis(
        proposal=proposal,
        binding=binding_of(ticket, proposal),
        strangers=_strangers(uow, wish.organisation, tenant, on),
        strangers_left=_strangers(uow, wish.organisation, leaves, on) if leaves else (),
        bought=entitled(held, tenant, on),
        left=entitled(held, leaves, on) if leaves else {},
        is_theirs=_is_theirs(uow, wish.organisation, tenant, on),
    )


def binding_of(ticket: Ticket, proposal: Proposal) -> Binding:
    """As it would be written, in the name of whoever brought the ticket in."""
    return Binding(
        binding_id=BindingId(f"ticket {ticket.ticket_id}"),
        organisation_id=wish_in(ticket).organisation,
        tenant_id=proposal.tenant_id,
        valid_from=proposal.begins,
        selectors=proposal.selectors,
        created_by=ticket.requested_by,
    )


def _strangers(uow: UnitOfWork, organisation: OrganisationId, tenant: TenantId, on: date) -> tuple[Binding, ...]:
    board = board_of(uow, organisation, on)
    others = (one for one in uow.tenants.bindings_in(tenant, on) if one.organisation_id != organisation)
    return tuple(one for one in others if board_of(uow, one.organisation_id, on) != board)


def _holders(uow: UnitOfWork, ticket: Ticket, on: date) -> Sequence[OrganisationId]:
    """The organisation itself, and boards whose licences its people have."""
    organisation = wish_in(ticket).organisation
    relations = uow.organisations.relations_of(organisation, on)
    boards = [one.parent_id for one in relations if one.child_id == organisation and one.kind in _SERVES]
    named = dict.fromkeys([organisation, *boards, ticket.organisation_id])
    return [one for one in named if one == organisation or organisation in served_by(uow, one, on)]


def _is_theirs(uow: UnitOfWork, organisation: OrganisationId, tenant: TenantId, on: date) -> bool:
    """Whether somebody confirmed that their board uses it, or Microsoft verified their web domain there."""
    board = board_of(uow, organisation, on)
    confirmed = (one.organisation_id for one in uow.tenants.bindings_in(tenant, on) if one.is_confirmed)
    if any(board_of(uow, one, on) == board for one in confirmed):
        return True
    known, home = uow.organisations.find(organisation), uow.tenants.find(tenant)
    return known is not None and home is not None and _is_verified(known, home)


def _is_verified(organisation: Organisation, tenant: Tenant) -> bool:
    return domain_is_verified(organisation, tenant.verified_domains)
