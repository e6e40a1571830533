from datetime import timedelta

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.ids import Actor
from provisioning.domain.lifecycle import LineState, StepState, SubjectState
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import BeforeImage, Change, Operation, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Organisation, Tenant
from provisioning.domain.worklist import Owner
from provisioning.planning.plan import Envelope, Plan, SubjectPlan
from provisioning.planning.seats import SeatsSeen
from provisioning.ports import StepUpdate, SubjectUpdate
from tests.factories import NOW, orders, tenancy, tickets
from tests.factories import operations as make
from tests.integration.database.conftest import A_DAY, Open, Work, store

APPROVER = "person:approver"
BREACHES = ("1,200 assignments, 1,000 are allowed",)
LATER = NOW + timedelta(hours=1)


class TestStoring:
    def test_the_record_says_what_the_plan_said(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        plan = store(uow, make.plan(operation, make.people(2), guard_breaches=BREACHES))
        record = uow.plans.find(plan.plan_id)
        assert record == uow.plans.current(operation.operation_id)
        assert record.digest == plan.envelope.digest
        assert msgspec.json.decode(record.envelope, type=Envelope) == plan.envelope
        assert (record.drawn_at, record.observed_at, record.valid_until) == (NOW, NOW, NOW + A_DAY)
        assert (record.guard_breaches, record.requested_by) == (BREACHES, operation.requested_by)
        assert not record.may_apply

    def test_steps_come_back_with_what_their_person_brings_along(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        [person] = make.people(1)
        before = BeforeImage(licences=(HeldLicence(make.A1, frozenset({"p"})),), usage_location="NL")
        step = make.swap(0, person, change=Change(add_sku=make.A3, disabled_plans=frozenset({"q"})))
        planned = make.subject(person, before=before, notes=("one plan is not carried over",))
        store(uow, make.plan(operation, subjects=(planned,), steps=(step,)))
        [record] = uow.journal.steps_in(operation.operation_id, [StepState.PENDING])
        assert (record.step, record.before, record.organisation_id) == (step, before, "41000")
        [subject] = uow.journal.subjects(operation.operation_id)
        assert (subject.pseudonym, subject.notes) == (record.pseudonym, planned.notes)

    def test_everybody_comes_back_as_the_plan_found_them(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        served, waits = make.people(2)
        held = BeforeImage(licences=(HeldLicence(make.A1, frozenset({"p"})),))
        subjects = (
            make.subject(served, before=held, notes=("one plan is not carried over",)),
            make.subject(waits, before=held, state=SubjectState.WAITING, reason=Reason.SEATS_INSUFFICIENT),
            make.subject(make.people(1)[0], is_group=True),
        )
        plan = store(uow, make.plan(operation, subjects=subjects, steps=(make.swap(0, served),)))
        people = uow.plans.people(plan.plan_id)
        as_planned = {SubjectPlan(**{n: getattr(x, n) for n in SubjectPlan.__struct_fields__}) for x in people}
        assert as_planned == set(subjects)
        assert all(person.pseudonym for person in people)
        assert uow.plans.steps(plan.plan_id) == list(plan.steps)

    def test_the_seats_of_then_are_kept_with_it(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        seen = SeatsSeen(sku_id=make.A3, enabled=40, in_grace=5, free=-1, entitled=12)
        assert uow.plans.find(store(uow, make.plan(operation, seats=seen)).plan_id).seats == seen
        assert uow.plans.find(store(uow, make.plan(operation)).plan_id).seats is None

    def test_a_step_that_does_nothing_is_never_sent(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        [person] = make.people(1)
        nothing = make.swap(0, person, kind=StepKind.NO_OP, change=Change())
        store(uow, make.plan(operation, [person], steps=(nothing,)))
        assert uow.journal.step_counts(operation.operation_id) == {StepState.SKIPPED: 1}

    def test_whoever_gets_a_seat_has_it_reserved_and_who_waits_is_on_the_list(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        served, first, second, located = make.people(4)
        waiting = [
            make.subject(x, state=SubjectState.WAITING, reason=Reason.SEATS_INSUFFICIENT) for x in (first, second)
        ]
        steps = (make.swap(0, served), make.swap(1, located, kind=StepKind.SET_USAGE_LOCATION, change=Change()))
        subjects = (make.subject(served), make.subject(located), *waiting)
        store(uow, make.plan(operation, subjects=subjects, steps=steps))
        assert uow.seats.reserved(operation.tenant_id, make.A3) == {served, located}
        assert uow.seats.waiting(operation.tenant_id, make.A3) == [first, second]

    def test_of_no_operation_is_an_error(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        with pytest.raises(InputError, match="There is no operation"):
            store(uow, make.plan(make.operation(tenant.tenant_id), make.people(1)))

    def test_many_people_are_stored_whole(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        plan = store(uow, make.plan(operation, make.people(5001)))
        assert uow.journal.subject_counts(operation.operation_id) == {SubjectState.PENDING: 5001}
        records = uow.journal.steps_in(operation.operation_id, [StepState.PENDING])
        assert [record.step for record in records] == list(plan.steps)


class TestReplacing:
    def test_voids_the_earlier_plan_and_forgets_what_was_never_tried(self, uow: SqlUnitOfWork, work: Work) -> None:
        again = store(uow, make.plan(work.operation, work.people[:2]))
        assert uow.plans.find(work.plan.plan_id).void_reason is Reason.CHANGED_MEANWHILE
        assert uow.plans.current(work.operation.operation_id).plan_id == again.plan_id
        assert uow.journal.step_counts(work.operation.operation_id) == {StepState.PENDING: 2}
        assert uow.journal.subject_counts(work.operation.operation_id) == {SubjectState.PENDING: 2}
        assert uow.seats.reserved(work.operation.tenant_id, make.A3) == set(work.people[:2])

    def test_what_was_tried_stays_in_the_journal_and_is_not_tried_again(self, uow: SqlUnitOfWork, work: Work) -> None:
        [attempt, *_] = work.attempts(uow.journal.next_steps(work.operation.operation_id, NOW, 1))
        uow.journal.begin([attempt], work.lease, NOW)
        update = StepUpdate(step_id=attempt.step_id, state=StepState.PENDING, receipt=make.receipt(attempt.attempt_id))
        uow.journal.close(work.operation.operation_id, work.lease, [update], [])
        store(uow, make.plan(work.operation, work.people))
        assert uow.journal.step_counts(work.operation.operation_id) == {StepState.SKIPPED: 1, StepState.PENDING: 3}

    def test_whom_we_served_stays_verified_and_in_doubt_stays_in_the_list(self, uow: SqlUnitOfWork, work: Work) -> None:
        served, doubted, left = work.people
        attempts = work.attempts(uow.journal.next_steps(work.operation.operation_id, NOW, 2))
        uow.journal.begin(attempts, work.lease, NOW)
        applied = StepUpdate(step_id=attempts[0].step_id, state=StepState.APPLIED, at=NOW)
        done = SubjectUpdate(subject_id=served, state=SubjectState.VERIFIED)
        uow.journal.close(work.operation.operation_id, work.lease, [applied], [done])
        right = make.subject(served, state=SubjectState.ALREADY_RIGHT)
        store(uow, make.plan(work.operation, subjects=(right,), steps=()))
        states = {x.subject_id: x.state for x in uow.journal.subjects(work.operation.operation_id)}
        assert states == {served: SubjectState.VERIFIED, doubted: SubjectState.PENDING}
        assert left not in states

    def test_whom_we_tried_in_vain_and_serve_no_more_is_not_under_way_for_ever(
        self, uow: SqlUnitOfWork, work: Work
    ) -> None:
        [attempt, *_] = work.attempts(uow.journal.next_steps(work.operation.operation_id, NOW, 1))
        uow.journal.begin([attempt], work.lease, NOW)
        refused = StepUpdate(step_id=attempt.step_id, state=StepState.PENDING, receipt=make.receipt(attempt.attempt_id))
        uow.journal.close(work.operation.operation_id, work.lease, [refused], [])
        store(uow, make.plan(work.operation, work.people[1:]))
        people = {each.subject_id: each for each in uow.journal.subjects(work.operation.operation_id)}
        assert people[work.people[0]].state is SubjectState.CHANGED_MEANWHILE
        assert people[work.people[0]].reason is Reason.CHANGED_MEANWHILE


class TestApproving:
    @pytest.fixture
    def plan(self, uow: SqlUnitOfWork, operation: Operation) -> Plan:
        return store(uow, make.plan(operation, make.people(1), guard_breaches=BREACHES))

    def test_lets_it_apply(self, uow: SqlUnitOfWork, plan: Plan) -> None:
        uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)
        record = uow.plans.find(plan.plan_id)
        assert (record.approved_by, record.approved_at, record.may_apply) == (APPROVER, LATER, True)

    def test_another_digest_than_the_one_shown_is_a_conflict(self, uow: SqlUnitOfWork, plan: Plan) -> None:
        with pytest.raises(ConflictError, match="not the one you read"):
            uow.plans.approve(plan.plan_id, APPROVER, "0" * 64, LATER)

    def test_twice_is_a_conflict(self, uow: SqlUnitOfWork, plan: Plan) -> None:
        uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)
        with pytest.raises(ConflictError, match="approved already"):
            uow.plans.approve(plan.plan_id, "person:another", plan.envelope.digest, LATER)

    def test_up_to_its_last_moment_and_not_after(self, open_uow: Open, uow: SqlUnitOfWork, plan: Plan) -> None:
        uow.commit()
        with open_uow() as late, pytest.raises(ConflictError, match="too old"):
            late.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, NOW + A_DAY + timedelta(microseconds=1))
        uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, NOW + A_DAY)

    def test_of_nothing_or_of_something_void_is_refused(self, uow: SqlUnitOfWork, plan: Plan) -> None:
        with pytest.raises(InputError, match="There is no plan"):
            uow.plans.approve("none", APPROVER, plan.envelope.digest, LATER)
        uow.plans.void(plan.plan_id, Reason.APPROVAL_EXPIRED, LATER)
        with pytest.raises(ConflictError, match="void"):
            uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)

    @pytest.mark.parametrize("by", ["system", "client:shop", "client:desk"])
    def test_takes_a_person(self, uow: SqlUnitOfWork, plan: Plan, by: Actor) -> None:
        with pytest.raises(NotAllowedError, match="Only a person"):
            uow.plans.approve(plan.plan_id, by, plan.envelope.digest, LATER)

    def test_is_not_for_who_asked_for_the_work(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        asked = make.operation(tenant.tenant_id, requested_by=APPROVER)
        uow.operations.add(asked)
        plan = store(uow, make.plan(asked, make.people(1), guard_breaches=BREACHES))
        with pytest.raises(NotAllowedError, match="asked for the work"):
            uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)

    @pytest.mark.parametrize(
        ("author", "is_allowed"),
        [
            pytest.param(tenancy.AUTHOR, False, id="not the author of the binding"),
            pytest.param("person:selector", False, id="not the author of the selector"),
            pytest.param("person:policy", False, id="not the author of the policy"),
            pytest.param(tenancy.SECOND, True, id="but who confirmed those may"),
            pytest.param("person:neighbour", True, id="and who wrote another customer's binding"),
        ],
    )
    def test_is_not_for_who_wrote_what_it_stands_on(
        self, uow: SqlUnitOfWork, board: Organisation, operation: Operation, author: Actor, is_allowed: bool
    ) -> None:
        neighbour = tenancy.organisation()
        uow.organisations.save([neighbour])
        binding = tenancy.binding(board.organisation_id, operation.tenant_id)
        if author == "person:selector":
            binding = msgspec.structs.replace(binding, created_by=author)
        uow.tenants.add_binding(binding)
        uow.tenants.add_binding(
            tenancy.binding(neighbour.organisation_id, operation.tenant_id, created_by="person:neighbour")
        )
        uow.tenants.add_policy(tenancy.policy(operation.tenant_id, created_by="person:policy"))
        plan = store(uow, make.plan(operation, make.people(1), guard_breaches=BREACHES))
        if is_allowed:
            uow.plans.approve(plan.plan_id, author, plan.envelope.digest, LATER)
            return
        with pytest.raises(NotAllowedError, match="Who had a hand"):
            uow.plans.approve(plan.plan_id, author, plan.envelope.digest, LATER)

    def test_is_not_for_who_had_it_tried_again(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        plan = store(uow, make.plan(uow.operations.save(operation.with_hands(APPROVER)), make.people(1)))
        with pytest.raises(NotAllowedError, match="Who had a hand"):
            uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)

    def test_is_not_for_who_had_it_tried_again_since_it_was_drawn(
        self, uow: SqlUnitOfWork, operation: Operation, plan: Plan
    ) -> None:
        uow.operations.save(operation.with_hands(APPROVER))
        with pytest.raises(NotAllowedError, match="Who had a hand"):
            uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)

    @pytest.mark.parametrize(("holder", "is_allowed"), [("41000", False), ("42000", True)])
    def test_is_not_for_who_imported_its_holder_s_declaration(
        self, uow: SqlUnitOfWork, operation: Operation, holder: str, is_allowed: bool
    ) -> None:
        uow.records.save([tickets.declaration(board=holder)], NOW, APPROVER)
        plan = store(uow, make.plan(operation, make.people(1), guard_breaches=BREACHES))
        if is_allowed:
            uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)
            return
        with pytest.raises(NotAllowedError, match="Who had a hand"):
            uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)

    def test_is_not_for_who_released_the_order_line(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        line = orders.shop_line()
        uow.orders.receive(line, NOW)
        uow.orders.set_state(line.key, LineState.ACCEPTED, None, NOW, released_by=APPROVER)
        asked = make.operation(tenant.tenant_id, wish=make.wish(line=line.key))
        uow.operations.add(asked)
        plan = store(uow, make.plan(asked, make.people(1), guard_breaches=BREACHES))
        with pytest.raises(NotAllowedError, match="Who had a hand"):
            uow.plans.approve(plan.plan_id, APPROVER, plan.envelope.digest, LATER)


class TestRejectingAndVoiding:
    def test_a_rejected_plan_is_void_and_frees_its_seats(self, uow: SqlUnitOfWork, work: Work) -> None:
        uow.plans.reject(work.plan.plan_id, APPROVER, "wrong school", LATER)
        record = uow.plans.find(work.plan.plan_id)
        assert (record.rejected_by, record.void_reason, record.may_apply) == (APPROVER, Reason.PLAN_REJECTED, False)
        assert uow.plans.current(work.operation.operation_id) is None
        assert uow.seats.reserved(work.operation.tenant_id, make.A3) == set()

    def test_an_approved_plan_cannot_be_rejected(self, uow: SqlUnitOfWork, work: Work) -> None:
        uow.plans.approve(work.plan.plan_id, APPROVER, work.plan.envelope.digest, LATER)
        with pytest.raises(ConflictError, match="approved already"):
            uow.plans.reject(work.plan.plan_id, APPROVER, "too late", LATER)

    def test_the_first_reason_stays(self, uow: SqlUnitOfWork, work: Work) -> None:
        uow.plans.void(work.plan.plan_id, Reason.TOO_MANY_CHANGED, LATER)
        uow.plans.void(work.plan.plan_id, Reason.APPROVAL_EXPIRED, LATER)
        assert uow.plans.find(work.plan.plan_id).void_reason is Reason.TOO_MANY_CHANGED
        assert uow.journal.next_steps(work.operation.operation_id, NOW, 10) == []


class TestBreakGlass:
    @pytest.fixture
    def plan(self, uow: SqlUnitOfWork, tenant: Tenant, board: Organisation) -> Plan:
        """Asked for by a person."""
        operation = make.operation(tenant.tenant_id, requested_by=Actor("person:admin"))
        uow.operations.add(operation)
        return store(uow, make.plan(operation, make.people(1), guard_breaches=BREACHES))

    def approve_alone(self, uow: SqlUnitOfWork, plan: Plan, reason: str | None = "exams") -> None:
        uow.plans.approve(plan.plan_id, Actor("person:admin"), plan.envelope.digest, LATER, reason)

    def test_lets_the_requester_approve_and_waits_for_review(self, uow: SqlUnitOfWork, plan: Plan) -> None:
        self.approve_alone(uow, plan)
        (record,) = uow.plans.unreviewed(plan.operation_id)
        assert (record.may_apply, record.break_glass_reason) == (True, "exams")
        (item,) = [x for x in uow.worklist.items(LATER) if x.reason is Reason.BREAK_GLASS_UNREVIEWED]
        assert (item.subject, item.owner, item.since) == (
            f"plan of operation {plan.operation_id}",
            Owner.APPROVER,
            LATER,
        )

    @pytest.mark.parametrize("reason", [None, " "])
    def test_not_without_a_reason(self, uow: SqlUnitOfWork, plan: Plan, reason: str | None) -> None:
        with pytest.raises((NotAllowedError, IntegrityError)):
            self.approve_alone(uow, plan, reason)

    def test_is_over_when_somebody_else_reviewed_it(self, uow: SqlUnitOfWork, plan: Plan) -> None:
        self.approve_alone(uow, plan)
        uow.plans.review(plan.plan_id, Actor("person:second"), LATER)
        assert uow.plans.unreviewed(plan.operation_id) == []
        assert Reason.BREAK_GLASS_UNREVIEWED not in {x.reason for x in uow.worklist.items(LATER)}

    @pytest.mark.parametrize("reviewer", ["person:admin", "client:shop", "system"])
    def test_is_not_reviewed_by_who_did_it_nor_by_a_machine(
        self, uow: SqlUnitOfWork, plan: Plan, reviewer: str
    ) -> None:
        self.approve_alone(uow, plan)
        with pytest.raises(NotAllowedError):
            uow.plans.review(plan.plan_id, Actor(reviewer), LATER)

    def test_waits_for_review_though_the_plan_is_void(self, uow: SqlUnitOfWork, plan: Plan) -> None:
        self.approve_alone(uow, plan)
        uow.plans.void(plan.plan_id, Reason.CHANGED_MEANWHILE, LATER)
        assert len(uow.plans.unreviewed(plan.operation_id)) == 1
