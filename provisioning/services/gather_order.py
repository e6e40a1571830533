"""Everything that judging one line takes, read in the caller's transaction."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeVar

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import LineKey, OrganisationId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.order import LedgerEntry, OrderLine, ShopLine
from provisioning.domain.records import (
    Agreement,
    AnnualCount,
    Declaration,
    Mandate,
    Membership,
    Participant,
    RecordKind,
    SupplierDecision,
    VolumeLicence,
)
from provisioning.domain.tenancy import Organisation, OrganisationKind, Relation, RelationKind, Tenant
from provisioning.planning.fan_out import domain_of
from provisioning.planning.order_context import OrderContext, OrderRecords, TradeTerms
from provisioning.planning.order_customer import participants_of
from provisioning.planning.register_codes import candidates
from provisioning.ports import UnitOfWork

_MAX_SUCCESSIONS = 10  # codes that follow each other; more is a circle
_Kind = TypeVar("_Kind", bound=msgspec.Struct)


class GatherOrder:
    """Gathers; decides nothing."""

    def __init__(
        self,
        mappings: Mappings,
        limits: Limits,
        *,
        orders_from: datetime | None = None,
        terms: TradeTerms | None = None,
    ) -> None:
        self._mappings = mappings
        self._limits = limits
        self._orders_from = orders_from
        self._terms = terms or TradeTerms()

    def __call__(self, uow: UnitOfWork, line: OrderLine, now: datetime) -> OrderContext:
        today, shop = dutch_day(now), line.shop
        organisation = find_organisation(uow, shop.organisation_code)
        context = OrderContext(
            today=today,
            placed_on=dutch_day(shop.placed_at),
            mappings=self._mappings,
            orders_from=self._orders_from,
            terms=self._terms,
            organisation=organisation,
            successor=organisation and find_successor(uow, organisation, today),
            acting=find_organisation(uow, shop.actor.removeprefix("organisation:")),
            similar=self._similar(uow, shop),
            hinted=_hinted(uow, shop),
        )
        return context if context.holder is None else _with_holder(uow, context, context.holder)

    def _similar(self, uow: UnitOfWork, shop: ShopLine) -> tuple[LineKey, ...]:
        if isinstance(shop.quantity, str):
            return ()
        window = self._limits.duplicate_window
        alike = uow.orders.similar(shop.organisation_code, shop.article_code, shop.quantity, shop.placed_at - window)
        return tuple(
            other.shop.key
            for other in alike
            if other.shop.key != shop.key and other.shop.placed_at <= shop.placed_at + window
        )


def find_organisation(uow: UnitOfWork, code: str) -> Organisation | None:
    """By the code as written, or as the register would write it."""
    return next((found for one in candidates(code) if one and (found := uow.organisations.find(one))), None)


def find_successor(uow: UnitOfWork, organisation: Organisation, today: date) -> Organisation | None:
    """Who stands in its place today, however often codes followed each other; None when nobody does."""
    current = organisation.organisation_id
    for _ in range(_MAX_SUCCESSIONS):
        following = _follower(uow.organisations.relations_of(current, today), current)
        if following is None:
            break
        current = following
    return None if current == organisation.organisation_id else uow.organisations.find(current)


def concerned_by(uow: UnitOfWork, organisations: Iterable[OrganisationId], today: date) -> set[OrganisationId]:
    """Whose lines news about these may cure: their own, and those of their boards, predecessors and heirs."""
    named = set(organisations)
    related = {
        party
        for one in named
        for relation in uow.organisations.relations_of(one, today)
        for party in (relation.parent_id, relation.child_id)
    }
    declaring = {d.organisation_id for d in _of(uow, Declaration, None) if named.intersection(d.participants)}
    return named | related | declaring | _holders_of(uow, {p.agreement_id for p in _of(uow, Participant, *named)})


def _holders_of(uow: UnitOfWork, agreements: set[str]) -> set[OrganisationId]:
    if not agreements:
        return set()
    return {a.organisation_id for a in _of(uow, Agreement, None) if a.record_id in agreements}


def _follower(relations: list[Relation], current: OrganisationId) -> OrganisationId | None:
    """The child is succeeded by the parent."""
    heirs = (r.parent_id for r in relations if r.kind is RelationKind.SUCCEEDED_BY and r.child_id == current)
    return next(heirs, None)


def _with_holder(uow: UnitOfWork, context: OrderContext, holder: Organisation) -> OrderContext:
    relations = tuple(uow.organisations.relations_of(holder.organisation_id, context.today))
    context = msgspec.structs.replace(context, relations=relations, records=_records(uow, context, holder))
    parties = (holder.organisation_id, *_participants(context, holder))
    return msgspec.structs.replace(
        context,
        entries=_entries(uow, context, holder),
        bindings={one: tuple(uow.tenants.bindings_of(one, context.today)) for one in dict.fromkeys(parties)},
        records=_with_parties(uow, context.records, parties),
    )


def _records(uow: UnitOfWork, context: OrderContext, holder: Organisation) -> OrderRecords:
    own, asked, acting = holder.organisation_id, context.organisation, context.acting
    ordering = dict.fromkeys(one.organisation_id for one in (holder, asked) if one)
    declaring = dict.fromkeys(one.organisation_id for one in (holder, acting) if one)
    is_board = holder.kind is OrganisationKind.BOARD
    return OrderRecords(
        memberships=_of(uow, Membership, *ordering),
        declarations=_of(uow, Declaration, *declaring),
        agreements=_of(uow, Agreement, own),
        # a participant's record names the school, not the board: only an order of a board needs to look at all
        participants=_of(uow, Participant, None) if is_board else (),
        supplier_decisions=_of(uow, SupplierDecision, own),
        mandates=_of(uow, Mandate, *ordering) if acting else (),
    )


def _with_parties(uow: UnitOfWork, records: OrderRecords, parties: tuple[OrganisationId, ...]) -> OrderRecords:
    return msgspec.structs.replace(
        records,
        volume_licences=_of(uow, VolumeLicence, *parties),
        annual_counts=_of(uow, AnnualCount, *parties),
    )


def _of(uow: UnitOfWork, kind: type[_Kind], *organisations: OrganisationId | None) -> tuple[_Kind, ...]:
    """The records of one kind of these organisations, or of all when None is named."""
    name = RecordKind(str(kind.__struct_config__.tag))
    return tuple(r for one in organisations for r in uow.records.list_by(name, one) if isinstance(r, kind))


def _participants(context: OrderContext, holder: Organisation) -> tuple[OrganisationId, ...]:
    return participants_of(holder.organisation_id, context) if holder.kind is OrganisationKind.BOARD else ()


def _entries(uow: UnitOfWork, context: OrderContext, holder: Organisation) -> tuple[LedgerEntry, ...]:
    asked = context.organisation
    parties = dict.fromkeys(one.organisation_id for one in (holder, asked) if one)
    return tuple(entry for one in parties for entry in uow.ledger.list_by(one))


def _hinted(uow: UnitOfWork, shop: ShopLine) -> Tenant | None:
    hint = domain_of(shop.tenant_hint)
    if not hint:
        return None
    return uow.tenants.find_by_domain(hint) if "." in hint else uow.tenants.find(TenantId(hint))
