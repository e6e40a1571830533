"""Seats that were ordered for one tenant and seem to have been activated in another (S32).

Two customers of ours may be meant: the one is told nothing of the other. What is found is an alarm for operators and a
ticket that one of them may complete; nothing is written to a tenant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from provisioning.domain.agreement_move import WITHHELD, AgreementMove, Look
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import GraphError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, TenantId, TicketId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Seats
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.records import RecordKind, VolumeLicence
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.domain.ticket_wishes import missing_in
from provisioning.domain.worklist import Intent, Topic
from provisioning.planning.agreement_watch import seats_of
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.agreement.parties import holders_of
from provisioning.services.agreement.search import readable_tenants
from provisioning.services.application_incident import OURSELVES

SOURCE = "system"
_ALL = 100_000


@dataclass(frozen=True, kw_only=True)
class FindStrays:
    """A round, now and then: returns how many tickets it prepared."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits

    def __call__(self) -> int:
        now = self.clock.now()
        with self.open_uow() as uow:
            waiting = uow.operations.list_by({OperationState.AWAITING_SEATS}, limit=_ALL)
            late = [one for one in waiting if self._is_late(one, now) and not _is_prepared(uow, one)]
            tenants = readable_tenants(uow) if late else []
        seen = dict(self._seen(tenants)) if late else {}
        return sum(self._prepare(one, seen, now) for one in late)

    def _is_late(self, operation: Operation, now: datetime) -> bool:
        is_delivery = operation.kind is OperationKind.DELIVER and operation.wish.seats_wanted > 0
        return is_delivery and now - operation.entered_at > self.limits.seats_notice

    def _seen(self, tenants: Sequence[TenantId]) -> Iterator[tuple[TenantId, Seats]]:
        for tenant in tenants:
            try:
                yield tenant, self.gateway.observe_seats(tenant)
            except GraphError:
                continue  # its trouble shows on its own work; the next round looks again

    def _prepare(self, operation: Operation, seen: dict[TenantId, Seats], now: datetime) -> bool:
        home = seen.get(operation.tenant_id)
        if home is None or self._is_here_after_all(operation, home):
            return False
        with self.open_uow() as uow:
            strange = [one for one in seen if one != operation.tenant_id and self._has_them(uow, operation, seen[one])]
            if len(strange) != 1:  # in several it says nothing: a person finds out
                return False
            ticket = _ticket(uow, operation, now)
            if not uow.tickets.add(ticket):
                return False
            uow.agreement_moves.save(ticket.ticket_id, _found(strange[0], seen, operation, now), now)
            uow.audit.record([_event(ticket, operation, now)])
            uow.outbox.add([_alarm(ticket, now)])
            uow.commit()
        return True

    def _is_here_after_all(self, operation: Operation, home: Seats) -> bool:
        before = operation.wish.seats_before or 0
        return home.enabled(operation.wish.sku_id) - before >= operation.wish.seats_wanted

    def _has_them(self, uow: UnitOfWork, operation: Operation, seats: Seats) -> bool:
        """As many more as were ordered, to the seat, that nobody there bought and that were not there before."""
        sku, wanted, tenant = operation.wish.sku_id, operation.wish.seats_wanted, seats.tenant_id
        bought = uow.ledger.tenant_total(tenant, sku, dutch_day(self.clock.now()))
        before = uow.seats.unexplained_before(tenant, sku, operation.created_at) or 0
        purchases = [one for one in seats.subscriptions if one.sku_id == sku and one.total == wanted]
        return bool(seats_of(purchases, sku)) and seats_of(seats.subscriptions, sku) - bought - before >= wanted


def _reference(operation: Operation) -> str:
    return f"stray-{operation.operation_id}"


def _is_prepared(uow: UnitOfWork, operation: Operation) -> bool:
    return uow.tickets.find_by_reference(SOURCE, _reference(operation)) is not None


def _ticket(uow: UnitOfWork, operation: Operation, now: datetime) -> Ticket:
    """Whoever sees it learns that the seats are elsewhere, and not where: that is kept apart, for operators."""
    given = _given(uow, operation)
    return Ticket(
        ticket_id=TicketId(str(uuid5(NAMESPACE_URL, f"{SOURCE}/{_reference(operation)}"))),
        source=SOURCE,
        reference=_reference(operation),
        kind=TicketKind.REMAP_AGREEMENT,
        organisation_id=operation.wish.holder_id,
        requested_by=SYSTEM,
        authors=(SYSTEM,),
        given=given,
        missing=missing_in(TicketKind.REMAP_AGREEMENT, given, None),
        state=TicketState.INCOMPLETE,
        reason=Reason.SEATS_IN_WRONG_TENANT,
        created_at=now,
        entered_at=now,
    )


def _given(uow: UnitOfWork, operation: Operation) -> dict[str, object]:
    """The customer number and its License IDs, if the records leave no doubt; else an operator fills them in."""
    given: dict[str, object] = {"from_tenant": WITHHELD, "to_tenant": operation.tenant_id}
    known = [one for one in uow.records.list_by(RecordKind.VOLUME_LICENCE) if isinstance(one, VolumeLicence)]
    theirs = [one for one in known if operation.wish.holder_id in holders_of(uow, [one])]
    numbers = {one.public_customer_number for one in theirs}
    if len(numbers) == 1:
        number = numbers.pop()
        licences = sorted(one.record_id for one in known if one.public_customer_number == number)
        given |= {"public_customer_number": number, "licence_ids": licences}
    return given


def _found(strange: TenantId, seen: dict[TenantId, Seats], operation: Operation, now: datetime) -> AgreementMove:
    target = operation.tenant_id
    look = Look(at=now, source=seen[strange].subscriptions, target=seen[target].subscriptions)
    return AgreementMove(
        source=strange,
        target=target,
        before=look,
        latest=look,
        next_look_at=now,
        alarms=(Reason.SEATS_IN_WRONG_TENANT,),
        is_withheld=True,
    )


def _event(ticket: Ticket, operation: Operation, now: datetime) -> Event:
    return Event(
        at=now,
        actor=SYSTEM,
        kind="ticket.prepared",
        organisation=ticket.organisation_id,
        operation=operation.operation_id,
        after=ticket.state,
        reason=ticket.reason,
        details={"ticket": ticket.ticket_id, "kind": ticket.kind.value},
    )


def _alarm(ticket: Ticket, now: datetime) -> Intent:
    """To ourselves: which customer should hear what is a person's decision."""
    details = {"reason": Reason.SEATS_IN_WRONG_TENANT.value}
    return Intent(topic=Topic.AGREEMENT_ALARM, organisation_id=OURSELVES, reference=ticket.key, at=now, details=details)
