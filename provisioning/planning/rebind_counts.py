"""What a rebind comes to for whoever reads its assessment: people by audience before and after, seats there. Pure."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.ids import OrganisationId, SkuId
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import PeopleSeen, ProductSeen, RebindLook
from provisioning.planning.assessment_facts import Fact, FactKind
from provisioning.planning.rebinding import reason_against


class SeatsThere(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of one product. `needed`: if all who are selected get one. The tenant's own: None for who may not know."""

    sku_id: SkuId
    product: str
    needed: int
    bought: int
    left: int  # bought for the tenant that the organisation leaves, where they stay
    enabled: int | None = None
    free: int | None = None
    in_grace: int | None = None


class RebindCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Of one organisation: a rebind is never about more. `people` by audience; `total`: everybody once."""

    observed_at: datetime
    organisation_id: OrganisationId
    name: str
    people: dict[Audience, PeopleSeen]
    total: PeopleSeen
    seats: tuple[SeatsThere, ...]

    @property
    def undecided(self) -> dict[Reason, int]:
        return self.total.undecided


def count_rebind(
    look: RebindLook, organisation: OrganisationId, name: str, mappings: Mappings, *, shows_tenant: bool
) -> RebindCounts | None:
    """None before somebody looked. `shows_tenant`: whether the reader may know what everybody there has together."""
    if look.seen_at is None:
        return None
    return RebindCounts(
        observed_at=look.seen_at,
        organisation_id=organisation,
        name=name,
        people=look.audiences,
        total=look.total,
        seats=tuple(_seats(one, look, mappings, shows_tenant=shows_tenant) for one in look.products),
    )


def _seats(product: ProductSeen, look: RebindLook, mappings: Mappings, *, shows_tenant: bool) -> SeatsThere:
    known = mappings.skus.get(product.sku_id)
    audience = known.audience if known else Audience.ANY
    meant = look.total if audience is Audience.ANY else look.audiences.get(audience, PeopleSeen())
    return SeatsThere(
        sku_id=product.sku_id,
        product=known.name if known else product.sku_id,
        needed=meant.selected,
        bought=product.bought,
        left=product.left,
        enabled=product.enabled if shows_tenant else None,
        free=product.free if shows_tenant else None,
        in_grace=product.in_grace if shows_tenant else None,
    )


def rebind_facts(look: RebindLook | None, tenant: str, *, is_for_board: bool) -> Iterator[Fact]:
    """What stands in its way. `tenant`: as whoever asked calls it; of another customer's a board learns nothing."""
    if look is not None and look.trouble is not None:
        yield Fact(kind=FactKind.TENANT_UNREAD, names=(tenant,))
        return
    if look is None or look.seen_at is None:
        yield Fact(kind=FactKind.LOOK_INCOMPLETE, names=(tenant,))
        return
    if not look.is_theirs:
        yield Fact(kind=FactKind.TENANT_UNPROVEN, names=(tenant,))
    if look.is_theirs or not is_for_board:
        yield from _of_people(look)


def _of_people(look: RebindLook) -> Iterator[Fact]:
    if reason_against(look) is not None:
        yield Fact(kind=FactKind.NOBODY_SELECTED)
    elif look.total.undecided:
        yield Fact(kind=FactKind.SOME_UNDECIDED, people=sum(look.total.undecided.values()))
