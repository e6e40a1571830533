"""The long lists, page by page, as far as whoever asks may see them; and the one thing out of each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import NotFoundError
from provisioning.domain.events import Event
from provisioning.domain.ids import ArticleCode, OperationId, OrganisationId, TenantId
from provisioning.domain.lifecycle import LineState, OperationState, SubjectState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.order import OrderLine
from provisioning.domain.reasons import Reason
from provisioning.domain.sight import Sight
from provisioning.domain.tenancy import Organisation
from provisioning.domain.worklist import Notice
from provisioning.ports import Clock, LinePlace, NoticePlace, OpenUnitOfWork, OperationPlace, UnitOfWork
from provisioning.services.lookup import get_tenant, prefix_of, the_only
from provisioning.services.paging import Page, Wanted, page_of
from provisioning.services.sight import sight_of

_LINES = 1000  # of one order: many times what any has


class OperationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An operation in short: nobody's id is in it. `people`: how many are in which state."""

    operation_id: OperationId
    kind: OperationKind
    tenant_id: TenantId
    organisation_id: OrganisationId
    article_code: ArticleCode
    seats_wanted: int
    state: OperationState
    reason: Reason | None
    created_at: datetime
    entered_at: datetime
    due_at: datetime | None
    people: dict[SubjectState, int] | None = None  # in a list nobody is counted


@dataclass(frozen=True, kw_only=True)
class Browse:
    open_uow: OpenUnitOfWork
    clock: Clock

    def orders(
        self,
        identity: Identity,
        wanted: Wanted,
        states: Collection[LineState] = (),
        order_number: str | None = None,
    ) -> Page[OrderLine]:
        """Lines, oldest first."""
        after, limit = wanted.after(LinePlace), wanted.limit + 1
        with self.open_uow() as uow:
            sight = self._sight(uow, identity)
            found = uow.pages.order_lines(sight, states=states, order_number=order_number, after=after, limit=limit)
        return page_of(found, wanted.limit, _place_of_line)

    def order(self, identity: Identity, order_number: str) -> list[OrderLine]:
        """Its lines; raises NotFoundError when there is none that the identity may see."""
        with self.open_uow() as uow:
            found = uow.pages.order_lines(self._sight(uow, identity), order_number=order_number.strip(), limit=_LINES)
        if not found:
            raise NotFoundError(f"There is no order {order_number}.")
        return found

    def operations(
        self,
        identity: Identity,
        wanted: Wanted,
        states: Collection[OperationState] = (),
        tenant: str | None = None,
    ) -> Page[OperationSummary]:
        """In short, oldest first. `tenant` is for people of ours: others would learn which tenants there are."""
        after, limit = wanted.after(OperationPlace), wanted.limit + 1
        with self.open_uow() as uow:
            sight = self._sight(uow, identity)
            home = get_tenant(uow, tenant).tenant_id if tenant and identity.is_person else None
            found = uow.pages.operations(sight, states=states, tenant=home, after=after, limit=limit)
        page = page_of(found, wanted.limit, lambda one: OperationPlace(one.created_at, one.operation_id))
        return Page(items=list(map(summary_of, page.items)), next=page.next)

    def operation(self, identity: Identity, named: str) -> OperationSummary:
        """Raises NotFoundError when there is none that the identity may see."""
        with self.open_uow() as uow:
            found = uow.pages.operation_ids(self._sight(uow, identity), prefix_of(named, "operation"))
            operation = uow.operations.get(the_only(found, named, "operation"))
            people = uow.journal.subject_counts(operation.operation_id)
        return msgspec.structs.replace(summary_of(operation), people=people)

    def organisations(self, wanted: Wanted, kind: str | None = None) -> Page[Organisation]:
        """By code."""
        after = wanted.after(OrganisationId)
        with self.open_uow() as uow:
            found = uow.pages.organisations(kind, after=after, limit=wanted.limit + 1)
        return page_of(found, wanted.limit, lambda one: one.organisation_id)

    def notices(self, identity: Identity, wanted: Wanted, organisation: str | None = None) -> Page[Notice]:
        """The latest day first; of one organisation if it is named."""
        after = wanted.after(NoticePlace)
        with self.open_uow() as uow:
            sight = _narrowed(self._sight(uow, identity), organisation)
            found = uow.pages.notices(sight, after=after, limit=wanted.limit + 1)
        return page_of(found, wanted.limit, lambda one: NoticePlace(one.day, one.organisation_id, one.topic))

    def events(
        self, identity: Identity, wanted: Wanted, operation: str | None = None, organisation: str | None = None
    ) -> Page[Event]:
        """The latest first. Raises NotFoundError for an operation that the identity may not see."""
        after, limit = wanted.after(int), wanted.limit + 1
        with self.open_uow() as uow:
            whole = self._sight(uow, identity)
            found = uow.pages.operation_ids(whole, prefix_of(operation, "operation")) if operation else []
            one = the_only(found, operation, "operation") if operation else None
            numbered = uow.pages.events(_narrowed(whole, organisation), operation=one, after=after, limit=limit)
        page = page_of(numbered, wanted.limit, lambda each: each.number)
        return Page(items=[each.event for each in page.items], next=page.next)

    def _sight(self, uow: UnitOfWork, identity: Identity) -> Sight:
        return sight_of(uow, identity, dutch_day(self.clock.now()))


def _narrowed(sight: Sight, organisation: str | None) -> Sight:
    """To one organisation, if that is seen at all."""
    if organisation is None or sight.brought_in_by is not None:
        return sight
    only = frozenset({OrganisationId(organisation.strip())})
    return Sight(organisations=only if sight.organisations is None else only & sight.organisations)


def _place_of_line(line: OrderLine) -> LinePlace:
    return LinePlace(line.received_at, line.shop.key.source, line.shop.key.order_number, line.shop.key.line_number)


def summary_of(operation: Operation) -> OperationSummary:
    return OperationSummary(
        operation_id=operation.operation_id,
        kind=operation.kind,
        tenant_id=operation.tenant_id,
        organisation_id=operation.wish.holder_id,
        article_code=operation.wish.article_code,
        seats_wanted=operation.wish.seats_wanted,
        state=operation.state,
        reason=operation.reason,
        created_at=operation.created_at,
        entered_at=operation.entered_at,
        due_at=operation.due_at,
    )
