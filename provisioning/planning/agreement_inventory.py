"""What moving agreements would come to, before anybody asks Microsoft (S28): seats, people, and what is not ours."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256

import msgspec

from provisioning.domain.agreement_move import Inventory, SchoolPeople
from provisioning.domain.ids import OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.observation import Person, Subscription
from provisioning.domain.order import LedgerEntry
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.ticket_wishes import RemapAgreement
from provisioning.planning.agreement_watch import seats_of
from provisioning.planning.entitlements import in_force

LOSE_AT_ONCE, NOTHING_ELSE, THERE = "people_lose_at_once", "no_data_moves", "seats_there_already"
TOO_FEW, ALONG, SCHOOL_ASSIGNS = "too_few_people_there", "others_move_along", "school_assigns_there"
AGREEMENT_NOTES = (LOSE_AT_ONCE, NOTHING_ELSE, THERE, TOO_FEW, ALONG, SCHOOL_ASSIGNS)

Totals = Mapping[SkuId, int]
AtSchool = tuple[Person, OrganisationId]


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """What the inventory counts. `bought_*`: what all customers together bought there.

    People are theirs alone, each with the school that has them. `chosen`: whom each product is for, in the target.
    """

    source: tuple[Subscription, ...]
    target: tuple[Subscription, ...]
    bought_in_source: dict[SkuId, int]
    bought_in_target: dict[SkuId, int]
    people_in_source: tuple[AtSchool, ...] = ()
    people_in_target: tuple[AtSchool, ...] = ()
    chosen: dict[SkuId, frozenset[SubjectId]] = {}


def entitled(held: Iterable[LedgerEntry], tenant: TenantId, on: date) -> dict[SkuId, int]:
    """Seats of each product that these entries give in the tenant on the day."""
    totals: Counter[SkuId] = Counter()
    for entry in in_force(held, on):
        if entry.tenant_id == tenant and entry.sku_id is not None:
            totals[entry.sku_id] += entry.delta
    return {sku: seats for sku, seats in totals.items() if seats > 0}


def moving_seats(held: Sequence[LedgerEntry], source: TenantId, target: TenantId, sides: Sides, on: date) -> Totals:
    """Seats of each product that are to move: what is on record in the source.

    Nothing on record there: it was ordered for the target, and activated in the wrong place (S32). Then what the
    target lacks moves, as far as the source shows more than others bought there.
    """
    recorded = entitled(held, source, on)
    if recorded:
        return recorded
    lacking = {
        sku: min(seats, _unexplained(sides.source, sides.bought_in_source, sku), _lack(sides, sku))
        for sku, seats in entitled(held, target, on).items()
    }
    return {sku: seats for sku, seats in lacking.items() if seats > 0}


def take_inventory(moving: Totals, sides: Sides, usage_location: str | None) -> Inventory:
    """`usage_location`: what the target's policy gives to whoever has none."""
    skus = {one.sku_id for one in sides.source}
    along = {
        sku: _unexplained(sides.source, sides.bought_in_source, sku)
        - (0 if sku in sides.bought_in_source else moving.get(sku, 0))
        for sku in skus
    }
    staying = {sku: seats - moving.get(sku, 0) for sku, seats in sides.bought_in_source.items()}
    schools = tuple(_schools(moving, sides, usage_location))
    return Inventory(
        moving=dict(moving),
        along={sku: seats for sku, seats in sorted(along.items()) if seats > 0},
        staying={sku: seats for sku, seats in sorted(staying.items()) if seats > 0},
        losing=sum(one.losing for one in schools),
        present=sum(one.present for one in schools),
        ready=sum(one.ready for one in schools),
        schools=schools,
    )


def _schools(moving: Totals, sides: Sides, usage_location: str | None) -> Iterator[SchoolPeople]:
    here, there = _by_school(sides.people_in_source), _by_school(sides.people_in_target)
    for school in sorted(here.keys() | there.keys()):
        users, newcomers = here.get(school, ()), there.get(school, ())
        able = [person.subject_id for person in newcomers if _is_ready(person, usage_location)]
        holding = {sku: sum(person.holds(sku) for person in users) for sku in sorted(moving)}
        serving = {sku: len(sides.chosen.get(sku, frozenset()).intersection(able)) for sku in sorted(moving)}
        found = SchoolPeople(
            organisation_id=school,
            losing=sum(any(map(person.holds, moving)) for person in users),
            present=len(newcomers),
            ready=len(able),
            holding={sku: people for sku, people in holding.items() if people},
            serving={sku: people for sku, people in serving.items() if people},
        )
        if found.losing or found.present:
            yield found


def _by_school(people: Iterable[AtSchool]) -> dict[OrganisationId, list[Person]]:
    found: dict[OrganisationId, list[Person]] = defaultdict(list)
    for person, school in people:
        found[school].append(person)
    return found


def are_too_few(inventory: Inventory, staying_behind: int, *, is_withheld: bool) -> bool:
    """Whether somebody loses the service by the move and is not ready to get it back.

    Who lost it already waits for nothing but the target; people of another customer are none of those who move.
    """
    if inventory.is_there_already or is_withheld:
        return not inventory.present
    return inventory.ready < max(inventory.losing - staying_behind, 1)


def notes_on(inventory: Inventory, mode: AssignmentMode, staying_behind: int) -> tuple[str, ...]:
    """Codes of what a board must know before anybody lets it go on."""
    notes = [THERE if inventory.is_there_already else LOSE_AT_ONCE, NOTHING_ELSE]
    if inventory.ready < max(inventory.losing - staying_behind, 1):
        notes.append(TOO_FEW)
    if inventory.along:
        notes.append(ALONG)
    if mode is AssignmentMode.NONE:
        notes.append(SCHOOL_ASSIGNS)
    return tuple(notes)


def counts_of(inventory: Inventory) -> dict[str, str]:
    """What a board may be told: its own seats and people."""
    return {
        "seats": str(sum(inventory.moving.values())),
        "people_who_lose": str(inventory.losing),
        "people_there": str(inventory.present),
        "people_ready": str(inventory.ready),
    }


def digest_of(
    wish: RemapAgreement, source: TenantId, target: TenantId, inventory: Inventory, who: Sequence[OrganisationId]
) -> str:
    """Of exactly what is approved."""
    basis = [wish.public_customer_number, sorted(wish.licence_ids), source, target, inventory, sorted(who)]
    basis += [wish.staying_behind] if wish.staying_behind else []
    return sha256(msgspec.json.encode(basis, order="deterministic")).hexdigest()


def _unexplained(purchases: Sequence[Subscription], bought: Totals, sku: SkuId) -> int:
    return max(0, seats_of(purchases, sku) - bought.get(sku, 0))


def _lack(sides: Sides, sku: SkuId) -> int:
    return max(0, sides.bought_in_target.get(sku, 0) - seats_of(sides.target, sku))


def _is_ready(person: Person, usage_location: str | None) -> bool:
    """Microsoft gives no licence to whoever has no usage location."""
    return person.is_enabled and bool(person.usage_location or usage_location)
