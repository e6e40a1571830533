"""What the core needs from the world. Adapters implement these; fakes implement them for the simulation.

Stores belong to a unit of work: everything done through one is committed together or not at all. Reads return
frozen values. `find_*` may return None, `get_*` raises InputError when there is nothing, `list_*` returns a list.
"""

from provisioning.ports.answers import AnswerStore, KeptAnswer
from provisioning.ports.campaigns import CampaignStore
from provisioning.ports.migrations import MigrationStore, Missing
from provisioning.ports.outside import (
    Allowance,
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
    RateLimit,
    TenantReader,
)
from provisioning.ports.oversight import (
    ActorStore,
    AuditArchive,
    AuditLog,
    ConfigurationStore,
    ImpactReader,
    Outbox,
    Purged,
    Retention,
    SealStore,
    StopStore,
    WorkListReader,
)
from provisioning.ports.pages import LinePlace, NoticePlace, Numbered, OperationPlace, Pages, TicketPlace
from provisioning.ports.tickets import AgreementMoveStore, RebindLookStore, TicketStore
from provisioning.ports.trade import Ledger, OrderStore, OrganisationStore, RecordStore, References, TenantStore
from provisioning.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from provisioning.ports.webhooks import MessageSender, WebhookStore
from provisioning.ports.work import (
    GroupRegister,
    Journal,
    LeaseStore,
    OperationStore,
    PlannedPerson,
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
    "Allowance",
    "AnswerStore",
    "AuditArchive",
    "AuditLog",
    "CampaignStore",
    "CheckpointSink",
    "Clock",
    "ConfigurationStore",
    "Dispatcher",
    "Grant",
    "GroupRegister",
    "ImpactReader",
    "Journal",
    "KeptAnswer",
    "LeaseStore",
    "Ledger",
    "LicenceGateway",
    "LinePlace",
    "MessageSender",
    "MigrationStore",
    "Missing",
    "NoticePlace",
    "Numbered",
    "OpenUnitOfWork",
    "OperationPlace",
    "OperationStore",
    "OrderDesk",
    "OrderSource",
    "OrderStore",
    "OrganisationStore",
    "Outbox",
    "Pages",
    "PlanRecord",
    "PlanStore",
    "PlannedPerson",
    "ProbeJournal",
    "Prober",
    "Purged",
    "Quota",
    "QuotaGauge",
    "RateLimit",
    "RebindLookStore",
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
    "TicketPlace",
    "TicketStore",
    "UnitOfWork",
    "WaitingList",
    "WebhookStore",
    "WorkListReader",
]
