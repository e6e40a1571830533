"""How an assessment is drawn: from plans, from what is asked besides, and for one reader. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Article, Fulfilment, Mappings, Variant
from provisioning.domain.ids import OrganisationId, SkuId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.operation import GROUP_STEPS, Operation, Step
from provisioning.domain.reasons import Reason
from provisioning.planning.assessment import (
    Assessment,
    DrawnPlan,
    Feasibility,
    HeldPeople,
    Known,
    PlanPart,
    Reader,
    SchoolCount,
    SeatNeed,
)
from provisioning.planning.assessment_counts import Lot, changed_products, count_products, count_services, lots_of
from provisioning.planning.assessment_facts import Fact, FactKind, ProductChange, product_facts
from provisioning.planning.carry import KnownPlans
from provisioning.planning.forecast import Work, foretell, writes_in
from provisioning.planning.plan import SubjectPlan
from provisioning.planning.quota import Sizes

# Who of a plan does not come out with what was asked.
_LEAVES_OPEN = frozenset({FactKind.LOOK_INCOMPLETE, FactKind.TENANT_UNREAD, FactKind.TENANT_UNPROVEN})
_LEAVES_SOME_OUT = frozenset({FactKind.NOT_READY, FactKind.SOME_UNDECIDED})
_HELD = frozenset({SubjectState.WAITING, SubjectState.REFUSED, SubjectState.FAILED, SubjectState.CHANGED_MEANWHILE})


def draw_assessment(plans: Sequence[DrawnPlan], known: Known, reader: Reader) -> Assessment:
    """The value for one reader; people of organisations that they may not see are in no number of it."""
    parts = tuple(_part(plan, known, reader) for plan in plans)
    found = [*known.facts, *_of_products(plans, parts, known)]
    facts = tuple(sorted(dict.fromkeys(found), key=lambda fact: (not fact.blocks, fact.kind)))
    return Assessment(
        feasibility=_feasibility(parts, facts),
        people=sum(part.people for part in parts),
        served=sum(part.served for part in parts),
        already_right=sum(part.already_right for part in parts),
        held=sum(one.people for part in parts for one in part.held),
        schools=len({one.organisation_id for part in parts for one in part.schools} - {None}),
        parts=parts,
        facts=facts,
        writes=sum(part.writes for part in parts),
        minutes=_minutes(parts, known.sizes),
        drawn_at=known.now,
        digest=digest_of(plans, known.facts),
        for_board=reader.board,
    )


def digest_of(plans: Iterable[DrawnPlan], facts: Iterable[Fact]) -> str:
    """A fingerprint of each plan's own digest and of the facts that no plan binds.

    With any of them another, it is another decision; the facts of products follow from the mappings that a plan binds.
    """
    bound = sorted((plan.operation.operation_id, plan.digest) for plan in plans), sorted(facts, key=_text_of)
    return sha256(msgspec.json.encode(bound, order="deterministic")).hexdigest()


def _text_of(fact: Fact) -> bytes:
    return msgspec.json.encode(fact, order="deterministic")


def _of_products(plans: Sequence[DrawnPlan], parts: Sequence[PlanPart], known: Known) -> Iterator[Fact]:
    """Facts of each product that somebody loses to another; of the new product alone when nobody does."""
    for plan, part in zip(plans, parts, strict=True):
        target = plan.operation.wish.sku_id
        losing: dict[SkuId | None, int] = {
            one.sku_id: one.losing for one in part.products if one.losing and one.sku_id != target
        }
        if plan.operation.wish.remap:
            losing.setdefault(plan.operation.wish.remap.from_sku, 0)
        for source, people in (losing or {None: 0}).items():
            given_on = plan.given_on if people else None
            change = ProductChange(from_sku=source, to_sku=target, people=people, given_on=given_on)
            yield from product_facts(change, known.mappings, dutch_day(known.now))


def _feasibility(parts: Sequence[PlanPart], facts: Sequence[Fact]) -> Feasibility:
    kinds = {fact.kind for fact in facts}
    if any(fact.blocks for fact in facts):
        return Feasibility.IMPOSSIBLE
    if not kinds.isdisjoint(_LEAVES_OPEN):
        return Feasibility.UNKNOWN
    if any(part.held or part.seats.missing for part in parts) or not kinds.isdisjoint(_LEAVES_SOME_OUT):
        return Feasibility.PARTLY
    return Feasibility.UNKNOWN if FactKind.HELD_UP in kinds else Feasibility.POSSIBLE


def _minutes(parts: Iterable[PlanPart], sizes: Sizes) -> int:
    work = [Work(part.operation_id, part.tenant_id, part.writes) for part in parts if part.writes]
    longest = max(foretell(work, sizes).values(), default=timedelta())
    return ceil(longest / timedelta(minutes=1))


# ── one plan ─────────────────────────────────────────────────────────────────────────────────────────────


def _part(plan: DrawnPlan, known: Known, reader: Reader) -> PlanPart:
    operation = plan.operation
    people = [one for one in plan.people if not one.is_group and reader.sees(one.organisation_id)]
    steps = _steps_of(people, plan.steps)
    lots = lots_of(people, steps)
    skus = _products(operation, lots)
    states = Counter(one.state for one in people)
    held = sum(states[state] for state in _HELD)
    return PlanPart(
        operation_id=operation.operation_id,
        kind=operation.kind,
        state=operation.state,
        tenant_id=operation.tenant_id,
        domain=plan.domain,
        digest=plan.digest,
        drawn_at=plan.drawn_at,
        observed_at=plan.observed_at,
        target=_name(operation.wish.sku_id, known.mappings),
        people=len(people),
        served=len(people) - held - states[SubjectState.ALREADY_RIGHT],
        already_right=states[SubjectState.ALREADY_RIGHT],
        schools=tuple(_schools(people, lots, skus, known)),
        products=count_products(lots, skus, _names(skus, known.mappings)),
        services=count_services(lots, known.mappings.skus, KnownPlans.named_in(known.mappings.skus)),
        seats=_seats(plan, people, lots, known, reader),
        held=tuple(_held(people, reader)),
        writes=writes_in(Counter(step.kind.value for step in steps)),
        breaches=plan.breaches if reader.own is None else (),
    )


def _steps_of(people: Sequence[SubjectPlan], steps: Sequence[Step]) -> list[Step]:
    """The steps of these people, and those of the group that anybody's licence comes through."""
    ids = {person.subject_id for person in people}
    return [step for step in steps if step.subject_id in ids or (people and step.kind in GROUP_STEPS)]


def _products(operation: Operation, lots: Sequence[Lot]) -> list[SkuId]:
    """The new product first, then those that it takes the place of, then whatever else changes."""
    wish = operation.wish
    old = {wish.remap.from_sku} if wish.remap else wish.replaces
    return [wish.sku_id, *sorted((old | changed_products(lots)) - {wish.sku_id})]


def _schools(
    people: Sequence[SubjectPlan], lots: Sequence[Lot], skus: Sequence[SkuId], known: Known
) -> Iterator[SchoolCount]:
    """By their names, people without a school last."""
    of_school: dict[OrganisationId | None, list[Lot]] = defaultdict(list)
    for lot in lots:
        of_school[lot.organisation_id].append(lot)
    held = Counter(one.organisation_id for one in people if one.state in _HELD)
    names = _names(skus, known.mappings)
    for school in sorted(of_school, key=lambda one: (one is None, known.schools.get(one, one) if one else "", one)):
        yield SchoolCount(
            organisation_id=school,
            name=known.schools.get(school, school) if school else "",
            people=sum(lot.people for lot in of_school[school]),
            held=held[school],
            products=count_products(of_school[school], skus, names),
        )


def _seats(
    plan: DrawnPlan, people: Sequence[SubjectPlan], lots: Sequence[Lot], known: Known, reader: Reader
) -> SeatNeed:
    wish, seen = plan.operation.wish, plan.seats
    missing = sum(one.state is SubjectState.WAITING and one.reason is Reason.SEATS_INSUFFICIENT for one in people)
    [target] = count_products(lots, [wish.sku_id], {}) or [None]
    needed = (target.gaining if target else 0) + missing
    bought = max(0, seen.entitled) if seen and reader.sees(wish.holder_id) else 0
    to_order = min(missing, max(0, needed - bought))
    article = article_for(wish.sku_id, known.mappings, known.now, has_base=plan.has_base) if to_order else None
    is_whole = reader.own is None or plan.operation.tenant_id not in known.shared
    shown = seen if is_whole else None
    return SeatNeed(
        sku_id=wish.sku_id,
        product=_name(wish.sku_id, known.mappings),
        needed=needed,
        missing=missing,
        to_order=to_order,
        awaited=missing - to_order,
        article=article.code if article else None,
        enabled=shown.enabled if shown else None,
        free=shown.free if shown else None,
        in_grace=shown.in_grace if shown else None,
    )


def article_for(sku: SkuId, mappings: Mappings, now: datetime, *, has_base: bool) -> Article | None:
    """What brings more seats: the extension for who has the product, else its base; the first by its code."""
    variant = Variant.EXTENSION if has_base else Variant.BASE
    sold = (one for one in mappings.articles if one.sku_id == sku and one.fulfilment is Fulfilment.GRAPH_USER)
    fitting = (one for one in sold if one.variant is variant and one.is_valid_on(dutch_day(now)))
    return min(fitting, key=lambda one: one.code, default=None)


def _held(people: Iterable[SubjectPlan], reader: Reader) -> Iterator[HeldPeople]:
    """The most people first."""
    of_reason: dict[tuple[SubjectState, Reason | None], list[SubjectId]] = defaultdict(list)
    for person in people:
        if person.state in _HELD:
            of_reason[person.state, person.reason].append(person.subject_id)
    for (state, reason), some in sorted(of_reason.items(), key=lambda one: (-len(one[1]), one[0][0], str(one[0][1]))):
        who = tuple(sorted(reader.names[one] for one in some if one in reader.names))
        yield HeldPeople(state=state, reason=reason, people=len(some), who=who)


def _names(skus: Collection[SkuId], mappings: Mappings) -> dict[SkuId, str]:
    return {sku: _name(sku, mappings) for sku in skus}


def _name(sku: SkuId, mappings: Mappings) -> str:
    known = mappings.skus.get(sku)
    return known.name if known else sku
