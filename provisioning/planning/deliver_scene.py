"""Everything a delivery or a remap is planned from, and whom it speaks of."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec

from provisioning.domain.catalogue import Mappings, Sku
from provisioning.domain.ids import OperationId, OrganisationId, PlanId, ServicePlanId, SkuId, SubjectId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Census, Person, SeatCount
from provisioning.domain.operation import Wish
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.planning.carry import KnownPlans, as_offered
from provisioning.planning.groups import GroupScene
from provisioning.planning.guards import Usage
from provisioning.planning.plan import Grounds
from provisioning.planning.remap import is_spoken_of
from provisioning.planning.seats import in_order
from provisioning.planning.selection import Selection


class AddonSeats(msgspec.Struct, frozen=True):
    """Of an add-on that comes in the place of another: seats to give, and its plans as this tenant has them."""

    to_give: int
    plan_ids: frozenset[ServicePlanId] = frozenset()


class DeliverScene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a delivery is planned from; nothing else is known."""

    plan_id: PlanId
    operation_id: OperationId
    tenant_id: TenantId
    now: datetime
    wish: Wish
    policy: Policy
    mappings: Mappings
    grounds: Grounds
    census: Census
    selection: Selection
    seats: SeatCount | None
    reserved: frozenset[SubjectId]
    in_doubt: frozenset[SubjectId] = frozenset()  # an earlier write of ours is not read back yet: left as they are
    elsewhere: frozenset[SubjectId] = frozenset()  # another operation wrote to them, and has not read it back
    entitlement: int
    waiting: tuple[SubjectId, ...]
    permissions: frozenset[str]
    usage: Usage
    limits: Limits
    groups: GroupScene = GroupScene()
    along: Mapping[SkuId, AddonSeats] = {}  # of a remap: add-ons that come in the place of others
    may_move: bool = False  # bring who has the product into the form that the policy wants, too

    @property
    def target(self) -> Sku:
        return self.mappings.skus[self.wish.sku_id]


def as_offered_there(scene: DeliverScene) -> DeliverScene:
    """With the target, and the add-ons that come along, as this tenant has them."""
    offered = {sku: stock.plan_ids for sku, stock in scene.along.items()}
    if scene.seats is not None:
        offered[scene.target.sku_id] = scene.seats.plan_ids
    known = KnownPlans.named_in(scene.mappings.skus)
    skus = {sku: as_offered(scene.mappings.skus[sku], plan_ids, known) for sku, plan_ids in offered.items()}
    mappings = msgspec.structs.replace(scene.mappings, skus={**scene.mappings.skus, **skus})
    return msgspec.structs.replace(scene, mappings=mappings)


def candidates(scene: DeliverScene) -> Sequence[tuple[Person, OrganisationId]]:
    """Whom the order speaks of, in the order of their turn."""
    apart = left_out(scene)
    chosen = [
        one
        for one in scene.selection.chosen
        if one[0].subject_id not in apart and is_spoken_of(one[0], scene.wish, scene.groups)
    ]
    return in_order(chosen, _queue(scene), scene.policy.seat_priority)


def _queue(scene: DeliverScene) -> Sequence[SubjectId]:
    """Who is in our group gets the product with no write of ours: whoever came before them would be one too many."""
    target = scene.groups.target
    if target is None or not scene.groups.is_ours:
        return scene.waiting
    waiting_members = [subject for subject in scene.waiting if subject in target.members]
    return tuple(dict.fromkeys([*waiting_members, *sorted(target.members), *scene.waiting]))


def left_out(scene: DeliverScene) -> AbstractSet[SubjectId]:
    """Selected people who are not named, where names count, and those whom somebody serves already."""
    served = served_elsewhere(scene)
    return selected(scene).difference(scene.wish.named) | served if scene.wish.named else served


def served_elsewhere(scene: DeliverScene) -> frozenset[SubjectId]:
    """Left to the operation that reserved their seat, or to an earlier plan of this one that wrote to them.

    Who has the product is served; to bring them into another form, too, is that operation's while it is at it.
    """
    if not scene.reserved or scene.may_move:
        return scene.in_doubt | scene.reserved
    seen = {
        person.subject_id
        for person, _ in scene.selection.chosen
        if person.subject_id in scene.reserved and person.holds(scene.wish.sku_id)
    }
    return scene.in_doubt | (scene.reserved - seen)


def selected(scene: DeliverScene) -> set[SubjectId]:
    return {person.subject_id for person, _ in scene.selection.chosen}.union(scene.selection.undecidable)


def undecidable(scene: DeliverScene) -> dict[SubjectId, tuple[OrganisationId, Reason]]:
    """Selected people of whom nobody can say whose they are, as far as the wish speaks of them."""
    apart = left_out(scene)
    open_cases = {one: why for one, why in scene.selection.undecidable.items() if one not in apart}
    if scene.wish.remap is None or not open_cases:
        return open_cases
    old = {one.subject_id for one in scene.census.people if any(one.holds(sku) for sku in scene.wish.replaces)}
    return {one: why for one, why in open_cases.items() if one in old}
