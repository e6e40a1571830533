from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.ids import MigrationId, SubjectId, TicketId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.operation import Operation
from provisioning.domain.remap import RemapPart
from tests.factories import NOW
from tests.factories import operations as make
from tests.integration.database.conftest import Work, store

LATER = NOW + timedelta(hours=1)


def waits(uow: SqlUnitOfWork, operation: Operation, people: Sequence[SubjectId], at: datetime = NOW) -> None:
    subjects = tuple(make.subject(each, state=SubjectState.WAITING) for each in people)
    store(uow, make.plan(operation, subjects=subjects, steps=(), drawn_at=at))


class TestReservations:
    def test_leave_out_the_operation_that_asks(self, uow: SqlUnitOfWork, work: Work) -> None:
        tenant, mine = work.operation.tenant_id, work.operation.operation_id
        assert uow.seats.reserved(tenant, make.A3) == set(work.people)
        assert uow.seats.reserved(tenant, make.A3, apart_from=mine) == set()
        assert uow.seats.reserved(tenant, make.A1) == set()

    def test_a_person_has_one_seat_of_a_kind_whoever_plans_it(self, uow: SqlUnitOfWork, work: Work) -> None:
        other = make.operation(work.operation.tenant_id)
        uow.operations.add(other)
        store(uow, make.plan(other, work.people[:1]))
        assert uow.seats.reserved(other.tenant_id, make.A3, apart_from=other.operation_id) == set(work.people)

    def test_are_released_together(self, uow: SqlUnitOfWork, work: Work) -> None:
        uow.seats.release(work.operation.operation_id)
        assert uow.seats.reserved(work.operation.tenant_id, make.A3) == set()


class TestWaitingList:
    def test_first_come_first(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        first, second, third = make.people(3)
        waits(uow, operation, [second])
        waits(uow, operation, [first, second, third], at=LATER)
        assert uow.seats.waiting(operation.tenant_id, make.A3) == [second, first, third]

    def test_whoever_was_served_is_off_the_list_and_would_come_last_again(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        first, second = make.people(2)
        waits(uow, operation, [first, second])
        uow.seats.served(operation.tenant_id, make.A3, {first}, NOW)
        assert uow.seats.waiting(operation.tenant_id, make.A3) == [second]
        waits(uow, operation, [first, second])
        assert uow.seats.waiting(operation.tenant_id, make.A3) == [second, first]

    def test_serving_nobody_changes_nothing(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        waits(uow, operation, make.people(1))
        uow.seats.served(operation.tenant_id, make.A3, set(), NOW)
        assert len(uow.seats.waiting(operation.tenant_id, make.A3)) == 1

    def test_each_list_names_the_latest_operation_and_the_longest_wait(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        people = make.people(2)
        later = make.operation(operation.tenant_id)
        uow.operations.add(later)
        waits(uow, operation, people)
        waits(uow, later, people, at=LATER)
        [listed] = uow.seats.waiting_lists()
        assert (listed.tenant_id, listed.sku_id, listed.people) == (operation.tenant_id, make.A3, 2)
        assert (listed.operation_id, listed.since) == (later.operation_id, NOW)

    def test_two_holders_in_one_tenant_have_a_list_each(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        first, second = make.people(2)
        wish = msgspec.structs.replace(operation.wish, holder_id="42000", organisations=("42000",))
        neighbour = make.operation(operation.tenant_id, wish=wish)
        uow.operations.add(neighbour)
        waits(uow, operation, [first])
        waits(uow, neighbour, [second], at=LATER)
        listed = {each.operation_id: each.people for each in uow.seats.waiting_lists()}
        assert listed == {operation.operation_id: 1, neighbour.operation_id: 1}

    def test_people_of_a_migration_are_a_list_of_their_own(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        first, second = make.people(2)
        part = MigrationPart(migration_id=MigrationId("m"), wave=1, phase=Phase.PREPARE)
        wish = msgspec.structs.replace(operation.wish, part=part, named=(second,))
        travelling = make.operation(operation.tenant_id, wish=wish)
        uow.operations.add(travelling)
        waits(uow, operation, [first])
        waits(uow, travelling, [second], at=LATER)
        listed = {each.operation_id: each.people for each in uow.seats.waiting_lists()}
        assert listed == {operation.operation_id: 1, travelling.operation_id: 1}

    def test_people_of_a_remap_are_a_list_of_their_own(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        """A plan of the one names nobody of the other, and strikes nobody off either."""
        first, second = make.people(2)
        part = RemapPart(from_sku=make.A1, ticket_id=TicketId("t"))
        remap = make.operation(operation.tenant_id, wish=msgspec.structs.replace(operation.wish, remap=part))
        uow.operations.add(remap)
        waits(uow, operation, [first])
        waits(uow, remap, [second], at=LATER)
        assert uow.seats.waiting(operation.tenant_id, make.A3) == [first, second]
        listed = {each.operation_id: each.people for each in uow.seats.waiting_lists()}
        assert listed == {operation.operation_id: 1, remap.operation_id: 1}

    def test_who_left_the_old_product_waits_for_the_remap_no_longer(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        left, stays = make.people(2)
        part = RemapPart(from_sku=make.A1, ticket_id=TicketId("t"))
        wish = msgspec.structs.replace(operation.wish, remap=part)
        remap, again = (make.operation(operation.tenant_id, wish=wish) for _ in range(2))
        for one in (remap, again):
            uow.operations.add(one)
        waits(uow, remap, [left, stays])
        waits(uow, again, [stays], at=LATER)
        assert uow.seats.waiting(operation.tenant_id, make.A3) == [stays]

    def test_whoever_has_the_product_by_another_hand_waits_no_longer(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        first, second = make.people(2)
        waits(uow, operation, [first, second])
        right = make.subject(first, state=SubjectState.ALREADY_RIGHT)
        still = make.subject(second, state=SubjectState.WAITING)
        store(uow, make.plan(operation, subjects=(right, still), steps=()))
        assert uow.seats.waiting(operation.tenant_id, make.A3) == [second]

    def test_whoever_left_waits_no_longer_and_the_people_of_others_go_on_waiting(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        left, stays, other = make.people(3)
        wish = msgspec.structs.replace(operation.wish, holder_id="42000", organisations=("42000",))
        neighbour = make.operation(operation.tenant_id, wish=wish)
        successor = make.operation(operation.tenant_id)
        uow.operations.add(neighbour)
        uow.operations.add(successor)
        waits(uow, operation, [left, stays])
        waits(uow, neighbour, [other])
        waits(uow, successor, [stays], at=LATER)
        assert uow.seats.waiting(operation.tenant_id, make.A3) == [stays, other]


class TestBaselines:
    def test_nobody_had_looked(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        assert uow.seats.unexplained_before(operation.tenant_id, make.A3, NOW) is None

    def test_the_latest_look_before_the_moment_counts(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        place = (operation.tenant_id, make.A3)
        uow.seats.note_unexplained(*place, 30, NOW)
        uow.seats.note_unexplained(*place, 12, LATER)
        before, between, after = (NOW - (LATER - NOW), NOW, LATER + (LATER - NOW))
        assert [uow.seats.unexplained_before(*place, moment) for moment in (before, between, after)] == [None, 30, 12]
        assert uow.seats.unexplained_before(operation.tenant_id, make.A1, after) is None

    def test_the_same_number_again_is_no_news(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        place = (operation.tenant_id, make.A3)
        for moment in (NOW, NOW, LATER):
            uow.seats.note_unexplained(*place, 30, moment)
        uow.seats.note_unexplained(*place, 12, LATER)
        assert uow.seats.unexplained_before(*place, LATER) == 12
