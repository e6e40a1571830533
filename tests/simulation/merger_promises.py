"""What must be true of a migration at every instant, and after it, whatever happened on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from provisioning.domain.ids import OperationId, SubjectId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, STEP_ENDS
from provisioning.domain.migration import Phase, Traveller
from provisioning.domain.migration_lifecycle import UNDER_WAY, PersonState
from provisioning.domain.observation import Person
from provisioning.domain.operation import StepKind, StepRecord
from provisioning.planning.carry import enabled_plans, families
from provisioning.planning.window import is_open
from tests.simulation.graph import Write
from tests.simulation.merger import MergerWorld
from tests.simulation.promises import check_witness
from tests.simulation.schools import EXCHANGE
from tests.simulation.two_tenants import SOURCE, TARGET
from tests.simulation.world import A3, YAMMER

SETTLE = timedelta(seconds=60)


def check_ended(world: MergerWorld) -> None:
    """Everything that holds after the end, in a world that nobody else touched."""
    check_merger(world, repeats_allowed=world.graph.source.weather.lag >= SETTLE)
    check_what_is_said_is_true(world)
    check_nothing_is_half_done(world)
    check_nobody_stays_in_a_group(world)


def check_merger(
    world: MergerWorld, *, repeats_allowed: bool = False, apart_from: frozenset[SubjectId] = frozenset()
) -> None:
    """`apart_from`: people whom somebody else took something from, so that nobody can promise them anything."""
    travellers = [one for one in world.travellers if one.source_id not in apart_from]
    check_witness(world, repeats_allowed=repeats_allowed)
    check_nobody_is_without(world, travellers)
    check_exchange_waits(world, travellers)
    check_what_was_off_stays_off(world, travellers)
    check_only_approved_writes(world)
    check_only_in_the_window(world)


def check_nobody_is_without(world: MergerWorld, travellers: list[Traveller]) -> None:
    """Every service that somebody had in the beginning is on in one of the two tenants at every instant (L3)."""
    catalogue = world.mappings.skus
    family_of = {plan.plan_id: plan.family for sku in catalogue.values() for plan in sku.plans}

    def services(person: Person) -> frozenset[str]:
        return families(enabled_plans(person.licences, catalogue), family_of)

    for one in travellers:
        before = services(world.graph.source.versions[one.source_id][0][1])
        for at, here, there in _history(world, one):
            missing = before - services(here) - services(there)
            assert not missing, f"{one.source_id} was without {missing} from {at} on"


def check_exchange_waits(world: MergerWorld, travellers: list[Traveller]) -> None:
    """No mailbox is made in the target before somebody proved that the real one is there."""
    for one in travellers:
        for at, person in world.graph.target.versions[one.target_id]:
            if EXCHANGE in enabled_plans(person.licences, world.mappings.skus):
                assert one.evidence is not None, f"{one.source_id} got a mailbox without any evidence"
                assert one.evidence.given_at <= at, f"{one.source_id} got a mailbox before its evidence"


def check_what_was_off_stays_off(world: MergerWorld, travellers: list[Traveller]) -> None:
    for one in travellers:
        before = world.graph.source.versions[one.source_id][0][1].licences[0]
        for _, person in world.graph.target.versions[one.target_id]:
            for held in person.licences:
                assert before.disabled_plans & {YAMMER, EXCHANGE} <= held.disabled_plans, one.source_id


def check_only_approved_writes(world: MergerWorld) -> None:
    """Each write is a try of a step, in that step's tenant, of a plan that was in force: by a person, or its guards.

    A part of a migration always has a person's approval, and names whom it writes to.
    """
    approved = _approvals(world)
    for tenant, write in _written(world):
        record = world.database.rows.tried[write.attempt]
        operation = world.database.rows.operations[record.operation_id]
        plan = world.database.rows.drawn[record.plan_id]
        assert operation.tenant_id == tenant, f"{write} was meant for the other tenant"
        assert record.step.subject_id == write.subject, f"{write} was meant for {record.step.subject_id}"
        approved_at = approved.get((operation.operation_id, plan.digest))
        is_within_guards = operation.wish.part is None and not plan.guard_breaches
        assert is_within_guards or (approved_at and approved_at <= write.at), f"{write} was approved by nobody"
        assert operation.wish.part is None or write.subject in operation.wish.named, f"{write}: nobody asked for them"
        check_is_as_planned(write, record)


def check_is_as_planned(write: Write, record: StepRecord) -> None:
    """Of a person's licences nothing differs but the products of the step."""
    if not isinstance(write.before, Person) or not isinstance(write.after, Person):
        return
    change = record.step.change
    meant = {change.add_sku, *change.remove_skus}
    differing = {held.sku_id for held in {*write.before.licences} ^ {*write.after.licences}}
    assert record.step.kind is StepKind.REPROCESS or differing <= meant, f"{write} changed {differing - meant}"


def check_only_in_the_window(world: MergerWorld) -> None:
    """No part of the migration wrote at another hour, but for what gives mailboxes back."""
    window, holidays = world.migration.definition.window, world.mappings.school_holidays
    for _, write in _written(world):
        operation = world.database.rows.operations[world.database.rows.tried[write.attempt].operation_id]
        keeps_hours = operation.wish.part is not None and operation.wish.part.phase is not Phase.ENABLE
        assert not keeps_hours or is_open(window, holidays, write.at), f"{write} left while it was shut"


def _approvals(world: MergerWorld) -> dict[tuple[OperationId, str], datetime]:
    """When each plan was approved, by its operation and digest."""
    approved: dict[tuple[OperationId, str], datetime] = {}
    for event in world.database.rows.events:
        if event.kind == "plan.approved" and event.operation and event.after:
            approved.setdefault((event.operation, event.after), event.at)
    return approved


def check_nothing_is_half_done(world: MergerWorld) -> None:
    """After the end: nobody is on their way, nothing was written that was not read back, no seat is held back."""
    rows = world.database.rows
    assert not [one for one in world.travellers if one.state in UNDER_WAY], _standings(world)
    assert not [one for one in world.travellers if one.is_ready], f"a mailbox waits: {_standings(world)}"
    assert all(one.state in OPERATION_ENDS for one in world.operations), _standings(world)
    assert not [one for one in rows.steps.values() if one.state not in STEP_ENDS], _standings(world)
    assert not rows.reserved
    assert world.migration.due_at is None


def check_what_is_said_is_true(world: MergerWorld) -> None:
    """Where people are said to be is where they are, in both tenants."""
    for one in world.travellers:
        here = world.graph.source.people[one.source_id].holds(one.source_sku or A3)
        there = world.graph.target.people[one.target_id].holds(one.target_sku or A3)
        expected = {
            "waiting": (True, False),
            "prepared": (True, True),
            "enabled": (True, True),
            "released": (False, True),
            "rolled_back": (True, False),
        }.get(str(one.state))
        assert expected in {None, (here, there)}, f"{one.source_id} is {one.state}, and {(here, there)}"


def check_nobody_stays_in_a_group(world: MergerWorld) -> None:
    """Who was rolled back is in no group of the target: what it brings would come to them later."""
    back = {one.target_id for one in world.travellers if one.state is PersonState.ROLLED_BACK}
    groups = world.graph.target.groups
    for group in map(groups.current, groups.versions):
        assert back.isdisjoint(group.members), f"{sorted(back & group.members)} are in {group.nickname}"


def _standings(world: MergerWorld) -> str:
    people = [(str(one.source_id), str(one.state), one.reason, one.failed_in) for one in world.travellers]
    work = [
        (str(one.wish.part and one.wish.part.phase), str(one.state), one.reason, one.due_at, one.lost_attempts)
        for one in world.operations
    ]
    waves = {number: str(state) for number, state in world.waves.items()}
    return f"{world.migration.state} {world.migration.reason} {world.clock.moment} {waves}\n{people}\n{work}"


def _written(world: MergerWorld) -> Iterator[tuple[TenantId, Write]]:
    for tenant, graph in ((SOURCE, world.graph.source), (TARGET, world.graph.target)):
        for write in graph.writes:
            yield tenant, write


def _history(world: MergerWorld, one: Traveller) -> Iterator[tuple[datetime, Person, Person]]:
    """The person in both tenants, whenever either changed."""
    here, there = world.graph.source.versions[one.source_id], world.graph.target.versions[one.target_id]
    for moment in sorted({at for at, _ in (*here, *there)}):
        yield moment, _as_of(here, moment), _as_of(there, moment)


def _as_of(versions: list[tuple[datetime, Person]], moment: datetime) -> Person:
    return [person for at, person in versions if at <= moment][-1]
