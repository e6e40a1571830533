"""What one person needs, and what that makes of the plan."""

from collections.abc import Iterator

import msgspec

from provisioning.domain.ids import OrganisationId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import BeforeImage, Change, Step, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import SubjectPlan


class Verdict(msgspec.Struct, frozen=True, eq=False):
    """Everybody in the same situation shares one; `licences` is that situation, `first_location` is set before."""

    state: SubjectState
    reason: Reason | None = None
    change: Change = Change()
    notes: tuple[str, ...] = ()
    first_location: str | None = None
    licences: tuple[HeldLicence, ...] = ()

    @classmethod
    def refused(cls, reason: Reason, *notes: str) -> "Verdict":
        return cls(SubjectState.REFUSED, reason, notes=notes)

    def subject(self, person: Person, organisation: OrganisationId) -> SubjectPlan:
        return SubjectPlan(
            subject_id=person.subject_id,
            organisation_id=organisation,
            state=self.state,
            reason=self.reason,
            before=before_image(person),
            notes=self.notes,
        )

    def steps(self, person: Person, position: int) -> Iterator[Step]:
        """Nothing but for who is under way; the location first, in its own step."""
        if self.state is not SubjectState.PENDING:
            return
        if self.first_location:
            yield _location_step(person, self.first_location, position)
        yield self._licence_step(person, position + bool(self.first_location))

    def _licence_step(self, person: Person, position: int) -> Step:
        is_swap = bool(self.change.remove_skus)
        return Step(
            position=position,
            subject_id=person.subject_id,
            kind=StepKind.SWAP if is_swap else StepKind.ASSIGN,
            change=self.change,
            sequence=1 if self.first_location else 0,
            reason="takes the place of the old product" if is_swap else "ordered for this person",
        )


def _location_step(person: Person, location: str, position: int) -> Step:
    return Step(
        position=position,
        subject_id=person.subject_id,
        kind=StepKind.SET_USAGE_LOCATION,
        change=Change(usage_location=location),
        reason="the usage location is empty and the school's policy names one",
    )


def before_image(person: Person) -> BeforeImage:
    return BeforeImage(licences=person.licences, usage_location=person.usage_location, is_enabled=person.is_enabled)
