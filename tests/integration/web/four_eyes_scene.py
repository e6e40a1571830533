"""A board, its school and their tenant, with somebody who has had a hand in whatever a test says."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from provisioning.bootstrap import Services
from provisioning.domain.actors import PERSON_ROLES, Identity, Role
from provisioning.domain.agreement_move import AgreementMove, Look
from provisioning.domain.campaign import Campaign
from provisioning.domain.catalogue import Audience
from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.ids import Actor, OrganisationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Migration, Traveller
from provisioning.domain.operation import Operation, OperationKind, Wish
from provisioning.domain.remap import RemapPart
from provisioning.domain.tenancy import OrganisationKind, Tenant
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.ports import UnitOfWork
from tests.factories import NOW, TODAY, tenancy, tickets
from tests.factories import campaigns as make_campaigns
from tests.factories import migrations as make_migrations
from tests.factories import operations as make
from tests.factories.tickets import BOARD, SCHOOL
from tests.factories.trade import STAFF, entry, sku_of
from tests.integration.services.fake_tenants import FakeTenants
from tests.unit.planning.scene import person

SELF, OTHER, DESK = Actor("person:self"), Actor("person:other"), Actor("client:desk")
EVERYTHING = Identity(actor=SELF, roles=PERSON_ROLES)
A_DESK = Identity(actor=DESK, roles=frozenset({Role.DESK}))
A_DAY = timedelta(days=1)
LAST_YEAR = TODAY.replace(year=TODAY.year - 1)
HASH = "5e1f" * 16  # digests of what this person proposed


class Scene:
    """A board, its school and their tenant; nothing in it is of `SELF` unless a row says so."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.tenant: Tenant = tenancy.tenant()
        with services.open_uow() as uow:
            school = tenancy.organisation(organisation_id=SCHOOL, kind=OrganisationKind.SCHOOL)
            uow.organisations.save([tenancy.organisation(organisation_id=BOARD), school])
            uow.tenants.save(self.tenant)
            uow.commit()

    def bind(self, by: Actor = OTHER, **fields: Any) -> str:
        made = tenancy.binding(SCHOOL, self.tenant.tenant_id, created_by=by, **fields)
        with self.services.open_uow() as uow:
            uow.tenants.add_binding(made)
            uow.commit()
        return made.binding_id

    def move_in(self, tenant: Tenant, people: int) -> None:
        """From here on Microsoft shows who is there."""
        shown = FakeTenants(self.services.clock)
        shown.settle(tenant.tenant_id, *(person(f"{n}") for n in range(people)))
        vars(self.services).update(gateway=shown)

    def select(self, binding: str) -> None:
        with self.services.open_uow() as uow:
            uow.tenants.set_selector(binding, Audience.FACULTY, '{"everyone":true}', SELF, NOW)
            uow.commit()

    def policy(self, by: Actor, **fields: Any) -> str:
        made = tenancy.policy(self.tenant.tenant_id, created_by=by, **fields)
        with self.services.open_uow() as uow:
            uow.tenants.add_policy(made)
            uow.commit()
        return made.digest

    def version(self, kind: ConfigurationKind, *, approved: bool) -> None:
        made = ConfigurationVersion(
            kind=kind, digest=HASH, content={}, reason="next year", proposed_by=SELF, proposed_at=NOW
        )
        with self.services.open_uow() as uow:
            uow.configuration.propose(made)
            if approved:
                uow.configuration.approve(kind, HASH, OTHER, NOW)
            uow.commit()

    def plan(
        self,
        operation: Operation | None = None,
        around: Callable[[UnitOfWork], None] = lambda _: None,
        by: Actor = DESK,
    ) -> Operation:
        """Drawn, and waiting for an approver. `around`: what else is written before it is drawn."""
        made = operation or make.operation(
            self.tenant.tenant_id, wish=self.wish(), state=OperationState.AWAITING_APPROVAL, requested_by=by
        )
        with self.services.open_uow() as uow:
            uow.operations.add(made)
            around(uow)
            keep_plan(uow, made)
            uow.commit()
        return made

    def wish(self, **fields: Any) -> Wish:
        return make.wish(holder_id=OrganisationId(BOARD), organisations=(SCHOOL,), **fields)

    def remap(self, part: RemapPart) -> Operation:
        """A remap of a ticket or a campaign, whose plan waits for an approver."""
        asked: dict[str, Any] = {"kind": OperationKind.REMAP, "requested_by": DESK}
        wish, state = self.wish(remap=part), OperationState.AWAITING_APPROVAL
        return self.plan(make.operation(self.tenant.tenant_id, wish=wish, state=state, **asked))

    def kept(self, ticket: Ticket) -> Ticket:
        with self.services.open_uow() as uow:
            uow.tickets.add(ticket)
            uow.commit()
        return ticket

    def moved(self, ticket: Ticket, released_by: Operation) -> None:
        """The agreement of the ticket is in the other tenant, and this took what it left behind."""
        seen = Look(at=NOW)
        move = AgreementMove(
            source=self.tenant.tenant_id,
            target=TenantId("elsewhere"),
            before=seen,
            latest=seen,
            next_look_at=NOW,
            releasing=(released_by.operation_id,),
        )
        with self.services.open_uow() as uow:
            uow.operations.add(released_by)
            uow.agreement_moves.save(ticket.ticket_id, move, NOW)
            uow.commit()

    def migration(
        self,
        asked_by: Actor = OTHER,
        turn_by: Actor = OTHER,
        given_by: Actor = OTHER,
        because: str = "letter 7",
    ) -> Operation:
        """The plan of a wave's turn: who asked for all of it, for this turn, and said that mailboxes have moved."""
        old, asked = tenancy.tenant(), {"asked_by": because}
        of = make_migrations.migration(old.tenant_id, self.tenant.tenant_id, requested_by=asked_by, asked=asked)
        operation = make_migrations.operation_for(of, state=OperationState.AWAITING_APPROVAL, requested_by=DESK)
        given = make_migrations.evidence(given_by=given_by)
        moved = make_migrations.traveller(of, evidence=given, operation_id=operation.operation_id)
        self.plan(operation, lambda uow: self._around(uow, of, old, turn_by, moved))
        return operation

    def _around(self, uow: UnitOfWork, of: Migration, old: Tenant, turn_by: Actor, moved: Traveller) -> None:
        uow.tenants.save(old)
        uow.migrations.add(of, make_migrations.waves(of, asked_by=turn_by), [moved])

    def campaign(self, by: Actor = OTHER) -> Campaign:
        made = make_campaigns.campaign(requested_by=by, digest=HASH)
        member = make_campaigns.member(
            made, self.tenant.tenant_id, holder_id=OrganisationId(BOARD), board_id=OrganisationId(BOARD)
        )
        with self.services.open_uow() as uow:
            uow.campaigns.add(made, [member])
            uow.commit()
        return made

    def ticket(
        self, by: Identity | None = None, records: Actor = OTHER, *, declares: bool = True, **fields: Any
    ) -> Ticket:
        """Authorised, assessed, and waiting for an approver. Not `declares`: the declaration is there already."""
        self.authorise(records, declares=declares)
        [taken] = self.services.submit_tickets(by or A_DESK, [tickets.form(**fields)])
        return self.ready(taken.ticket)

    def authorise(self, by: Actor = OTHER, *, declares: bool = True) -> None:
        """The contact, and whoever approves, speak for the board, the board for its school, which holds something."""
        declared = [tickets.declaration(SCHOOL)] if declares else []
        spoken = [tickets.mandate(), tickets.mandate(actor=SELF), *declared, tickets.agreement()]
        with self.services.open_uow() as uow:
            uow.records.save(spoken, NOW, by)
            uow.ledger.append([entry(delta=40, tenant_id=self.tenant.tenant_id, holder_id=SCHOOL)])
            uow.commit()

    def ready(self, ticket: Ticket) -> Ticket:
        found = self.services.advance_ticket(ticket.ticket_id)
        assert found.state is TicketState.AWAITING_APPROVAL, (found.state, found.reason)
        return found

    def change_of_product(self) -> Ticket:
        """Its plan rests on what `SELF` bound."""
        given = {"organisations": [SCHOOL], "from_sku": make.A1, "to_sku": sku_of(STAFF)}
        self.authorise()
        form = tickets.form(kind=TicketKind.CHANGE_SKU, given=given)
        [taken] = self.services.submit_tickets(A_DESK, [form])
        with self.services.open_uow() as uow:
            [operation] = uow.tickets.operations_of(taken.ticket.ticket_id)
            drawing = msgspec.structs.replace(operation, state=OperationState.PLANNING)
            uow.operations.save(drawing)
            uow.commit()
        with self.services.open_uow() as uow:
            present = uow.operations.get(operation.operation_id)
            keep_plan(uow, present)
            uow.operations.save(msgspec.structs.replace(present, state=OperationState.AWAITING_APPROVAL))
            uow.commit()
        return self.ready(taken.ticket)


def keep_plan(uow: UnitOfWork, operation: Operation) -> str:
    plan = make.plan(operation, make.people(2), guard_breaches=("too many",))
    people = [subject.subject_id for subject in plan.subjects]
    uow.plans.add(plan, uow.audit.pseudonyms(plan.tenant_id, people), sku=make.A3, valid_until=NOW + A_DAY)
    return plan.envelope.digest
