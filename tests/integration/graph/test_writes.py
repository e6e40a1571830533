import os
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.ids import AttemptId, OperationId, ServicePlanId, SkuId, StepId, SubjectId, TenantId
from provisioning.domain.operation import Attempt, Change, Outcome, Receipt, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.graph.bridge import Bridge
from provisioning.graph.gateway import GraphGateway
from provisioning.graph.settings import GraphSettings
from tests.conformance import school
from tests.integration.graph.conftest import Connect, RealClock
from tests.sandbox_process import SandboxProcess
from tests.unit.graph.fakes import ListeningQuota

SWAP = Change(
    add_sku=SkuId(school.A3),
    disabled_plans=frozenset({ServicePlanId(school.YAMMER)}),
    remove_skus=(SkuId(school.A1),),
)


def attempt(person: str, kind: StepKind = StepKind.SWAP, change: Change = SWAP, number: int = 1) -> Attempt:
    return Attempt(
        attempt_id=AttemptId(f"aaaaaaaa-0000-4000-8000-{number:012d}"),
        step_id=StepId(number),
        operation_id=OperationId("op-1"),
        tenant_id=TenantId(school.TENANT),
        subject_id=SubjectId(person),
        kind=kind,
        change=change,
        fence=1,
    )


def apply(gateway: GraphGateway, lease: Lease, *attempts: Attempt) -> list[Receipt]:
    receipts = gateway.apply(TenantId(school.TENANT), attempts, lease)
    return sorted(receipts, key=lambda receipt: receipt.attempt_id)


def ledger(sandbox: SandboxProcess) -> list[dict[str, Any]]:
    return [entry for entry in sandbox.control.ledger(tenant=school.TENANT) if entry["app"]]


class TestAccepted:
    def test_a_swap_keeps_what_the_school_switched_off(
        self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease, tenant: TenantId
    ) -> None:
        [receipt] = apply(gateway, lease, attempt(school.WITH_A1))
        assert (receipt.outcome, receipt.status, receipt.resource_units) == (Outcome.ACCEPTED, 200, 1)
        person = gateway.observe_people(tenant, [SubjectId(school.WITH_A1)])[SubjectId(school.WITH_A1)]
        assert person is not None
        assert [(held.sku_id, held.disabled_plans) for held in person.licences] == [(school.A3, {school.YAMMER})]

    def test_the_witness_saw_our_attempt_id(self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease) -> None:
        [receipt] = apply(gateway, lease, attempt(school.WITH_A1))
        [entry] = ledger(sandbox)
        assert entry["clientRequestId"] == receipt.attempt_id
        assert receipt.request_id

    def test_a_usage_location(self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease) -> None:
        change = Change(usage_location="NL")
        [receipt] = apply(gateway, lease, attempt(school.WITHOUT_LOCATION, StepKind.SET_USAGE_LOCATION, change))
        assert (receipt.outcome, receipt.status) == (Outcome.ACCEPTED, 204)
        assert sandbox.control.user(school.TENANT, school.WITHOUT_LOCATION)["usageLocation"] == "NL"


class TestRefused:
    @pytest.mark.parametrize(
        ("person", "kind", "change", "reason"),
        [
            pytest.param(
                school.WITHOUT_LOCATION,
                StepKind.ASSIGN,
                Change(add_sku=SkuId(school.A1)),
                Reason.USAGE_LOCATION,
                id="no usage location",
            ),
            pytest.param(
                school.WITH_NOTHING,
                StepKind.REMOVE,
                Change(remove_skus=(SkuId(school.A1),)),
                Reason.LICENCE_NOT_HELD,
                id="nothing to remove",
            ),
            pytest.param(
                school.INHERITING,
                StepKind.REMOVE,
                Change(remove_skus=(SkuId(school.A3),)),
                Reason.INHERITED_FROM_GROUP,
                id="inherited",
            ),
            pytest.param(
                school.WITH_NOTHING,
                StepKind.ASSIGN,
                Change(add_sku=SkuId(school.NOT_OWNED)),
                Reason.SKU_NOT_OWNED,
                id="not bought",
            ),
            pytest.param(
                "00000000-0000-4000-8000-000000000000",
                StepKind.ASSIGN,
                Change(add_sku=SkuId(school.A1)),
                Reason.NOT_FOUND,
                id="nobody",
            ),
        ],
    )
    def test_graphs_own_words_become_our_reason(
        self, gateway: GraphGateway, lease: Lease, person: str, kind: StepKind, change: Change, reason: Reason
    ) -> None:
        [receipt] = apply(gateway, lease, attempt(person, kind, change))
        assert (receipt.outcome, receipt.reason, receipt.retryable) == (Outcome.REFUSED, reason, False)
        assert receipt.error_code
        assert receipt.request_id

    def test_a_throttled_batch_closes_the_bucket(
        self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease, quota: ListeningQuota
    ) -> None:
        sandbox.control.set_quotas(app_tenant_writes={"capacity": 1, "window": 3600})  # no token drips in meanwhile
        sandbox.control.drain_quotas()
        [receipt] = apply(gateway, lease, attempt(school.WITH_A1))
        sandbox.control.set_quotas(app_tenant_writes={"capacity": 3000, "window": 150})
        sandbox.control.fill_quotas()
        assert (receipt.outcome, receipt.reason, receipt.retryable) == (Outcome.REFUSED, Reason.THROTTLED, True)
        assert receipt.after
        [(tenant, scope, after)] = quota.refusals
        assert tenant == school.TENANT
        assert scope
        assert "Write" in scope
        assert after == receipt.after

    def test_a_missing_permission_concerns_the_tenant(
        self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease
    ) -> None:
        writing = ["LicenseAssignment.ReadWrite.All", "User.ReadWrite.All"]
        sandbox.control.withdraw_consent(school.TENANT, school.APP, writing)
        [receipt] = apply(gateway, lease, attempt(school.WITH_A1))
        assert (receipt.outcome, receipt.reason, receipt.tenant_wide) == (Outcome.REFUSED, Reason.FORBIDDEN, True)

    def test_a_rejected_token_is_certain_and_the_next_call_has_a_new_one(
        self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease
    ) -> None:
        sandbox.control.add_fault("unauthorized", route="assignLicense", times=1)
        [refused] = apply(gateway, lease, attempt(school.WITH_A1))
        [accepted] = apply(gateway, lease, attempt(school.WITH_A1))
        assert (refused.outcome, refused.reason) == (Outcome.REFUSED, Reason.TOKEN_REJECTED)
        assert accepted.outcome is Outcome.ACCEPTED

    def test_a_concurrent_write(self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease) -> None:
        sandbox.control.add_fault("conflict", route="assignLicense", times=1)
        [receipt] = apply(gateway, lease, attempt(school.WITH_A1))
        assert (receipt.outcome, receipt.reason, receipt.retryable) == (Outcome.REFUSED, Reason.CONCURRENT_WRITE, True)


class TestUnknown:
    @pytest.mark.parametrize("route", ["assignLicense", "batch"])
    @pytest.mark.parametrize("body", ["json", "html", "empty"])
    def test_a_gateway_time_out_after_the_write(
        self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease, route: str, body: str
    ) -> None:
        sandbox.control.add_fault("gateway_timeout", route=route, applied=True, body=body)
        [receipt] = apply(gateway, lease, attempt(school.WITH_A1))
        assert receipt.outcome is Outcome.UNKNOWN
        assert len(ledger(sandbox)) == 1

    @pytest.mark.parametrize("applied", [True, False])
    def test_a_dropped_connection_tells_nothing(
        self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease, *, applied: bool
    ) -> None:
        sandbox.control.add_fault("drop", route="batch", applied=applied)
        [receipt] = apply(gateway, lease, attempt(school.WITH_A1))
        assert (receipt.outcome, receipt.reason) == (Outcome.UNKNOWN, Reason.NO_ANSWER)
        assert receipt.sent_at
        assert len(ledger(sandbox)) == applied


class TestNotSent:
    def test_nobody_listens(self, settings: GraphSettings, connect: Connect, lease: Lease, closed_port: int) -> None:
        nowhere = msgspec.structs.replace(settings, base_url=f"https://localhost:{closed_port}/v1.0")
        [receipt] = apply(connect(nowhere), lease, attempt(school.WITH_A1))
        assert (receipt.outcome, receipt.retryable) == (Outcome.NOT_SENT, True)
        assert receipt.after == timedelta(seconds=5)

    def test_a_name_that_does_not_exist(self, settings: GraphSettings, connect: Connect, lease: Lease) -> None:
        nowhere = msgspec.structs.replace(settings, base_url="https://graph.invalid/v1.0")
        [receipt] = apply(connect(nowhere), lease, attempt(school.WITH_A1))
        assert receipt.outcome is Outcome.NOT_SENT

    def test_a_server_that_nobody_vouches_for(
        self, sandbox: SandboxProcess, settings: GraphSettings, connect: Connect, lease: Lease
    ) -> None:
        [receipt] = apply(connect(msgspec.structs.replace(settings, ca_file=None)), lease, attempt(school.WITH_A1))
        assert receipt.outcome is Outcome.NOT_SENT
        assert ledger(sandbox) == []


class InterruptingClock(RealClock):
    """Somebody presses Ctrl-C when the time has been asked for so many times."""

    interrupts_after = 0

    def now(self) -> datetime:
        self.interrupts_after -= 1
        if self.interrupts_after == 0:
            raise KeyboardInterrupt
        return super().now()


class TestInterruption:
    @pytest.fixture
    def crowd(self, sandbox: SandboxProcess) -> list[Attempt]:
        """Two hundred pupils and a swap for each."""
        people = [
            {"id": f"99999999-0000-4000-8000-{n:012d}", "userPrincipalName": f"p{n}@x.example", "usageLocation": "NL"}
            for n in range(200)
        ]
        seed = school.world_seed()
        seed["tenants"][0]["users"] += people
        sandbox.control.seed(seed)
        change = Change(add_sku=SkuId(school.A1))
        return [attempt(str(each["id"]), StepKind.ASSIGN, change, n) for n, each in enumerate(people)]

    def test_an_interrupted_call_writes_nothing_inside_the_next(
        self,
        sandbox: SandboxProcess,
        settings: GraphSettings,
        quota: ListeningQuota,
        lease: Lease,
        crowd: list[Attempt],
    ) -> None:
        clock, bridge = InterruptingClock(), Bridge()
        gateway = GraphGateway(settings, quota, clock, bridge)
        try:
            apply(gateway, lease, *crowd[:80])  # four connections
            clock.interrupts_after = 5  # four batches leave; the first answer is being read
            with pytest.raises(KeyboardInterrupt):
                apply(gateway, lease, *crowd[80:])
            written = len(ledger(sandbox))
            [receipt] = apply(gateway, lease, crowd[199])
        finally:
            gateway.close()
            bridge.close()
        assert receipt.outcome is Outcome.ACCEPTED
        assert 100 <= written <= 160
        assert len(ledger(sandbox)) == written + 1

    def test_a_fork_uses_connections_of_its_own(
        self, sandbox: SandboxProcess, gateway: GraphGateway, lease: Lease, crowd: list[Attempt]
    ) -> None:
        assert apply(gateway, lease, crowd[0])[0].outcome is Outcome.ACCEPTED
        child = os.fork()
        if child == 0:
            try:
                accepted = all(r.outcome is Outcome.ACCEPTED for r in apply(gateway, lease, *crowd[1:50]))
                os._exit(0 if accepted else 1)
            except BaseException:  # noqa: BLE001  # whatever it was, the parent must hear of it
                os._exit(2)
        mine = apply(gateway, lease, *crowd[50:100])
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert {receipt.outcome for receipt in mine} == {Outcome.ACCEPTED}
        assert len(ledger(sandbox)) == 100


def test_sent_and_finished_are_told(gateway: GraphGateway, lease: Lease) -> None:
    before = datetime.now(UTC)
    [receipt] = apply(gateway, lease, attempt(school.WITH_A1))
    assert receipt.sent_at
    assert receipt.finished_at
    assert before <= receipt.sent_at <= receipt.finished_at <= datetime.now(UTC)
