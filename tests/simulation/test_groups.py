"""The fake Graph keeps Graph's promises about groups, and no others."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import AttemptId, GroupId, OperationId, StepId, SubjectId
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Attempt, Change, Outcome, Receipt, StepKind, place_in_call
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from tests.simulation.graph import FakeGraph, Weather, licence
from tests.simulation.world import A1, A3, TENANT, VirtualClock

GROUP = GroupId("a3-staff")
ANN, BEN, CAS = (SubjectId(name) for name in ("ann", "ben", "cas"))
LEASE = Lease(name="tenant", holder="test", fence=1, expires_at=VirtualClock().moment + timedelta(days=1))


class School:
    """Three people, a group with A3, and a clock."""

    def __init__(self, seats: int = 10, lag: timedelta = timedelta(0), **group: object) -> None:
        self.clock = VirtualClock()
        self.graph = FakeGraph(
            tenant=TENANT,
            now=self.clock.now,
            at_call=lambda _where: None,
            dice=random.Random(1),
            weather=Weather(lag=lag),
            people={name: Person(subject_id=name, usage_location="NL") for name in (ANN, BEN, CAS)},
            enabled={A3: seats, A1: 100},
        )
        self.graph.groups.add(
            ObservedGroup(group_id=GROUP, nickname="a3-staff", **{"licences": (GroupLicence(A3),), **group})
        )
        self._numbers = 0

    def wait(self, minutes: float = 5) -> None:
        self.clock.moment += timedelta(minutes=minutes)

    def person(self, subject: SubjectId) -> Person:
        return self.graph.observe_people(TENANT, [subject])[subject]

    def group(self, group_id: GroupId = GROUP) -> ObservedGroup:
        return self.graph.observe_groups(TENANT, [group_id])[group_id]

    def apply(self, kind: StepKind, *subjects: SubjectId, **change: object) -> list[Receipt]:
        """One call; its receipts in the order of the people."""
        self._numbers += 1
        call = f"call-{self._numbers}"
        wish = Change(**{"group_id": GROUP, **change})
        receipts = self.graph.apply(TENANT, [_attempt(call, n, s, kind, wish) for n, s in enumerate(subjects)], LEASE)
        return sorted(receipts, key=lambda receipt: receipt.attempt_id)

    def join(self, *subjects: SubjectId) -> list[Receipt]:
        return self.apply(StepKind.ADD_MEMBERS, *subjects, add_sku=A3)


def _attempt(call: str, place: int, subject: SubjectId, kind: StepKind, change: Change) -> Attempt:
    return Attempt(
        attempt_id=place_in_call(call, place) if kind is StepKind.ADD_MEMBERS else AttemptId(call),
        step_id=StepId(place),
        operation_id=OperationId("op-1"),
        tenant_id=TENANT,
        subject_id=subject,
        kind=kind,
        change=change,
        fence=1,
    )


def said(receipts: Sequence[Receipt]) -> list[tuple[Outcome, Reason | None]]:
    return [(receipt.outcome, receipt.reason) for receipt in receipts]


class TestProcessing:
    def test_who_joins_has_the_licence_some_minutes_later(self) -> None:
        school = School()
        assert said(school.join(ANN, BEN)) == [(Outcome.ACCEPTED, None)] * 2
        assert school.group().members == {ANN, BEN}
        assert school.group().is_processing
        assert school.person(ANN).licences == ()
        school.wait()
        assert school.person(ANN).licences == (HeldLicence(A3, group_id=GROUP),)
        assert not school.group().is_processing

    def test_who_leaves_loses_it_and_nothing_else(self) -> None:
        school = School()
        school.graph.change_by_hand(ANN, Person(subject_id=ANN, licences=(licence(A1),)))
        school.join(ANN)
        school.wait()
        school.apply(StepKind.REMOVE_MEMBER, ANN)
        school.wait()
        assert school.person(ANN).licences == (licence(A1),)

    def test_another_licence_on_the_group_reaches_its_members_at_once_with_the_loss_of_the_old(self) -> None:
        school = School()
        school.join(ANN)
        school.wait()
        school.apply(StepKind.LICENSE_GROUP, SubjectId("group"), add_sku=A1, remove_skus=(A3,))
        school.wait()
        assert school.person(ANN).licences == (HeldLicence(A1, group_id=GROUP),)
        assert all(len(person.licences) <= 1 for _, person in school.graph.versions[ANN])

    def test_without_seats_the_last_in_line_are_in_error_until_looked_at_again(self) -> None:
        school = School(seats=2)
        school.join(ANN, BEN, CAS)
        school.wait()
        states = [school.person(subject).licences[0] for subject in (ANN, BEN, CAS)]
        assert sorted(held.state for held in states) == ["Active", "Active", "Error"]
        [late] = [subject for subject, held in zip((ANN, BEN, CAS), states, strict=True) if held.state == "Error"]
        assert school.person(late).licences[0].error == "CountViolation"
        assert said(school.apply(StepKind.REPROCESS, late)) == [(Outcome.REFUSED, Reason.COUNT_VIOLATION)]
        school.graph.enabled[A3] = 3
        school.wait(600)
        assert not school.person(late).holds(A3)
        assert said(school.apply(StepKind.REPROCESS, late)) == [(Outcome.ACCEPTED, None)]
        assert school.person(late).holds(A3)

    def test_all_licences_of_a_group_or_none(self) -> None:
        school = School(seats=0)
        school.apply(StepKind.LICENSE_GROUP, SubjectId("group"), add_sku=A1)
        school.join(ANN)
        school.wait()
        errors = {held.sku_id: held.error for held in school.person(ANN).licences}
        assert errors == {A1: "Other", A3: "CountViolation"}

    def test_what_a_direct_licence_forbids_is_an_error(self) -> None:
        school = School()
        school.graph.exclusive = frozenset({frozenset({A1, A3})})
        school.graph.change_by_hand(ANN, Person(subject_id=ANN, licences=(licence(A1),)))
        school.join(ANN)
        school.wait()
        assert [held.error for held in school.person(ANN).licences] == [None, "MutuallyExclusiveViolation"]


class TestRefusals:
    def test_one_member_too_many_and_nobody_joins(self) -> None:
        school = School()
        school.join(ANN)
        assert said(school.join(ANN, BEN)) == [(Outcome.REFUSED, Reason.MEMBER_ALREADY)] * 2
        assert school.group().members == {ANN}

    def test_who_is_gone_is_named_and_nobody_joins(self) -> None:
        school = School()
        del school.graph.people[BEN]
        receipts = school.join(ANN, BEN)
        assert said(receipts) == [(Outcome.REFUSED, Reason.TRANSIENT), (Outcome.REFUSED, Reason.NOT_FOUND)]
        assert [receipt.retryable for receipt in receipts] == [True, False]
        assert school.group().members == set()

    @pytest.mark.parametrize("kind", [StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER])
    def test_members_of_a_rule_are_the_rules(self, kind: StepKind) -> None:
        school = School(is_dynamic=True)
        assert said(school.apply(kind, ANN)) == [(Outcome.REFUSED, Reason.GROUP_READ_ONLY)]

    def test_only_a_member_leaves(self) -> None:
        assert said(School().apply(StepKind.REMOVE_MEMBER, ANN)) == [(Outcome.REFUSED, Reason.NOT_FOUND)]

    def test_no_group_nothing_to_write(self) -> None:
        receipts = School().apply(StepKind.ADD_MEMBERS, ANN, group_id=GroupId("nowhere"))
        assert said(receipts) == [(Outcome.REFUSED, Reason.GROUP_GONE)]

    def test_an_inherited_licence_is_not_removed_directly(self) -> None:
        school = School()
        school.join(ANN)
        school.wait()
        receipts = school.apply(StepKind.REMOVE, ANN, group_id=None, remove_skus=(A3,))
        assert said(receipts) == [(Outcome.REFUSED, Reason.INHERITED_FROM_GROUP)]


class TestNewGroups:
    def test_it_has_an_id_and_is_found_by_its_name(self) -> None:
        school = School()
        [receipt] = school.apply(StepKind.CREATE_GROUP, SubjectId("lic-a3"), group_id=None, group_name="lic-a3")
        found = school.graph.find_group(TENANT, "lic-a3")
        assert found
        assert found.group_id == receipt.created
        assert (found.members, found.licences, found.takes_members) == (frozenset(), (), True)

    def test_while_it_is_new_a_replica_may_not_know_it(self) -> None:
        school = School(lag=timedelta(minutes=5))
        [receipt] = school.apply(StepKind.CREATE_GROUP, SubjectId("lic-a3"), group_id=None, group_name="lic-a3")
        assert receipt.created
        assert school.group(receipt.created) is None
        [refused] = school.apply(StepKind.ADD_MEMBERS, ANN, group_id=receipt.created)
        assert (refused.reason, refused.retryable) == (Reason.GROUP_TOO_NEW, True)
        school.wait(6)
        assert said(school.apply(StepKind.ADD_MEMBERS, ANN, group_id=receipt.created)) == [(Outcome.ACCEPTED, None)]
