"""Two boards with something in every table that a route reads, and the strings by which one would be recognised."""

from dataclasses import dataclass
from datetime import timedelta

from provisioning.bootstrap import Services
from provisioning.domain.actors import Identity, Role
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, LineKey, OrganisationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.records import Membership
from provisioning.domain.tenancy import OrganisationKind, Tenant
from provisioning.domain.ticket import Ticket, TicketKind
from provisioning.domain.worklist import Intent, Stop, Topic
from provisioning.planning.campaign_readiness import Readiness
from provisioning.ports import UnitOfWork
from provisioning.services.authenticate import token_digest
from tests.factories import NOW, tenancy
from tests.factories import campaigns as make_campaigns
from tests.factories import migrations as make_migrations
from tests.factories import operations as make
from tests.factories import orders as make_orders
from tests.factories import tickets as make_tickets

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Settled:
    """One board: its codes, its tenant, and one of each thing it has. `mark` is in every text of it."""

    mark: str
    board: str
    school: str
    tenant: str
    operation: str
    order: str
    migration: str
    ticket: str
    reference: str
    campaign: str
    digest: str
    token: str

    @property
    def client(self) -> str:
        return f"client:board-{self.mark}"

    @property
    def strings(self) -> set[str]:
        return {
            self.mark,
            self.board,
            self.school,
            self.tenant,
            self.operation,
            self.order,
            self.migration,
            self.ticket,
            self.reference,
            self.campaign,
        }


def names_of(settled: Settled) -> dict[str, str]:
    """What a parameter of each name would hold to mean something of this board, in a path or on the command line."""
    return {
        "order": settled.order,
        "order_number": settled.order,
        "operation": settled.operation,
        "organisation": settled.school,
        "board": settled.board,
        "tenant": settled.tenant,
        "migration": settled.migration,
        "ticket": settled.ticket,
        "reference": settled.reference,
        "campaign": settled.campaign,
        "actor": settled.client,
        "digest": settled.digest,
        "wave": "1",
        "endpoint": "an-endpoint",
        "sender": "a-sender",
    }


def settle(services: Services, mark: str, board: str, school: str) -> Settled:
    """Everything that a board can have."""
    tenant = tenancy.tenant(initial_domain=f"{mark}.onmicrosoft.example", verified_domains=(f"{mark}.example",))
    other = tenancy.tenant(initial_domain=f"old-{mark}.onmicrosoft.example", verified_domains=(f"old-{mark}.example",))
    key = LineKey(f"shop-{mark}", f"order-{mark}", "1")
    wish = make.wish(holder_id=OrganisationId(board), organisations=(OrganisationId(school),), line=key)
    operation = make.operation(
        tenant.tenant_id, wish=wish, state=OperationState.AWAITING_APPROVAL, requested_by=Actor(f"client:{mark}")
    )
    policy = tenancy.policy(tenant.tenant_id, asked_by=f"letter {mark}", approved_by=None)
    migration = make_migrations.migration(other.tenant_id, tenant.tenant_id, asked={"name": f"merger {mark}"})
    ticket = _asked(mark, board, school, tenant, other)
    campaign = make_campaigns.campaign(definition=make_campaigns.definition(name=f"sector {mark}"))
    place = {"holder_id": OrganisationId(board), "board_id": OrganisationId(board), "told": mark}
    settled = Settled(
        mark=mark,
        board=board,
        school=school,
        tenant=tenant.tenant_id,
        operation=operation.operation_id,
        order=key.order_number,
        migration=migration.migration_id,
        ticket=ticket.ticket_id,
        reference=ticket.reference,
        campaign=campaign.campaign_id,
        digest=policy.digest,
        token=f"token-of-board-{mark}",
    )
    with services.open_uow() as uow:
        _known(uow, settled)
        uow.tenants.save(tenant)
        uow.tenants.save(other)
        uow.tenants.add_binding(tenancy.binding(school, tenant.tenant_id))
        uow.tenants.add_policy(policy)
        uow.orders.receive(
            make_orders.shop_line(key=key, organisation_code=school, subjects=(f"somebody@{mark}.example",)), NOW
        )
        uow.ledger.append([make_orders.ledger_entry(school, tenant.tenant_id)])
        uow.operations.add(operation)
        _planned(uow, operation)
        uow.migrations.add(migration, make_migrations.waves(migration), make_migrations.travellers(migration, 1))
        _brought_in(uow, ticket, mark)
        member = make_campaigns.member(campaign, tenant.tenant_id, **place)
        uow.campaigns.add(campaign, [member])
        uow.campaigns.note_readiness(campaign.campaign_id, {member.key: Readiness(checked_at=NOW)})
        _happened(uow, settled)
        uow.pages.note_brought_in([key], Actor(f"client:shop-{mark}"))
        _let_in(services, uow, settled)
        uow.commit()
    return settled


def _known(uow: UnitOfWork, settled: Settled) -> None:
    board, school, mark = settled.board, settled.school, settled.mark
    uow.organisations.save(
        [
            tenancy.organisation(organisation_id=board, name=f"Board {mark}"),
            tenancy.organisation(organisation_id=school, name=f"School {mark}", kind=OrganisationKind.SCHOOL),
        ]
    )
    uow.organisations.add_relations([tenancy.relation(board, school)])
    member = Membership(record_id=f"m-{mark}", organisation_id=OrganisationId(board), status="active")
    uow.records.save([member], NOW)


def _brought_in(uow: UnitOfWork, ticket: Ticket, mark: str) -> None:
    uow.tickets.add(ticket)
    uow.tickets.keep_text(ticket.ticket_id, f"secret of {mark}", NOW)
    uow.outbox.add([_answer(ticket, mark)])


def _happened(uow: UnitOfWork, settled: Settled) -> None:
    """What was written down, told and stopped."""
    mark, board = settled.mark, OrganisationId(settled.board)
    uow.audit.record([_event(settled, kind) for kind in ("order.accepted", "operation.held")])
    uow.outbox.add([Intent(topic=Topic.ORDER_COMPLETED, organisation_id=board, reference=f"{mark}/1", at=NOW)])
    uow.outbox.relay(NOW + A_DAY, timedelta(0), 1000, A_DAY)
    scope = f"tenant:{settled.tenant}"
    uow.stops.add(Stop(scope=scope, reason=f"odd {mark}", stopped_by="person:duty", stopped_at=NOW))


def _asked(mark: str, board: str, school: str, tenant: Tenant, other: Tenant) -> Ticket:
    """By a desk, about a school that comes to the board."""
    wish = {
        "school": school,
        "to_board": board,
        "from_tenant": other.initial_domain,
        "to_tenant": tenant.initial_domain,
        "people": f'{{"domain": "old-{mark}.example"}}',
        "products": {make.A3: make.A3},
    }
    return make_tickets.ticket(
        kind=TicketKind.MOVE_SCHOOL,
        source=f"desk-{mark}",
        reference=f"asked-{mark}",
        organisation_id=OrganisationId(board),
        requested_by=Actor(f"client:desk-{mark}"),
        authors=(Actor(f"client:desk-{mark}"), Actor("person:duty")),
        requester=f"contact-{mark}",
        given=wish,
        answers=1,
    )


def _answer(ticket: Ticket, mark: str) -> Intent:
    return Intent(
        topic=Topic.TICKET_RECEIVED,
        organisation_id=ticket.organisation_id,
        reference=ticket.reference,
        at=NOW,
        ticket_id=ticket.ticket_id,
        sequence=1,
        details={"nl": f"We hebben {mark} ontvangen."},
    )


def _planned(uow: UnitOfWork, operation: Operation) -> None:
    plan = make.plan(operation, make.people(2), guard_breaches=("too many",))
    people = [subject.subject_id for subject in plan.subjects]
    uow.plans.add(plan, uow.audit.pseudonyms(plan.tenant_id, people), sku=make.A3, valid_until=NOW + A_DAY)


def _event(settled: Settled, kind: str) -> Event:
    return Event(
        at=NOW,
        actor=Actor(f"client:{settled.mark}"),
        kind=kind,
        organisation=OrganisationId(settled.school),
        tenant=settled.tenant,
        operation=settled.operation,
        details={"line": settled.order},
    )


def _let_in(services: Services, uow: UnitOfWork, settled: Settled) -> None:
    wall = services.clock.wall()
    identity = Identity(
        actor=Actor(settled.client),
        roles=frozenset({Role.BOARD}),
        board_id=OrganisationId(settled.board),
        expires_at=wall + A_DAY,
    )
    uow.actors.add(identity, token_digest(settled.token), wall)


def token_for(services: Services, actor: str, *roles: Role, board: str | None = None) -> str:
    """The token of a new actor; the name of the actor is in it, so that tests read well."""
    token, wall = f"token-of-{actor}", services.clock.wall()
    identity = Identity(
        actor=Actor(actor),
        roles=frozenset(roles),
        board_id=OrganisationId(board) if board else None,
        expires_at=wall + A_DAY,
    )
    with services.open_uow() as uow:
        uow.actors.add(identity, token_digest(token), wall)
        uow.commit()
    return token
