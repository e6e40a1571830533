"""What must be true after every run, whatever happened on the way."""

from __future__ import annotations

from collections import Counter

from provisioning.domain.lifecycle import STEP_ENDS, OperationState, SubjectState
from provisioning.domain.operation import call_of
from provisioning.planning.carry import enabled_plans, families
from tests.simulation.world import A3, YAMMER, World

_CERTAIN = {"attempt.accepted", "attempt.found_done"}


def check_witness(world: World, *, repeats_allowed: bool) -> None:
    """Each write that changed something has exactly one line of success with its request id, and the reverse.

    A call for several people is a write for each of them.
    """
    changed = Counter(call_of(write.attempt) for write in world.graph.writes if write.changed)
    repeats = {call_of(write.attempt) for write in world.graph.writes if not write.changed}
    lines = Counter(str(event.correlation) for event in world.database.rows.events if event.kind in _CERTAIN)
    assert set(Counter(write.attempt for write in world.graph.writes if write.changed).values()) <= {1}
    assert all(lines[call] == people for call, people in changed.items()), "a write without its one line"
    assert set(lines) <= set(changed) | repeats, "a line without a write"
    assert repeats_allowed or not repeats, f"{len(repeats)} writes changed nothing"


def check_nothing_is_untold(world: World) -> None:
    """Behind replicas of minutes: a change has its line, or was taken for absent and has it under the repeat."""
    told = {str(event.correlation) for event in world.database.rows.events if event.kind in _CERTAIN}
    repeated = {write.subject for write in world.graph.writes if not write.changed and call_of(write.attempt) in told}
    changes = [write for write in world.graph.writes if write.changed and call_of(write.attempt) not in told]
    assert [write.attempt for write in changes if write.subject not in repeated] == [], "a write of which nothing tells"


def check_continuity(world: World) -> None:
    """No person is without a service at any instant that they had before and have in the end."""
    catalogue = world.mappings.skus
    family_of = {plan.plan_id: plan.family for sku in catalogue.values() for plan in sku.plans}
    for subject, versions in world.graph.versions.items():
        services = [families(enabled_plans(person.licences, catalogue), family_of) for _, person in versions]
        lasting = services[0] & services[-1]
        assert all(lasting <= instant for instant in services), f"{subject} was without a service"


def check_plans_stay_off(world: World) -> None:
    for versions in world.graph.versions.values():
        was_off = any(YAMMER in held.disabled_plans for held in versions[0][1].licences)
        held = [licence for licence in versions[-1][1].licences if licence.sku_id == A3 and licence.is_active]
        assert not was_off or all(YAMMER in licence.disabled_plans for licence in held)


def check_list_adds_up(world: World) -> None:
    """Everybody is on the list once, in an end state, and who is called verified is so in truth."""
    rows = world.database.rows
    people = {record.subject_id: record for key, record in rows.subjects.items() if key not in rows.group_rows}
    assert set(people) == set(world.graph.people)
    for subject, record in people.items():
        assert record.state is not SubjectState.PENDING, f"{subject} was forgotten"
        assert (record.state is SubjectState.VERIFIED) == world.graph.people[subject].holds(A3)
    assert all(record.state in STEP_ENDS for record in world.database.rows.steps.values())


def check_seats(world: World) -> None:
    assert sum(person.holds(A3) for person in world.graph.people.values()) <= world.graph.enabled[A3]


def check_all(world: World, *, repeats_allowed: bool = False) -> None:
    assert world.operation.state in {OperationState.COMPLETED, OperationState.PARTIALLY_COMPLETED}, (
        world.operation.state,
        world.operation.reason,
    )
    check_list_adds_up(world)
    check_witness(world, repeats_allowed=repeats_allowed)
    check_continuity(world)
    check_plans_stay_off(world)
    check_seats(world)
