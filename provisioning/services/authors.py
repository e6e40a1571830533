"""Who had a hand in a plan: none of them approves it, now or by an approval that was given before."""

from collections.abc import Iterator
from datetime import date

from provisioning.domain.calendar import dutch_day
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.ids import Actor
from provisioning.domain.operation import Operation
from provisioning.domain.records import RecordKind
from provisioning.ports import PlanRecord, UnitOfWork
from provisioning.services.grounds import own_bindings


def authors_of(uow: UnitOfWork, operation: Operation, record: PlanRecord) -> Iterator[tuple[Actor, str]]:
    """Each with what they did, as the end of a sentence that begins with "you"."""
    today = dutch_day(record.drawn_at)
    yield record.requested_by, "asked for this plan"
    for person in operation.hands:
        yield person, "had this work, or what it follows, tried again or asked for it"
    line = uow.orders.find(operation.wish.line) if operation.wish.line else None
    if line is not None and line.released_by is not None:
        yield line.released_by, "released the order line that this plan rests on"
    yield from _authors_of_migration(uow, operation)
    yield from _authors_of_grounds(uow, operation, today)
    yield from _authors_of_ticket(uow, operation)
    yield from _authors_of_campaign(uow, operation)


def _authors_of_grounds(uow: UnitOfWork, operation: Operation, today: date) -> Iterator[tuple[Actor, str]]:
    for binding in own_bindings(uow, operation, today):
        for author in binding.hands:
            yield author, "made the binding that this plan rests on"
    for author in uow.tenants.policy_on(operation.tenant_id, today).hands:
        yield author, "proposed the policy that this plan rests on"
    for declared in uow.records.list_by(RecordKind.DECLARATION, operation.wish.holder_id):
        importer = uow.records.author(RecordKind.DECLARATION, declared.record_id)
        if importer is not None:
            yield importer, "imported a declaration that this plan rests on"
    for proposer in proposers_of_mappings(uow):
        yield proposer, "proposed the mappings that this plan rests on"


def proposers_of_mappings(uow: UnitOfWork) -> tuple[Actor, ...]:
    """Of those in force, whoever brought them into force at any time: a rollback makes nobody else their author."""
    mappings = uow.configuration.in_force().get(ConfigurationKind.MAPPINGS)
    if mappings is None:
        return ()
    known = uow.configuration.list_all()
    return tuple(one.proposed_by for one in known if one.digest == mappings.digest and one.since is not None)


def _authors_of_ticket(uow: UnitOfWork, operation: Operation) -> Iterator[tuple[Actor, str]]:
    """Of a ticket's own operations and of whatever follows them once it has ended: seats that came later, leftovers."""
    for ticket in uow.tickets.behind(operation):
        for author in ticket.authors:
            yield author, "wrote the ticket that this plan rests on"
        for author in ticket.grounded_by:
            yield author, "had a hand in what the ticket of this plan rests on"


def _authors_of_campaign(uow: UnitOfWork, operation: Operation) -> Iterator[tuple[Actor, str]]:
    remap = operation.wish.remap
    campaign = uow.campaigns.find(remap.campaign_id) if remap is not None and remap.campaign_id is not None else None
    if campaign is not None:
        yield campaign.requested_by, "asked for the campaign that this plan is part of"


def _authors_of_migration(uow: UnitOfWork, operation: Operation) -> Iterator[tuple[Actor, str]]:
    """Who asked for the migration or its wave's turn, or said that mailboxes have moved."""
    part = operation.wish.part or operation.wish.follows
    if part is None:
        return
    yield uow.migrations.get(part.migration_id).requested_by, "asked for this migration"
    for wave in uow.migrations.waves(part.migration_id):
        if wave.number == part.wave and wave.asked_by is not None:
            yield wave.asked_by, "asked for this turn of the wave"
    for one in uow.migrations.travellers(part.migration_id, wave=part.wave):
        if one.evidence is not None and one.operation_id == operation.operation_id:
            yield one.evidence.given_by, "said that these mailboxes have moved"
