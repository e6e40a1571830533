"""Who had a hand in a ticket is written beside it, so that no statement lets them approve it."""

from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import Engine, text

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import PERSON_ROLES, Identity
from provisioning.domain.errors import NotAllowedError
from provisioning.domain.ids import Actor
from provisioning.domain.ticket import Ticket
from provisioning.services.ticket_hands import grounded
from tests.factories import tickets
from tests.integration.services.ticket_scene import APPROVER, DESK, IMPORTER, Desk


@pytest.fixture
def desk(open_uow: Callable[[], SqlUnitOfWork]) -> Desk:
    made = Desk(open_uow)
    made.authorise()
    return made


def hands(desk: Desk, ticket: Ticket) -> set[Actor]:
    with desk.open_uow() as uow:
        return set(grounded(uow, ticket, desk.works[ticket.kind], desk.clock.now()).grounded_by)


def test_once_it_waits_for_an_approver(desk: Desk) -> None:
    ticket = desk.submit()
    assert set(ticket.grounded_by) == {DESK.actor, IMPORTER, Actor(tickets.CONTACT)}
    assert set(desk.approve(ticket).grounded_by) == set(ticket.grounded_by)


def test_whoever_imports_what_it_rests_on_later_is_written_too(desk: Desk) -> None:
    ticket = desk.submit()
    with desk.open_uow() as uow:
        uow.records.save([tickets.mandate(record_id="m", scope="remap_holder")], desk.clock.now(), APPROVER.actor)
        uow.commit()
    assert APPROVER.actor in hands(desk, ticket)
    with pytest.raises(NotAllowedError, match="imported the mandate"):
        desk.approve(ticket)
    everything = Identity(actor=Actor("person:fresh"), roles=PERSON_ROLES)
    assert APPROVER.actor in desk.approve(ticket, everything).grounded_by


def test_whoever_approved_before_is_not_refused_for_what_they_did_since(desk: Desk) -> None:
    """Else a redrawn ticket could not even be shown again."""
    ticket = msgspec.structs.replace(desk.submit(), approved_by=IMPORTER)
    assert IMPORTER not in hands(desk, ticket)


@pytest.mark.parametrize("approver", [IMPORTER, DESK.actor, tickets.CONTACT])
def test_the_database_refuses_each_of_them(desk: Desk, engine: Engine, approver: str) -> None:
    ticket = desk.submit()
    statement = text("UPDATE tickets SET approved_by = :by, approved_at = created_at")
    with pytest.raises(NotAllowedError), engine.begin() as connection:
        connection.execute(statement, {"by": approver})
    assert desk.now(ticket) == ticket
