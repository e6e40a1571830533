"""Whom a binding would choose, counted by audience against whom the present one chooses, before it is approved."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SkuId, SubjectId, TenantId
from provisioning.domain.observation import Census, Membership, Person, Seats
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import Formerly, PeopleSeen, ProductSeen, RebindLook
from provisioning.domain.tenancy import Binding
from provisioning.planning.selection import Selection, select

LEAVING_TAKES_NOTHING, BOUGHT_STAYS, OLD_UNREAD = "leaving_takes_nothing", "bought_stays_there", "old_selection_unread"
NOT_KNOWN_AS_THEIRS = "tenant_not_known_as_theirs"
REBIND_NOTES = (LEAVING_TAKES_NOTHING, BOUGHT_STAYS, OLD_UNREAD, NOT_KNOWN_AS_THEIRS)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant as it was read; `strangers` are the bindings of other boards there."""

    census: Census
    memberships: dict[str, Membership]
    strangers: tuple[Binding, ...] = ()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a binding chooses: of one audience, or of several together, everybody once."""

    people: dict[SubjectId, Person] = {}
    undecided: dict[SubjectId, Reason] = {}

    @classmethod
    def of(cls, selection: Selection) -> "Choice":
        return cls(
            people={person.subject_id: person for person, _ in selection.chosen},
            undecided={subject: reason for subject, (_, reason) in selection.undecidable.items()},
        )

    @classmethod
    def together(cls, choices: Iterable["Choice"]) -> "Choice":
        people: dict[SubjectId, Person] = {}
        undecided: dict[SubjectId, Reason] = {}
        for one in choices:
            people |= one.people
            undecided |= one.undecided
        return cls(people=people, undecided={who: why for who, why in undecided.items() if who not in people})


Choices = Mapping[Audience, Choice]


def choices_in(place: Place, binding: Binding) -> Choices | None:
    """By audience; None when some of it could not be read, so that nobody knows."""
    found = {audience: _selected(place, binding, audience) for audience in sorted(binding.selectors)}
    if not all(one.is_complete for one in found.values()):
        return None
    return {audience: Choice.of(one) for audience, one in found.items()}


def _selected(place: Place, binding: Binding, audience: Audience) -> Selection:
    """The other selectors only say whom it would choose twice; of `any` every selector would speak."""
    if audience is Audience.ANY:
        binding = msgspec.structs.replace(binding, selectors={audience: binding.selectors[audience]})
    return select(place.census, place.memberships, [binding], place.strangers, audience)


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────


def count_audiences(
    new: Choices, old: Choices | None, formerly: Formerly, bought: Collection[SkuId]
) -> dict[Audience, PeopleSeen]:
    """`old`: of the present binding, where it could be read. `bought`: products that were bought for these people."""
    former = None if old is None else {audience: old.get(audience, Choice()) for audience in new}
    return {
        audience: count_people(choice, former[audience] if former is not None else None, formerly, bought)
        for audience, choice in new.items()
    }


def count_people(new: Choice, old: Choice | None, formerly: Formerly, bought: Collection[SkuId]) -> PeopleSeen:
    """Who is in both tenants is another person in each: who comes and goes is known within one alone."""
    is_same = old is not None and formerly is Formerly.HERE
    before = old.people.keys() if old is not None else set[SubjectId]()
    return PeopleSeen(
        selected=len(new.people),
        undecided=dict(sorted(Counter(new.undecided.values()).items())),
        licensed=sum(any(map(person.holds, bought)) for person in new.people.values()),
        before=len(before) if old is not None else None,
        coming=len(new.people.keys() - before) if is_same else None,
        going=len(before - new.people.keys()) if is_same else None,
    )


def count_products(bought: Mapping[SkuId, int], left: Mapping[SkuId, int], seats: Seats) -> tuple[ProductSeen, ...]:
    """Of what was bought, in the tenant or in the one that is left."""
    return tuple(_product(sku, bought.get(sku, 0), left.get(sku, 0), seats) for sku in sorted({*bought, *left}))


def _product(sku: SkuId, bought: int, left: int, seats: Seats) -> ProductSeen:
    count = seats.counts.get(sku)
    if count is None:
        return ProductSeen(sku_id=sku, bought=bought, left=left)
    free = max(0, count.enabled - count.consumed)
    return ProductSeen(sku_id=sku, bought=bought, left=left, enabled=count.enabled, free=free, in_grace=count.warning)


# ── what follows from them ───────────────────────────────────────────────────────────────────────────────


def reason_against(look: RebindLook) -> Reason | None:
    """A selector by which nobody could be served is nothing to approve."""
    if not look.audiences:  # the binding that they were to be taken over from is no more
        return Reason.SELECTOR_MISSING
    weighed = [look.audiences[one] for one in look.asked if one in look.audiences]
    nobody = [one for one in weighed if not one.selected]
    if any(not one.undecided for one in nobody):
        return Reason.SELECTOR_EMPTY
    doubts = sum((Counter(one.undecided) for one in nobody), Counter[Reason]())
    return max(doubts, key=lambda one: (doubts[one], one), default=None)


def notes_on(look: RebindLook) -> tuple[str, ...]:
    """Codes of what a board must know before anybody lets it go on."""
    said = {
        LEAVING_TAKES_NOTHING: look.formerly is not Formerly.NOWHERE,
        BOUGHT_STAYS: any(one.left for one in look.products),
        OLD_UNREAD: look.formerly is Formerly.UNREAD,
        NOT_KNOWN_AS_THEIRS: not look.is_theirs,
    }
    return tuple(note for note, is_so in said.items() if is_so)


def counts_of(look: RebindLook) -> dict[str, str]:
    """What a board may be told; of a tenant that may be another customer's, nothing."""
    if not look.is_theirs:
        return {}
    total = look.total
    counts = {
        "people_selected": total.selected,
        "people_undecided": sum(total.undecided.values()),
        "people_before": total.before,
        "people_coming": total.coming,
        "people_going": total.going,
    }
    return {name: str(number) for name, number in counts.items() if number is not None}


def digest_of(look: RebindLook) -> str:
    """Of exactly what is approved: the binding, whom it chooses, what was bought for them.

    Seats that the tenant shows change with everybody's orders, and each order is held against them anyway.
    """
    bought = {one.sku_id: [one.bought, one.left] for one in look.products}
    return digest([look.basis, look.audiences, look.total, look.formerly, bought])


def basis_of(tenant: TenantId, proposed: object, strangers: Sequence[Binding]) -> str:
    """Of whatever the counts are drawn from, besides the people themselves."""
    others = sorted((one.organisation_id, one.binding_id, sorted(one.selectors.items())) for one in strangers)
    return digest([tenant, proposed, others])


def digest(value: object) -> str:
    return sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
