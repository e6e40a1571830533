from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Lane, Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Tenant
from tests.factories import NOW, TODAY, guid, orders
from tests.factories import operations as make
from tests.integration.database.conftest import Open

A_SECOND = timedelta(seconds=1)
LATER = NOW + 5 * A_SECOND


def added(uow: SqlUnitOfWork, tenant: Tenant, **fields: Any) -> Operation:
    made = make.operation(tenant.tenant_id, **fields)
    uow.operations.add(made)
    return made


class TestOperations:
    def test_come_back_as_they_were_added(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        full = added(
            uow,
            tenant,
            state=OperationState.HELD,
            reason=Reason.POISON,
            resume_state=OperationState.APPLYING,
            hands=("person:first", "person:second"),
            seats_seen=3,
            seats_seen_since=NOW,
            wish=make.wish(line=orders.line_key(), named=("a", "b"), starts_on=TODAY, mapping_digest="d"),
        )
        assert uow.operations.get(full.operation_id) == full

    def test_a_missing_one_is_none_or_an_error(self, uow: SqlUnitOfWork) -> None:
        assert uow.operations.find(OperationId("none")) is None
        with pytest.raises(InputError, match="There is no operation none"):
            uow.operations.get(OperationId("none"))

    def test_in_an_unknown_tenant_are_refused(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(InputError, match="tenant of the operation is not known"):
            uow.operations.add(make.operation(guid()))

    def test_are_counted_by_lane_once_their_moment_has_come(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        added(uow, tenant, due_at=NOW, lane=Lane.BULK)
        added(uow, tenant, due_at=NOW - A_SECOND, lane=Lane.BULK)
        added(uow, tenant, due_at=LATER + A_SECOND, lane=Lane.ORDER)
        added(uow, tenant, due_at=NOW, lane=Lane.ORDER, state=OperationState.COMPLETED)
        assert uow.operations.due_by_lane(LATER) == {Lane.BULK: (2, NOW - A_SECOND)}

    def test_that_are_held_are_counted_by_reason(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        for reason in (Reason.POISON, Reason.POISON, Reason.GROUP_CHANGED):
            added(uow, tenant, state=OperationState.HELD, reason=reason, due_at=None)
        added(uow, tenant, state=OperationState.APPLYING, reason=Reason.THROTTLED)
        assert uow.operations.held_by_reason() == {Reason.POISON: 2, Reason.GROUP_CHANGED: 1}

    def test_are_named_by_their_first_characters(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        first, second = added(uow, tenant, operation_id="ab_1"), added(uow, tenant, operation_id="abc2")
        assert uow.operations.starting_with("ab") == [first.operation_id, second.operation_id]
        assert uow.operations.starting_with("ab", limit=1) == [first.operation_id]
        assert uow.operations.starting_with("ab_") == [first.operation_id]  # not a wildcard

    def test_are_listed_by_state_tenant_and_line(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        key = orders.line_key()
        ordered = added(uow, tenant, wish=make.wish(line=key))
        applying = added(uow, tenant, state=OperationState.APPLYING)
        assert uow.operations.list_by(line=key) == [ordered]
        assert uow.operations.list_by([OperationState.APPLYING], tenant.tenant_id) == [applying]
        assert uow.operations.list_by(tenant=guid()) == []
        assert len(uow.operations.list_by(limit=1)) == 1

    def test_writers_are_those_that_apply_or_verify_oldest_first(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        second = added(uow, tenant, state=OperationState.VERIFYING, created_at=LATER)
        first = added(uow, tenant, state=OperationState.APPLYING)
        added(uow, tenant, state=OperationState.PLANNING)
        assert uow.operations.writers_in(tenant.tenant_id) == [first.operation_id, second.operation_id]


class TestSaving:
    def test_raises_the_version(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        saved = uow.operations.save(msgspec.structs.replace(operation, state=OperationState.PLANNING))
        assert saved.version == operation.version + 1
        assert uow.operations.get(operation.operation_id) == saved

    def test_over_a_newer_version_is_a_conflict(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        uow.operations.save(operation)
        with pytest.raises(ConflictError, match="Read it again"):
            uow.operations.save(operation)

    def test_of_two_writers_at_once_one_is_told(self, open_uow: Open, operation: Operation) -> None:
        with open_uow() as first, open_uow() as second:
            mine, theirs = (uow.operations.get(operation.operation_id) for uow in (first, second))
            first.operations.save(mine)
            first.commit()
            with pytest.raises(ConflictError):
                second.operations.save(theirs)


class TestClaimingWhatIsDue:
    def test_moves_it_so_that_the_next_sweep_leaves_it(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        assert uow.operations.claim_due(NOW, LATER, 10) == [(operation.operation_id, Lane.ORDER)]
        assert uow.operations.claim_due(NOW, LATER, 10) == []
        assert uow.operations.claim_due(LATER, LATER + A_SECOND, 10) == [(operation.operation_id, Lane.ORDER)]

    def test_leaves_what_is_not_due_waits_for_a_person_or_has_ended(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        added(uow, tenant, due_at=LATER)
        added(uow, tenant, due_at=None)
        for end in OPERATION_ENDS:
            added(uow, tenant, state=end)
        assert uow.operations.claim_due(NOW, LATER, 10) == []

    def test_lets_orders_pass_older_bulk_work(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        bulk = added(uow, tenant, lane=Lane.BULK, due_at=NOW - A_SECOND)
        order = added(uow, tenant)
        assert uow.operations.claim_due(NOW, LATER, 1) == [(order.operation_id, Lane.ORDER)]
        assert uow.operations.claim_due(NOW, LATER, 1) == [(bulk.operation_id, Lane.BULK)]

    def test_two_sweeps_at_once_never_claim_the_same(self, open_uow: Open, tenant: Tenant) -> None:
        with open_uow() as uow:
            mine = {added(uow, tenant).operation_id for _ in range(4)}
            uow.commit()
        with open_uow() as first, open_uow() as second:
            one, other = (dict(uow.operations.claim_due(NOW, LATER, 2)) for uow in (first, second))
        assert len(one) == len(other) == 2
        assert one.keys() | other.keys() == mine

    def test_does_not_disturb_whoever_works_on_it(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        uow.operations.claim_due(NOW, LATER, 10)
        uow.operations.postpone(operation.operation_id, LATER + A_SECOND)
        assert uow.operations.get(operation.operation_id).due_at == LATER + A_SECOND
        assert uow.operations.save(operation).version == 1

    def test_postponing_wakes_nothing_that_waits_for_a_person(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        still = added(uow, tenant, due_at=None)
        uow.operations.postpone(still.operation_id, LATER)
        assert uow.operations.get(still.operation_id).due_at is None


class TestOrderIsDue:
    @pytest.mark.parametrize(
        ("fields", "is_due"),
        [
            ({}, True),
            ({"lane": Lane.BULK}, False),
            ({"due_at": LATER}, False),
            ({"due_at": None}, False),
            ({"state": OperationState.COMPLETED}, False),
        ],
    )
    def test_when_an_operation_of_the_order_lane_waits_here(
        self, uow: SqlUnitOfWork, tenant: Tenant, fields: dict[str, Any], is_due: bool
    ) -> None:
        added(uow, tenant, **fields)
        assert uow.operations.order_is_due(tenant.tenant_id, NOW) is is_due
        assert not uow.operations.order_is_due(guid(), NOW)
