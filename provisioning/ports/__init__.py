"""What the core needs from the world. Adapters implement these; fakes implement them for the simulation.

Stores belong to a unit of work: everything done through one is committed together or not at all. Reads return
frozen values. `find_*` may return None, `get_*` raises InputError when there is nothing, `list_*` returns a list.
"""

from provisioning.ports.migrations import MigrationStore
from provisioning.ports.outside import (
    CheckpointSink,
    Clock,
    Dispatcher,
    Grant,
    LicenceGateway,
    OrderDesk,
    OrderSource,
    ProbeJournal,
    Prober,
    Quota,
    QuotaGauge,
    TenantReader,
)
from provisioning.ports.oversight import (
    ActorStore,
    AuditArchive,
    AuditLog,
    ConfigurationStore,
    Outbox,
    Purged,
    Retention,
    SealStore,
    StopStore,
    WorkListReader,
)
from provisioning.ports.tickets import AgreementMoveStore, TicketStore
from provisioning.ports.trade import Ledger, OrderStore, OrganisationStore, RecordStore, References, TenantStore
from provisioning.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from provisioning.ports.work import (
    GroupRegister,
    Journal,
    LeaseStore,
    OperationStore,
    PlanRecord,
    PlanStore,
    SeatBook,
    StepUpdate,
    SubjectUpdate,
    WaitingList,
)

__all__ = [
    "ActorStore",
    "AgreementMoveStore",
    "AuditArchive",
    "AuditLog",
    "CheckpointSink",
    "Clock",
    "ConfigurationStore",
    "Dispatcher",
    "Grant",
    "GroupRegister",
    "Journal",
    "LeaseStore",
    "Ledger",
    "LicenceGateway",
    "MigrationStore",
    "OpenUnitOfWork",
    "OperationStore",
    "OrderDesk",
    "OrderSource",
    "OrderStore",
    "OrganisationStore",
    "Outbox",
    "PlanRecord",
    "PlanStore",
    "ProbeJournal",
    "Prober",
    "Purged",
    "Quota",
    "QuotaGauge",
    "RecordStore",
    "References",
    "Retention",
    "SealStore",
    "SeatBook",
    "StepUpdate",
    "StopStore",
    "SubjectUpdate",
    "TenantReader",
    "TenantStore",
    "TicketStore",
    "UnitOfWork",
    "WaitingList",
    "WorkListReader",
]
