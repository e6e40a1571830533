"""The plans of a migration in the target: the licence without its mailbox, then the mailbox, or all of it back."""

from collections.abc import Iterator, Mapping

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import Phase, Situation
from provisioning.domain.observation import HeldLicence
from provisioning.planning.arriving import Arrival, Case, Preparation, TargetJudge
from provisioning.planning.judging import Aim
from provisioning.planning.mailbox import Origin, undescribed
from provisioning.planning.migration_plan import (
    Judged,
    MigrationScene,
    Party,
    allotted,
    counted,
    drawn,
    party,
    under_way,
    with_plans_offered,
)
from provisioning.planning.plan import Plan
from provisioning.planning.undoing import Undoing


class MigrateScene(MigrationScene, frozen=True, kw_only=True):
    """`left`: the licence of the product as our last step wrote it, of everybody to whom one wrote it.

    `joined`: the same through the group of ours into which the wave was moved afterwards, of who is a member still.
    `mailboxes`: whether people had Exchange on in the source when they were matched. Of whom it says nothing, the
    source as it looks now is believed.
    """

    left: Mapping[SubjectId, HeldLicence] = {}
    joined: Mapping[SubjectId, HeldLicence] = {}
    mailboxes: Mapping[SubjectId, bool] = {}


_JUDGES: Mapping[Phase, type[TargetJudge]] = {
    Phase.PREPARE: Preparation,
    Phase.ENABLE: Arrival,
    Phase.UNDO_TARGET: Undoing,
}


def plan_migrate(scene: MigrateScene) -> Plan:
    """One step for each traveller of the wave, or why there is none. Raises InputError for a phase of the source."""
    scene = msgspec.structs.replace(scene, mappings=with_plans_offered(scene.mappings, scene.seats))
    judge = _judge_of(scene)
    people = party(scene)
    judged = list(allotted(scene, _judged(scene, judge, people)))
    return drawn(scene, judged, people.absent, *_told(scene, judged))


def _judge_of(scene: MigrateScene) -> TargetJudge:
    aim = Aim(
        wish=scene.wish,
        policy=scene.policy,
        mappings=scene.mappings,
        permissions=scene.permissions,
        groups=scene.groups,
        may_move=False,
    )
    judge = _JUDGES.get(scene.phase)
    if judge is None:
        raise InputError(f"Phase {scene.phase} of a migration is planned in the source, not in the target.")
    return judge(aim, scene.definition.plan_mapping, scene.left, scene.joined, scene.reserved)


def _judged(scene: MigrateScene, judge: TargetJudge, people: Party) -> Iterator[Judged]:
    for person, traveller in people.present:
        source = people.there.get(person.subject_id)
        origin = Origin(source.licences, traveller.source_sku) if source else None
        case = Case(
            person,
            origin,
            has_evidence=traveller.evidence is not None,
            had_mailbox=scene.mailboxes.get(person.subject_id),
            had_it_before=traveller.situation is Situation.ALREADY_LICENSED,
        )
        yield person, traveller.organisation_id, judge.of(case)


def _told(scene: MigrateScene, judged: list[Judged]) -> tuple[str, ...]:
    """What would be done, and what an approver must not overlook."""
    people, product = counted(under_way(judged)), scene.product
    if scene.phase is Phase.PREPARE:
        return (
            f"{scene.wave}: {product} is given to {people} here, with Exchange off until the mailbox has moved",
            _doubtful(scene),
        )
    if scene.phase is Phase.ENABLE:
        return (f"{scene.wave}: Exchange is switched on in {product} for {people} whose mailbox is said to be here",)
    moved = _moved_mailboxes(scene, judged)
    leaving = under_way(one for one in judged if one[0].subject_id in scene.joined)
    return (
        f"{scene.wave} is rolled back: {product} is taken from {people} to whom it was given",
        f"{counted(leaving)} of them by leaving the group into which they were moved" if leaving else "",
        f"the mailbox of {counted(moved)} is here by now: Microsoft deletes it 30 days later" if moved else "",
    )


def _doubtful(scene: MigrateScene) -> str:
    sku = scene.mappings.skus.get(scene.wish.sku_id)
    plans = sorted(undescribed(sku)) if sku else []
    return f"no list of ours knows {', '.join(plans)}: off until then too, where a mailbox is to come" if plans else ""


def _moved_mailboxes(scene: MigrateScene, judged: list[Judged]) -> int:
    moved = {one.target_id for one in scene.travellers if one.evidence is not None}
    return under_way(one for one in judged if one[0].subject_id in moved)
