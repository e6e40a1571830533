"""What a request comes to for which no plan is drawn before it is approved: counts by school, seats, writes. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from math import ceil

import msgspec

from provisioning.domain.agreement_move import AgreementMove, Inventory
from provisioning.domain.catalogue import PLATFORM, Mappings
from provisioning.domain.ids import ArticleCode, OrganisationId, SkuId
from provisioning.domain.operation import MEMBERS_PER_CALL
from provisioning.domain.order import LedgerEntry
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.entitlements import in_force
from provisioning.planning.forecast import forecast
from provisioning.planning.quota import Sizes

Names = Mapping[OrganisationId, str]


class SchoolMove(msgspec.Struct, frozen=True, kw_only=True):
    """One school's people when an agreement moves: who loses it in the old tenant, who is in the new one and ready."""

    organisation_id: OrganisationId
    name: str
    losing: int
    present: int
    ready: int


class SeatsMove(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of one product that move, and for how many people they are needed in the new tenant."""

    sku_id: SkuId
    product: str
    needed: int
    moving: int


class AgreementCounts(msgspec.Struct, frozen=True, kw_only=True):
    """`services` stop in the old tenant and come back in the new one. `is_ours`: whether we give them there."""

    observed_at: datetime
    schools: tuple[SchoolMove, ...]
    seats: tuple[SeatsMove, ...]
    services: tuple[str, ...]
    writes: int
    minutes: int
    is_ours: bool


class HolderCount(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of one product that an organisation holds, on the day before they change hands and on the day itself."""

    organisation_id: OrganisationId
    name: str
    product: str
    before: int
    after: int


def count_agreement(
    move: AgreementMove, modes: tuple[AssignmentMode, AssignmentMode], names: Names, mappings: Mappings, sizes: Sizes
) -> AgreementCounts:
    """`modes`: of the old tenant and of the new. `names`: the organisations that its reader may see, and no others."""
    inventory = move.inventory
    seats = tuple(_seats(inventory, mappings))
    takes = 0 if modes[0] is AssignmentMode.NONE else _holding(inventory).total()
    gives = _writes(modes[1], (one.needed for one in seats))
    ends = forecast({tenant: n for tenant, n in ((move.target, gives), (move.source, takes)) if n}, sizes)
    return AgreementCounts(
        observed_at=move.inventoried_at or move.before.at,
        schools=tuple(
            SchoolMove(
                organisation_id=one.organisation_id,
                name=names[one.organisation_id],
                losing=one.losing,
                present=one.present,
                ready=one.ready,
            )
            for one in sorted(inventory.schools, key=lambda one: names.get(one.organisation_id, ""))
            if one.organisation_id in names
        ),
        seats=seats,
        services=_services(inventory, mappings),
        writes=gives + takes,
        minutes=ceil(max(ends.values(), default=timedelta()) / timedelta(minutes=1)),
        is_ours=modes[1] is not AssignmentMode.NONE,
    )


def count_holders(
    held: Iterable[LedgerEntry], transferred: Iterable[LedgerEntry], on: date, names: Names, mappings: Mappings
) -> list[HolderCount]:
    """Whoever's seats change on the day. `held`: all entries of theirs but those of the transfer itself."""
    before = _by_holder(in_force(held, on))
    after = before.copy()
    after.update(_by_holder(in_force(transferred, on)))
    changed = [one for one in after if after[one] != before[one] and one[0] in names]
    called = {one: _product(one[1], mappings) for one in changed}
    return [
        HolderCount(
            organisation_id=one[0], name=names[one[0]], product=called[one], before=before[one], after=after[one]
        )
        for one in sorted(changed, key=lambda one: (names[one[0]], one[0], called[one]))
    ]


Product = SkuId | ArticleCode


def _by_holder(entries: Iterable[LedgerEntry]) -> Counter[tuple[OrganisationId, Product]]:
    """By product; an article that brings none is one by itself."""
    seats: Counter[tuple[OrganisationId, Product]] = Counter()
    for entry in entries:
        seats[entry.holder_id, entry.sku_id or entry.article_code] += entry.delta
    return seats


def _seats(inventory: Inventory, mappings: Mappings) -> Iterable[SeatsMove]:
    """Where nobody holds a product by now, whoever is ready there is to get it (S32)."""
    holding = _holding(inventory)
    for sku, moving in sorted(inventory.moving.items()):
        needed = holding[sku] if inventory.losing else inventory.ready
        yield SeatsMove(sku_id=sku, product=_product(sku, mappings), needed=needed, moving=moving)


def _holding(inventory: Inventory) -> Counter[SkuId]:
    return sum((Counter(one.holding) for one in inventory.schools), Counter())


def _writes(mode: AssignmentMode, people: Iterable[int]) -> int:
    """To give: of each product by itself; people join a group twenty at a time."""
    if mode is AssignmentMode.NONE:
        return 0
    return sum(ceil(each / MEMBERS_PER_CALL) if mode is AssignmentMode.GROUP else each for each in people)


def _services(inventory: Inventory, mappings: Mappings) -> tuple[str, ...]:
    known = (mappings.skus[sku] for sku in inventory.moving if sku in mappings.skus)
    return tuple(sorted({plan.family for sku in known for plan in sku.plans if plan.family} - {PLATFORM}))


def _product(product: Product, mappings: Mappings) -> str:
    known = mappings.skus.get(SkuId(product))
    return known.name if known else product
