"""How many seats there are to give, and who comes first. Pure arithmetic; it may be negative and says so."""

from collections.abc import Collection, Sequence

import msgspec

from provisioning.domain.ids import OrganisationId, SkuId, SubjectId
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

    def seen(self, sku_id: SkuId, count: SeatCount | None, own_holders: int) -> "SeatsSeen":
        """The same as a value that is kept with the plan."""
        return SeatsSeen(
            sku_id=sku_id,
            enabled=self.enabled,
            in_grace=count.warning if count else 0,
            free=self.free,
            entitled=self.entitlement - own_holders,
        )


class SeatsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The seats of a plan's product when it was drawn, before anybody of the plan was served. Nothing is bound by it.

    `entitled`: what the holder's ledger still allows beside who has the product or is being served; may be negative,
    and so may `free`. `in_grace` units are never given away.
    """

    sku_id: SkuId
    enabled: int
    in_grace: int
    free: int
    entitled: int

    @property
    def to_give(self) -> int:
        """As many as are free, and never more than the ledger entitles to."""
        return max(0, min(self.free, self.entitled))


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
        holders=frozenset(
            person.subject_id
            for person in census.people
            for licence in person.licences
            if licence.sku_id == count.sku_id and licence.is_active
        ),
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
    ranks = _Ranks(priority)

    def place(candidate: tuple[Person, OrganisationId]) -> tuple[int, int, str]:
        person, organisation = candidate
        return queue.get(person.subject_id, len(queue)), ranks.of(person, organisation), person.subject_id

    return sorted(candidates, key=place)


class _Ranks(dict[str, int]):
    """Trait → rank, case ignored. A school writes few different traits: each is looked up once."""

    def __init__(self, priority: Sequence[str]) -> None:
        super().__init__()
        self._folded = {token.casefold(): rank for rank, token in reversed(list(enumerate(priority)))}
        self._last = len(priority)

    def __missing__(self, trait: str) -> int:
        self[trait] = self._folded.get(trait.casefold(), self._last)
        return self[trait]

    def of(self, person: Person, organisation: OrganisationId) -> int:
        if not self._folded:
            return 0
        return min(map(self.__getitem__, (organisation, *person.attributes.values())))
