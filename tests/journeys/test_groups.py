"""Licences that go through groups: ours and the school's own, with others' hands in them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, ArticleCode, GroupId, OperationId, SkuId
from provisioning.domain.lifecycle import OPERATION_ENDS, LineState, OperationState, SubjectState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.services.set_policy import PolicyChange
from tests.journeys.customers import A1, A3, A3_STAFF_MORE, GROUP_ROLES, Customer
from tests.journeys.furniture import Town
from tests.journeys.groups import await_change, our_group, sources_of, writes_of
from tests.journeys.patience import until
from tests.journeys.promises import check_promises

_BY_GROUP: Mapping[str, Any] = {"assignment_mode": AssignmentMode.GROUP, "usage_location": "NL"}
_LAG_BEYOND_SETTLE = 60
_OPERATOR = Identity(actor=Actor("person:first"), roles=frozenset({Role.OPERATOR, Role.ADMIN}))
_APPROVER = Identity(actor=Actor("person:second"), roles=frozenset({Role.APPROVER, Role.ADMIN}))


def repeats(lag: float) -> int | None:
    return 0 if lag < _LAG_BEYOND_SETTLE else None


def test_new_people_come_in_by_a_group_of_ours(town: Town, lag: float) -> None:
    """Case (a): the group is made, licensed, filled twenty at a time; the first five before the others."""
    school = town.school(45, holds=None, lag=lag, policy=_BY_GROUP, roles=GROUP_ROLES, is_proven=False, location=None)
    key = town.order(school, 45)
    operation = town.await_end(key, within=90.0)
    assert operation.state is OperationState.COMPLETED
    assert town.count(operation) == {SubjectState.VERIFIED: 45}
    group = our_group(town, school)
    assert set(group["members"]) == set(school.people)
    assert all(sources_of(town, school, person, A3) == {group["id"]} for person in school.people)
    assert len(writes_of(town, school)) <= 1 + 1 + 1 + 2 + (0 if lag < _LAG_BEYOND_SETTLE else 5)
    check_promises(town, school, goal=A3, repeats=repeats(lag))


def test_a_clashing_direct_licence_is_swapped_and_moved_to_the_group_later(town: Town, lag: float) -> None:
    """Case (c), and moving without a gap: in, active, and only then the direct one goes."""
    school = town.school(25, lag=lag, policy=_BY_GROUP, roles=GROUP_ROLES, disabled_plans=())
    key = town.order(school, 25)
    assert town.await_end(key, within=90.0).state is OperationState.COMPLETED
    assert town.await_line(key, LineState.COMPLETED)
    assert town.holders(school, A1) == set()
    assert await_change(town, school, within=120.0).state is OperationState.COMPLETED
    group = our_group(town, school)
    assert all(sources_of(town, school, person, A3) == {group["id"]} for person in school.people)
    check_promises(town, school, goal=A3, repeats=repeats(lag))


def test_the_old_product_comes_from_the_school_s_group_one_write_for_all(town: Town, lag: float) -> None:
    """Case (b): the school named its own group; others fill it, and we change what it brings."""
    group_id = str(uuid4())

    def groups(school: Customer) -> list[dict[str, Any]]:
        return [
            {
                "id": group_id,
                "displayName": "Personeel",
                "mailNickname": "personeel",
                "assignedLicenses": [{"skuId": A1, "disabledPlans": []}],
                "processing": "QueuedForProcessing",
                "members": school.people,
            }
        ]

    policy = {**_BY_GROUP, "group_id": GroupId(group_id)}
    school = town.school(30, holds=None, lag=lag, policy=policy, roles=GROUP_ROLES, groups=groups)
    until(lambda: town.holders(school, A1) == set(school.people), "the school's own licences")
    operation = town.await_end(town.order(school, 30), within=90.0)
    assert operation.state is OperationState.COMPLETED
    assert town.count(operation) == {SubjectState.VERIFIED: 30}
    assert town.holders(school, A1) == set()
    assert town.holders(school, A3) == set(school.people)
    assert len(writes_of(town, school)) == 1 or lag >= _LAG_BEYOND_SETTLE
    check_promises(town, school, goal=A3, repeats=repeats(lag))


def test_s40_direct_and_group_licence_meet(town: Town, lag: float) -> None:
    """A person has A3 from the school's group and directly: nothing is taken, nothing given twice, one seat."""
    group_id = str(uuid4())

    def groups(school: Customer) -> list[dict[str, Any]]:
        licensed = {"assignedLicenses": [{"skuId": A3, "disabledPlans": []}], "processing": "QueuedForProcessing"}
        return [{"id": group_id, "displayName": "A3", "members": school.people[:3], **licensed}]

    school = town.school(6, holds=A3, seats=6, lag=lag, groups=groups, roles=GROUP_ROLES)
    until(lambda: len(sources_of(town, school, school.people[0], A3)) == 2, "both at once")
    operation = town.await_end(town.order(school, 6))
    assert operation.state is OperationState.COMPLETED
    assert town.count(operation) == {SubjectState.ALREADY_RIGHT: 6}
    assert writes_of(town, school) == []
    assert sources_of(town, school, school.people[0], A3) == {None, group_id}


def test_a_school_that_turns_to_a_group_and_back_is_never_without(town: Town, lag: float) -> None:
    school = town.school(24, lag=lag, roles=GROUP_ROLES)
    assert town.await_end(town.order(school, 24)).state is OperationState.COMPLETED
    _decide(town, school, AssignmentMode.GROUP)
    await_change(town, school, within=120.0)
    group = our_group(town, school)
    assert all(sources_of(town, school, person, A3) == {group["id"]} for person in school.people)
    _decide(town, school, AssignmentMode.DIRECT)
    until(lambda: our_group(town, school)["members"] == [], "an empty group", within=120.0)
    await_change(town, school, within=120.0)
    assert all(sources_of(town, school, person, A3) == {None} for person in school.people)
    check_promises(town, school, goal=A3, repeats=repeats(lag))


def _decide(town: Town, school: Customer, mode: AssignmentMode) -> None:
    change = PolicyChange(asked_by="ticket-12", assignment_mode=mode)
    proposed = town.services.set_policy(_OPERATOR, school.tenant, change)
    town.services.approve_policy(_APPROVER, school.tenant, proposed.digest)


def test_a_group_made_dynamic_behind_our_back_is_left_alone(town: Town) -> None:
    """Microsoft empties it; whoever comes next is not put into a group that somebody else's rule fills."""
    school = town.school(10, holds=None, policy=_BY_GROUP, roles=GROUP_ROLES, seats=10)
    assert town.await_end(town.order(school, 10), within=90.0).state is OperationState.COMPLETED
    group = our_group(town, school)
    rule = {"groupTypes": ["DynamicMembership"], "membershipRule": 'user.department -eq "nobody"'}
    town.control.change_group(school.tenant, group["id"], **rule)
    written = len(writes_of(town, school))
    town.set_seats(school, 14)
    more = town.order(school, 4, A3_STAFF_MORE)
    held = town.await_operation(more, OperationState.HELD, within=90.0)
    assert held.reason is Reason.GROUP_CHANGED
    assert len(writes_of(town, school)) == written


def test_a_school_s_own_group_that_others_use_too_is_read_and_not_written(town: Town) -> None:
    group_id = str(uuid4())
    stranger = {"id": str(uuid4()), "department": "99ZZ00", "employeeType": "Personeel", "usageLocation": "NL"}

    def groups(school: Customer) -> list[dict[str, Any]]:
        members = [*school.people, stranger["id"]]
        return [{"id": group_id, "displayName": "Iedereen", "mailNickname": "iedereen", "members": members}]

    policy = {**_BY_GROUP, "group_id": GroupId(group_id)}
    school = town.school(8, holds=None, policy=policy, roles=GROUP_ROLES, groups=groups, others=[stranger])
    operation = town.await_end(town.order(school, 8))
    assert operation.state is OperationState.PARTIALLY_COMPLETED
    assert set(town.people(operation).values()) == {(SubjectState.REFUSED, Reason.SCOPE_VIOLATION)}
    assert writes_of(town, school) == []


def test_a_selector_that_shrank_takes_nobody_out(town: Town) -> None:
    school = town.school(20, holds=None, policy=_BY_GROUP, roles=GROUP_ROLES, seats=20)
    assert town.await_end(town.order(school, 20), within=90.0).state is OperationState.COMPLETED
    for person in school.people[:8]:
        town.control.change_user(school.tenant, person, department="elsewhere")
    written = len(writes_of(town, school))
    town.set_seats(school, 24)
    more = town.order(school, 4, A3_STAFF_MORE)
    assert town.await_operation(more, OperationState.HELD, within=60.0).reason is Reason.SELECTOR_SHRANK
    assert len(writes_of(town, school)) == written
    assert set(our_group(town, school)["members"]) == set(school.people)


def test_a_group_short_of_seats_tells_who_waits(town: Town) -> None:
    """Seats vanish while Microsoft works off the group: who got none is found on the people, and waits."""
    school = town.school(30, holds=None, policy=_BY_GROUP, roles=GROUP_ROLES, seats=30)
    town.control.set_switches(group_processing_seconds=60)
    key = town.order(school, 30)
    until(lambda: town.control.groups(school.tenant) and our_group(town, school)["members"], "members", within=60.0)
    town.set_seats(school, 24)
    operation = town.await_end(key, within=120.0)
    assert operation.state is OperationState.PARTIALLY_COMPLETED
    assert town.count(operation) == {SubjectState.VERIFIED: 24, SubjectState.WAITING: 6}
    check_promises(town, school, goal=A3)


def test_entra_p1_lost_by_a_downgrade_goes_through_a_licence_of_their_own(town: Town) -> None:
    """From A3 by our group to Office 365 A1, which brings no Entra ID P1: their own licence first, then out."""
    school = town.school(6, holds=None, policy=_BY_GROUP, roles=GROUP_ROLES, seats=6)
    delivered = town.await_end(town.order(school, 6), within=90.0)
    assert all(sources_of(town, school, person, A3) == {our_group(town, school)["id"]} for person in school.people)
    downgrade = _downgrade(town, delivered)
    _approve(town, downgrade)
    assert await_end_of(town, downgrade).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set()
    assert all(sources_of(town, school, person, A1) == {None} for person in school.people)
    assert our_group(town, school)["members"] == []
    check_promises(town, school, goal=A1)


def _downgrade(town: Town, delivered: Operation) -> Operation:
    """No article of the shop goes down: it is what a remap will ask for."""
    now = town.services.clock.now()
    wish = msgspec.structs.replace(delivered.wish, sku_id=SkuId(A1), replaces=frozenset({SkuId(A3)}), line=None)
    operation = msgspec.structs.replace(
        delivered,
        operation_id=OperationId(str(uuid4())),
        kind=OperationKind.REMAP,
        state=OperationState.NEW,
        wish=msgspec.structs.replace(wish, seats_wanted=0),
        requested_by=Actor("person:first"),
        created_at=now,
        entered_at=now,
        due_at=now,
        version=0,
    )
    entry = LedgerEntry(
        holder_id=wish.holder_id,
        tenant_id=delivered.tenant_id,
        article_code=ArticleCode("MS-O365-A1-MED"),
        sku_id=SkuId(A1),
        delta=6,
        effective_on=now.date() - timedelta(days=1),
        ends_on=None,
        cause=LedgerCause.CORRECTION,
        cause_ref="downgrade",
    )
    with town.services.open_uow() as uow:
        uow.ledger.append([entry])
        uow.operations.add(operation)
        uow.commit()
    return operation


def _approve(town: Town, operation: Operation) -> None:
    """It takes services away: nobody lets that go by itself."""
    approver = Identity(actor=Actor("person:third"), roles=frozenset({Role.APPROVER}))
    until(lambda: _now(town, operation).state is OperationState.AWAITING_APPROVAL, "a plan to approve", within=60.0)
    sheet = town.services.show_plan(operation.operation_id)
    assert sheet.breaches
    town.services.approve_plan(approver, operation.operation_id, sheet.envelope.digest)


def await_end_of(town: Town, operation: Operation, within: float = 120.0) -> Operation:
    def look() -> Operation | None:
        found = _now(town, operation)
        return found if found.state in OPERATION_ENDS else None

    return until(look, lambda: str(_now(town, operation)), within=within)


def _now(town: Town, operation: Operation) -> Operation:
    with town.services.open_uow() as uow:
        return uow.operations.get(operation.operation_id)
