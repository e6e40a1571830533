"""One remap in one tenant becomes an operation: for a ticket or for a campaign, once, whoever begins it twice."""

from datetime import date, datetime
from uuid import NAMESPACE_URL, uuid5

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience, Mappings, Sku
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import (
    Actor,
    ArticleCode,
    CampaignId,
    OperationId,
    OrganisationId,
    SkuId,
    TenantId,
    TicketId,
)
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.domain.remap import RemapPart
from provisioning.planning.mapping_digest import remap_digest
from provisioning.planning.remap import counterparts
from provisioning.ports import UnitOfWork
from provisioning.services.transitions import created


class AskedRemap(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds `from_sku`, of these organisations' people in this tenant, is to have `to_sku` in its place.

    `holder_id`: whose entitlement the new product comes from. `along`: add-ons that go along, and what each becomes
    (itself: it stays), beside what the remap tables say of those that the new product does not carry. `starts_on`: not
    before this Dutch day. One of `ticket_id` and `campaign_id` is given.
    """

    tenant_id: TenantId
    from_sku: SkuId
    to_sku: SkuId
    holder_id: OrganisationId
    organisations: tuple[OrganisationId, ...]  # in the order of their turn; a person of two is of the first
    requested_by: Actor
    hands: tuple[Actor, ...] = ()  # who had it tried again before it began
    along: dict[SkuId, SkuId] = {}
    audience: Audience | None = None  # None: the product's own
    starts_on: date | None = None
    ticket_id: TicketId | None = None
    campaign_id: CampaignId | None = None
    wave: int = 0
    board_id: OrganisationId | None = None  # of the holder, where it is another: a table may name either

    @property
    def whose(self) -> tuple[OrganisationId, ...]:
        return (self.holder_id,) if self.board_id is None else (self.holder_id, self.board_id)


def begin_remap(uow: UnitOfWork, mappings: Mappings, asked: AskedRemap, now: datetime) -> Operation:
    """The operation, new or as it was begun before, in the caller's transaction; who commits also dispatches it.

    It is begun once per ticket or campaign, tenant, pair of products and holder: whom it left out is served by its
    successor (`successor.begin_successor`, or by itself when seats arrive). Raises InputError, with nothing changed,
    when the pair is no sane remap or an organisation is not bound to the tenant; ConflictError when another process
    began the same in between (the next look finds it).
    """
    operation_id = remap_id(asked)
    begun = uow.operations.find(operation_id)
    if begun is not None:
        return begun
    require_sane(mappings, asked)
    _require_bound(uow, asked, now)
    operation = operation_for(mappings, asked, now)
    uow.operations.add(operation)
    uow.audit.record([_created(operation, asked)])
    return operation


def remap_id(asked: AskedRemap) -> OperationId:
    """The same for the same wish of the same ticket or campaign, in every process: what is begun twice is found."""
    on_behalf = f"ticket:{asked.ticket_id}" if asked.ticket_id else f"campaign:{asked.campaign_id}"
    key = (on_behalf, asked.tenant_id, asked.from_sku, asked.to_sku, asked.holder_id)
    return OperationId(str(uuid5(NAMESPACE_URL, "remap:" + "/".join(key))))


def require_sane(mappings: Mappings, asked: AskedRemap) -> None:
    """Raises InputError, naming the products and what to do, for what can never become a plan."""
    if bool(asked.ticket_id) == bool(asked.campaign_id):
        raise InputError("A remap is asked for by a ticket or by a campaign; name one of the two.")
    if not asked.organisations:
        raise InputError("A remap needs the organisations whose people it speaks of; none was named.")
    old, new = _sku(mappings, asked.from_sku), _sku(mappings, asked.to_sku)
    _require_pair(old, new)
    audience = asked.audience or new.audience
    if new.audience not in {audience, Audience.ANY}:
        raise InputError(
            f"{new.name} is a product for {new.audience}, not for {audience}; ask for one of that audience."
        )
    if asked.from_sku in asked.along or asked.to_sku in asked.along:
        raise InputError(f"{old.name} and {new.name} are the remap itself; only add-ons go along.")
    for addon, counterpart in asked.along.items():
        if addon != counterpart:
            _require_pair(_sku(mappings, addon), _sku(mappings, counterpart))
        _sku(mappings, addon)


def _require_pair(old: Sku, new: Sku) -> None:
    if old.sku_id == new.sku_id:
        raise InputError(f"{old.name} would become {new.name}: that is the same product, and changes nothing.")
    if new.is_retired:
        raise InputError(f"{new.name} is {new.lifecycle} and no longer given to anybody; name its successor.")
    if old.audience is not new.audience:
        raise InputError(
            f"{old.name} is for {old.audience} and {new.name} for {new.audience}: people would get a licence that is "
            "not theirs. Name two products for the same people."
        )


def _sku(mappings: Mappings, sku_id: SkuId) -> Sku:
    if sku_id not in mappings.skus:
        raise InputError(f"Product {sku_id} is not in mappings/skus.csv; add it, or correct the id.")
    return mappings.skus[sku_id]


def _require_bound(uow: UnitOfWork, asked: AskedRemap, now: datetime) -> None:
    today = max(dutch_day(now), asked.starts_on or date.min)
    bound = {binding.organisation_id for binding in uow.tenants.bindings_in(asked.tenant_id, today)}
    missing = [one for one in asked.organisations if one not in bound]
    if missing:
        raise InputError(
            f"{', '.join(missing)}: not bound to tenant {asked.tenant_id} on {today}. `provisioning tenants bind` "
            "does that, and a second person confirms it."
        )


def operation_for(mappings: Mappings, asked: AskedRemap, now: datetime) -> Operation:
    """As it would begin now; nothing is kept."""
    day = max(dutch_day(now), asked.starts_on or date.min)
    by_tables = counterparts(mappings, asked.from_sku, asked.to_sku, day, asked.whose)
    part = RemapPart(
        from_sku=asked.from_sku,
        along={**by_tables, **asked.along},
        ticket_id=asked.ticket_id,
        campaign_id=asked.campaign_id,
        wave=asked.wave,
    )
    return Operation(
        operation_id=remap_id(asked),
        kind=OperationKind.REMAP,
        tenant_id=asked.tenant_id,
        lane=Lane.BULK,
        state=OperationState.NEW,
        wish=Wish(
            sku_id=asked.to_sku,
            audience=asked.audience or mappings.skus[asked.to_sku].audience,
            article_code=ArticleCode(""),
            replaces=frozenset({asked.from_sku}),
            holder_id=asked.holder_id,
            organisations=asked.organisations,
            seats_wanted=0,
            starts_on=asked.starts_on,
            mapping_digest=remap_digest(asked.to_sku, part, mappings),
            remap=part,
        ),
        requested_by=asked.requested_by,
        hands=asked.hands,
        created_at=now,
        entered_at=now,
        due_at=now,
    )


def _created(operation: Operation, asked: AskedRemap) -> Event:
    on_behalf = {"ticket": asked.ticket_id} if asked.ticket_id else {"campaign": asked.campaign_id or ""}
    from_and_to = {"from": asked.from_sku, "to": asked.to_sku}
    return created(operation, from_and_to | {kind: str(it) for kind, it in on_behalf.items()})
