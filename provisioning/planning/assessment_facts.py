"""What stands in the way of a request, or is good to know before it: each fact by what decides it, nothing else."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import PLATFORM, Audience, Mappings, Sku
from provisioning.domain.ids import SkuId, TenantId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import VolumeLicence


class FactKind(StrEnum):
    # the request cannot be done; the words say what to ask instead
    PART_OF_LICENSE_ID = "part_of_license_id"  # one License ID lives in one tenant (M1, S31)
    PART_OF_CUSTOMER_NUMBER = "part_of_customer_number"  # Microsoft moves all of a customer number (S28)
    LICENSE_ID_UNKNOWN = "license_id_unknown"  # no such License ID of this customer on record
    LICENSE_ID_ELSEWHERE = "license_id_elsewhere"  # it is not in the tenant that it should leave
    RETIRED_PRODUCT = "retired_product"  # Microsoft does not deliver the new product any more (M11)
    UNKNOWN_PRODUCT = "unknown_product"
    NOT_ORDERED = "not_ordered"  # nobody bought the new product for these people
    NOBODY_SELECTED = "nobody_selected"  # a selector by which nobody could get a licence
    AUDIENCE_MISMATCH = "audience_mismatch"  # a staff licence would become a pupil's, or the other way round
    # it can be done, and somebody should know
    MOVES_ALONG = "moves_along"  # other agreements under the same customer number (S28)
    SERVICE_STOPS = "service_stops"  # users of the old tenant lose service at once (S28)
    NOT_READY = "not_ready"  # fewer people are ready in the new tenant than lose service in the old one
    TENANT_UNREAD = "tenant_unread"  # it refuses us, or cannot be read whole: a person must see to it
    TENANT_UNPROVEN = "tenant_unproven"  # nothing but the request says yet that the tenant is theirs
    SOME_UNDECIDED = "some_undecided"  # people whom two boards, or two audiences, would claim (S45)
    NO_FILES_MOVE = "no_files_move"  # a remap moves no user data (domain, section 8)
    PAID_TO_BENEFIT = "paid_to_benefit"  # a paid pupil licence becomes the free one, which has less (M10)
    REASSIGNED_SOON = "reassigned_soon"  # the licence that goes was given less than ninety days ago (M22)
    LOOK_INCOMPLETE = "look_incomplete"  # nobody has seen yet what it comes to
    HELD_UP = "held_up"  # it waits for somebody; the reason says for what


BLOCKING = frozenset(
    {
        FactKind.PART_OF_LICENSE_ID,
        FactKind.PART_OF_CUSTOMER_NUMBER,
        FactKind.LICENSE_ID_UNKNOWN,
        FactKind.LICENSE_ID_ELSEWHERE,
        FactKind.RETIRED_PRODUCT,
        FactKind.UNKNOWN_PRODUCT,
        FactKind.NOBODY_SELECTED,
        FactKind.AUDIENCE_MISMATCH,
        FactKind.NOT_ORDERED,
    }
)


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact; `names` are products, agreements or operations, `people` a count of them."""

    kind: FactKind
    people: int = 0
    names: tuple[str, ...] = ()
    services: tuple[str, ...] = ()  # of the service plans that `names` has, if it has plans
    instead: tuple[str, ...] = ()  # products to ask for in its place, or articles to order
    day: date | None = None
    reason: Reason | None = None  # of what is held up

    @property
    def blocks(self) -> bool:
        return self.kind in BLOCKING


# ── a product takes the place of another ─────────────────────────────────────────────────────────────────


class ProductChange(msgspec.Struct, frozen=True, kw_only=True):
    """People of `from_sku` are to get `to_sku`; `given_on`: when we gave the first away, if that is known."""

    from_sku: SkuId | None
    to_sku: SkuId
    people: int = 0
    given_on: date | None = None


REASSIGNMENT_DAYS = 90  # Product Terms by way of M22: no reassignment within 90 days
_PAID = frozenset({"A3", "A5"})


def product_facts(change: ProductChange, mappings: Mappings, on: date) -> list[Fact]:
    """What speaks against this change of product, and what is good to know of it."""
    target = mappings.skus.get(change.to_sku)
    if target is None:
        return [Fact(kind=FactKind.UNKNOWN_PRODUCT, names=(change.to_sku,))]
    source = mappings.skus.get(change.from_sku) if change.from_sku else None
    facts = list(_retired(target, mappings, on))
    if source is not None:
        facts += _between(source, target, change)
    if change.given_on is not None and (on - change.given_on).days < REASSIGNMENT_DAYS:
        facts.append(Fact(kind=FactKind.REASSIGNED_SOON, day=change.given_on))
    return facts


def _retired(target: Sku, mappings: Mappings, on: date) -> Iterator[Fact]:
    if target.is_retired:
        in_force = (one for one in mappings.remaps if one.from_sku == target.sku_id and one.valid_from <= on)
        instead = [
            mappings.skus[one.to_sku].name
            for one in in_force
            if one.to_sku in mappings.skus and (one.valid_until is None or on <= one.valid_until)
        ]
        yield Fact(kind=FactKind.RETIRED_PRODUCT, names=(target.name,), instead=tuple(instead))


def _between(source: Sku, target: Sku, change: ProductChange) -> Iterator[Fact]:
    if source.audience is not target.audience and Audience.ANY not in {source.audience, target.audience}:
        yield Fact(kind=FactKind.AUDIENCE_MISMATCH, names=(source.name, target.name))
    is_paid = source.audience is Audience.STUDENT and source.family in _PAID and not source.is_student_use_benefit
    if is_paid and target.is_student_use_benefit:
        lost = [plan for plan in source.plans if plan.plan_id not in target.plan_ids]
        services = {plan.family or PLATFORM for plan in lost}
        names = tuple(sorted({plan.name for plan in lost}))
        yield Fact(kind=FactKind.PAID_TO_BENEFIT, people=change.people, names=names, services=tuple(sorted(services)))


# ── Microsoft moves an agreement to another tenant ───────────────────────────────────────────────────────


class AgreementMove(msgspec.Struct, frozen=True, kw_only=True):
    """A request to move License IDs (`wanted`) from one tenant to another.

    `licences`: all License IDs on record of the customer. `seats_wanted` is None when all seats are to go, as it must
    be. `people_in_source` have a licence that goes, and so many `staying_behind` on purpose; `people_ready` can be
    licensed in the target by now.
    """

    wanted: tuple[str, ...]
    source_tenant: TenantId
    target_tenant: TenantId
    licences: tuple[VolumeLicence, ...]
    seats_wanted: int | None = None
    people_in_source: int = 0
    people_ready: int = 0
    staying_behind: int = 0


def agreement_facts(move: AgreementMove) -> list[Fact]:
    """Whether Microsoft can do this at all (M1, S28, S31), and what it does to people."""
    by_id = {licence.record_id: licence for licence in move.licences}
    wanted = [by_id[one] for one in dict.fromkeys(move.wanted) if one in by_id]
    found = [*_obstacles(move, wanted, by_id), *_along(wanted)]
    if move.people_in_source:
        found.append(Fact(kind=FactKind.SERVICE_STOPS, people=move.people_in_source))
    if lacking := max(0, move.people_in_source - move.staying_behind - move.people_ready):
        found.append(Fact(kind=FactKind.NOT_READY, people=lacking))
    return [*found, Fact(kind=FactKind.NO_FILES_MOVE)]


def _obstacles(move: AgreementMove, wanted: Sequence[VolumeLicence], known: Collection[str]) -> Iterator[Fact]:
    if move.seats_wanted is not None:
        yield Fact(kind=FactKind.PART_OF_LICENSE_ID, names=move.wanted)
    if strange := tuple(one for one in dict.fromkeys(move.wanted) if one not in known):
        yield Fact(kind=FactKind.LICENSE_ID_UNKNOWN, names=strange)
    if elsewhere := _ids(one for one in wanted if one.tenant_id not in {None, move.source_tenant}):
        yield Fact(kind=FactKind.LICENSE_ID_ELSEWHERE, names=elsewhere)
    if left := _ids(_left_behind(move, wanted)):
        yield Fact(kind=FactKind.PART_OF_CUSTOMER_NUMBER, names=left)


def _left_behind(move: AgreementMove, wanted: Sequence[VolumeLicence]) -> Iterator[VolumeLicence]:
    """License IDs in the same tenant, under a customer number of the wanted ones, that nobody asked to move."""
    numbers = {one.public_customer_number for one in wanted}
    for licence in move.licences:
        is_there = licence.tenant_id in {None, move.source_tenant}
        if licence.public_customer_number in numbers and is_there and licence.record_id not in move.wanted:
            yield licence


def _along(wanted: Sequence[VolumeLicence]) -> Iterator[Fact]:
    """More than one agreement goes: whoever asked for one of them should know of the others."""
    agreements = tuple(dict.fromkeys(one.agreement_id for one in wanted))
    if len(agreements) > 1:
        yield Fact(kind=FactKind.MOVES_ALONG, names=agreements)


def _ids(licences: Iterable[VolumeLicence]) -> tuple[str, ...]:
    return tuple(licence.record_id for licence in licences)
