"""What a request comes to for which no plan is drawn before it is approved: counts by school, seats, writes. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from math import ceil

import msgspec

from provisioning.domain.agreement_move import AgreementMove, Inventory
from provisioning.domain.catalogue import PLATFORM, Mappings
from provisioning.domain.ids import ArticleCode, OrganisationId, SkuId
from provisioning.domain.operation import MEMBERS_PER_CALL
from provisioning.domain.order import LedgerEntry
from provisioning.domain.tenancy import AssignmentMode, Policy, SkuPolicy
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
    """What an agreement that moves comes to.

    `services` stop in the old tenant and come back in the new one, but for those that its policy has off. `lacking`:
    people who lose it and are not ready there, beside those who stay behind on purpose. `is_ours`: whether we give
    licences there, or the school does.
    """

    observed_at: datetime
    schools: tuple[SchoolMove, ...]
    seats: tuple[SeatsMove, ...]
    services: tuple[str, ...]
    switched_off: tuple[str, ...]
    staying_behind: int
    lacking: int
    writes: int
    minutes: int
    is_ours: bool


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How an agreement will be moved. `there`: the policy of the new tenant."""

    move: AgreementMove
    here: AssignmentMode
    there: Policy
    staying_behind: int = 0


class HolderCount(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of one product that an organisation holds, on the day before they change hands and on the day itself."""

    organisation_id: OrganisationId
    name: str
    product: str
    before: int
    after: int


def count_agreement(course: Course, names: Names, mappings: Mappings, sizes: Sizes) -> AgreementCounts:
    """`names`: the organisations that its reader may see, and no others."""
    move, inventory = course.move, course.move.inventory
    seats = tuple(_seats(inventory, mappings))
    gives = _writes(course.there.assignment_mode, (min(one.needed, one.moving) for one in seats))
    takes = 0 if course.here is AssignmentMode.NONE else _total(inventory, "holding").total()
    ends = forecast({tenant: n for tenant, n in ((move.target, gives), (move.source, takes)) if n}, sizes)
    services, switched_off = _services(inventory, course.there, mappings)
    return AgreementCounts(
        observed_at=move.inventoried_at or move.before.at,
        schools=tuple(_schools(inventory, names)),
        seats=seats,
        services=services,
        switched_off=switched_off,
        staying_behind=course.staying_behind,
        lacking=max(0, inventory.losing - course.staying_behind - inventory.ready),
        writes=gives + takes,
        minutes=ceil(max(ends.values(), default=timedelta()) / timedelta(minutes=1)),
        is_ours=course.there.assignment_mode is not AssignmentMode.NONE,
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


def _schools(inventory: Inventory, names: Names) -> Iterator[SchoolMove]:
    """By their names."""
    for one in sorted(inventory.schools, key=lambda one: names.get(one.organisation_id, "")):
        code = one.organisation_id
        if code in names:
            yield SchoolMove(
                organisation_id=code, name=names[code], losing=one.losing, present=one.present, ready=one.ready
            )


def _seats(inventory: Inventory, mappings: Mappings) -> Iterator[SeatsMove]:
    needed = _total(inventory, "serving")
    for sku, moving in sorted(inventory.moving.items()):
        yield SeatsMove(sku_id=sku, product=_product(sku, mappings), needed=needed[sku], moving=moving)


def _total(inventory: Inventory, what: str) -> Counter[SkuId]:
    return sum((Counter(getattr(one, what)) for one in inventory.schools), Counter())


def _writes(mode: AssignmentMode, people: Iterable[int]) -> int:
    """To give: of each product by itself; people join a group twenty at a time."""
    if mode is AssignmentMode.NONE:
        return 0
    return sum(ceil(each / MEMBERS_PER_CALL) if mode is AssignmentMode.GROUP else each for each in people)


def _services(inventory: Inventory, there: Policy, mappings: Mappings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that come back, and those of which the policy has all plans off."""
    every: set[str] = set()
    on: set[str] = set()
    for sku in inventory.moving:
        off = there.skus.get(sku, SkuPolicy()).disabled_plans
        plans = mappings.skus[sku].plans if sku in mappings.skus else ()
        every |= {plan.family for plan in plans}
        on |= {plan.family for plan in plans if plan.plan_id not in off}
    return tuple(sorted(on - {PLATFORM, ""})), tuple(sorted(every - on - {PLATFORM, ""}))


def _product(product: Product, mappings: Mappings) -> str:
    known = mappings.skus.get(SkuId(product))
    return known.name if known else product
