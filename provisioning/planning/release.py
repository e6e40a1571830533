"""The plans of a migration in the source: the licence goes last, and comes back when that is rolled back."""

from collections.abc import Mapping

from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import Phase
from provisioning.domain.tenancy import Policy
from provisioning.planning.judging import products
from provisioning.planning.leaving import Ground, ReturnJudge, SourceJudge, Taken
from provisioning.planning.migration_plan import (
    Judged,
    MigrationScene,
    Party,
    allotted,
    counted,
    drawn,
    party,
    under_way,
)
from provisioning.planning.plan import Plan


class ReleaseScene(MigrationScene, frozen=True, kw_only=True):
    """`wish.sku_id` and `wish.replaces` are the products of the source that go. `taken`: what a release took."""

    target_policy: Policy
    taken: Mapping[SubjectId, Taken] = {}

    @property
    def is_complete(self) -> bool:
        """A release rests on nothing older than the limit (an hour), in either tenant."""
        is_fresh = self.now - self.observed_at <= self.limits.release_observation_max_age
        return is_fresh and self.census.is_complete and self.other.is_complete


def plan_release(scene: ReleaseScene) -> Plan:
    """What each traveller gives up in the source, or gets back. Raises InputError for a phase of the target."""
    people = party(scene)
    match scene.phase:
        case Phase.RELEASE:
            judged = _released(scene, people)
        case Phase.UNDO_SOURCE:
            judged = list(allotted(scene, _returned(scene, people)))
        case _:
            raise InputError(f"Phase {scene.phase} of a migration is planned in the target, not in the source.")
    return drawn(scene, judged, people.absent, *_told(scene, judged))


def _released(scene: ReleaseScene, people: Party) -> list[Judged]:
    ground = Ground(
        now=scene.now,
        mappings=scene.mappings,
        leaving=products(scene.wish),
        hold_period=scene.definition.hold_period,
        groups=scene.groups,
        target_policy=scene.target_policy,
    )
    judge = SourceJudge(ground)
    return [
        (person, one.organisation_id, judge.of(person, one, people.there.get(person.subject_id)))
        for person, one in people.present
    ]


def _returned(scene: ReleaseScene, people: Party) -> list[Judged]:
    judge = ReturnJudge(scene.mappings, products(scene.wish), scene.groups, scene.taken, scene.now)
    return [(person, one.organisation_id, judge.of(person)) for person, one in people.present]


def _told(scene: ReleaseScene, judged: list[Judged]) -> tuple[str, ...]:
    people, product = counted(under_way(judged)), scene.product
    if scene.phase is Phase.RELEASE:
        return (
            f"{scene.wave}: {product} is taken from {people} here, served by the target now",
            "Microsoft deletes what is left of their mailboxes here 30 days later",
        )
    return (f"{scene.wave} is rolled back: what its release took comes back here, for {people}",)
