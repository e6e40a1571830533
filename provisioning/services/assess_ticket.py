"""What a ticket comes to, put together for one reader: whoever approves it, or the board that asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import OperationId, OrganisationId, TenantId
from provisioning.domain.operation import Operation
from provisioning.domain.records import Declaration, RecordKind, VolumeLicence
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.domain.ticket_wishes import (
    ChangeSku,
    Rebind,
    RemapAgreement,
    RemapHolder,
    TicketWish,
    organisations_in,
    wish_of,
)
from provisioning.planning.asked_change import asked_change
from provisioning.planning.assessment import Assessment
from provisioning.planning.assessment_facts import AgreementMove, Fact, FactKind, agreement_facts
from provisioning.planning.authority import in_force
from provisioning.planning.quota import Sizes
from provisioning.planning.rebind_counts import rebind_facts
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.assess import Assess
from provisioning.services.boards import board_of, is_under
from provisioning.services.count_ticket import CountTicket
from provisioning.services.find_ticket import get_ticket
from provisioning.services.lookup import get_tenant
from provisioning.services.ticket_authority import may_know
from provisioning.services.ticket_work import Works


@dataclass(frozen=True, kw_only=True)
class AssessTicket:
    """In one read transaction, so that its digest is of what is told here."""

    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings
    works: Works
    assess: Assess

    def __call__(self, identity: Identity, named: str) -> Assessment:
        """Raises NotFoundError for a ticket that is not theirs to see, ConflictError while something is missing in it.

        A board gets what concerns its own organisations, in counts alone; a desk what the board of its ticket gets.
        """
        now = self.clock.now()
        today = dutch_day(now)
        with self.open_uow() as uow:
            ticket = get_ticket(uow, named, identity, today)
            _require_complete(ticket)
            if not may_know(uow, identity, ticket, today):
                raise ConflictError(f"Ticket {ticket.key} is not assessed for you: nobody with authority asks for it.")
            wish = wish_of(ticket.kind, ticket.given)
            standing = self.works[ticket.kind].standing(uow, ticket, now)
            reader = _reader(uow, identity, ticket, today)
            operations = [one.operation_id for one in _operations(uow, ticket, reader, today)]
            own = _Own(uow, reader.board_id, today)
            facts = _facts(own, ticket, wish) + _still_to_see(ticket, wish, standing, operations)
            made = self.assess.within(uow, reader, operations, facts)
            names = {one: found for one in organisations_in(wish) if (found := own.name_of(one))}
            asked = asked_change(ticket, wish, standing, names, self.mappings)
            counted = CountTicket(
                uow=uow,
                name_of=own.name_of,
                name_served=own.name_served,
                mappings=self.mappings,
                today=today,
                is_for_board=reader.board_id is not None,
            )
            return self._with_counts(msgspec.structs.replace(made, asked=asked), counted, ticket, wish)

    def _with_counts(self, made: Assessment, counted: CountTicket, ticket: Ticket, wish: TicketWish) -> Assessment:
        """What no plan tells; of what was never asked of Microsoft there is no work either."""
        match wish:
            case RemapHolder():
                return msgspec.structs.replace(made, holders=tuple(counted.holders(ticket, wish)))
            case RemapAgreement() if found := counted.agreement(ticket, wish, Sizes.of(self.assess.limits)):
                return msgspec.structs.replace(made, agreement=found, writes=found.writes, minutes=found.minutes)
            case Rebind() if own_counts := counted.rebind(ticket, wish):
                return msgspec.structs.replace(made, rebind=own_counts)
            case _:
                return made


def _require_complete(ticket: Ticket) -> None:
    if ticket.missing:
        raise ConflictError(
            f"Ticket {ticket.key} cannot be assessed yet: {', '.join(ticket.missing)} "
            f"{'is' if len(ticket.missing) == 1 else 'are'} missing."
        )


def _reader(uow: UnitOfWork, identity: Identity, ticket: Ticket, today: date) -> Identity:
    """A client reads as the board: its own, or that of the organisation which the ticket is about."""
    if identity.is_person or not identity.roles:
        return identity
    board = identity.board_id or board_of(uow, ticket.organisation_id, today)
    return Identity(actor=identity.actor, roles=frozenset({Role.BOARD}), board_id=board)


def operations_for(uow: UnitOfWork, identity: Identity, ticket: Ticket, today: date) -> list[Operation]:
    """Of those that work for the ticket, which the identity may know of."""
    return list(_operations(uow, ticket, _reader(uow, identity, ticket, today), today))


def _operations(uow: UnitOfWork, ticket: Ticket, reader: Identity, today: date) -> Iterator[Operation]:
    """Those that the reader has a part in."""
    board = reader.board_id
    for operation in uow.tickets.operations_of(ticket.ticket_id):
        concerned = (operation.wish.holder_id, *operation.wish.organisations)
        if board is None or any(is_under(uow, one, board, today) for one in concerned):
            yield operation


class _Own:
    """What of the organisations that a ticket names the reader may know: all of it, or their own board's alone."""

    def __init__(self, uow: UnitOfWork, board: OrganisationId | None, today: date) -> None:
        self.uow, self._board, self._today = uow, board, today

    def has(self, organisation: OrganisationId) -> bool:
        return self._board is None or is_under(self.uow, organisation, self._board, self._today)

    def name_of(self, organisation: OrganisationId) -> str | None:
        found = self.uow.organisations.find(organisation) if self.has(organisation) else None
        return None if found is None else found.name

    def name_served(self, organisation: OrganisationId) -> str | None:
        """Of whom they speak for under a declaration in force, too (R19)."""
        is_declared = any(organisation in one.participants for one in self._declared())
        found = self.uow.organisations.find(organisation) if is_declared else None
        return self.name_of(organisation) if found is None else found.name

    def _declared(self) -> list[Declaration]:
        if self._board is None:
            return []
        known = cast("list[Declaration]", self.uow.records.list_by(RecordKind.DECLARATION, self._board))
        return [one for one in known if in_force(one, self._today)]

    def facts_of(self, ticket: Ticket, wish: Rebind) -> list[Fact]:
        look = self.uow.rebind_looks.find(ticket.ticket_id)
        return list(rebind_facts(look, wish.tenant, is_for_board=self._board is not None))


def _facts(own: _Own, ticket: Ticket, wish: TicketWish) -> list[Fact]:
    match wish:
        case Rebind() if not ticket.has_ended:
            return own.facts_of(ticket, wish)
        case RemapAgreement():
            return agreement_facts(_move(own, ticket, wish))
        case _:
            return []


def _still_to_see(
    ticket: Ticket, wish: TicketWish, standing: Standing, operations: Sequence[OperationId]
) -> list[Fact]:
    """While nobody has seen what it comes to, nobody says that it can be; operations tell that of themselves."""
    is_told = isinstance(wish, Rebind) and ticket.state is not TicketState.AWAITING_AUTHORITY
    if operations or is_told or ticket.has_ended or ticket.approved_by is not None:
        return []
    is_waiting = ticket.state in {TicketState.AWAITING_AUTHORITY, TicketState.HELD}
    stuck = ticket.reason if is_waiting else standing.reason if standing.progress is Progress.STUCK else None
    if stuck is not None:
        return [Fact(kind=FactKind.HELD_UP, reason=stuck)]
    is_drawn = standing.progress is not Progress.DRAWING and not isinstance(wish, ChangeSku)
    return [] if is_drawn else [Fact(kind=FactKind.LOOK_INCOMPLETE, names=_where(wish))]


def _where(wish: TicketWish) -> tuple[str, ...]:
    match wish:
        case ChangeSku():
            return tuple(wish.organisations)
        case RemapAgreement():
            return (wish.from_tenant, wish.to_tenant)
        case _:
            return tuple(organisations_in(wish))


def _move(own: _Own, ticket: Ticket, wish: RemapAgreement) -> AgreementMove:
    """With what was seen in both tenants, once somebody looked; of another customer's tenant nobody is counted."""
    licences = cast("list[VolumeLicence]", own.uow.records.list_by(RecordKind.VOLUME_LICENCE))
    seen = own.uow.agreement_moves.find(ticket.ticket_id)
    is_counted = seen is not None and seen.inventoried_at is not None and not seen.is_withheld
    return AgreementMove(
        wanted=wish.licence_ids,
        source_tenant=seen.source if seen is not None else _tenant(own.uow, wish.from_tenant),
        target_tenant=seen.target if seen is not None else _tenant(own.uow, wish.to_tenant),
        licences=tuple(
            one
            for one in licences
            if one.public_customer_number == wish.public_customer_number and own.has(one.organisation_id)
        ),
        seats_wanted=wish.seats,
        people_in_source=seen.inventory.losing if seen is not None and is_counted else 0,
        staying_behind=wish.staying_behind,
        people_ready=seen.inventory.ready if seen is not None and is_counted else 0,
    )


def _tenant(uow: UnitOfWork, named: str) -> TenantId:
    try:
        return get_tenant(uow, named).tenant_id
    except InputError:  # not known to us: then it is where no License ID on record is
        return TenantId(named)
