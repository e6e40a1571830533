"""The store of the simulation means what the database means: each test holds in both."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.errors import ConflictError, InputError, TransitionError
from provisioning.domain.ids import MigrationId
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.migration import Migration, Situation, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Change, Operation, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import Plan
from provisioning.ports import StepUpdate, SubjectUpdate, UnitOfWork
from tests.factories import NOW, tenancy
from tests.factories import migrations as making
from tests.factories import operations as make
from tests.integration.database.conftest import Work, store
from tests.simulation.store import Database

change = msgspec.structs.replace
OpenAny = Callable[[], AbstractContextManager[UnitOfWork]]


@pytest.fixture(params=["database", "simulation"])
def uow(request: pytest.FixtureRequest) -> Iterator[UnitOfWork]:
    simulated = Database(lambda _moment: None).open
    opening: OpenAny = request.getfixturevalue("open_uow") if request.param == "database" else simulated
    with opening() as opened:
        yield opened


@pytest.fixture
def operation(uow: UnitOfWork) -> Operation:
    tenant = tenancy.tenant()
    made = make.operation(tenant.tenant_id)
    uow.tenants.save(tenant)
    uow.operations.add(made)
    return made


def planned(uow: UnitOfWork, operation: Operation, **fields: object) -> Work:
    """Two people: the first needs a usage location before the licence."""
    first, second = people = make.people(2)
    located = make.swap(0, first, kind=StepKind.SET_USAGE_LOCATION, change=Change(usage_location="NL"))
    steps = (located, make.swap(1, first, sequence=1), make.swap(2, second))
    plan = store(uow, make.plan(operation, people, steps=steps, **fields))  # type: ignore[arg-type]  # either one
    lease = uow.leases.take(f"tenant:{operation.tenant_id}", "worker-1", NOW, timedelta(seconds=30))
    assert lease is not None
    return Work(operation, plan, people, lease)


@pytest.fixture
def work(uow: UnitOfWork, operation: Operation) -> Work:
    return planned(uow, operation)


def turn(uow: UnitOfWork, work: Work) -> list[int]:
    return [one.step.position for one in uow.journal.next_steps(work.operation.operation_id, NOW, 10)]


def begin(uow: UnitOfWork, work: Work) -> None:
    uow.journal.begin(work.attempts(uow.journal.next_steps(work.operation.operation_id, NOW, 10)), work.lease, NOW)


def close_first(uow: UnitOfWork, work: Work, state: StepState, *people: SubjectUpdate) -> None:
    first = next(one for one in uow.journal.steps_in(work.operation.operation_id, list(StepState)))
    update = StepUpdate(step_id=first.step_id, state=state, at=NOW)
    uow.journal.close(work.operation.operation_id, work.lease, [update], people)


def counts(uow: UnitOfWork, plan: Plan) -> dict[StepState, int]:
    return dict(uow.journal.step_counts(plan.operation_id))


class TestTurns:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (StepState.UNKNOWN, []),
            (StepState.FAILED, []),
            (StepState.APPLIED, [1]),
            (StepState.VERIFIED, [1]),
        ],
    )
    def test_a_step_waits_for_the_earlier_ones_of_its_person(
        self, uow: UnitOfWork, work: Work, state: StepState, expected: list[int]
    ) -> None:
        assert turn(uow, work) == [0, 2]
        begin(uow, work)
        close_first(uow, work, state)
        assert turn(uow, work) == expected

    def test_who_reached_an_end_has_no_further_steps(self, uow: UnitOfWork, work: Work) -> None:
        begin(uow, work)
        over = SubjectUpdate(subject_id=work.people[0], state=SubjectState.FAILED, reason=Reason.NOT_FOUND)
        close_first(uow, work, StepState.FAILED, over)
        assert counts(uow, work.plan) == {StepState.FAILED: 1, StepState.SKIPPED: 1, StepState.IN_FLIGHT: 1}
        assert uow.seats.reserved(work.operation.tenant_id, make.A3) == {work.people[1]}


class TestPlans:
    def test_a_new_plan_voids_the_earlier_one_and_forgets_what_it_did_not_try(
        self, uow: UnitOfWork, operation: Operation, work: Work
    ) -> None:
        begin(uow, work)
        again = planned(uow, operation)
        current = uow.plans.current(operation.operation_id)
        assert current is not None
        assert current.plan_id == again.plan.plan_id
        assert turn(uow, again) == [0, 2]
        assert counts(uow, work.plan) == {StepState.IN_FLIGHT: 2, StepState.PENDING: 3}

    def test_a_void_plan_is_no_current_plan_and_none_of_its_steps_begin(self, uow: UnitOfWork, work: Work) -> None:
        ready = work.attempts(uow.journal.next_steps(work.operation.operation_id, NOW, 10))
        uow.plans.void(work.plan.plan_id, Reason.APPROVAL_EXPIRED, NOW)
        assert uow.plans.current(work.operation.operation_id) is None
        assert (turn(uow, work), uow.seats.reserved(work.operation.tenant_id, make.A3)) == ([], set())
        with pytest.raises(ConflictError):
            uow.journal.begin(ready, work.lease, NOW)

    def test_a_void_plan_keeps_the_seats_of_whose_write_nobody_knows_yet_what_came(
        self, uow: UnitOfWork, work: Work
    ) -> None:
        begin(uow, work)
        close_first(uow, work, StepState.UNKNOWN)
        uow.plans.void(work.plan.plan_id, Reason.APPROVAL_EXPIRED, NOW)
        assert uow.seats.reserved(work.operation.tenant_id, make.A3) == set(work.people[:2])

    def test_a_plan_beyond_the_guards_does_not_begin_before_it_is_approved(
        self, uow: UnitOfWork, operation: Operation
    ) -> None:
        work = planned(uow, operation, guard_breaches=("too many",))
        with pytest.raises(ConflictError):
            begin(uow, work)


class TestLeavingPeopleToTheSchool:
    """A plan is void, people without a step reach an end: what is done when the school assigns from now on."""

    def test_who_has_no_step_any_more_is_refused_without_one(self, uow: UnitOfWork, work: Work) -> None:
        operation = work.operation.operation_id
        uow.plans.void(work.plan.plan_id, Reason.SCHOOL_ASSIGNS, NOW)
        refused = {"state": SubjectState.REFUSED, "reason": Reason.SCHOOL_ASSIGNS}
        uow.journal.close(
            operation, work.lease, [], [SubjectUpdate(subject_id=person, **refused) for person in work.people]
        )
        assert {one.reason for one in uow.journal.subjects(operation)} == {Reason.SCHOOL_ASSIGNS}
        assert not any(uow.journal.step_counts(operation).values())
        assert uow.seats.reserved(work.operation.tenant_id, make.A3) == set()

    def test_a_step_that_was_found_absent_goes_with_its_person(self, uow: UnitOfWork, work: Work) -> None:
        operation = work.operation.operation_id
        begin(uow, work)
        uow.plans.void(work.plan.plan_id, Reason.SCHOOL_ASSIGNS, NOW)
        tried = uow.journal.steps_in(operation, {StepState.IN_FLIGHT})
        uow.journal.close(
            operation, work.lease, [StepUpdate(step_id=one.step_id, state=StepState.PENDING) for one in tried], []
        )
        refused = {"state": SubjectState.REFUSED, "reason": Reason.SCHOOL_ASSIGNS}
        uow.journal.close(
            operation, work.lease, [], [SubjectUpdate(subject_id=person, **refused) for person in work.people]
        )
        assert {state for state, number in uow.journal.step_counts(operation).items() if number} == {StepState.SKIPPED}


class TestBaselines:
    def test_the_latest_look_before_the_moment_counts(self, uow: UnitOfWork, operation: Operation) -> None:
        place, later = (operation.tenant_id, make.A3), NOW + timedelta(hours=1)
        assert uow.seats.unexplained_before(*place, NOW) is None
        for number, at in [(30, NOW), (30, later), (12, later)]:
            uow.seats.note_unexplained(*place, number, at)
        assert uow.seats.unexplained_before(*place, NOW) == 30
        assert uow.seats.unexplained_before(*place, later) == 12
        assert uow.seats.unexplained_before(operation.tenant_id, make.A1, later) is None


class TestMigrations:
    @pytest.fixture
    def migration(self, uow: UnitOfWork) -> Migration:
        """With one person in the pilot and one in the second wave."""
        source, target = tenancy.tenant(), tenancy.tenant()
        uow.tenants.save(source)
        uow.tenants.save(target)
        made = making.migration(source.tenant_id, target.tenant_id, due_at=NOW)
        people = [making.traveller(made), making.traveller(made, wave=2)]
        uow.migrations.add(made, making.waves(made), people)
        return made

    @pytest.fixture
    def people(self, uow: UnitOfWork, migration: Migration) -> list[Traveller]:
        return uow.migrations.travellers(migration.migration_id)

    def test_are_read_in_the_same_ways(self, uow: UnitOfWork, migration: Migration, people: list[Traveller]) -> None:
        of = migration.migration_id
        assert uow.migrations.get(of) == migration
        assert uow.migrations.list_by({MigrationState.NEW}) == [migration]
        assert uow.migrations.list_by({MigrationState.RUNNING}) == []
        assert uow.migrations.starting_with(of[:8]) == [of]
        assert uow.migrations.waves(of) == making.waves(migration)
        assert uow.migrations.travellers(of, wave=2, states={PersonState.WAITING}) == people[1:]
        assert uow.migrations.counts(of) == {wave: Counter({PersonState.WAITING: 1}) for wave in (1, 2)}
        assert uow.migrations.situations(of) == {Situation.MATCHED: 2}
        assert all(one.pseudonym for one in people)
        with pytest.raises(InputError):
            uow.migrations.get(MigrationId("none"))

    def test_are_saved_by_version_and_along_the_table(self, uow: UnitOfWork, migration: Migration) -> None:
        matched = uow.migrations.save(change(migration, state=MigrationState.MATCHED, matched_at=NOW))
        with pytest.raises(ConflictError):
            uow.migrations.save(migration)
        with pytest.raises(TransitionError):
            uow.migrations.save(change(matched, state=MigrationState.COMPLETED))
        assert uow.migrations.get(migration.migration_id) == matched

    def test_are_claimed_once(self, uow: UnitOfWork, migration: Migration) -> None:
        later = NOW + timedelta(seconds=5)
        assert uow.migrations.claim_due(NOW, later, 10) == [migration.migration_id]
        assert uow.migrations.claim_due(NOW, later, 10) == []
        uow.migrations.postpone(migration.migration_id, later + timedelta(seconds=5))
        assert uow.migrations.claim_due(later, later, 10) == []

    def test_have_waves_that_keep_who_started_them(self, uow: UnitOfWork, migration: Migration) -> None:
        pilot, _ = uow.migrations.waves(migration.migration_id)
        uow.migrations.save_wave(making.started(pilot))
        with pytest.raises(ConflictError):
            uow.migrations.save_wave(making.started(pilot, started_by="person:second"))
        with pytest.raises(TransitionError):
            uow.migrations.save_wave(making.started(pilot, WaveState.DONE))
        with pytest.raises(InputError):
            uow.migrations.save_wave(change(pilot, number=9))

    def test_move_their_people_along_the_table(
        self, uow: UnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        of = migration.migration_id
        begun = [change(one, state=PersonState.PREPARING) for one in people]
        uow.migrations.save_travellers(of, [change(one, target_sku=None) for one in begun])
        assert uow.migrations.travellers(of) == begun
        with pytest.raises(TransitionError):
            uow.migrations.save_travellers(of, [change(begun[0], state=PersonState.RELEASED, enabled_at=NOW)])
        with pytest.raises(ConflictError):
            uow.migrations.save_travellers(of, [change(begun[0], wave=2)])
        with pytest.raises(ConflictError):
            uow.migrations.save_travellers(of, [making.traveller(migration)])
        with pytest.raises(ConflictError):
            uow.migrations.replace_travellers(of, people)

    def test_keep_the_first_evidence_whoever_writes(
        self, uow: UnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        of, (first, second) = migration.migration_id, people
        assert uow.migrations.give_evidence(of, {first.source_id: making.evidence()}) == {first.source_id}
        again = dict.fromkeys((first.source_id, "nobody"), making.evidence(reference="another"))
        assert uow.migrations.give_evidence(of, again) == set()
        uow.migrations.save_travellers(of, [change(first, state=PersonState.PREPARING), second])
        assert [one.evidence for one in uow.migrations.travellers(of)] == [making.evidence(), None]

    def test_are_matched_anew_without_losing_evidence_of_the_same_pair(
        self, uow: UnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        of, (first, second) = migration.migration_id, people
        uow.migrations.give_evidence(of, dict.fromkeys((first.source_id, second.source_id), making.evidence()))
        uow.migrations.replace_travellers(of, [first, change(second, target_id="another")])
        assert [one.evidence for one in uow.migrations.travellers(of)] == [making.evidence(), None]
        with pytest.raises(InputError):
            uow.migrations.replace_travellers(of, [first, change(second, target_id=first.target_id)])

    def test_know_their_operations(self, uow: UnitOfWork, migration: Migration) -> None:
        theirs = making.operation_for(migration)
        uow.operations.add(theirs)
        uow.operations.add(make.operation(migration.definition.target_tenant))
        assert uow.migrations.operations_of(migration.migration_id) == [theirs]
