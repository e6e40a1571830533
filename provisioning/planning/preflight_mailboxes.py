"""The checks of a preflight that speak of mailboxes: which move, which are at risk, and what Microsoft wants for it."""

from collections.abc import Collection, Iterator

from provisioning.domain.ids import SkuId, SubjectId
from provisioning.domain.migration import Situation
from provisioning.domain.observation import Seats
from provisioning.planning.carry import off_by_policy
from provisioning.planning.leaving import LEAST_HOLD
from provisioning.planning.mailbox import exchange_plans, has_mailbox
from provisioning.planning.migration_plan import with_plans_offered
from provisioning.planning.preflight import Finding, PreflightCheck, PreflightFacts, about

_C = PreflightCheck

# How the add-on that lets Microsoft move a mailbox is called: part numbers are spelt differently by channel, so letters
# alone count (learn.microsoft.com, "Cross-tenant mailbox migration": one licence for each user who moves, on the
# source or on the target account).
ADDON = "CROSSTENANTUSERDATAMIGRATION"


def mailboxes(facts: PreflightFacts) -> Iterator[Finding | None]:
    pairs, skus = list(facts.pairs), facts.mappings.skus
    moving = {one.source_id for one, here, _ in pairs if has_mailbox(here.licences, skus)}
    unseen = {one.source_id for one in facts.going if one.evidence is None}
    arrived = {one.source_id for one, _, far in pairs if has_mailbox(far.licences, skus)}
    known = {one.source_id for one in facts.going if one.situation is Situation.ALREADY_LICENSED}  # taken along by name
    yield about(_C.NO_EXCHANGE_IN_TARGET, (moving - arrived) & _without_exchange(facts))
    yield about(_C.MAILBOX_IN_TARGET, (arrived & unseen) - known)
    yield about(_C.NO_MAILBOX_IN_SOURCE, {one.source_id for one, _, _ in pairs} - moving)
    yield _addon(facts, moving & unseen)
    if facts.definition.hold_period < LEAST_HOLD:
        yield Finding(check=_C.HOLD_PERIOD_SHORT, details=(f"{facts.definition.hold_period.days} days",))


def _without_exchange(facts: PreflightFacts) -> frozenset[SubjectId]:
    """Whose product in the target makes no mailbox: it has none there, or the school there wants it off."""
    counts, policy = facts.target.seats.counts, facts.target.policy
    people = set[SubjectId]()
    for (sku_id, _), travellers in facts.by_product.items():
        product = with_plans_offered(facts.mappings, counts.get(sku_id)).skus.get(sku_id)
        if product and not exchange_plans(product) - off_by_policy(product, policy):
            people |= {one.source_id for one in travellers}
    return frozenset(people)


def _addon(facts: PreflightFacts, moving: Collection[SubjectId]) -> Finding | None:
    """One for each mailbox that Microsoft moves, free in either tenant or on one of the person's two accounts."""
    if not facts.definition.moves_mailboxes:
        return None
    both = (facts.source.seats, facts.target.seats)
    bare = [
        one.source_id
        for one, here, far in facts.pairs
        if one.source_id in moving
        and not any(map(here.holds, _addons(facts.source.seats)))
        and not any(map(far.holds, _addons(facts.target.seats)))
    ]
    free = sum(
        max(0, seats.counts[sku].enabled - seats.counts[sku].consumed) for seats in both for sku in _addons(seats)
    )
    return about(_C.MIGRATION_ADDON, sorted(bare)[free:], [f"{free} for {len(bare)}"])


def _addons(seats: Seats) -> frozenset[SkuId]:
    return frozenset(count.sku_id for count in seats.counts.values() if ADDON in _letters(count.part_number))


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text)).upper()
