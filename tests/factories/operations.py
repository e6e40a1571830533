"""Operations with their wish, plans with any number of people, and attempts at their steps."""

from collections.abc import Sequence
from typing import Any

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import (
    Actor,
    ArticleCode,
    AttemptId,
    OperationId,
    OrganisationId,
    PlanId,
    Pseudonym,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.operation import (
    Attempt,
    Change,
    Lane,
    Operation,
    OperationKind,
    Outcome,
    Receipt,
    Step,
    StepKind,
    StepRecord,
    Wish,
)
from provisioning.planning.plan import Grounds, Losses, Plan, SubjectPlan
from tests.factories import NOW, guid

A1 = SkuId("94763226-9b3c-4e75-a931-5c89701abe66")
A3 = SkuId("4b590615-0888-425a-a965-b3bf7789848d")
SHOP = Actor("client:shop")


def wish(**fields: Any) -> Wish:
    defaults = {
        "sku_id": A3,
        "audience": Audience.FACULTY,
        "article_code": ArticleCode("M365-A3-FAC"),
        "replaces": frozenset({A1}),
        "holder_id": OrganisationId("41000"),
        "organisations": (OrganisationId("41000"),),
        "seats_wanted": 10,
    }
    return Wish(**defaults | fields)


def operation(tenant_id: str, **fields: Any) -> Operation:
    defaults = {
        "operation_id": OperationId(guid()),
        "kind": OperationKind.DELIVER,
        "tenant_id": TenantId(tenant_id),
        "lane": Lane.ORDER,
        "state": OperationState.NEW,
        "wish": wish(),
        "requested_by": SHOP,
        "created_at": NOW,
        "entered_at": NOW,
        "due_at": NOW,
    }
    return Operation(**defaults | fields)


def people(how_many: int) -> list[SubjectId]:
    return [SubjectId(guid()) for _ in range(how_many)]


def subject(subject_id: SubjectId, **fields: Any) -> SubjectPlan:
    defaults = {"organisation_id": OrganisationId("41000"), "state": SubjectState.PENDING}
    return SubjectPlan(subject_id=subject_id, **defaults | fields)


def swap(position: int, subject_id: SubjectId, **fields: Any) -> Step:
    defaults = {"kind": StepKind.SWAP, "change": Change(add_sku=A3, remove_skus=(A1,)), "reason": "A1 becomes A3"}
    return Step(position=position, subject_id=subject_id, **defaults | fields)


def plan(of: Operation, of_people: Sequence[SubjectId] = (), **fields: Any) -> Plan:
    """One swap for each person, and no guard objects."""
    defaults = {
        "plan_id": PlanId(guid()),
        "operation_id": of.operation_id,
        "tenant_id": of.tenant_id,
        "drawn_at": NOW,
        "observed_at": NOW,
        "is_complete": True,
        "subjects": tuple(map(subject, of_people)),
        "steps": tuple(swap(place, each) for place, each in enumerate(of_people)),
        "grounds": Grounds(mapping="m", policy="p", bindings="b", authority="a"),
        "losses": Losses(),
    }
    return Plan(**defaults | fields)


def pseudonyms(subjects: Sequence[SubjectId]) -> dict[SubjectId, Pseudonym]:
    """Well formed, and told apart as the people are."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return {
        each: Pseudonym("p_" + "".join(letters[int(c, 16)] for c in each.replace("-", ""))[-26:]) for each in subjects
    }


def attempt(record: StepRecord, tenant_id: str, **fields: Any) -> Attempt:
    defaults = {
        "attempt_id": AttemptId(guid()),
        "step_id": record.step_id,
        "operation_id": record.operation_id,
        "tenant_id": TenantId(tenant_id),
        "subject_id": record.step.subject_id,
        "kind": record.step.kind,
        "change": record.step.change,
        "fence": 1,
        "number": record.attempts + 1,
    }
    return Attempt(**defaults | fields)


def receipt(attempt_id: AttemptId, **fields: Any) -> Receipt:
    defaults = {
        "outcome": Outcome.ACCEPTED,
        "status": 200,
        "request_id": guid(),
        "sent_at": NOW,
        "finished_at": NOW,
    }
    return Receipt(attempt_id=attempt_id, **defaults | fields)
