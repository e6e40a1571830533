"""What one person of a migration gives up in the source, and what comes back when that is rolled back.

Nothing goes before the target serves it (L3), nor before the hold period has passed: Microsoft keeps the data of a
mailbox for 30 days after its licence has gone (domain, M8).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import SkuId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration import EXCHANGE, Traveller
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.planning.carry import KnownPlans, PlanIds, enabled_plans, families, off_by_policy
from provisioning.planning.conflicts import Compatibility
from provisioning.planning.groups import GroupScene
from provisioning.planning.losses import after_changes
from provisioning.planning.verdict import Act, Verdict

LEAST_HOLD = timedelta(days=30)
KEPT_AFTER_RELEASE = timedelta(days=30)  # domain, M8: then the mailbox is gone, and a licence brings an empty one


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a release rests on besides the person."""

    now: datetime
    mappings: Mappings
    leaving: frozenset[SkuId]  # the products of the source that go
    hold_period: timedelta
    groups: GroupScene  # of the source
    target_policy: Policy


class SourceJudge:
    """Decides what a person gives up. `counterpart` is who they are in the target, as seen just now."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._catalogue = ground.mappings.skus
        self._family_of = KnownPlans.named_in(self._catalogue).family_of
        self._compatibility = Compatibility(ground.mappings)
        self._known: dict[tuple[object, ...], Verdict] = {}

    def of(self, person: Person, traveller: Traveller, counterpart: Person | None) -> Verdict:
        """What is done with this person, or why nothing is."""
        going = self._going(person)
        if not going:
            return Verdict(SubjectState.ALREADY_RIGHT, Reason.LICENCE_NOT_HELD, licences=person.licences)
        return self._too_early(traveller) or self._once(person, traveller, counterpart, going)

    def unserved(self, person: Person, traveller: Traveller, counterpart: Person | None) -> Verdict | None:
        """Why the target does not serve what would go, by itself: the one thing that may change after the plan."""
        going = self._going(person)
        return self._not_served(person, traveller, counterpart, self._gone(person, going)) if going else None

    def _going(self, person: Person) -> list[HeldLicence]:
        return [one for one in person.licences if one.sku_id in self._ground.leaving and one.is_active]

    def _gone(self, person: Person, going: Sequence[HeldLicence]) -> list[HeldLicence]:
        return self._with_all_of_our_groups(person, self._with_dependants(person, going))

    def _once(
        self, person: Person, traveller: Traveller, counterpart: Person | None, going: Sequence[HeldLicence]
    ) -> Verdict:
        """Equal cases are judged once: a wave has few of them."""
        there = counterpart and counterpart.licences
        key = (person.licences, there, traveller.target_sku, traveller.evidence is None)
        if key not in self._known:
            self._known[key] = self._given_up(person, traveller, counterpart, going)
        return self._known[key]

    def _too_early(self, traveller: Traveller) -> Verdict | None:
        until = traveller.held_until(max(self._ground.hold_period, LEAST_HOLD))
        if until is None:
            return Verdict.refused(Reason.TARGET_NOT_READY, "not everything was on there yet")
        return Verdict.refused(Reason.HOLD_PERIOD_RUNS, f"until {until:%Y-%m-%d}") if until > self._ground.now else None

    def _given_up(
        self, person: Person, traveller: Traveller, counterpart: Person | None, going: Sequence[HeldLicence]
    ) -> Verdict:
        gone = self._gone(person, going)
        refused = (
            self._others_group(gone)
            or self._left_hanging(person, gone)
            or self._without_p1(person, gone)
            or self._mailbox_unseen(person, traveller, gone)
            or self._not_served(person, traveller, counterpart, gone)
        )
        if refused:
            return refused
        return Verdict(SubjectState.PENDING, None, tuple(_given_up(gone)), licences=person.licences)

    # ── what goes together ───────────────────────────────────────────────────────────────────────────────

    def _with_dependants(self, person: Person, going: Sequence[HeldLicence]) -> list[HeldLicence]:
        """An add-on that cannot be without the product goes in the same call."""
        gone = list(going)
        while more := self._hanging(person, gone):
            gone += more
        return gone

    def _hanging(self, person: Person, gone: Collection[HeldLicence]) -> list[HeldLicence]:
        """Direct licences that could not stay once the others have gone."""
        staying = _without(person.licences, gone)
        stranded = self._compatibility.stranded(person.licences, staying)
        return [one for one in staying if one.is_direct and enabled_plans([one], self._catalogue) & stranded]

    def _with_all_of_our_groups(self, person: Person, gone: list[HeldLicence]) -> list[HeldLicence]:
        """Who leaves a group loses everything that it brings."""
        left = {one.group_id for one in gone if one.group_id}
        return gone + [one for one in _without(person.licences, gone) if one.group_id in left and one.is_active]

    # ── what stands in the way ───────────────────────────────────────────────────────────────────────────

    def _others_group(self, gone: Iterable[HeldLicence]) -> Verdict | None:
        groups = self._ground.groups
        foreign = next((one for one in gone if one.group_id and not groups.may_leave(one.group_id)), None)
        return Verdict.refused(Reason.INHERITED_FROM_GROUP, groups.told_of(foreign)) if foreign else None

    def _left_hanging(self, person: Person, gone: Collection[HeldLicence]) -> Verdict | None:
        """What depends on the product and comes from a group stays, so the product has to."""
        stranded = self._compatibility.stranded(person.licences, _without(person.licences, gone))
        return Verdict.refused(Reason.DEPENDENCY, f"{min(stranded)} needs it") if stranded else None

    def _without_p1(self, person: Person, gone: Collection[HeldLicence]) -> Verdict | None:
        """Without Entra ID P1 nobody may have a licence through a group; others' groups go on giving theirs."""
        staying = [one for one in _without(person.licences, gone) if one.is_active]
        has_p1 = any(one.sku_id in self._ground.mappings.group_licensing for one in staying)
        loses = any(one.sku_id in self._ground.mappings.group_licensing for one in gone)
        through = next((one for one in staying if one.group_id), None)
        if through is None or has_p1 or not loses:
            return None
        return Verdict.refused(Reason.ENTRA_P1_LOST, self._ground.groups.told_of(through))

    def _mailbox_unseen(self, person: Person, traveller: Traveller, gone: Collection[HeldLicence]) -> Verdict | None:
        """That Exchange is on there says nothing about what is in the mailbox: somebody has to have seen it arrive."""
        lost = self._services(person.licences) - self._services(_without(person.licences, gone))
        if EXCHANGE not in lost or traveller.evidence is not None:
            return None
        return Verdict.refused(Reason.EXCHANGE_NOT_READY, "nobody has shown that the mailbox has moved")

    def _not_served(
        self, person: Person, traveller: Traveller, counterpart: Person | None, gone: Sequence[HeldLicence]
    ) -> Verdict | None:
        """Every service that goes here and that the product there should bring has to be on there, seen just now.

        What goes along with the product was not promised by it: all of that has to be on there, or nothing goes. Nor
        does Exchange depend on a promise: a mailbox without a licence on either side is deleted.
        """
        if counterpart is None or traveller.target_sku is None:
            return Verdict.refused(Reason.TARGET_NOT_READY, "no such person there")
        lost = self._services(person.licences) - self._services(_without(person.licences, gone))
        served = self._services(counterpart.licences)
        promised = families(self._promised(traveller.target_sku), self._family_of)
        along = [one for one in gone if one.sku_id not in self._ground.leaving]
        if lacking := lost & (promised | {EXCHANGE}) - served:
            return Verdict.refused(Reason.TARGET_NOT_READY, ", ".join(sorted(lacking)))
        if lacking := lost & self._services(along) - served:
            return Verdict.refused(Reason.DEPENDENCY, f"not there: {', '.join(sorted(lacking))}")
        return None

    def _promised(self, sku_id: SkuId) -> PlanIds:
        """What the product there brings, apart from what the school there wants off."""
        product = self._catalogue.get(sku_id)
        return product.plan_ids - off_by_policy(product, self._ground.target_policy) if product else frozenset()

    def _services(self, licences: Collection[HeldLicence]) -> frozenset[str]:
        return families(enabled_plans(licences, self._catalogue), self._family_of)


def _without(licences: Iterable[HeldLicence], gone: Collection[HeldLicence]) -> list[HeldLicence]:
    return [one for one in licences if one not in gone]


def _given_up(gone: Collection[HeldLicence]) -> Iterator[Act]:
    """What is direct in one call, then out of each group of ours."""
    direct = sorted({one.sku_id for one in gone if one.is_direct})
    if direct:
        yield Act(StepKind.REMOVE, Change(remove_skus=tuple(direct)), "released: the target serves this person")
    for group in sorted({one.group_id for one in gone if one.group_id}):
        skus = tuple(sorted({one.sku_id for one in gone if one.group_id == group}))
        change = Change(group_id=group, remove_skus=skus)
        yield Act(StepKind.REMOVE_MEMBER, change, "released from our group: the target serves this person")


# ── roll back ────────────────────────────────────────────────────────────────────────────────────────────


class Taken(msgspec.Struct, frozen=True):
    """What a release did to one person: how they looked before, and our writes that were carried out."""

    before: tuple[HeldLicence, ...]
    changes: tuple[Change, ...]
    at: datetime  # of the first of them

    @property
    def left(self) -> tuple[HeldLicence, ...]:
        """How we left them."""
        return tuple(after_changes(self.before, self.changes))

    @property
    def licences(self) -> tuple[HeldLicence, ...]:
        return tuple(one for one in self.before if one.is_active and one not in self.left)


class ReturnJudge:
    """Gives back exactly what a release took, to who is still as it left them."""

    def __init__(
        self,
        mappings: Mappings,
        leaving: frozenset[SkuId],
        groups: GroupScene,
        taken: Mapping[SubjectId, Taken],
        now: datetime,
    ) -> None:
        self._now = now
        self._leaving = leaving
        self._compatibility = Compatibility(mappings)
        self._groups = groups
        self._taken = taken

    def of(self, person: Person) -> Verdict:
        taken = self._taken.get(person.subject_id)
        if taken is None and any(map(person.holds, self._leaving)):  # their release failed before it took anything
            return Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, licences=person.licences)
        if taken is None or not taken.licences:
            return Verdict.refused(Reason.NOT_AS_WE_LEFT, "the migration took nothing from them")
        if _facts(person.licences) == _facts(taken.before):
            return Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, licences=person.licences)
        if _facts(person.licences) != _facts(taken.left):
            return Verdict.refused(Reason.NOT_AS_WE_LEFT)
        return self._too_late(taken) or self._cannot(person, taken) or self._given_back(person, taken)

    def _too_late(self, taken: Taken) -> Verdict | None:
        if self._now - taken.at <= KEPT_AFTER_RELEASE:
            return None
        told = f"released on {taken.at:%Y-%m-%d}; Microsoft kept what was there for {KEPT_AFTER_RELEASE.days} days"
        return Verdict.refused(Reason.NOT_AS_WE_LEFT, told)

    def _cannot(self, person: Person, taken: Taken) -> Verdict | None:
        if person.usage_location is None and any(one.is_direct for one in taken.licences):
            return Verdict.refused(Reason.USAGE_LOCATION)
        gone = next((one for one in taken.licences if one.group_id and not self._groups.may_leave(one.group_id)), None)
        return Verdict.refused(Reason.GROUP_GONE, self._groups.told_of(gone)) if gone else None

    def _given_back(self, person: Person, taken: Taken) -> Verdict:
        acts = tuple(_given_back(self._in_order(person, taken)))
        return Verdict(SubjectState.PENDING, None, acts, licences=person.licences)

    def _in_order(self, person: Person, taken: Taken) -> list[HeldLicence]:
        """What others depend on comes first, as Graph asks for it."""
        held, rest = list(person.licences), sorted(taken.licences, key=lambda one: (one.group_id or "", one.sku_id))
        ordered: list[HeldLicence] = []
        while rest:
            fits = next((one for one in rest if not self._obstacle(held, one)), rest[0])
            rest.remove(fits)
            ordered.append(fits)
            held.append(fits)
        return ordered

    def _obstacle(self, held: Collection[HeldLicence], licence: HeldLicence) -> bool:
        change = Change(add_sku=licence.sku_id, disabled_plans=licence.disabled_plans)
        return self._compatibility.obstacle(held, change) is not None


def _given_back(licences: Iterable[HeldLicence]) -> Iterator[Act]:
    joined = set[str]()
    for one in licences:
        change = Change(add_sku=one.sku_id, disabled_plans=one.disabled_plans, group_id=one.group_id)
        if one.group_id is None:
            yield Act(StepKind.ASSIGN, change, "rolled back: the release had taken it")
        elif one.group_id not in joined:  # being in the group once brings everything it has
            joined.add(one.group_id)
            yield Act(StepKind.ADD_MEMBERS, change, "rolled back: into our group again")


def _facts(licences: Iterable[HeldLicence]) -> frozenset[tuple[str, PlanIds, str | None]]:
    return frozenset((one.sku_id, one.disabled_plans, one.group_id) for one in licences if one.is_active)
