"""The sheet of what Microsoft's support asks for, drawn from the ticket, the records and the last look."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import SkuId
from provisioning.domain.rights import Action, require
from provisioning.domain.ticket import Ticket, TicketKind
from provisioning.planning.agreement_sheet import CaseSheet, Product
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.agreement.parties import find_parties, licences_under, wish_in
from provisioning.services.find_ticket import get_ticket


@dataclass(frozen=True, kw_only=True)
class DrawSheet:
    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings

    def __call__(self, identity: Identity, named: str) -> CaseSheet:
        """Raises ConflictError for a ticket of another kind, and before both tenants were looked at."""
        require(identity, Action.SEE_CASE)
        with self.open_uow() as uow:
            ticket = get_ticket(uow, named, identity, dutch_day(self.clock.now()))
            if ticket.kind is not TicketKind.REMAP_AGREEMENT or ticket.missing:
                raise ConflictError(f"Ticket {ticket.key} asks nothing of Microsoft, or not wholly: there is no sheet.")
            move = uow.agreement_moves.find(ticket.ticket_id)
            if move is None or move.inventoried_at is None:
                raise ConflictError(f"Both tenants of ticket {ticket.key} are still to be looked at; try again later.")
            return self._drawn(uow, ticket, move)

    def _drawn(self, uow: UnitOfWork, ticket: Ticket, move: AgreementMove) -> CaseSheet:
        wish = wish_in(ticket)
        parties = find_parties(uow, ticket, move, dutch_day(self.clock.now()))
        if parties is None:
            raise ConflictError(f"A tenant of ticket {ticket.key} is known no longer.")
        known = licences_under(uow, wish.public_customer_number)
        moving = move.inventory.moving
        return CaseSheet(
            reference=ticket.key,
            case_number=move.case_number,
            public_customer_number=wish.public_customer_number,
            licence_ids=wish.licence_ids,
            programs=tuple(sorted({one.program for one in known})),
            wrong=(parties.source.initial_domain, parties.source.tenant_id),
            right=(parties.target.initial_domain, parties.target.tenant_id),
            products=tuple(Product(sku, self._part_number(sku), seats) for sku, seats in sorted(moving.items())),
            purchases=tuple(one for one in move.before.source if one.sku_id in moving),
        )

    def _part_number(self, sku: SkuId) -> str:
        known = self.mappings.skus.get(sku)
        return known.part_number if known else "-"
