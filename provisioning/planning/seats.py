"""How many seats there are to give, and who comes first. Pure arithmetic; it may be negative and says so."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from provisioning.domain.ids import OrganisationId, SubjectId
from provisioning.domain.observation import Census, Person, SeatCount


class SeatSituation(msgspec.Struct, frozen=True, kw_only=True):
    """What decides how many may be served now. `reserved` are people of other operations, served but not yet seen."""

    enabled: int
    consumed: int
    holders: frozenset[SubjectId]
    reserved: frozenset[SubjectId]
    entitlement: int

    @property
    def free(self) -> int:
        """Enabled − max(consumed, holders seen) − reservations not yet among the holders; grace never counts."""
        return self.enabled - max(self.consumed, len(self.holders)) - len(self.reserved - self.holders)

    def to_give(self, own_holders: int) -> int:
        """Seats this operation may take: free ones, and never more than the ledger entitles to."""
        return max(0, min(self.free, self.entitlement - own_holders))


def situation(
    count: SeatCount | None, census: Census, reserved: Collection[SubjectId], entitlement: int
) -> SeatSituation:
    """`count` is None while Microsoft shows no seat of the SKU at all."""
    if count is None:
        return SeatSituation(
            enabled=0, consumed=0, holders=frozenset(), reserved=frozenset(reserved), entitlement=entitlement
        )
    return SeatSituation(
        enabled=count.enabled,
        consumed=count.consumed,
        holders=frozenset(person.subject_id for person in census.people if person.holds(count.sku_id)),
        reserved=frozenset(reserved),
        entitlement=entitlement,
    )


def in_order(
    candidates: Sequence[tuple[Person, OrganisationId]],
    waiting: Sequence[SubjectId],
    priority: Sequence[str],
) -> list[tuple[Person, OrganisationId]]:
    """The waiting list first, then the school's own priority, then the object id: a second run shuffles nobody."""
    queue = {subject: place for place, subject in enumerate(waiting)}
    ranks = {token.casefold(): rank for rank, token in enumerate(priority)}

    def place(candidate: tuple[Person, OrganisationId]) -> tuple[int, int, str]:
        person, organisation = candidate
        return (
            queue.get(person.subject_id, len(queue)),
            _rank(person, organisation, ranks) if ranks else 0,
            person.subject_id,
        )

    return sorted(candidates, key=place)


def _rank(person: Person, organisation: OrganisationId, ranks: Mapping[str, int]) -> int:
    traits = (organisation, *person.attributes.values())
    return min((ranks[trait.casefold()] for trait in traits if trait.casefold() in ranks), default=len(ranks))
