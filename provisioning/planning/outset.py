"""How people stand when they are matched, as far as it says how many writes a migration needs for each of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import GroupId, SubjectId
from provisioning.domain.migration import Outset, Traveller
from provisioning.domain.observation import Census, HeldLicence, Person
from provisioning.planning.conflicts import Compatibility
from provisioning.planning.mailbox import exchange_plans, has_mailbox


def with_outset(
    travellers: Iterable[Traveller], source: Census, target: Census, ours: Collection[GroupId], mappings: Mappings
) -> Iterator[Traveller]:
    """Each with what they have now. `ours`: the groups of the source that we made, which people leave one by one."""
    here, there = _by_id(source), _by_id(target)
    compatibility = Compatibility(mappings)
    for one in travellers:
        old, new = here.get(one.source_id), there.get(one.target_id) if one.target_id else None
        yield msgspec.structs.replace(
            one,
            has_mailbox=old is not None and has_mailbox(old.licences, mappings.skus),
            outset=_outset(one, old, new, ours, mappings, compatibility),
        )


def _by_id(census: Census) -> Mapping[SubjectId, Person]:
    return {person.subject_id: person for person in census.people}


def _outset(
    one: Traveller,
    old: Person | None,
    new: Person | None,
    ours: Collection[GroupId],
    mappings: Mappings,
    compatibility: Compatibility,
) -> Outset:
    product = mappings.skus.get(one.target_sku) if one.target_sku else None
    if old is None or new is None or product is None:
        return Outset()
    held = [each for each in new.licences if each.sku_id == product.sku_id and each.is_active]
    is_larger = not held and compatibility.larger_product(new, product, ()) is not None
    return Outset(
        has_location=new.usage_location is not None,
        is_licensed=bool(held) or is_larger,
        is_by_name=not is_larger and all(each.is_direct for each in held),
        has_exchange=is_larger or _brings_all(held, exchange_plans(product)),
        removals=_removals([each for each in old.licences if each.sku_id == one.source_sku and each.is_active], ours),
    )


def _brings_all(held: Collection[HeldLicence], exchange: Collection[str]) -> bool:
    """Whether nothing of Exchange is to come on: it is on, or the product has none."""
    return not exchange or any(not set(exchange) & each.disabled_plans for each in held)


def _removals(held: Collection[HeldLicence], ours: Collection[GroupId]) -> int:
    """One for what they have by name, and one for each group of ours; of others' groups nobody is taken out."""
    return any(each.is_direct for each in held) + len({each.group_id for each in held if each.group_id in ours})
