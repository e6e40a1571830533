from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.ids import SYSTEM, OperationId, PlanId, Pseudonym, SubjectId
from provisioning.domain.lifecycle import LineState, OperationState, SubjectState
from provisioning.domain.operation import Operation, SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.planning.plan import Envelope, Grounds, Losses
from provisioning.ports import PlanRecord
from provisioning.services.approve_plan import ApprovePlan
from provisioning.services.foretell_work import ForetellWork
from provisioning.services.reject_plan import RejectPlan
from provisioning.services.show_plan import ShowPlan
from tests.unit.services.fakes_access import (
    ADMIN,
    APPROVER,
    NOW,
    OPERATION,
    OPERATOR,
    SECOND,
    TENANT,
    FakeClock,
    FakeDispatcher,
    FakeGauge,
    Role,
    World,
    a_binding,
    an_operation,
    person,
)
from tests.unit.services.test_confirm_binding import held_line

ENVELOPE = Envelope(
    operation_id=OPERATION,
    tenant_id=TENANT,
    grounds=Grounds(mapping="m", policy="p", bindings="b", authority="a"),
    counts={"assign": 1200},
    losses=Losses(),
)
DIGEST = ENVELOPE.digest


def a_plan(world: World, **changes: Any) -> PlanRecord:
    record = PlanRecord(
        plan_id=PlanId("3f2a1c9e"),
        operation_id=OPERATION,
        digest=DIGEST,
        envelope=msgspec.json.encode(ENVELOPE),
        drawn_at=NOW - timedelta(minutes=5),
        observed_at=NOW - timedelta(minutes=6),
        valid_until=NOW + timedelta(hours=23),
        guard_breaches=("1,200 assignments; the limit is 1,000.",),
        requested_by=SYSTEM,
    )
    world.plans.append(msgspec.structs.replace(record, **changes))
    return world.plans[-1]


@pytest.fixture
def world() -> World:
    world = World()
    an_operation(world, OperationState.AWAITING_APPROVAL)
    a_binding(world, created_by=OPERATOR.actor)
    a_plan(world)
    return world


@pytest.fixture
def dispatcher() -> FakeDispatcher:
    return FakeDispatcher()


def approve(
    world: World, dispatcher: FakeDispatcher, identity: object = APPROVER, digest: str = DIGEST, at: object = NOW
) -> object:
    return ApprovePlan(open_uow=world.open, clock=FakeClock(at), dispatcher=dispatcher)(identity, "77aa", digest)


def unchanged(world: World, dispatcher: FakeDispatcher) -> bool:
    state = world.operations[OPERATION].state
    is_open = world.plans[-1].approved_by is None and state is OperationState.AWAITING_APPROVAL
    told = {event.kind for event in world.events}
    return is_open and told <= {"approval.refused"} and dispatcher.sent == []


class TestApprovePlan:
    @pytest.mark.parametrize("digest", [DIGEST, DIGEST[:8], DIGEST[:8].upper()], ids=["whole", "first 8", "capitals"])
    def test_the_plan_that_was_seen_goes_on(self, world: World, dispatcher: FakeDispatcher, digest: str) -> None:
        operation = approve(world, dispatcher, digest=digest)
        assert operation.state is OperationState.APPLYING
        assert world.plans[-1].approved_by == APPROVER.actor
        assert dispatcher.sent == [OPERATION]

    def test_who_approved_what_is_written_down(self, world: World, dispatcher: FakeDispatcher) -> None:
        approve(world, dispatcher)
        (event,) = [x for x in world.events if x.kind == "plan.approved"]
        assert (event.actor, event.after, event.operation) == (APPROVER.actor, DIGEST, OPERATION)

    @pytest.mark.parametrize(
        ("digest", "error"), [("0" * 64, ConflictError), (DIGEST[:7], InputError), ("", InputError)]
    )
    def test_another_plan_than_the_one_that_was_seen_is_not_approved(
        self, world: World, dispatcher: FakeDispatcher, digest: str, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            approve(world, dispatcher, digest=digest)
        assert unchanged(world, dispatcher)

    def test_until_it_is_void_it_can_be_approved(self, world: World, dispatcher: FakeDispatcher) -> None:
        assert approve(world, dispatcher, at=NOW + timedelta(hours=23, seconds=-1))

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"valid_until": NOW}, id="too old"),
            pytest.param({"approved_by": ADMIN.actor}, id="approved already"),
            pytest.param({"rejected_by": ADMIN.actor}, id="rejected"),
            pytest.param({"void_reason": Reason.TOO_MANY_CHANGED}, id="void"),
        ],
    )
    def test_what_waits_for_nobody_is_not_approved(
        self, world: World, dispatcher: FakeDispatcher, changes: dict[str, Any]
    ) -> None:
        a_plan(world, **changes)
        with pytest.raises(ConflictError, match="waits for approval no longer"):
            approve(world, dispatcher)

    def test_an_operation_that_went_on_is_not_approved(self, world: World, dispatcher: FakeDispatcher) -> None:
        an_operation(world, OperationState.PLANNING)
        with pytest.raises(ConflictError):
            approve(world, dispatcher)


class TestFourEyes:
    @pytest.mark.parametrize("identity", [OPERATOR, SECOND, ADMIN], ids=lambda x: x.actor)
    def test_only_an_approver_approves(self, world: World, dispatcher: FakeDispatcher, identity: object) -> None:
        with pytest.raises(NotAllowedError, match="role approver"):
            approve(world, dispatcher, identity)
        assert unchanged(world, dispatcher)

    def test_not_who_asked_for_it(self, world: World, dispatcher: FakeDispatcher) -> None:
        a_plan(world, requested_by=APPROVER.actor)
        with pytest.raises(NotAllowedError, match="asked for this plan"):
            approve(world, dispatcher)
        assert unchanged(world, dispatcher)

    def test_not_who_made_the_binding(self, world: World, dispatcher: FakeDispatcher) -> None:
        both = person(OPERATOR.actor.removeprefix("person:"), Role.OPERATOR, Role.APPROVER)
        with pytest.raises(NotAllowedError, match="made the binding"):
            approve(world, dispatcher, both)
        assert unchanged(world, dispatcher)

    def test_not_who_proposed_the_policy(self, world: World, dispatcher: FakeDispatcher) -> None:
        world.policies.append(
            Policy(tenant_id=TENANT, valid_from=date(2026, 8, 1), created_by=APPROVER.actor, approved_by=SECOND.actor)
        )
        with pytest.raises(NotAllowedError, match="proposed the policy"):
            approve(world, dispatcher)
        assert unchanged(world, dispatcher)

    def test_not_who_proposed_the_mappings(self, world: World, dispatcher: FakeDispatcher) -> None:
        in_force = ConfigurationVersion(
            kind=ConfigurationKind.MAPPINGS,
            digest="b" * 64,
            content={},
            reason="articles of next year",
            proposed_by=APPROVER.actor,
            proposed_at=NOW,
            approved_by=SECOND.actor,
            approved_at=NOW,
        )
        world.configurations.append(in_force)
        with pytest.raises(NotAllowedError, match="proposed the mappings"):
            approve(world, dispatcher)
        assert unchanged(world, dispatcher)

    def test_not_who_released_the_order(self, world: World, dispatcher: FakeDispatcher) -> None:
        line = msgspec.structs.replace(held_line(12), state=LineState.ACCEPTED, released_by=APPROVER.actor)
        world.held.append(line)
        operation = world.operations[OPERATION]
        wish = msgspec.structs.replace(operation.wish, line=line.shop.key)
        world.operations[OPERATION] = msgspec.structs.replace(operation, wish=wish)
        with pytest.raises(NotAllowedError, match="released the order line"):
            approve(world, dispatcher)
        assert unchanged(world, dispatcher)

    def test_a_binding_of_another_organisation_is_no_obstacle(self, world: World, dispatcher: FakeDispatcher) -> None:
        a_binding(world, created_by=APPROVER.actor, organisation_id="99999", binding_id="b2")
        assert approve(world, dispatcher).state is OperationState.APPLYING


class TestRejectPlan:
    def reject(self, world: World, identity: object = APPROVER, reason: str = "wrong school") -> object:
        return RejectPlan(open_uow=world.open, clock=FakeClock())(identity, "77aa", reason)

    def test_the_operation_is_held_and_says_why(self, world: World) -> None:
        operation = self.reject(world)
        assert (operation.state, operation.reason) == (OperationState.HELD, Reason.PLAN_REJECTED)
        assert world.plans[-1].rejected_by == APPROVER.actor
        assert [x.reason for x in world.events if x.kind == "plan.rejected"] == ["wrong school"]

    def test_a_reason_is_needed(self, world: World) -> None:
        with pytest.raises(InputError, match="needs a reason"):
            self.reject(world, reason="")

    def test_what_is_approved_is_not_rejected_any_more(self, world: World) -> None:
        a_plan(world, approved_by=ADMIN.actor)
        with pytest.raises(ConflictError):
            self.reject(world)


class TestShowPlan:
    def show(self, world: World) -> Any:
        limits, gauge = default_limits(), FakeGauge()
        foretell = ForetellWork(open_uow=world.open, gauge=gauge, clock=FakeClock(), limits=limits)
        return ShowPlan(open_uow=world.open, clock=FakeClock(), foretell=foretell)("77aa")

    def test_it_says_how_long_it_would_take_if_it_were_approved_now(self, world: World) -> None:
        assert self.show(world).writes_done_at == NOW + timedelta(seconds=1_200 / 19.6)

    def test_what_nobody_will_write_has_no_end(self, world: World) -> None:
        a_plan(world, void_reason=Reason.TOO_MANY_CHANGED)
        assert self.show(world).writes_done_at is None

    def test_what_is_being_written_has_the_end_of_what_is_left(self, world: World) -> None:
        an_operation(world, OperationState.APPLYING)
        world.writes = {OPERATION: 196}
        assert self.show(world).writes_done_at == NOW + timedelta(seconds=10)

    def test_it_says_what_an_approver_needs(self, world: World) -> None:
        world.subjects.append(
            SubjectRecord(
                operation_id=OPERATION,
                subject_id=SubjectId("s"),
                pseudonym=Pseudonym("p"),
                state=SubjectState.PENDING,
            )
        )
        sheet = self.show(world)
        assert (sheet.envelope, sheet.awaits_approval) == (ENVELOPE, True)
        assert sheet.people.states == {SubjectState.PENDING: 1}
        assert sheet.breaches == ("1,200 assignments; the limit is 1,000.",)

    @pytest.mark.parametrize(
        ("changes", "standing"),
        [
            ({}, "waits for an approver who is somebody else"),
            ({"approved_by": ADMIN.actor}, "Approved by person:admin."),
            ({"rejected_by": ADMIN.actor}, "Rejected by person:admin."),
            ({"void_reason": Reason.TOO_MANY_CHANGED}, "Void: TOO_MANY_CHANGED."),
            ({"valid_until": NOW}, "Too old to approve"),
            ({"guard_breaches": ()}, "it applies by itself"),
        ],
        ids=["waits", "approved", "rejected", "void", "old", "within limits"],
    )
    def test_it_says_where_its_approval_stands(self, world: World, changes: dict[str, Any], standing: str) -> None:
        a_plan(world, **changes)
        sheet = self.show(world)
        assert standing in sheet.standing
        assert sheet.awaits_approval is (not changes or "guard_breaches" in changes)

    def test_an_operation_without_a_plan_says_so(self, world: World) -> None:
        world.plans.clear()
        with pytest.raises(InputError, match="has no plan"):
            self.show(world)


class TestAWorkerAtTheSameMoment:
    """Its look raises the operation's version; what the person was shown is what it was."""

    @staticmethod
    def looks(world: World, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        left = [times]

        def get_and_look(_store: Any, operation: OperationId) -> Operation:
            found: Operation = world.operations[operation]
            if left[0]:
                left[0] -= 1
                world.operations[operation] = msgspec.structs.replace(found, version=found.version + 1)
            return found

        monkeypatch.setattr("tests.unit.services.fakes_access._Operations.get", get_and_look)

    def test_does_not_take_the_decision_away(
        self, world: World, dispatcher: FakeDispatcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.looks(world, monkeypatch, times=2)
        approve(world, dispatcher)
        assert world.operations[OPERATION].state is OperationState.APPLYING
        assert [one.kind for one in world.events if one.kind == "plan.approved"] == ["plan.approved"]
        assert len(dispatcher.sent) == 1

    def test_that_never_rests_is_said(
        self, world: World, dispatcher: FakeDispatcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.looks(world, monkeypatch, times=99)
        with pytest.raises(ConflictError):
            approve(world, dispatcher)
        assert dispatcher.sent == []
