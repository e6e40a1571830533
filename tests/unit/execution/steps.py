"""One step of one person, as the journal holds it, and the answers that may come back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from config.limits import default_limits
from provisioning.domain.ids import (
    AttemptId,
    GroupId,
    OperationId,
    OrganisationId,
    PlanId,
    Pseudonym,
    ServicePlanId,
    SkuId,
    StepId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import StepState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import BeforeImage, Change, Outcome, Receipt, Step, StepKind, StepRecord

NOW = datetime(2026, 8, 17, 9, tzinfo=UTC)
LIMITS = default_limits()
TENANT = TenantId("tenant")
OPERATION = OperationId("operation")
A1, A3, OTHER = SkuId("a1"), SkuId("a3"), SkuId("other")
YAMMER = ServicePlanId("yammer")
GROUP = GroupId("group")

SWAP = Change(add_sku=A3, disabled_plans=frozenset({YAMMER}), remove_skus=(A1,))
ASSIGN = Change(add_sku=A3)
REMOVE = Change(remove_skus=(A1,))
LOCATION = Change(usage_location="NL")
KINDS = {
    StepKind.SWAP: SWAP,
    StepKind.ASSIGN: ASSIGN,
    StepKind.REMOVE: REMOVE,
    StepKind.SET_USAGE_LOCATION: LOCATION,
}


def record(kind: StepKind = StepKind.SWAP, *, number: int = 1, **known: Any) -> StepRecord:
    fields: dict[str, Any] = {
        "state": StepState.IN_FLIGHT,
        "attempts": 1,
        "sent_at": NOW,
        "last_attempt": AttemptId(f"attempt-{number}"),
        "before": BeforeImage(licences=(HeldLicence(A1),)),
    }
    return StepRecord(
        step_id=StepId(number),
        operation_id=OPERATION,
        plan_id=PlanId("plan"),
        step=Step(position=number, subject_id=SubjectId(f"person-{number}"), kind=kind, change=KINDS.get(kind, ASSIGN)),
        pseudonym=Pseudonym(f"pseudonym-{number}"),
        organisation_id=OrganisationId("school"),
        **(fields | known),
    )


def receipt(outcome: Outcome, *, number: int = 1, **known: Any) -> Receipt:
    return Receipt(attempt_id=AttemptId(f"attempt-{number}"), outcome=outcome, **known)


def person(*licences: HeldLicence, **known: Any) -> Person:
    fields: dict[str, Any] = {"usage_location": "NL"}
    return Person(subject_id=SubjectId("person-1"), licences=licences, **(fields | known))


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)
