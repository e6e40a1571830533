"""What one person needs, and what that makes of the plan."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from provisioning.domain.ids import OrganisationId, SkuId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import BeforeImage, Change, Step, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import SubjectPlan

TAKES_AWAY = frozenset({StepKind.REMOVE, StepKind.REMOVE_MEMBER})


class Act(msgspec.Struct, frozen=True):
    """One write for the person, and why it is done: for people, no code branches on it."""

    kind: StepKind
    change: Change
    reason: str


class Verdict(msgspec.Struct, frozen=True, eq=False):
    """Everybody in the same situation shares one; `licences` is that situation, `acts` follow one another.

    `through_group` is what a write to the group as a whole does to the person, who then needs none of their own.
    """

    state: SubjectState
    reason: Reason | None = None
    acts: tuple[Act, ...] = ()
    notes: tuple[str, ...] = ()
    licences: tuple[HeldLicence, ...] = ()
    through_group: Change | None = None

    @classmethod
    def refused(cls, reason: Reason, *notes: str) -> "Verdict":
        return cls(SubjectState.REFUSED, reason, notes=notes)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Everything that happens to the person's licences, in order."""
        own = tuple(act.change for act in self.acts)
        return (self.through_group, *own) if self.through_group else own

    def asks_for_seat(self, sku_id: SkuId) -> bool:
        """Whether it takes one more seat of the SKU: who holds it in any way takes none."""
        holds = any(licence.sku_id == sku_id and licence.is_active for licence in self.licences)
        return self.state is SubjectState.PENDING and not holds

    def seats_asked(self, sku_id: SkuId) -> tuple[SkuId, ...]:
        """Every SKU that it takes one more seat of: the product's, and those of add-ons that come along."""
        held = {licence.sku_id for licence in self.licences if licence.is_active}
        also = (one.sku_id for act in self.acts for one in act.change.also_add)
        product = (sku_id,) if self.asks_for_seat(sku_id) else ()
        return (*product, *(sku for sku in also if sku not in held))

    def subject(self, person: Person, organisation: OrganisationId) -> SubjectPlan:
        return SubjectPlan(
            subject_id=person.subject_id,
            organisation_id=organisation,
            state=self.state,
            reason=self.reason,
            before=before_image(person),
            notes=self.notes,
        )

    def steps(self, person: Person, position: int, second_look: datetime) -> Iterator[Step]:
        """Nothing but for who is under way. Nothing is taken away on one look alone: not before the second."""
        acts = self.acts if self.state is SubjectState.PENDING else ()
        for sequence, act in enumerate(acts):
            yield Step(
                position=position + sequence,
                subject_id=person.subject_id,
                kind=act.kind,
                change=act.change,
                sequence=sequence,
                reason=act.reason,
                not_before=second_look if act.kind in TAKES_AWAY and not sequence else None,
                is_last=act is acts[-1],
            )


def first_location(location: str) -> Act:
    reason = "the usage location is empty and the school's policy names one"
    return Act(StepKind.SET_USAGE_LOCATION, Change(usage_location=location), reason)


def licence_act(change: Change) -> Act:
    if change.remove_skus:
        return Act(StepKind.SWAP, change, "takes the place of the old product")
    return Act(StepKind.ASSIGN, change, "ordered for this person")


def out_of_group(licence: HeldLicence) -> tuple[Act, Act]:
    """The same licence directly, with the same plans off; only then out of the group that brought it."""
    kept = Change(add_sku=licence.sku_id, disabled_plans=licence.disabled_plans)
    left = Change(group_id=licence.group_id, remove_skus=(licence.sku_id,))
    return (
        Act(StepKind.ASSIGN, kept, "held directly before the group is left"),
        Act(StepKind.REMOVE_MEMBER, left, "the direct licence takes the place of the group's"),
    )


def into_group(change: Change) -> Act:
    return Act(StepKind.ADD_MEMBERS, change, "the group brings the licence")


def drop_direct(sku_id: SkuId) -> Act:
    return Act(StepKind.REMOVE, Change(remove_skus=(sku_id,)), "the group brings the same licence")


def before_image(person: Person) -> BeforeImage:
    return BeforeImage(licences=person.licences, usage_location=person.usage_location, is_enabled=person.is_enabled)
