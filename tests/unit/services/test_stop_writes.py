from datetime import timedelta

import pytest

from config.limits import default_limits
from provisioning.domain.actors import ANONYMOUS, Role
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import SYSTEM, TenantId
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Notice, Owner, WorkItem
from provisioning.services.application_incident import OURSELVES, note_credential_failure
from provisioning.services.list_notices import ListNotices
from provisioning.services.resume_writes import ResumeWrites
from provisioning.services.show_worklist import ShowWorklist
from provisioning.services.stop_writes import StopWrites
from tests.unit.services.fakes_access import (
    ADMIN,
    APPROVER,
    AUDITOR,
    NOW,
    OPERATOR,
    SCHOOL,
    TENANT,
    FakeClock,
    World,
    a_tenant,
    person,
)

LIMITS = default_limits()


@pytest.fixture
def world() -> World:
    world = World()
    a_tenant(world)
    return world


def stop(world: World, scope: str = "all", identity: object = OPERATOR) -> object:
    return StopWrites(open_uow=world.open, clock=FakeClock())(identity, scope, "odd receipts")


def resume(world: World, scope: str = "all", identity: object = OPERATOR) -> object:
    return ResumeWrites(open_uow=world.open, clock=FakeClock())(identity, scope)


class TestStopWrites:
    @pytest.mark.parametrize(
        ("typed", "scope"),
        [("all", "all"), ("tenant:school.nl", f"tenant:{TENANT}"), ("kind:remap", "kind:remap")],
    )
    def test_everything_one_tenant_or_one_kind(self, world: World, typed: str, scope: str) -> None:
        assert stop(world, typed).scope == scope
        assert [x.scope for x in world.stops] == [scope]
        assert [(x.kind, x.after, x.reason) for x in world.events] == [("writes.stopped", scope, "odd receipts")]

    @pytest.mark.parametrize("typed", ["everything", "kind:sell", "tenant:other.nl", ""])
    def test_what_is_no_scope_is_refused(self, world: World, typed: str) -> None:
        with pytest.raises(InputError):
            stop(world, typed)
        assert world.stops == []

    def test_the_first_stop_stands(self, world: World) -> None:
        first = stop(world)
        assert stop(world, identity=AUDITOR) == first
        assert len(world.stops) == 1

    @pytest.mark.parametrize("identity", [ADMIN, OPERATOR, APPROVER, AUDITOR], ids=lambda x: x.actor)
    def test_every_person_on_duty_may_stop(self, world: World, identity: object) -> None:
        assert stop(world, identity=identity).stopped_by == identity.actor

    def test_without_a_token_nothing_stops(self, world: World) -> None:
        with pytest.raises(NotAllowedError):
            stop(world, identity=ANONYMOUS)


class TestResumeWrites:
    def test_the_stop_is_lifted_and_that_is_written_down(self, world: World) -> None:
        stop(world, "tenant:school.nl")
        resume(world, "tenant:1111")
        assert world.stops == []
        assert world.kinds == ["writes.stopped", "writes.resumed"]

    def test_another_scope_stays_stopped(self, world: World) -> None:
        stop(world, "tenant:school.nl")
        with pytest.raises(InputError, match=f"no stop on all; stopped now: tenant:{TENANT}"):
            resume(world)
        assert len(world.stops) == 1

    def test_an_auditor_stops_but_does_not_resume(self, world: World) -> None:
        stop(world)
        with pytest.raises(NotAllowedError, match="may not resume writes"):
            resume(world, identity=person("au", Role.AUDITOR))


class TestNoteCredentialFailure:
    def fail(self, world: World, number: int, reason: Reason = Reason.CREDENTIAL_REJECTED, minutes: int = 0) -> bool:
        with world.open() as uow:
            tenant = TenantId(f"tenant-{number}")
            answer = note_credential_failure(uow, tenant, reason, NOW + timedelta(minutes=minutes), LIMITS)
            uow.commit()
        return answer

    def test_two_tenants_are_no_incident(self, world: World) -> None:
        assert [self.fail(world, 1), self.fail(world, 2)] == [False, False]
        assert world.stops == []

    def test_the_third_within_ten_minutes_stops_everything(self, world: World) -> None:
        assert [self.fail(world, 1), self.fail(world, 2, minutes=5), self.fail(world, 3, minutes=10)][-1]
        (standing,) = world.stops
        assert (standing.scope, standing.reason, standing.stopped_by) == ("all", Reason.APPLICATION_INCIDENT, SYSTEM)

    def test_the_third_after_ten_minutes_does_not(self, world: World) -> None:
        self.fail(world, 1)
        self.fail(world, 2, minutes=5)
        assert not self.fail(world, 3, minutes=11)

    def test_one_tenant_that_fails_often_is_its_own_trouble(self, world: World) -> None:
        assert not any(self.fail(world, 1, minutes=minute) for minute in range(9))

    def test_different_errors_do_not_add_up(self, world: World) -> None:
        self.fail(world, 1)
        self.fail(world, 2, Reason.TOKEN_REJECTED)
        assert not self.fail(world, 3)

    def test_we_are_told_once_and_no_customer_is(self, world: World) -> None:
        for number in range(6):
            self.fail(world, number)
        assert [(x.organisation_id, x.topic) for x in world.intents] == [(OURSELVES, "application_incident")]
        assert world.kinds == ["incident.declared"]

    def test_once_resumed_one_tenant_more_is_no_second_incident(self, world: World) -> None:
        for number in range(3):
            self.fail(world, number)
        resume(world)
        assert self.fail(world, 4, minutes=1)  # of the same ten minutes still: nobody's state changes
        assert world.stops == []

    def test_what_still_fails_after_resuming_stops_everything_again(self, world: World) -> None:
        for number in range(3):
            self.fail(world, number)
        resume(world)
        assert [self.fail(world, number, minutes=1) for number in range(3)] == [True] * 3
        assert [standing.reason for standing in world.stops] == [Reason.APPLICATION_INCIDENT]
        assert len(world.intents) == 2

    def test_resuming_one_tenant_answers_nothing(self, world: World) -> None:
        self.fail(world, 1)
        self.fail(world, 2)
        stop(world, "tenant:school.nl")
        resume(world, "tenant:school.nl")
        self.fail(world, 3)
        assert [standing.scope for standing in world.stops] == ["all"]

    def test_what_a_person_stopped_already_needs_no_second_stop(self, world: World) -> None:
        stop(world)
        assert [self.fail(world, number) for number in range(3)][-1]
        assert len(world.stops) == 1


class TestShowWorklist:
    ITEM = WorkItem(subject="order shop/1/1", reason=Reason.SKU_UNKNOWN, owner=Owner.SHOP, since=NOW)

    def test_the_oldest_comes_first_and_a_stop_is_work_too(self, world: World) -> None:
        world.items = [WorkItem(subject="later", reason=Reason.POISON, owner=Owner.OPERATOR, since=NOW + timedelta(1))]
        world.items.append(self.ITEM)
        stop(world, "kind:remap")
        shown = ShowWorklist(open_uow=world.open, clock=FakeClock(), limits=LIMITS)()
        assert [x.subject for x in shown] == ["order shop/1/1", "stop kind:remap", "later"]

    def test_one_owner_sees_only_theirs(self, world: World) -> None:
        world.items = [self.ITEM]
        stop(world)
        shown = ShowWorklist(open_uow=world.open, clock=FakeClock(), limits=LIMITS)(Owner.ADMIN)
        assert [(x.subject, x.reason) for x in shown] == [("stop all", Reason.STOPPED)]

    def test_an_incident_is_the_administrators(self, world: World) -> None:
        for number in range(3):
            with world.open() as uow:
                note_credential_failure(uow, TenantId(f"t{number}"), Reason.CREDENTIAL_REJECTED, NOW, LIMITS)
                uow.commit()
        (item,) = ShowWorklist(open_uow=world.open, clock=FakeClock(), limits=LIMITS)()
        assert (item.owner, item.reason) == (Owner.ADMIN, Reason.APPLICATION_INCIDENT)


class TestListNotices:
    def test_of_one_organisation_or_of_all(self, world: World) -> None:
        notices = [
            Notice(organisation_id=who, topic="t", day=NOW.date(), facts=1, first_at=NOW, last_at=NOW)
            for who in (SCHOOL, OURSELVES)
        ]
        world.notices = notices
        assert ListNotices(open_uow=world.open)() == notices
        assert ListNotices(open_uow=world.open)(SCHOOL) == notices[:1]
