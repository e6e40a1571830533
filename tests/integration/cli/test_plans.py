"""A plan that does not apply by itself: seen, approved by somebody who had no hand in it, or refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioning.domain.ids import Actor, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.services.application_incident import OURSELVES, note_credential_failure
from tests.conformance.school import TENANT
from tests.factories import operations as make
from tests.factories import tenancy
from tests.integration.cli.conftest import Installation


@pytest.fixture
def awaiting(provisioning: Installation) -> Operation:
    """An operation whose plan for three people waits for approval; its binding is duty's."""
    now = datetime.now(UTC)
    operation = make.operation(
        TENANT, state=OperationState.AWAITING_APPROVAL, requested_by=Actor("client:shop"), entered_at=now, due_at=None
    )
    people = make.people(3)
    plan = make.plan(operation, people, drawn_at=now, observed_at=now, guard_breaches=("3 swaps; the limit is 2.",))
    services = provisioning.services()
    with services.open_uow() as uow:
        uow.organisations.save([tenancy.organisation(organisation_id="41000")])
        uow.tenants.save(tenancy.tenant(tenant_id=TENANT))
        uow.tenants.add_binding(
            tenancy.binding(organisation_id="41000", tenant_id=TENANT, created_by=Actor("person:duty"))
        )
        uow.operations.add(operation)
        pseudonyms = uow.audit.pseudonyms(TenantId(TENANT), people)
        uow.plans.add(plan, pseudonyms, sku=make.A3, valid_until=now + timedelta(days=1))
        uow.commit()
    services.close()
    return operation


def state(provisioning: Installation, operation: Operation) -> dict[str, Any]:
    return provisioning("operations", "show", operation.operation_id[:8], "--json").json["operation"]


class TestPlans:
    def test_what_is_shown_is_what_is_approved(
        self, provisioning: Installation, team: dict[str, str], awaiting: Operation
    ) -> None:
        shown = provisioning("plans", "show", awaiting.operation_id[:8]).out
        assert "3 swaps; the limit is 2." in shown
        typed = next(line for line in shown.splitlines() if line.startswith("To approve:")).split()[3:]
        assert provisioning.as_holder_of(team["approver"])(*typed).code == 0
        assert state(provisioning, awaiting)["state"] == "applying"
        assert provisioning("plans", "show", awaiting.operation_id, "--json").json["digest"].startswith(typed[-1])
        again = provisioning(*typed)
        assert (again.code, "approval no longer" in again.err) == (1, True)

    def test_whoever_made_the_binding_does_not_approve(
        self, provisioning: Installation, team: dict[str, str], awaiting: Operation
    ) -> None:
        provisioning.as_holder_of(team["admin"])("actors", "revoke", "person:duty")
        both = provisioning.add("person:duty", "operator", "approver")
        shown = provisioning("plans", "show", awaiting.operation_id[:8]).out
        typed = next(line for line in shown.splitlines() if line.startswith("To approve:")).split()[3:]
        answer = provisioning.as_holder_of(both)(*typed)
        assert (answer.code, "made the binding" in answer.err) == (1, True)
        assert state(provisioning, awaiting)["state"] == "awaiting_approval"

    def test_a_refused_plan_holds_the_operation(
        self, provisioning: Installation, team: dict[str, str], awaiting: Operation
    ) -> None:
        provisioning.as_holder_of(team["approver"])
        answer = provisioning("plans", "reject", awaiting.operation_id[:8], "--reason", "wrong school")
        assert answer.code == 0, answer.err
        held = state(provisioning, awaiting)
        assert (held["state"], held["reason"]) == ("held", Reason.PLAN_REJECTED)

    def test_an_administrator_breaks_the_glass_and_another_person_reviews_it(
        self, provisioning: Installation, team: dict[str, str], awaiting: Operation
    ) -> None:
        shown = provisioning("plans", "show", awaiting.operation_id[:8]).out
        typed = next(line for line in shown.splitlines() if line.startswith("To approve:")).split()[3:]
        admin = provisioning.as_holder_of(team["admin"])
        assert admin(*typed, "--break-glass", "exams today").code == 0
        assert state(provisioning, awaiting)["state"] == "applying"
        assert [x["reason"] for x in provisioning("worklist", "--json").json] == ["BREAK_GLASS_UNREVIEWED"]
        own = provisioning("plans", "review", awaiting.operation_id[:8])
        assert (own.code, "alone" in own.err) == (1, True)
        assert provisioning.as_holder_of(team["auditor"])("plans", "review", awaiting.operation_id[:8]).code == 0
        assert provisioning("worklist", "--json").json == []

    def test_one_that_waits_is_on_the_approvers_list(self, provisioning: Installation, awaiting: Operation) -> None:
        listed = provisioning("worklist", "--owner", "approver", "--json").json
        assert any(item.get("operation_id") == awaiting.operation_id for item in listed)


class TestApplicationIncident:
    def test_three_tenants_with_one_error_stop_everything_and_tell_us(self, provisioning: Installation) -> None:
        services = provisioning.services()
        now = datetime.now(UTC)
        for number in range(1, 4):
            tenant = TenantId(f"{number:08d}-0000-4000-8000-000000000000")
            with services.open_uow() as uow:
                uow.tenants.save(tenancy.tenant(tenant_id=tenant, initial_domain=f"s{number}.onmicrosoft.com"))
                answer = note_credential_failure(uow, tenant, Reason.CREDENTIAL_REJECTED, now, services.limits)
                uow.commit()
            assert answer is (number == 3)
        with services.open_uow() as uow:
            told = uow.outbox.relay(now + timedelta(minutes=1), timedelta(0), 50, timedelta(minutes=10))
            uow.commit()
        services.close()
        assert told == 1
        assert [x["organisation_id"] for x in provisioning("notices", "list", "--json").json] == [OURSELVES]
        assert [x["subject"] for x in provisioning("worklist", "--owner", "admin", "--json").json] == ["stop all"]
