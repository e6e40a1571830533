"""From "we assign ourselves" to "do it for us": who had only seats placed is served, once, and nobody else."""

from datetime import date, timedelta

import msgspec
import pytest

from provisioning.domain.ids import SYSTEM, LineKey, OperationId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.operation import Operation, SubjectRecord
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.services.approve_policy import ApprovePolicy
from tests.unit.services.fakes_access import (
    A3,
    APPROVER,
    NOW,
    OPERATION,
    OPERATOR,
    SCHOOL,
    TENANT,
    TODAY,
    FakeClock,
    FakeDispatcher,
    World,
    a_tenant,
    an_operation,
)

LINE = LineKey("shop", "1042", "1")
DIGEST = "f3c175b6d0"
_O = OperationState


@pytest.fixture
def world() -> World:
    world = World()
    a_tenant(world)
    _delivered(world)
    _bought(world, LINE)
    return world


def _delivered(world: World, state: OperationState = _O.COMPLETED, line: LineKey = LINE, **fields: object) -> Operation:
    operation = an_operation(world, state, **fields)
    wish = msgspec.structs.replace(operation.wish, line=line, starts_on=date(2026, 8, 1), seats_before=3)
    return an_operation(world, state, **fields, wish=wish)


def _bought(world: World, line: LineKey, ends_on: date | None = date(2026, 12, 31)) -> None:
    world.ledger = [
        *world.ledger,
        LedgerEntry(
            holder_id=SCHOOL,
            tenant_id=TENANT,
            article_code="MS-A3",
            sku_id=A3,
            delta=12,
            effective_on=date(2026, 8, 1),
            ends_on=ends_on,
            cause=LedgerCause.ORDER_LINE,
            cause_ref=str(line),
        ),
    ]


def _speaks_of_somebody(world: World, reason: Reason | None) -> None:
    person = SubjectRecord(
        operation_id=OPERATION, subject_id="s", pseudonym="p", state=SubjectState.REFUSED, reason=reason
    )
    world.subjects = [person]


def _propose(world: World, mode: AssignmentMode = AssignmentMode.DIRECT, **fields: object) -> None:
    proposal = Policy(tenant_id=TENANT, **{"valid_from": TODAY, "assignment_mode": mode, "digest": DIGEST} | fields)
    world.policies = [
        *world.policies,
        msgspec.structs.replace(proposal, created_by=OPERATOR.actor, asked_by="ticket 7"),
    ]


def _approve(world: World, dispatcher: FakeDispatcher | None = None) -> list[Operation]:
    """The operations that begin by it."""
    known = set(world.operations)
    service = ApprovePolicy(open_uow=world.open, clock=FakeClock(), dispatcher=dispatcher or FakeDispatcher())
    service(APPROVER, "school.nl", DIGEST)
    return [operation for operation_id, operation in world.operations.items() if operation_id not in known]


class TestNoneBecomesDirect:
    def test_what_was_only_placed_is_followed_by_an_operation_for_its_people(self, world: World) -> None:
        _propose(world)
        dispatcher = FakeDispatcher()
        [follows] = _approve(world, dispatcher)
        assert (follows.state, follows.tenant_id, follows.requested_by) == (_O.NEW, TENANT, SYSTEM)
        assert (follows.wish.line, follows.wish.seats_wanted, follows.wish.seats_before) == (LINE, 0, None)
        assert dispatcher.sent == [follows.operation_id]
        begun = world.events[-1]
        assert (begun.kind, begun.details) == ("operation.begun", {"serves": OPERATION, "policy": DIGEST})

    def test_from_the_policys_first_day_on(self, world: World) -> None:
        later = TODAY + timedelta(days=40)
        _propose(world, valid_from=later)
        [follows] = _approve(world)
        assert follows.wish.starts_on == later

    def test_each_line_is_followed_by_its_own(self, world: World) -> None:
        other = LineKey("shop", "1043", "1")
        _bought(world, other)
        _delivered(world, line=other, operation_id=OperationId("another"))
        _propose(world)
        assert {operation.wish.line for operation in _approve(world)} == {LINE, other}

    def test_people_who_were_left_to_the_school_in_the_middle_are_served_too(self, world: World) -> None:
        _delivered(world, _O.PARTIALLY_COMPLETED)
        _speaks_of_somebody(world, Reason.SCHOOL_ASSIGNS)
        _propose(world)
        assert len(_approve(world)) == 1


class TestASecondPolicy:
    def _waits_for(self, world: World, day: date) -> Operation:
        follows = _delivered(world, _O.AWAITING_DATE, operation_id=OperationId("later"), created_at=NOW)
        wish = msgspec.structs.replace(follows.wish, seats_wanted=0, starts_on=day)
        world.operations[follows.operation_id] = msgspec.structs.replace(follows, wish=wish)
        return follows

    def test_for_an_earlier_day_brings_the_follower_forward(self, world: World) -> None:
        self._waits_for(world, TODAY + timedelta(days=40))
        _propose(world)
        dispatcher = FakeDispatcher()
        assert _approve(world, dispatcher) == []
        forward = world.operations[OperationId("later")]
        assert (forward.wish.starts_on, forward.due_at) == (TODAY, NOW)
        assert dispatcher.sent == ["later"]

    def test_for_a_later_day_leaves_it(self, world: World) -> None:
        follows = self._waits_for(world, TODAY)
        _propose(world, valid_from=TODAY + timedelta(days=40))
        _approve(world)
        assert world.operations[follows.operation_id].wish.starts_on == TODAY


class TestNobodyIsFollowed:
    def test_whose_people_were_served(self, world: World) -> None:
        _speaks_of_somebody(world, Reason.USAGE_LOCATION)
        _propose(world)
        assert _approve(world) == []

    @pytest.mark.parametrize("state", [_O.AWAITING_SEATS, _O.APPLYING, _O.HELD, _O.FAILED, _O.CANCELLED])
    def test_whose_operation_is_under_way_or_came_to_nothing(self, world: World, state: OperationState) -> None:
        _delivered(world, state)
        _propose(world)
        assert _approve(world) == []

    def test_whose_seats_have_ended(self, world: World) -> None:
        world.ledger = []
        _bought(world, LINE, ends_on=TODAY - timedelta(days=1))
        _propose(world)
        assert _approve(world) == []

    def test_whose_seats_end_before_the_policy_begins(self, world: World) -> None:
        _propose(world, valid_from=date(2027, 1, 1))
        assert _approve(world) == []

    def test_who_is_followed_already(self, world: World) -> None:
        _delivered(world, _O.VERIFYING, operation_id=OperationId("later"), created_at=NOW)
        _propose(world)
        assert _approve(world) == []

    def test_when_we_assigned_before(self, world: World) -> None:
        _propose(world, approved_by=APPROVER.actor, digest="earlier")
        _propose(world, usage_location="NL")
        assert _approve(world) == []

    def test_when_the_school_goes_on_assigning(self, world: World) -> None:
        _propose(world, AssignmentMode.NONE)
        assert _approve(world) == []

    def test_in_another_tenant(self, world: World) -> None:
        _delivered(world, tenant_id="22222222-2222-4222-8222-222222222222")
        _propose(world)
        assert _approve(world) == []


class TestACrash:
    def test_before_the_commit_leaves_neither_policy_nor_operation(self, world: World) -> None:
        _propose(world)
        events, world.events = world.events, None  # recording raises
        with pytest.raises(TypeError):
            _approve(world)
        world.events = events
        assert list(world.operations) == [OPERATION]
        assert len(_approve(world)) == 1

    def test_after_the_commit_loses_a_message_and_nothing_else(self, world: World) -> None:
        class Gone(FakeDispatcher):
            def advance(self, *_: object) -> None:
                raise ConnectionError

        _propose(world)
        with pytest.raises(ConnectionError):
            _approve(world, Gone())
        [follows] = [x for x in world.operations.values() if x.operation_id != OPERATION]
        assert follows.due_at == NOW  # the sweep finds it
