"""What the plans of some operations would do, put together for one reader: an operator, or the board concerned."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from provisioning.domain.actors import CLIENT_ROLES, Identity, Role
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.ids import OrganisationId, SubjectId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, may
from provisioning.planning.assessing import article_for, draw_assessment
from provisioning.planning.assessment import Assessment, DrawnPlan, Known, Reader
from provisioning.planning.assessment_facts import REASSIGNMENT_DAYS, Fact, FactKind
from provisioning.planning.quota import Sizes
from provisioning.ports import Clock, OpenUnitOfWork, PlannedPerson, PlanRecord, UnitOfWork
from provisioning.services.boards import is_under
from provisioning.services.lookup import get_operation

_DONE = frozenset({OperationState.COMPLETED, OperationState.PARTIALLY_COMPLETED})


@dataclass(frozen=True, kw_only=True)
class Assess:
    """In one read transaction; nothing is asked of Microsoft: a plan says what it saw."""

    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings
    limits: Limits

    def __call__(self, identity: Identity, named: Sequence[str], facts: Sequence[Fact] = ()) -> Assessment:
        """Of these operations' current plans, and of `facts` that no plan knows.

        A board gets what concerns its own organisations, in counts alone. Raises InputError for an operation that does
        not exist or that a board has no part in; it is told the same.
        """
        with self.open_uow() as uow:
            return self.within(uow, identity, named, facts)

    def within(
        self, uow: UnitOfWork, identity: Identity, named: Sequence[str], facts: Sequence[Fact] = ()
    ) -> Assessment:
        """The same in a transaction that is open: whoever approves by its digest approves what is there now."""
        now = self.clock.now()
        today = dutch_day(now)
        operations = list({one.operation_id: one for one in (get_operation(uow, each) for each in named)}.values())
        own = _own(uow, identity, operations, today)
        _refuse_strangers(operations, own, named)
        gathered = [_Gathered(uow, operation, today) for operation in operations]
        drawn = [one.plan for one in gathered if one.plan is not None]
        known = Known(
            mappings=self.mappings,
            sizes=Sizes.of(self.limits),
            schools=_names_of(uow, {who.organisation_id for plan in drawn for who in plan.people}),
            shared=_shared(uow, operations, own, today),
            facts=(*facts, *_unseen(gathered), *self._stuck(uow, gathered, own, today)),
            now=now,
        )
        reader = Reader(own=own, board=_board(uow, identity), names=_names_for(identity, gathered))
        return draw_assessment(drawn, known, reader)

    def _stuck(
        self,
        uow: UnitOfWork,
        gathered: Collection["_Gathered"],
        own: frozenset[OrganisationId] | None,
        today: date,
    ) -> Iterator[Fact]:
        """What was held before there was a plan: why, and what to order where nobody bought the new product."""
        for one in gathered:
            wish, reason = one.operation.wish, one.operation.reason
            if not one.is_stuck:
                continue
            if reason is not Reason.REMAP_NOT_ORDERED:
                yield Fact(kind=FactKind.HELD_UP, reason=reason)
                continue
            old = wish.remap.from_sku if wish.remap else wish.sku_id
            article = article_for(wish.sku_id, self.mappings, self.clock.now(), has_base=False)
            known = self.mappings.skus.get(wish.sku_id)
            is_theirs = own is None or wish.holder_id in own
            bought = uow.ledger.entitlement(wish.holder_id, one.operation.tenant_id, old, today) if is_theirs else 0
            yield Fact(
                kind=FactKind.NOT_ORDERED,
                people=bought,
                names=(known.name if known else wish.sku_id,),
                instead=(article.code,) if article else (),
            )


class _Gathered:
    """One operation with its plan, if there is one, and the pseudonyms of everybody in it."""

    def __init__(self, uow: UnitOfWork, operation: Operation, today: date) -> None:
        tenant, record = uow.tenants.find(operation.tenant_id), uow.plans.current(operation.operation_id)
        self.domain = tenant.initial_domain if tenant else operation.tenant_id
        self.operation = operation
        self.has_ended = operation.state in OPERATION_ENDS
        self.is_stuck = record is None and operation.state is OperationState.HELD
        self.people: list[PlannedPerson] = uow.plans.people(record.plan_id) if record else []
        self.plan = self._drawn(uow, operation, record, today) if record else None

    def _drawn(self, uow: UnitOfWork, operation: Operation, record: PlanRecord, today: date) -> DrawnPlan:
        return DrawnPlan(
            operation=operation,
            domain=self.domain,
            digest=record.digest,
            drawn_at=record.drawn_at,
            observed_at=record.observed_at,
            people=self.people,
            steps=uow.plans.steps(record.plan_id),
            seats=record.seats,
            breaches=record.guard_breaches,
            has_base=_has_base(uow, operation, today),
            given_on=_given_on(uow, operation, today),
        )


def _unseen(gathered: Collection[_Gathered]) -> Iterator[Fact]:
    """Tenants of operations that have no plan yet; one that ended without never will."""
    if names := sorted({one.domain for one in gathered if one.plan is None and not (one.has_ended or one.is_stuck)}):
        yield Fact(kind=FactKind.LOOK_INCOMPLETE, names=tuple(names))


def _has_base(uow: UnitOfWork, operation: Operation, today: date) -> bool:
    wish = operation.wish
    return uow.ledger.entitlement(wish.holder_id, operation.tenant_id, wish.sku_id, today) > 0


def _given_on(uow: UnitOfWork, operation: Operation, today: date) -> date | None:
    """When these organisations were last given a product that this operation takes away, lately."""
    wish = operation.wish
    goes = {wish.remap.from_sku} if wish.remap else wish.replaces
    since = today - timedelta(days=REASSIGNMENT_DAYS)
    done = uow.operations.list_by(states=_DONE, tenant=operation.tenant_id)
    days = [
        dutch_day(one.entered_at)
        for one in done
        if one.wish.sku_id in goes and not set(one.wish.organisations).isdisjoint(wish.organisations)
    ]
    return max((day for day in days if day > since), default=None)


# ── who reads ────────────────────────────────────────────────────────────────────────────────────────────


def _own(
    uow: UnitOfWork, identity: Identity, operations: Collection[Operation], today: date
) -> frozenset[OrganisationId] | None:
    """Of a board's reader: which organisations of these operations are its own. None: all may be seen."""
    if Role.BOARD not in identity.roles:
        return None
    if identity.board_id is None:
        return frozenset()
    concerned = {one for operation in operations for one in _organisations(operation)}
    return frozenset(one for one in concerned if is_under(uow, one, identity.board_id, today))


def _organisations(operation: Operation) -> Iterator[OrganisationId]:
    yield operation.wish.holder_id
    yield from operation.wish.organisations


def _refuse_strangers(
    operations: Sequence[Operation], own: frozenset[OrganisationId] | None, named: Sequence[str]
) -> None:
    """A board is not told that another's operation exists."""
    if own is None:
        return
    for operation in operations:
        if own.isdisjoint(_organisations(operation)):
            asked = next((one for one in named if operation.operation_id.startswith(one.strip().lower())), named[0])
            raise InputError(f"There is no operation {asked}.")


def _shared(
    uow: UnitOfWork, operations: Collection[Operation], own: frozenset[OrganisationId] | None, today: date
) -> frozenset[TenantId]:
    """Tenants that are not the reader's board's alone: their seats tell of others."""
    if own is None:
        return frozenset()
    bound = {one.tenant_id: uow.tenants.bindings_in(one.tenant_id, today) for one in operations}
    return frozenset(tenant for tenant, some in bound.items() if not {x.organisation_id for x in some} <= own)


def _board(uow: UnitOfWork, identity: Identity) -> str | None:
    if Role.BOARD not in identity.roles or identity.board_id is None:
        return None
    board = uow.organisations.find(identity.board_id)
    return board.name if board else identity.board_id


def _names_for(identity: Identity, gathered: Collection[_Gathered]) -> dict[SubjectId, str]:
    """Ids for operators, pseudonyms for other people of ours, nothing for clients."""
    if identity.roles & CLIENT_ROLES:
        return {}
    with_ids = may(identity, Action.SEE_PEOPLE)
    return {one.subject_id: one.subject_id if with_ids else one.pseudonym for each in gathered for one in each.people}


def _names_of(uow: UnitOfWork, organisations: Collection[OrganisationId | None]) -> dict[OrganisationId, str]:
    found = (uow.organisations.find(one) for one in organisations if one is not None)
    return {one.organisation_id: one.name for one in found if one is not None}
