"""A board with two schools in one tenant, its desk, and every service of tickets on a real database."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec

from config.limits import default_limits
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, OrganisationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.records import Record
from provisioning.domain.tenancy import BindingEvidence, OrganisationKind
from provisioning.domain.ticket import Ticket, TicketForm, TicketKind, TicketState
from provisioning.planning.assessment import Assessment
from provisioning.services.advance_ticket import AdvanceTicket
from provisioning.services.agreement.draw_sheet import DrawSheet
from provisioning.services.agreement.find_strays import FindStrays
from provisioning.services.agreement.follow import FollowAgreement
from provisioning.services.agreement.note_case import NoteCase
from provisioning.services.approve_ticket import ApproveTicket
from provisioning.services.assess import Assess
from provisioning.services.assess_ticket import AssessTicket
from provisioning.services.close_ticket import CloseTicket
from provisioning.services.purge_tickets import PurgeTickets
from provisioning.services.rebind.look import LookBeforeRebind
from provisioning.services.show_tickets import ShowTickets, TicketSheet
from provisioning.services.submit_tickets import SubmitTickets
from provisioning.services.sweep_tickets import SweepTickets
from provisioning.services.ticket_deeds import TicketDeeds
from provisioning.services.ticket_work import Works
from provisioning.services.ticket_work.change_sku import ChangeSkuWork
from provisioning.services.ticket_work.move_school import MoveSchoolWork
from provisioning.services.ticket_work.rebind import RebindWork
from provisioning.services.ticket_work.remap_agreement import RemapAgreementWork
from provisioning.services.ticket_work.remap_holder import RemapHolderWork
from provisioning.services.ticket_work.remap_of_ticket import remap_of_ticket
from provisioning.services.ticket_work.service_plan_policy import ServicePlanPolicyWork
from provisioning.words.answers import in_each_language
from tests.factories import NOW, TODAY, tenancy, tickets
from tests.factories import operations as make
from tests.factories.tickets import BOARD, SCHOOL, SISTER
from tests.factories.trade import MAPPINGS, STAFF, entry, sku_of
from tests.fakes import FakeClock, FakeDispatcher
from tests.integration.database.conftest import store
from tests.integration.services.fake_tenants import FakeTenants

Open = Callable[[], SqlUnitOfWork]
DESK = Identity(actor=tickets.DESK, roles=frozenset({Role.DESK}))
OPERATOR = Identity(actor=Actor("person:duty"), roles=frozenset({Role.OPERATOR}))
APPROVER = Identity(actor=Actor("person:ap"), roles=frozenset({Role.APPROVER}))
IMPORTER = Actor("person:records")


def board_token(board: str = BOARD, name: str = "client:programs") -> Identity:
    return Identity(actor=Actor(name), roles=frozenset({Role.BOARD}), board_id=OrganisationId(board))


@dataclass
class Desk:
    """`facts`: what a look at the tenant finds for a binding; an exception is raised instead."""

    open_uow: Open
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    dispatcher: FakeDispatcher = field(default_factory=FakeDispatcher)
    facts: frozenset[BindingEvidence] | Exception = tenancy.TWO_FACTS
    confirmed: list[Identity] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home, self.away = tenancy.tenant(), tenancy.tenant()
        deeds = TicketDeeds(say=in_each_language)
        self.gateway = FakeTenants(self.clock)
        common: dict[str, Any] = {"open_uow": self.open_uow, "clock": self.clock}
        limits = default_limits()
        self.follow = FollowAgreement(
            gateway=self.gateway, limits=limits, mappings=MAPPINGS, dispatcher=self.dispatcher, **common
        )
        self.look_before_rebind = LookBeforeRebind(gateway=self.gateway, limits=limits, **common)
        self.works: Works = {
            TicketKind.CHANGE_SKU: ChangeSkuWork(
                mappings=MAPPINGS, begin_remap=lambda *given: remap_of_ticket(MAPPINGS, *given)
            ),
            TicketKind.REMAP_HOLDER: RemapHolderWork(clock=self.clock),
            TicketKind.REMAP_AGREEMENT: RemapAgreementWork(follow=self.follow, look=self.follow.at_once, limits=limits),
            TicketKind.MOVE_SCHOOL: MoveSchoolWork(),
            TicketKind.REBIND: RebindWork(confirm=self.confirm, look=self.look_before_rebind),
            TicketKind.SERVICE_PLAN_POLICY: ServicePlanPolicyWork(mappings=MAPPINGS, clock=self.clock),
        }
        doing: dict[str, Any] = common | {"deeds": deeds, "works": self.works}
        self.advance = AdvanceTicket(limits=limits, dispatcher=self.dispatcher, **doing)
        self.submit_tickets = SubmitTickets(deeds=deeds, advance=self.advance, **common)
        self.approve_ticket = ApproveTicket(dispatcher=self.dispatcher, advance=self.advance, **doing)
        self.close = CloseTicket(**doing)
        self.show = ShowTickets(works=self.works, mappings=MAPPINGS, **common)
        self.sweep = SweepTickets(limits=limits, advance=self.advance, **common)
        self.note_case = NoteCase(deeds=deeds, **common)
        self.draw_sheet = DrawSheet(mappings=MAPPINGS, **common)
        self.find_strays = FindStrays(gateway=self.gateway, limits=limits, **common)
        self.purge = PurgeTickets(limits=limits, **common)
        self._furnish()

    def _furnish(self) -> None:
        school = {"kind": OrganisationKind.SCHOOL}
        with self.open_uow() as uow:
            uow.organisations.save(
                [
                    tenancy.organisation(organisation_id=BOARD),
                    tenancy.organisation(organisation_id="42000"),
                    tenancy.organisation(organisation_id=SCHOOL, **school),
                    tenancy.organisation(organisation_id=SISTER, **school),
                ]
            )
            for tenant in (self.home, self.away):
                uow.tenants.save(tenant)
            for organisation in (SCHOOL, SISTER):
                uow.tenants.add_binding(tenancy.binding(organisation, self.home.tenant_id, valid_from=date(2025, 1, 1)))
            uow.commit()
        self.buy(SCHOOL, 40)

    def confirm(self, identity: Identity, organisation: OrganisationId, tenant: TenantId, on: date) -> None:
        """As ConfirmBinding does once it has looked."""
        self.confirmed.append(identity)
        if isinstance(self.facts, Exception):
            raise self.facts
        with self.open_uow() as uow:
            home = uow.tenants.find_by_domain(tenant) or uow.tenants.find(tenant)
            assert home is not None
            bound = uow.tenants.bindings_of(organisation, on)
            [binding] = [one for one in bound if one.tenant_id == home.tenant_id]
            uow.tenants.confirm_binding(binding.binding_id, identity.actor, self.clock.now(), self.facts)
            uow.commit()

    def buy(self, holder: str, seats: int, **fields: Any) -> None:
        where = {"tenant_id": self.home.tenant_id, "holder_id": holder} | fields
        with self.open_uow() as uow:
            uow.ledger.append([entry(delta=seats, **where)])
            uow.commit()

    def record(self, *records: Record) -> None:
        """Records come in, and whatever waited for them is judged again."""
        with self.open_uow() as uow:
            uow.records.save(records, self.clock.now(), IMPORTER)
            uow.commit()
        self.sweep.authority_arrived()

    def authorise(self) -> None:
        """The contact speaks for the board, the board for its schools, and it has an agreement."""
        self.record(tickets.mandate(record_id="m"), tickets.declaration(SCHOOL, SISTER, record_id="d"))
        self.record(tickets.agreement(record_id="a"))

    def submit(self, identity: Identity = DESK, **fields: Any) -> Ticket:
        [taken] = self.submit_tickets(identity, [tickets.form(**fields)])
        return taken.ticket

    def submit_again(self, form: TicketForm, identity: Identity = DESK) -> Ticket:
        [taken] = self.submit_tickets(identity, [form])
        return taken.ticket

    def approve(self, ticket: Ticket, identity: Identity = APPROVER) -> Ticket:
        return self.approve_ticket(identity, ticket.ticket_id, ticket.digest or "")

    def now(self, ticket: Ticket) -> Ticket:
        with self.open_uow() as uow:
            return uow.tickets.get(ticket.ticket_id)

    def sheet(self, ticket: Ticket, identity: Identity = OPERATOR) -> TicketSheet:
        return self.show.one(identity, ticket.ticket_id)

    def assess(self, ticket: Ticket, identity: Identity = APPROVER) -> Assessment:
        plain: dict[str, Any] = {"open_uow": self.open_uow, "clock": self.clock, "mappings": MAPPINGS}
        assess = Assess(limits=default_limits(), **plain)
        return AssessTicket(works=self.works, assess=assess, **plain)(identity, ticket.ticket_id)

    def answers(self, ticket: Ticket) -> list[str]:
        """Topics in order, without what all of them begin with."""
        with self.open_uow() as uow:
            found = uow.outbox.answers(ticket.ticket_id)
        assert [one.sequence for one in found] == list(range(1, len(found) + 1))
        return [one.topic.removeprefix("ticket_") for one in found]

    def kinds(self, ticket: Ticket) -> list[str]:
        with self.open_uow() as uow:
            return [one.kind for one in uow.audit.list_by() if one.details.get("ticket") == ticket.ticket_id]

    def entitled(self, holder: str, on: date = TODAY) -> int:
        with self.open_uow() as uow:
            return uow.ledger.entitlement(OrganisationId(holder), self.home.tenant_id, sku_of(STAFF), on)

    def operations(self, ticket: Ticket) -> list[Operation]:
        with self.open_uow() as uow:
            return uow.tickets.operations_of(ticket.ticket_id)

    def draw(self, operation: Operation, people: int = 3) -> None:
        """As the planning service does, with a plan that takes an approver."""
        with self.open_uow() as uow:
            present = uow.operations.get(operation.operation_id)
            drawn = msgspec.structs.replace(present, state=OperationState.PLANNING)
            uow.operations.save(drawn)
            uow.commit()
        with self.open_uow() as uow:
            present = uow.operations.get(operation.operation_id)
            store(uow, make.plan(present, make.people(people), guard_breaches=("a remap",), drawn_at=self.clock.now()))
            waiting = msgspec.structs.replace(present, state=OperationState.AWAITING_APPROVAL)
            uow.operations.save(waiting)
            uow.commit()

    def bring(self, operation: Operation, *states: Any, **fields: Any) -> None:
        """Along the operation's own path, as its workers do."""
        for state in states:
            with self.open_uow() as uow:
                present = uow.operations.get(operation.operation_id)
                uow.operations.save(msgspec.structs.replace(present, state=state, **fields))
                uow.commit()

    def later(self, **by: float) -> None:
        self.clock.forward(timedelta(**by))
        self.sweep()


def filled_in(desk: Desk, asked: dict[str, Any], field: str) -> Ticket:
    """The desk asked without this field, and an operator filled it in."""
    given = {name: value for name, value in asked["given"].items() if name != field}
    first = desk.submit(kind=asked["kind"], given=given)
    assert (first.state, first.missing) == (TicketState.INCOMPLETE, (field,))
    form = tickets.form(kind=asked["kind"], reference=first.reference, given={field: asked["given"][field]})
    return desk.submit_tickets.complete(OPERATOR, first.ticket_id, form).ticket
