"""Who had a hand in what moving an agreement rests on: its License IDs, whose people are served by it, and how."""

from collections.abc import Iterator
from datetime import date
from typing import cast

from provisioning.domain.records import Participant, RecordKind
from provisioning.domain.ticket import Ticket
from provisioning.ports import UnitOfWork
from provisioning.services.agreement.parties import Parties, find_parties, licences_under, wish_in


def hands_in_move(uow: UnitOfWork, ticket: Ticket, on: date) -> Iterator[tuple[str, str]]:
    """Each with what they did, as the end of a sentence that begins with "you"."""
    yield from _of_records(uow, ticket)
    parties = find_parties(uow, ticket, uow.agreement_moves.find(ticket.ticket_id), on)
    if parties is not None:
        yield from _of_target(uow, parties, on)


def _of_records(uow: UnitOfWork, ticket: Ticket) -> Iterator[tuple[str, str]]:
    licences = licences_under(uow, wish_in(ticket).public_customer_number)
    agreements = {one.agreement_id for one in licences}
    participants = cast("list[Participant]", uow.records.list_by(RecordKind.PARTICIPANT) if agreements else [])
    named = [(RecordKind.VOLUME_LICENCE, one.record_id) for one in licences]
    named += [(RecordKind.AGREEMENT, one) for one in sorted(agreements)]
    named += [(RecordKind.PARTICIPANT, one.record_id) for one in participants if one.agreement_id in agreements]
    for kind, record in named:
        author = uow.records.author(kind, record)
        if author is not None:
            yield author, f"imported the {kind} record that it rests on"


def _of_target(uow: UnitOfWork, parties: Parties, on: date) -> Iterator[tuple[str, str]]:
    for binding in parties.bindings_in(uow, parties.target.tenant_id, on):
        for author in binding.hands:
            yield author, "made a binding by which it is decided who gets the seats"
    for author in uow.tenants.policy_on(parties.target.tenant_id, on).hands:
        yield author, "proposed the policy of the tenant that it goes to"
