"""What was seen before a rebind: every look stays as it was until its ticket's people go, and the last one counts."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from provisioning.database.tables.rebind_looks import rebind_looks
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SkuId
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import Formerly, PeopleSeen, ProductSeen, RebindLook
from provisioning.domain.tenancy import Organisation
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from tests.factories import NOW, tickets

PEOPLE = PeopleSeen(selected=6, undecided={Reason.SCOPE_UNDECIDABLE: 1}, licensed=2, before=12, coming=0, going=6)
LOOK = RebindLook(
    basis="5e1f",
    next_look_at=NOW,
    seen_at=NOW,
    audiences={Audience.FACULTY: PEOPLE},
    total=PEOPLE,
    products=(ProductSeen(sku_id=SkuId("a3"), bought=40, left=3, enabled=40, free=38, in_grace=1),),
    formerly=Formerly.HERE,
    is_theirs=True,
)
TROUBLED = RebindLook(basis="5e1f", next_look_at=NOW, trouble=Reason.CONSENT_MISSING, tries=3)


@pytest.fixture
def ticket(uow: SqlUnitOfWork, board: Organisation) -> Ticket:
    return kept(uow, board)


def kept(uow: SqlUnitOfWork, board: Organisation, **fields: object) -> Ticket:
    made = tickets.ticket(organisation_id=board.organisation_id, kind=TicketKind.REBIND, **fields)
    uow.tickets.add(made)
    return made


class TestLooks:
    def test_there_is_none_before_the_first(self, uow: SqlUnitOfWork, ticket: Ticket) -> None:
        assert uow.rebind_looks.find(ticket.ticket_id) is None
        assert uow.rebind_looks.find_for_work(ticket.ticket_id) is None

    def test_come_back_as_they_were_the_last_one_counting(self, uow: SqlUnitOfWork, ticket: Ticket) -> None:
        uow.rebind_looks.save(ticket.ticket_id, TROUBLED, NOW)
        assert uow.rebind_looks.find(ticket.ticket_id) == TROUBLED
        uow.rebind_looks.save(ticket.ticket_id, LOOK, NOW - timedelta(hours=1))
        assert uow.rebind_looks.find(ticket.ticket_id) == LOOK
        assert uow.rebind_looks.find_for_work(ticket.ticket_id) == LOOK

    def test_are_of_one_ticket(self, uow: SqlUnitOfWork, board: Organisation, ticket: Ticket) -> None:
        uow.rebind_looks.save(ticket.ticket_id, LOOK, NOW)
        assert uow.rebind_looks.find(kept(uow, board).ticket_id) is None

    def test_nobody_changes_what_was_seen(self, uow: SqlUnitOfWork, ticket: Ticket) -> None:
        uow.rebind_looks.save(ticket.ticket_id, LOOK, NOW)
        with pytest.raises(ProgrammingError, match="permission denied"):
            uow._connection.execute(update(rebind_looks).values(seen_at=NOW))

    def test_belong_to_a_ticket(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(IntegrityError, match="look_for_known_ticket"):
            uow.rebind_looks.save(tickets.ticket().ticket_id, LOOK, NOW)


class TestPurge:
    def test_takes_those_of_tickets_that_ended_before_and_no_others(
        self, uow: SqlUnitOfWork, board: Organisation
    ) -> None:
        over = {"state": TicketState.REJECTED, "due_at": None}
        old, new = kept(uow, board, **over), kept(uow, board, entered_at=NOW + timedelta(days=1), **over)
        going_on = kept(uow, board)
        for each in (old, old, new, going_on):
            uow.rebind_looks.save(each.ticket_id, LOOK, NOW)
        assert uow.rebind_looks.purge(NOW + timedelta(hours=1)) == 2
        found = [uow.rebind_looks.find(each.ticket_id) for each in (old, new, going_on)]
        assert found == [None, LOOK, LOOK]
