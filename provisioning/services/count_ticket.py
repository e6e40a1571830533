"""Counts of requests without plans before they are approved: agreements that move, other holders, other tenants."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import OrganisationId
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import Rebind, RemapAgreement, RemapHolder
from provisioning.planning.holder_transfer import transfer
from provisioning.planning.quota import Sizes
from provisioning.planning.rebind_counts import RebindCounts, count_rebind
from provisioning.planning.ticket_counts import AgreementCounts, Course, HolderCount, count_agreement, count_holders
from provisioning.ports import UnitOfWork

NameOf = Callable[[OrganisationId], str | None]


@dataclass(frozen=True, kw_only=True)
class CountTicket:
    """In the caller's transaction. `name_of` knows the organisations whose affairs the reader may see, and no others.

    `name_served`: those whose people the reader's agreement serves as well.
    """

    uow: UnitOfWork
    name_of: NameOf
    name_served: NameOf
    mappings: Mappings
    today: date
    is_for_board: bool = False

    def agreement(self, ticket: Ticket, wish: RemapAgreement, sizes: Sizes) -> AgreementCounts | None:
        """None before somebody looked at both tenants."""
        move = self.uow.agreement_moves.find(ticket.ticket_id)
        if move is None or move.inventoried_at is None:
            return None
        here, there = (self.uow.tenants.policy_on(tenant, self.today) for tenant in (move.source, move.target))
        course = Course(
            move=move,
            here=here.assignment_mode,
            there=there,
            staying_behind=0 if move.is_withheld else wish.staying_behind,
        )
        names = _names((one.organisation_id for one in move.inventory.schools), self.name_served)
        return count_agreement(course, names, self.mappings, sizes)

    def holders(self, ticket: Ticket, wish: RemapHolder) -> list[HolderCount]:
        """As it was transferred, once it was."""
        day = wish.effective_on or dutch_day(ticket.created_at)
        concerned = dict.fromkeys([*wish.from_holders, wish.to_holder])
        held = [entry for holder in concerned for entry in self.uow.ledger.list_by(holder)]
        others = [entry for entry in held if entry.cause_ref != ticket.cause]
        goes = [entry for entry in others if entry.holder_id in wish.from_holders]
        transferred = [entry for entry in held if entry.cause_ref == ticket.cause]
        transferred = transferred or transfer(goes, wish.to_holder, day, ticket.cause, wish.sku_id)
        return count_holders(others, transferred, day, _names(concerned, self.name_of), self.mappings)

    def rebind(self, ticket: Ticket, wish: Rebind) -> RebindCounts | None:
        """None before somebody looked. A board is told nothing of a tenant that may be another customer's."""
        look, name = self.uow.rebind_looks.find(ticket.ticket_id), self.name_of(wish.organisation)
        if look is None or name is None or (self.is_for_board and not look.is_theirs):
            return None
        shows_tenant = not (self.is_for_board and look.is_shared)
        return count_rebind(look, wish.organisation, name, self.mappings, shows_tenant=shows_tenant)


def _names(organisations: Iterable[OrganisationId], name_of: NameOf) -> dict[OrganisationId, str]:
    return {one: name for one in organisations if (name := name_of(one)) is not None}
