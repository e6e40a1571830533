"""The same credential error in several tenants at once is ours, not theirs: everything stops, once, and we are told."""

from datetime import datetime

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OrganisationId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Intent, Stop, Topic
from provisioning.ports import UnitOfWork
from provisioning.services.stop_writes import EVERYTHING, find_stop

OURSELVES = OrganisationId("ourselves")  # whom a notice is for when no customer is to hear of it


def note_credential_failure(uow: UnitOfWork, tenant: TenantId, reason: Reason, now: datetime, limits: Limits) -> bool:
    """Remember the failure; whether it makes, or belongs to, an incident of the application.

    The caller commits, and changes no tenant's state when the answer is yes. Once a person has resumed everything, only
    what fails from then on calls for another stop: one tenant more is its own trouble, as many as before are ours.
    """
    failed = uow.stops.note_credential_failure(tenant, reason, now, now - limits.incident_window)
    if failed.unanswered >= limits.incident_tenants and find_stop(uow, EVERYTHING) is None:
        _declare(uow, reason, failed.unanswered, now)
    return failed.tenants >= limits.incident_tenants


def _declare(uow: UnitOfWork, reason: Reason, tenants: int, now: datetime) -> None:
    uow.stops.add(Stop(scope=EVERYTHING, reason=Reason.APPLICATION_INCIDENT, stopped_by=SYSTEM, stopped_at=now))
    uow.outbox.add([Intent(topic=Topic.APPLICATION_INCIDENT, organisation_id=OURSELVES, reference=reason, at=now)])
    event = Event(
        at=now,
        actor=SYSTEM,
        kind="incident.declared",
        after=EVERYTHING,
        reason=Reason.APPLICATION_INCIDENT,
        details={"error": reason, "tenants": str(tenants)},
    )
    uow.audit.record([event])
