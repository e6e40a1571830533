"""One transaction, and the stores that work in it."""

from functools import cached_property
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from provisioning import ports
from provisioning.database.actors import SqlActors
from provisioning.database.agreement_moves import SqlAgreementMoves
from provisioning.database.answers import SqlAnswers
from provisioning.database.audit_log import SqlAuditLog
from provisioning.database.campaigns import SqlCampaigns
from provisioning.database.configuration import SqlConfiguration
from provisioning.database.groups import SqlGroups
from provisioning.database.impact import SqlImpact
from provisioning.database.journal import SqlJournal
from provisioning.database.leases import SqlLeases
from provisioning.database.ledger import SqlLedger
from provisioning.database.operations import SqlOperations
from provisioning.database.orders import SqlOrders
from provisioning.database.organisations import SqlOrganisations
from provisioning.database.outbox import SqlOutbox
from provisioning.database.pages import SqlPages
from provisioning.database.plans import SqlPlans
from provisioning.database.rebind_looks import SqlRebindLooks
from provisioning.database.records import SqlRecords
from provisioning.database.references import SqlReferences
from provisioning.database.retention import SqlRetention
from provisioning.database.seals import SqlSeals
from provisioning.database.seats import SqlSeats
from provisioning.database.stops import SqlStops
from provisioning.database.tenant_migrations import SqlMigrations
from provisioning.database.tenants import SqlTenants
from provisioning.database.tickets import SqlTickets
from provisioning.database.webhooks import SqlWebhooks
from provisioning.database.worklist import SqlWorkList
from provisioning.domain.errors import UnavailableError


class SqlUnitOfWork:
    """Opened by `with`; used outside of it, it raises. The stores appear when they are first asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        try:
            self._connection = self._engine.connect()
        except PoolTimeoutError as error:
            raise UnavailableError("All connections to the database are in use; try again.") from error
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def commit(self) -> None:
        self._connection.commit()

    @cached_property
    def organisations(self) -> ports.OrganisationStore:
        return SqlOrganisations(self._connection)

    @cached_property
    def tenants(self) -> ports.TenantStore:
        return SqlTenants(self._connection)

    @cached_property
    def orders(self) -> ports.OrderStore:
        return SqlOrders(self._connection)

    @cached_property
    def ledger(self) -> ports.Ledger:
        return SqlLedger(self._connection)

    @cached_property
    def records(self) -> ports.RecordStore:
        return SqlRecords(self._connection)

    @cached_property
    def operations(self) -> ports.OperationStore:
        return SqlOperations(self._connection)

    @cached_property
    def migrations(self) -> ports.MigrationStore:
        return SqlMigrations(self._connection)

    @cached_property
    def tickets(self) -> ports.TicketStore:
        return SqlTickets(self._connection)

    @cached_property
    def campaigns(self) -> ports.CampaignStore:
        return SqlCampaigns(self._connection)

    @cached_property
    def agreement_moves(self) -> ports.AgreementMoveStore:
        return SqlAgreementMoves(self._connection)

    @cached_property
    def rebind_looks(self) -> ports.RebindLookStore:
        return SqlRebindLooks(self._connection)

    @cached_property
    def plans(self) -> ports.PlanStore:
        return SqlPlans(self._connection)

    @cached_property
    def journal(self) -> ports.Journal:
        return SqlJournal(self._connection)

    @cached_property
    def seats(self) -> ports.SeatBook:
        return SqlSeats(self._connection)

    @cached_property
    def groups(self) -> ports.GroupRegister:
        return SqlGroups(self._connection)

    @cached_property
    def leases(self) -> ports.LeaseStore:
        return SqlLeases(self._connection)

    @cached_property
    def stops(self) -> ports.StopStore:
        return SqlStops(self._connection)

    @cached_property
    def configuration(self) -> ports.ConfigurationStore:
        return SqlConfiguration(self._connection)

    @cached_property
    def impact(self) -> ports.ImpactReader:
        return SqlImpact(self._connection)

    @cached_property
    def actors(self) -> ports.ActorStore:
        return SqlActors(self._connection)

    @cached_property
    def audit(self) -> ports.AuditLog:
        return SqlAuditLog(self._connection)

    @cached_property
    def seals(self) -> ports.SealStore:
        return SqlSeals(self._connection)

    @cached_property
    def references(self) -> ports.References:
        return SqlReferences(self._connection)

    @cached_property
    def retention(self) -> ports.Retention:
        return SqlRetention(self._connection)

    @cached_property
    def outbox(self) -> ports.Outbox:
        return SqlOutbox(self._connection)

    @cached_property
    def webhooks(self) -> ports.WebhookStore:
        return SqlWebhooks(self._connection)

    @cached_property
    def worklist(self) -> ports.WorkListReader:
        return SqlWorkList(self._connection)

    @cached_property
    def pages(self) -> ports.Pages:
        return SqlPages(self._connection)

    @cached_property
    def answers(self) -> ports.AnswerStore:
        return SqlAnswers(self._connection)
