from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, text

from provisioning.database import journal_writes
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import ConflictError, StaleLeaseError, TransitionError
from provisioning.domain.lifecycle import (
    STEP_ENDS,
    STEP_TRANSITIONS,
    SUBJECT_TRANSITIONS,
    OperationState,
    StepState,
    SubjectState,
)
from provisioning.domain.operation import Attempt, Change, Operation, Outcome, Step, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Tenant
from provisioning.planning.forecast import Work as Pending
from provisioning.ports import StepUpdate, SubjectUpdate
from tests.factories import NOW
from tests.factories import operations as make
from tests.integration.database.conftest import Open, Work, store

A_SECOND = timedelta(seconds=1)
LATER = NOW + 60 * A_SECOND


def next_steps(uow: SqlUnitOfWork, work: Work, limit: int = 10) -> list[StepRecord]:
    return uow.journal.next_steps(work.operation.operation_id, NOW, limit)


def begun(uow: SqlUnitOfWork, work: Work, how_many: int = 10) -> list[Attempt]:
    attempts = work.attempts(next_steps(uow, work, how_many))
    uow.journal.begin(attempts, work.lease, NOW)
    return attempts


def close(uow: SqlUnitOfWork, work: Work, *updates: StepUpdate | SubjectUpdate) -> None:
    steps = [update for update in updates if isinstance(update, StepUpdate)]
    subjects = [update for update in updates if isinstance(update, SubjectUpdate)]
    uow.journal.close(work.operation.operation_id, work.lease, steps, subjects)


def counts(uow: SqlUnitOfWork, work: Work) -> dict[StepState, int]:
    return uow.journal.step_counts(work.operation.operation_id)


def the_step(uow: SqlUnitOfWork, work: Work, step_id: int) -> StepRecord:
    found = uow.journal.steps_in(work.operation.operation_id, list(StepState))
    return next(record for record in found if record.step_id == step_id)


class TestPendingWrites:
    """What is still to be sent, of operations under way."""

    def _planned(
        self, uow: SqlUnitOfWork, tenant: Tenant, *kinds: tuple[StepKind, str | None], state: str
    ) -> Operation:
        operation = make.operation(tenant.tenant_id, state=OperationState(state))
        uow.operations.add(operation)
        people = make.people(len(kinds))
        steps = tuple(
            Step(position=place, subject_id=person, kind=kind, change=Change(group_id=group))
            for place, (person, (kind, group)) in enumerate(zip(people, kinds, strict=True))
        )
        store(uow, make.plan(operation, people, steps=steps))
        return operation

    @pytest.mark.parametrize(
        ("kinds", "writes"),
        [
            pytest.param([(StepKind.SWAP, None)] * 3, 3, id="one each"),
            pytest.param([(StepKind.ADD_MEMBERS, "g")] * 41, 3, id="twenty join in one call"),
            pytest.param([(StepKind.ADD_MEMBERS, "g"), (StepKind.ADD_MEMBERS, "h")], 2, id="of one group"),
            pytest.param([(StepKind.ADD_MEMBERS, "g")] * 2 + [(StepKind.SWAP, None)], 2, id="both"),
        ],
    )
    def test_counts_calls(
        self, uow: SqlUnitOfWork, tenant: Tenant, kinds: list[tuple[StepKind, str | None]], writes: int
    ) -> None:
        operation = self._planned(uow, tenant, *kinds, state="applying")
        assert uow.journal.pending_writes() == [Pending(operation.operation_id, tenant.tenant_id, writes)]

    @pytest.mark.parametrize("state", ["planning", "awaiting_approval", "completed"])
    def test_leaves_out_what_nobody_writes(self, uow: SqlUnitOfWork, tenant: Tenant, state: str) -> None:
        self._planned(uow, tenant, (StepKind.SWAP, None), state=state)
        assert uow.journal.pending_writes() == []

    def test_leaves_out_what_was_sent(self, uow: SqlUnitOfWork, work: Work) -> None:
        uow.operations.save(msgspec.structs.replace(work.operation, state=OperationState.APPLYING))
        attempts = begun(uow, work)
        assert [each.writes for each in uow.journal.pending_writes()] == [3]
        close(uow, work, StepUpdate(step_id=attempts[0].step_id, state=StepState.APPLIED, at=NOW))
        assert [each.writes for each in uow.journal.pending_writes()] == [2]


class TestNextSteps:
    def test_come_in_the_order_of_the_plan_and_no_more_than_asked(self, uow: SqlUnitOfWork, work: Work) -> None:
        assert [record.step.position for record in next_steps(uow, work)] == [0, 1, 2]
        assert [record.step.position for record in next_steps(uow, work, 2)] == [0, 1]

    def test_leave_out_what_is_not_due(self, uow: SqlUnitOfWork, work: Work) -> None:
        attempt, *_ = begun(uow, work, 1)
        close(uow, work, StepUpdate(step_id=attempt.step_id, state=StepState.PENDING, not_before=LATER))
        assert len(next_steps(uow, work)) == 2
        assert len(uow.journal.next_steps(work.operation.operation_id, LATER, 10)) == 3

    def test_are_those_of_the_plan_in_force_only(self, uow: SqlUnitOfWork, work: Work) -> None:
        uow.plans.void(work.plan.plan_id, Reason.APPROVAL_EXPIRED, NOW)
        assert next_steps(uow, work) == []

    @pytest.fixture
    def in_two_steps(self, uow: SqlUnitOfWork, operation: Operation, work: Work) -> Work:
        """The first person needs a usage location before the licence."""
        first, second = work.people[:2]
        located = make.swap(0, first, kind=StepKind.SET_USAGE_LOCATION, change=Change(usage_location="NL"))
        steps = (located, make.swap(1, first, sequence=1), make.swap(2, second))
        plan = store(uow, make.plan(operation, [first, second], steps=steps))
        return Work(operation, plan, [first, second], work.lease)

    @pytest.mark.parametrize(
        ("state", "turn"),
        [
            (StepState.IN_FLIGHT, []),
            (StepState.UNKNOWN, []),
            (StepState.FAILED, []),
            (StepState.APPLIED, [1]),
            (StepState.VERIFIED, [1]),
        ],
    )
    def test_offer_a_person_one_step_at_a_time(
        self, uow: SqlUnitOfWork, in_two_steps: Work, state: StepState, turn: list[int]
    ) -> None:
        assert [record.step.position for record in next_steps(uow, in_two_steps)] == [0, 2]
        attempt, _ = begun(uow, in_two_steps)
        if state is not StepState.IN_FLIGHT:
            close(uow, in_two_steps, StepUpdate(step_id=attempt.step_id, state=state, at=NOW))
        assert [record.step.position for record in next_steps(uow, in_two_steps)] == turn

    def test_spare_who_reached_an_end(self, uow: SqlUnitOfWork, in_two_steps: Work) -> None:
        attempt, _ = begun(uow, in_two_steps)
        failed = StepUpdate(step_id=attempt.step_id, state=StepState.FAILED, reason=Reason.NOT_FOUND)
        over = SubjectUpdate(subject_id=attempt.subject_id, state=SubjectState.FAILED, reason=Reason.NOT_FOUND)
        close(uow, in_two_steps, failed, over)
        assert counts(uow, in_two_steps)[StepState.SKIPPED] == 1
        assert uow.journal.next_due(in_two_steps.operation.operation_id) is None


class TestNextDue:
    def test_what_never_waited_is_due_since_the_plan_was_drawn(self, uow: SqlUnitOfWork, work: Work) -> None:
        assert uow.journal.next_due(work.operation.operation_id) == work.plan.drawn_at

    def test_is_the_earliest_of_pending_and_unknown(self, uow: SqlUnitOfWork, work: Work) -> None:
        first, second, third = begun(uow, work)
        assert uow.journal.next_due(work.operation.operation_id) is None
        close(
            uow,
            work,
            StepUpdate(step_id=first.step_id, state=StepState.UNKNOWN, not_before=LATER + A_SECOND),
            StepUpdate(step_id=second.step_id, state=StepState.PENDING, not_before=LATER),
            StepUpdate(step_id=third.step_id, state=StepState.APPLIED, at=NOW),
        )
        assert uow.journal.next_due(work.operation.operation_id) == LATER


class TestBegin:
    def test_leaves_a_trace_before_anything_is_sent(self, uow: SqlUnitOfWork, work: Work) -> None:
        first, *_ = begun(uow, work)
        record = the_step(uow, work, first.step_id)
        assert (record.state, record.attempts, record.sent_at) == (StepState.IN_FLIGHT, 1, NOW)
        assert record.last_attempt == first.attempt_id

    def test_of_nothing_is_nothing(self, uow: SqlUnitOfWork, work: Work) -> None:
        uow.journal.begin([], work.lease, NOW)
        assert counts(uow, work) == {StepState.PENDING: 3}

    def test_is_refused_when_another_worker_took_the_tenant(self, uow: SqlUnitOfWork, work: Work) -> None:
        stale = msgspec.structs.replace(work.lease, fence=work.lease.fence - 1)
        with pytest.raises(StaleLeaseError):
            uow.journal.begin(work.attempts(next_steps(uow, work)), stale, NOW)
        assert counts(uow, work) == {StepState.PENDING: 3}

    def test_is_refused_when_a_step_is_not_pending(self, uow: SqlUnitOfWork, work: Work) -> None:
        attempts = begun(uow, work, 1)
        with pytest.raises(ConflictError, match="1 of 1 steps cannot begin"):
            uow.journal.begin(attempts, work.lease, NOW)

    def test_is_refused_without_the_approval_that_the_plan_needs(
        self, uow: SqlUnitOfWork, operation: Operation, work: Work
    ) -> None:
        plan = store(uow, make.plan(operation, work.people, guard_breaches=("too many",)))
        attempts = work.attempts(next_steps(uow, work))
        with pytest.raises(ConflictError, match="not approved"):
            uow.journal.begin(attempts, work.lease, NOW)
        uow.plans.approve(plan.plan_id, "person:approver", plan.envelope.digest, NOW)
        uow.journal.begin(attempts, work.lease, NOW)
        assert counts(uow, work) == {StepState.IN_FLIGHT: 3}

    def test_an_attempt_whose_effect_was_not_seen_begins_again_under_its_own_id(
        self, uow: SqlUnitOfWork, work: Work
    ) -> None:
        attempt, *_ = begun(uow, work, 1)
        close(uow, work, StepUpdate(step_id=attempt.step_id, state=StepState.UNKNOWN, reason=Reason.NO_ANSWER))
        close(uow, work, StepUpdate(step_id=attempt.step_id, state=StepState.PENDING, reason=Reason.NO_ANSWER))
        again = msgspec.structs.replace(attempt, number=2)
        uow.journal.begin([again], work.lease, NOW)
        record = the_step(uow, work, attempt.step_id)
        assert (record.attempts, record.last_attempt) == (2, attempt.attempt_id)

    def test_no_one_takes_the_lease_between_the_look_and_the_commit(
        self, open_uow: Open, uow: SqlUnitOfWork, work: Work
    ) -> None:
        uow.commit()
        begun(uow, work)
        with open_uow() as thief:
            thief._connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                thief.leases.take(work.lease.name, "thief", LATER, A_SECOND)


class TestClose:
    def test_writes_what_came_of_it(self, uow: SqlUnitOfWork, work: Work) -> None:
        attempt, *_ = begun(uow, work, 1)
        receipt = make.receipt(attempt.attempt_id, sent_at=NOW + A_SECOND)
        close(
            uow,
            work,
            StepUpdate(step_id=attempt.step_id, state=StepState.APPLIED, at=LATER, receipt=receipt),
            SubjectUpdate(subject_id=attempt.subject_id, state=SubjectState.VERIFIED),
        )
        record = the_step(uow, work, attempt.step_id)
        assert (record.state, record.applied_at, record.sent_at) == (StepState.APPLIED, LATER, NOW + A_SECOND)
        assert uow.journal.subject_counts(work.operation.operation_id) == {
            SubjectState.PENDING: 2,
            SubjectState.VERIFIED: 1,
        }

    def test_every_transition_of_a_step_and_no_other_is_made(
        self, open_uow: Open, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        people = make.people(len(StepState) ** 2)
        plan = store(uow, make.plan(operation, people))
        lease = uow.leases.take("tenant:x", "worker-1", NOW, A_SECOND)
        work = Work(operation, plan, people, lease)
        records = next_steps(uow, work, 100)
        uow.commit()
        pairs = [(source, target) for source in StepState for target in StepState]
        for record, (source, target) in zip(records, pairs, strict=True):
            allowed = STEP_TRANSITIONS[source] | ({source} - STEP_ENDS)
            with open_uow() as one:
                force(one, record.step_id, source)
                if target in allowed:
                    close(one, work, StepUpdate(step_id=record.step_id, state=target, at=NOW))
                    assert the_step(one, work, record.step_id).state is target
                else:
                    with pytest.raises(TransitionError, match=f"from {source} to {target}"):
                        close(one, work, StepUpdate(step_id=record.step_id, state=target, at=NOW))

    def test_every_transition_of_a_person_and_no_other_is_made(
        self, open_uow: Open, uow: SqlUnitOfWork, work: Work
    ) -> None:
        uow.commit()
        person = work.people[0]
        for source in SubjectState:
            for target in SubjectState:
                with open_uow() as one:
                    set_state = text("UPDATE operation_subjects SET state = :state WHERE subject_id = :person")
                    one._connection.execute(set_state, {"state": source, "person": person})
                    update = SubjectUpdate(subject_id=person, state=target)
                    if target in SUBJECT_TRANSITIONS[source]:
                        close(one, work, update)
                    else:
                        with pytest.raises(TransitionError, match=f"may become {target}"):
                            close(one, work, update)

    def test_is_refused_when_another_worker_took_the_tenant(self, uow: SqlUnitOfWork, work: Work) -> None:
        attempt, *_ = begun(uow, work)
        taken = uow.leases.take(work.lease.name, "worker-2", LATER, A_SECOND)
        assert taken.fence > work.lease.fence
        with pytest.raises(StaleLeaseError):
            close(uow, work, StepUpdate(step_id=attempt.step_id, state=StepState.APPLIED, at=NOW))
        assert counts(uow, work) == {StepState.IN_FLIGHT: 3}

    def test_touches_no_step_of_another_operation(self, uow: SqlUnitOfWork, work: Work, tenant: Tenant) -> None:
        attempt, *_ = begun(uow, work)
        other = make.operation(tenant.tenant_id)
        uow.operations.add(other)
        with pytest.raises(TransitionError, match="from nowhere"):
            uow.journal.close(
                other.operation_id, work.lease, [StepUpdate(step_id=attempt.step_id, state=StepState.APPLIED)], []
            )

    def test_what_was_certainly_not_sent_is_no_attempt(self, uow: SqlUnitOfWork, work: Work) -> None:
        attempt, *_ = begun(uow, work, 1)
        receipt = make.receipt(attempt.attempt_id, outcome=Outcome.NOT_SENT, status=None, sent_at=None)
        close(uow, work, StepUpdate(step_id=attempt.step_id, state=StepState.PENDING, receipt=receipt))
        assert the_step(uow, work, attempt.step_id).attempts == 0

    def test_a_later_look_adds_to_the_answer_and_keeps_it(self, uow: SqlUnitOfWork, work: Work) -> None:
        attempt, *_ = begun(uow, work, 1)
        lost = make.receipt(attempt.attempt_id, outcome=Outcome.UNKNOWN, status=504, request_id="request-1")
        close(uow, work, StepUpdate(step_id=attempt.step_id, state=StepState.UNKNOWN, receipt=lost))
        found = make.receipt(attempt.attempt_id, outcome=Outcome.FOUND_DONE, status=None, request_id=None, sent_at=None)
        close(uow, work, StepUpdate(step_id=attempt.step_id, state=StepState.VERIFIED, at=LATER, receipt=found))
        kept = uow._connection.execute(text("SELECT outcome, status, request_id, sent_at FROM attempts")).one()
        assert tuple(kept) == ("found_done", 504, "request-1", NOW)
        assert the_step(uow, work, attempt.step_id).applied_at == LATER

    def test_who_reached_an_end_has_no_seat_reserved_any_more(self, uow: SqlUnitOfWork, work: Work) -> None:
        first, second, third = work.people
        close(
            uow,
            work,
            SubjectUpdate(subject_id=first, state=SubjectState.REFUSED, reason=Reason.FORBIDDEN),
            SubjectUpdate(subject_id=second, state=SubjectState.WAITING, reason=Reason.COUNT_VIOLATION),
        )
        assert uow.seats.reserved(work.operation.tenant_id, make.A3) == {third}
        assert uow.seats.waiting(work.operation.tenant_id, make.A3) == [second]


class TestWhatWeWrote:
    def test_our_own_receipts_come_oldest_first(self, uow: SqlUnitOfWork, work: Work) -> None:
        first, second, third = begun(uow, work)
        close(
            uow,
            work,
            StepUpdate(step_id=first.step_id, state=StepState.APPLIED, at=LATER),
            StepUpdate(step_id=second.step_id, state=StepState.VERIFIED, at=NOW),
            StepUpdate(step_id=third.step_id, state=StepState.FAILED, at=NOW),
        )
        tenant = work.operation.tenant_id
        assert [x.step_id for x in uow.journal.applied_since(tenant, NOW)] == [second.step_id, first.step_id]
        assert [x.step_id for x in uow.journal.applied_since(tenant, LATER)] == [first.step_id]
        assert uow.journal.applied_since("another", NOW) == []
        some = [second.subject_id, third.subject_id]
        assert [x.step_id for x in uow.journal.applied_since(tenant, NOW, some)] == [second.step_id]
        assert uow.journal.applied_since(tenant, NOW, []) == []

    def test_writes_to_groups_are_told_from_those_to_people(self, uow: SqlUnitOfWork, work: Work) -> None:
        first, second, third = begun(uow, work)
        make_group = text("UPDATE steps SET kind = 'license_group' WHERE step_id = ANY (:steps)")
        uow._connection.execute(make_group, {"steps": [first.step_id, second.step_id]})
        close(
            uow,
            work,
            StepUpdate(step_id=first.step_id, state=StepState.UNKNOWN),
            StepUpdate(step_id=second.step_id, state=StepState.FAILED),
            StepUpdate(step_id=third.step_id, state=StepState.UNKNOWN),
        )
        tenant = work.operation.tenant_id
        assert [x.step_id for x in uow.journal.groups_sent_since(tenant, NOW)] == [first.step_id]
        assert uow.journal.groups_sent_since(tenant, LATER) == []
        assert uow.journal.groups_sent_since("another", NOW) == []

    def test_guards_count_what_may_have_been_written(self, uow: SqlUnitOfWork, work: Work) -> None:
        first, second, _ = begun(uow, work)
        close(
            uow,
            work,
            StepUpdate(step_id=first.step_id, state=StepState.UNKNOWN),
            StepUpdate(step_id=second.step_id, state=StepState.FAILED),
        )
        tenant = work.operation.tenant_id
        assert uow.journal.kinds_since(tenant, NOW) == {StepKind.SWAP: 2}
        assert uow.journal.kinds_since(tenant, LATER) == {}


class TestWork:
    """Before the first statistics of a new plan exist, which is when a migration begins."""

    @pytest.fixture
    def bulk(self, uow: SqlUnitOfWork, operation: Operation, owner_engine: Engine) -> Work:
        quiet = text("ALTER TABLE steps SET (autovacuum_enabled = false)")
        with owner_engine.begin() as connection:
            connection.execute(quiet)
        people = make.people(3000)
        plan = store(uow, make.plan(operation, people))
        return Work(operation, plan, people, uow.leases.take("tenant:x", "worker-1", NOW, A_SECOND))

    def test_of_a_chunk_is_in_proportion_to_the_chunk(self, uow: SqlUnitOfWork, bulk: Work) -> None:
        attempts = work_attempts = bulk.attempts(next_steps(uow, bulk, 20))
        lease = {"name": bulk.lease.name, "fence": bulk.lease.fence, "holder": bulk.lease.holder}
        begin = lease | {"rows": journal_writes.attempt_rows(attempts), "at": NOW}
        assert rows_thrown_away(uow, journal_writes.BEGIN.text, begin) < 1000
        updates = [StepUpdate(step_id=x.step_id, state=StepState.APPLIED, at=NOW) for x in work_attempts]
        closing = lease | {"rows": journal_writes.step_rows(updates), "operation": bulk.operation.operation_id}
        assert rows_thrown_away(uow, journal_writes.CLOSE_STEPS.text, closing) < 1000


def rows_thrown_away(uow: SqlUnitOfWork, statement: str, bound: dict[str, object]) -> int:
    """How many rows PostgreSQL looked at in vain."""
    explained = uow._connection.execute(text(f"EXPLAIN (ANALYZE, COSTS OFF) {statement}"), bound).scalars()
    removed = [line.rsplit(":", 1)[1] for line in explained if "Rows Removed by" in line]
    return sum(int(float(number)) for number in removed)


def force(uow: SqlUnitOfWork, step_id: int, state: StepState) -> None:
    """A step in any state, however it came there."""
    statement = text("UPDATE steps SET state = :state WHERE step_id = :step")
    uow._connection.execute(statement, {"state": state, "step": step_id})


class TestVerifiedSince:
    def test_counts_people_whose_last_step_was_read_back_since(self, uow: SqlUnitOfWork, work: Work) -> None:
        first, second, _ = begun(uow, work)
        close(uow, work, StepUpdate(step_id=first.step_id, state=StepState.APPLIED, at=NOW))
        close(uow, work, StepUpdate(step_id=first.step_id, state=StepState.VERIFIED, at=LATER))
        close(uow, work, StepUpdate(step_id=second.step_id, state=StepState.APPLIED, at=LATER))
        assert uow.journal.verified_since(NOW) == uow.journal.verified_since(LATER) == 1
        assert uow.journal.verified_since(LATER + A_SECOND) == 0
        assert set(uow.journal.verified_at(work.operation.operation_id).values()) == {LATER}
