"""How far agreements are on their way: every look stays, the last one counts, and nobody changes one."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from provisioning.database.tables.agreement_moves import agreement_moves
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.agreement_move import AgreementMove, Inventory, Look
from provisioning.domain.ids import SkuId, TenantId
from provisioning.domain.observation import Subscription
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Organisation
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from tests.factories import NOW, tickets

Open = Callable[[], SqlUnitOfWork]
SEEN = Look(
    at=NOW,
    source=(Subscription(subscription_id="s", sku_id=SkuId("a3"), status="Enabled", total=40, next_lifecycle_at=NOW),),
    bought={SkuId("a3"): 10},
)
MOVE = AgreementMove(
    source=TenantId("x"),
    target=TenantId("y"),
    inventory=Inventory(moving={SkuId("a3"): 40}, losing=3),
    before=SEEN,
    latest=SEEN,
    next_look_at=NOW,
)


@pytest.fixture
def ticket(uow: SqlUnitOfWork, board: Organisation) -> Ticket:
    made = tickets.ticket(organisation_id=board.organisation_id, kind=TicketKind.REMAP_AGREEMENT)
    uow.tickets.add(made)
    return made


class TestMoves:
    def test_there_is_none_before_the_first_look(self, uow: SqlUnitOfWork, ticket: Ticket) -> None:
        assert uow.agreement_moves.find(ticket.ticket_id) is None
        assert uow.agreement_moves.find_for_work(ticket.ticket_id) is None

    def test_come_back_as_they_were_the_last_one_counting(self, uow: SqlUnitOfWork, ticket: Ticket) -> None:
        later = msgspec.structs.replace(
            MOVE, looks=2, vanished_at=NOW, alarms=(Reason.SEATS_NOWHERE,), case_number="26", moved_on=NOW.date()
        )
        uow.agreement_moves.save(ticket.ticket_id, MOVE, NOW)
        uow.agreement_moves.save(ticket.ticket_id, later, NOW - timedelta(hours=1))
        assert uow.agreement_moves.find(ticket.ticket_id) == later
        assert uow.agreement_moves.find_for_work(ticket.ticket_id) == later
        assert uow.agreement_moves.looks(ticket.ticket_id) == [MOVE, later]

    @pytest.mark.parametrize(
        "statement", [update(agreement_moves).values(seen_at=NOW), delete(agreement_moves)], ids=["change", "delete"]
    )
    def test_nobody_changes_what_was_seen(self, uow: SqlUnitOfWork, ticket: Ticket, statement: object) -> None:
        uow.agreement_moves.save(ticket.ticket_id, MOVE, NOW)
        with pytest.raises(ProgrammingError, match="permission denied"):
            uow._connection.execute(statement)  # type: ignore[call-overload]

    def test_belong_to_a_ticket(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(IntegrityError, match="move_for_known_ticket"):
            uow.agreement_moves.save(tickets.ticket().ticket_id, MOVE, NOW)


@pytest.mark.parametrize("state", [TicketState.AWAITING_MICROSOFT, TicketState.RUNNING, TicketState.COMPLETED])
def test_microsoft_is_asked_nothing_that_nobody_approved(
    uow: SqlUnitOfWork, board: Organisation, state: TicketState
) -> None:
    made = tickets.ticket(organisation_id=board.organisation_id, kind=TicketKind.REMAP_AGREEMENT, state=state)
    with pytest.raises(IntegrityError, match="ticket_carried_out_once_approved"):
        uow.tickets.add(made)
