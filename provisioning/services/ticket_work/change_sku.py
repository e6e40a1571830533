"""People get another product: one remap for each tenant of the organisations, all approved together (S30)."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import cast

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import OrganisationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import ChangeSku, wish_of
from provisioning.planning.ticket_turn import Standing, progress_of
from provisioning.ports import PlanRecord, UnitOfWork
from provisioning.services.approve_plan import approve_in
from provisioning.services.authors import authors_of
from provisioning.services.cancel_part import cancel_unless_at_work
from provisioning.services.show_plan import awaits_approval
from provisioning.services.ticket_work import Objection, WithoutOperations

BeginRemap = Callable[[UnitOfWork, Ticket, ChangeSku, TenantId, Sequence[OrganisationId], datetime], Operation]
"""The remap of these organisations' people in this tenant, new or as it was begun before for the same ticket."""


@dataclass(frozen=True, kw_only=True)
class ChangeSkuWork(WithoutOperations):
    mappings: Mappings
    begin_remap: BeginRemap

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None:
        """Every product is one that we know, and every organisation uses a tenant that somebody confirmed."""
        wish = _wish(ticket)
        if not {wish.from_sku, wish.to_sku, *wish.along, *wish.along.values()} <= set(self.mappings.skus):
            return Objection(reason=Reason.SKU_UNKNOWN)
        tenants = _tenants(uow, wish, now)
        return Objection(reason=Reason.TENANT_NOT_BOUND) if None in tenants or not tenants else None

    def begin(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[Operation]:
        wish = _wish(ticket)
        return [
            self.begin_remap(uow, ticket, wish, tenant, organisations, now)
            for tenant, organisations in _tenants(uow, wish, now).items()
            if tenant is not None
        ]

    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:
        operations = uow.tickets.operations_of(ticket.ticket_id)
        decidable = _decidable(uow, operations, now)
        progress, reason = progress_of(operations, {operation.operation_id for operation, _ in decidable})
        return Standing(
            progress=progress,
            reason=reason,
            digest=_digest(decidable) if decidable else None,
            counts=_counts(uow, operations),
            is_whole=all(one.state is OperationState.COMPLETED for one in operations),
        )

    def authors(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> list[tuple[str, str]]:
        decidable = _decidable(uow, uow.tickets.operations_of(ticket.ticket_id), now)
        return [author for operation, record in decidable for author in authors_of(uow, operation, record)]

    def approve(self, uow: UnitOfWork, identity: Identity, ticket: Ticket, now: datetime) -> list[Operation]:
        """Every plan by the same checks as if it were approved by itself; one that fails leaves all unapproved."""
        decidable = _decidable(uow, uow.tickets.operations_of(ticket.ticket_id), now)
        if _digest(decidable) != ticket.digest:  # a worker drew another plan meanwhile, which nobody saw
            raise ConflictError(f"What ticket {ticket.key} comes to is not what you saw. Look at it again.")
        return [approve_in(uow, identity, operation, record, now) for operation, record in decidable]

    def close(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> None:
        for operation in uow.tickets.operations_of(ticket.ticket_id):
            cancel_unless_at_work(uow, operation, Reason.TICKET_CLOSED, now)


def _wish(ticket: Ticket) -> ChangeSku:
    return cast("ChangeSku", wish_of(ticket.kind, ticket.given))


def _tenants(uow: UnitOfWork, wish: ChangeSku, now: datetime) -> dict[TenantId | None, list[OrganisationId]]:
    """Who of them uses which tenant; under None whoever uses none yet."""
    day = max(dutch_day(now), wish.starts_on or dutch_day(now))
    tenants: dict[TenantId | None, list[OrganisationId]] = {}
    for organisation in wish.organisations:
        bound = {binding.tenant_id for binding in uow.tenants.bindings_of(organisation, day)}
        used: list[TenantId | None] = [*sorted(bound)] or [None]
        for tenant in used:
            tenants.setdefault(tenant, []).append(organisation)
    return tenants


def _decidable(uow: UnitOfWork, operations: Sequence[Operation], now: datetime) -> list[tuple[Operation, PlanRecord]]:
    records = ((operation, uow.plans.current(operation.operation_id)) for operation in operations)
    return [(operation, record) for operation, record in records if record and awaits_approval(operation, record, now)]


def _digest(decidable: Sequence[tuple[Operation, PlanRecord]]) -> str:
    """Over all envelopes: one that changes makes what was shown another."""
    envelopes = sorted(record.digest for _, record in decidable)
    return sha256(msgspec.json.encode(envelopes)).hexdigest()


def _counts(uow: UnitOfWork, operations: Sequence[Operation]) -> dict[str, str]:
    people: Counter[str] = Counter()
    for operation in operations:
        people.update({state.value: n for state, n in uow.journal.subject_counts(operation.operation_id).items() if n})
    tenants = len({operation.tenant_id for operation in operations})
    return {"tenants": str(tenants), **{state: str(number) for state, number in sorted(people.items())}}
