"""Writes through groups, against the sandbox: what we send is what Graph takes, what it answers is what we read."""

from typing import Any

import pytest

from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import AttemptId, GroupId, OperationId, SkuId, StepId, SubjectId, TenantId
from provisioning.domain.operation import Attempt, Change, Outcome, Receipt, StepKind, place_in_call
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.graph.gateway import GraphGateway
from tests.conformance import school
from tests.sandbox_process import SandboxProcess

A3 = SkuId(school.A3)
NICKNAME = "licentie-a3"
CROWD = [school.user_id(f"crowd-{number}") for number in range(160)]
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def consented(sandbox: SandboxProcess) -> None:
    """The third tier: making groups and filling them."""
    roles = [*school.ROLES, "Group.Create", "GroupMember.ReadWrite.All"]
    sandbox.control.grant_consent(school.TENANT, school.APP, roles)


@pytest.fixture
def crowd(sandbox: SandboxProcess) -> list[str]:
    for number, person in enumerate(CROWD):
        sandbox.control.add_user(school.TENANT, id=person, userPrincipalName=f"crowd-{number}@{school.DOMAIN}")
    return CROWD


class Desk:
    """Writes with the gateway, each call under an id of its own."""

    def __init__(self, gateway: GraphGateway, lease: Lease) -> None:
        self._gateway = gateway
        self._lease = lease
        self._calls = 0

    def send(self, *attempts: Attempt) -> list[Receipt]:
        receipts = self._gateway.apply(TenantId(school.TENANT), attempts, self._lease)
        order = {attempt.attempt_id: place for place, attempt in enumerate(attempts)}
        return sorted(receipts, key=lambda receipt: order[receipt.attempt_id])

    def attempt(self, kind: StepKind, subject: str = "group", **change: Any) -> Attempt:
        return self._attempts(kind, [subject], Change(**change))[0]

    def joining(self, group: GroupId, people: list[str]) -> list[Attempt]:
        return self._attempts(StepKind.ADD_MEMBERS, people, Change(group_id=group, add_sku=A3))

    def _attempts(self, kind: StepKind, people: list[str], change: Change) -> list[Attempt]:
        self._calls += 1
        call = f"aaaaaaaa-0000-4000-8000-{self._calls:012d}"
        return [
            Attempt(
                attempt_id=place_in_call(call, place) if len(people) > 1 else AttemptId(call),
                step_id=StepId(place),
                operation_id=OperationId("op-1"),
                tenant_id=TenantId(school.TENANT),
                subject_id=SubjectId(person),
                kind=kind,
                change=change,
                fence=1,
            )
            for place, person in enumerate(people)
        ]

    def new_group(self, nickname: str = NICKNAME) -> GroupId:
        [receipt] = self.send(self.attempt(StepKind.CREATE_GROUP, nickname, group_name=nickname))
        assert receipt.created, receipt
        return receipt.created

    def group(self, group_id: GroupId) -> ObservedGroup:
        found = self._gateway.observe_groups(TenantId(school.TENANT), [group_id])[group_id]
        assert found
        return found


@pytest.fixture
def desk(gateway: GraphGateway, lease: Lease) -> Desk:
    return Desk(gateway, lease)


class TestAccepted:
    def test_a_new_group_is_plain_empty_and_found_by_its_name(
        self, desk: Desk, gateway: GraphGateway, tenant: TenantId
    ) -> None:
        created = desk.new_group()
        found = gateway.find_group(tenant, NICKNAME)
        assert found
        assert (found.group_id, found.members, found.licences) == (created, frozenset(), ())
        assert (found.is_security, found.takes_members, found.is_complete) == (True, True, True)
        assert gateway.find_group(tenant, "another") is None

    def test_a_licence_on_the_group(self, desk: Desk) -> None:
        created = desk.new_group()
        plans = frozenset({school.YAMMER})
        [receipt] = desk.send(desk.attempt(StepKind.LICENSE_GROUP, group_id=created, add_sku=A3, disabled_plans=plans))
        assert (receipt.outcome, receipt.status) == (Outcome.ACCEPTED, 202)
        licence = desk.group(created).licence(A3)
        assert licence
        assert licence.disabled_plans == plans

    def test_people_join_in_one_write_and_leave_one_by_one(self, sandbox: SandboxProcess, desk: Desk) -> None:
        created = desk.new_group()
        joining = desk.joining(created, [school.WITH_A1, school.WITH_NOTHING, school.PUPIL])
        receipts = desk.send(*joining)
        assert {(receipt.outcome, receipt.status) for receipt in receipts} == {(Outcome.ACCEPTED, 204)}
        assert [receipt.resource_units for receipt in receipts] == [1, None, None]
        assert desk.group(created).members == {school.WITH_A1, school.WITH_NOTHING, school.PUPIL}
        [left] = desk.send(desk.attempt(StepKind.REMOVE_MEMBER, school.PUPIL, group_id=created, remove_skus=(A3,)))
        assert (left.outcome, left.status) == (Outcome.ACCEPTED, 204)
        assert desk.group(created).members == {school.WITH_A1, school.WITH_NOTHING}

    def test_a_chunk_of_160_people_is_eight_writes_in_one_envelope(
        self, sandbox: SandboxProcess, desk: Desk, crowd: list[str]
    ) -> None:
        created = desk.new_group()
        attempts = [each for start in range(0, 160, 20) for each in desk.joining(created, crowd[start : start + 20])]
        receipts = desk.send(*attempts)
        assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
        assert sum(receipt.resource_units or 0 for receipt in receipts) == 8
        assert desk.group(created).members == set(crowd)

    def test_looking_again_at_a_person(self, desk: Desk) -> None:
        [receipt] = desk.send(desk.attempt(StepKind.REPROCESS, school.INHERITING))
        assert (receipt.outcome, receipt.status) == (Outcome.ACCEPTED, 200)


class TestRefused:
    def test_one_is_a_member_already_and_nobody_joins(self, desk: Desk) -> None:
        created = desk.new_group()
        desk.send(*desk.joining(created, [school.PUPIL]))
        receipts = desk.send(*desk.joining(created, [school.WITH_A1, school.PUPIL]))
        assert {(r.outcome, r.reason, r.retryable) for r in receipts} == {
            (Outcome.REFUSED, Reason.MEMBER_ALREADY, False)
        }
        assert desk.group(created).members == {school.PUPIL}

    def test_the_calls_behind_it_go_on(self, desk: Desk, crowd: list[str]) -> None:
        created = desk.new_group()
        desk.send(*desk.joining(created, [school.PUPIL]))
        receipts = desk.send(
            *desk.joining(created, crowd[:20]),
            *desk.joining(created, [school.WITH_A1, school.PUPIL]),
            *desk.joining(created, crowd[20:40]),
        )
        assert [receipt.outcome for receipt in receipts].count(Outcome.ACCEPTED) == 40
        assert desk.group(created).members == {school.PUPIL, *crowd[:40]}

    def test_one_is_gone_and_nobody_joins(self, desk: Desk) -> None:
        created = desk.new_group()
        receipts = desk.send(*desk.joining(created, [school.WITH_A1, NOBODY]))
        assert {receipt.outcome for receipt in receipts} == {Outcome.REFUSED}
        assert receipts[0].retryable
        assert desk.group(created).members == set()

    @pytest.mark.parametrize("kind", [StepKind.LICENSE_GROUP, StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER])
    def test_no_group(self, desk: Desk, kind: StepKind) -> None:
        [receipt] = desk.send(desk.attempt(kind, school.WITH_A1, group_id=GroupId(NOBODY), add_sku=A3))
        assert (receipt.outcome, receipt.reason) == (Outcome.REFUSED, Reason.GROUP_GONE)

    def test_no_member(self, desk: Desk) -> None:
        created = desk.new_group()
        [receipt] = desk.send(desk.attempt(StepKind.REMOVE_MEMBER, school.PUPIL, group_id=created))
        assert (receipt.outcome, receipt.reason) == (Outcome.REFUSED, Reason.NOT_FOUND)

    @pytest.mark.parametrize(
        "kind",
        [
            pytest.param({"groupTypes": ["DynamicMembership"], "membershipRule": 'user.department -eq "x"'}, id="rule"),
            pytest.param({"onPremisesSyncEnabled": True}, id="sync tool"),
        ],
    )
    def test_members_of_others_are_theirs(self, sandbox: SandboxProcess, desk: Desk, kind: dict[str, Any]) -> None:
        group = GroupId(school.user_id("theirs"))
        sandbox.control.put_group(school.TENANT, id=group, displayName="theirs", **kind)
        [receipt] = desk.send(*desk.joining(group, [school.PUPIL]))
        assert (receipt.outcome, receipt.reason, receipt.tenant_wide) == (
            Outcome.REFUSED,
            Reason.GROUP_READ_ONLY,
            False,
        )

    def test_two_groups_of_one_name_need_a_person(self, desk: Desk, gateway: GraphGateway, tenant: TenantId) -> None:
        desk.new_group()
        desk.new_group()
        with pytest.raises(ActionRequiredError) as caught:
            gateway.find_group(tenant, NICKNAME)
        assert caught.value.reason is Reason.GROUP_CHANGED


class TestWitness:
    def test_one_call_has_one_id_for_all_its_people(self, sandbox: SandboxProcess, desk: Desk) -> None:
        created = desk.new_group()
        joining = desk.joining(created, [school.WITH_A1, school.PUPIL])
        desk.send(*joining)
        ours = [entry for entry in sandbox.control.ledger(tenant=school.TENANT) if entry["app"]]
        assert joining[0].call_id in {entry["clientRequestId"] for entry in ours}
