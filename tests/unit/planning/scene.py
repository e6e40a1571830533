"""One tenant, small: the people a test names, and an order of A3 for them."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from config.limits import default_limits
from mappings.loader import load_mappings
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import (
    ArticleCode,
    GroupId,
    OperationId,
    OrganisationId,
    PlanId,
    ServicePlanId,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.observation import Census, HeldLicence, Person, SeatCount
from provisioning.domain.operation import Wish
from provisioning.domain.permissions import PEOPLE
from provisioning.domain.tenancy import Policy
from provisioning.planning.deliver_scene import DeliverScene
from provisioning.planning.guards import Usage
from provisioning.planning.plan import Grounds, Plan
from provisioning.planning.selection import Selection

NOW = datetime(2026, 8, 17, 9, tzinfo=UTC)
LIMITS = default_limits()
MAPPINGS = load_mappings()
TENANT, SCHOOL = TenantId("tenant"), OrganisationId("school")
GROUP = GroupId("group")
_BY_PART = {sku.part_number: sku for sku in MAPPINGS.skus.values()}
A1 = _BY_PART["STANDARDWOFFPACK_FACULTY"].sku_id
A1_PLUS = _BY_PART["STANDARDWOFFPACK_IW_FACULTY"].sku_id
A3 = _BY_PART["M365EDU_A3_FACULTY"].sku_id
A5 = _BY_PART["M365EDU_A5_FACULTY"].sku_id
A5_PUPIL = _BY_PART["M365EDU_A5_STUDENT"].sku_id
EMS = _BY_PART["EMS_EDU_FACULTY"].sku_id
FOREIGN = SkuId("f30db892-07e9-47e9-837c-80727f46fd3d")


def plan_of(sku_id: SkuId, name: str) -> ServicePlanId:
    return next(plan.plan_id for plan in MAPPINGS.skus[sku_id].plans if plan.name == name)


def held(sku_id: SkuId, *off: ServicePlanId, group: GroupId | None = None, state: str = "Active") -> HeldLicence:
    return HeldLicence(sku_id, frozenset(off), group, state)


def person(name: str, *licences: HeldLicence, **known: Any) -> Person:
    return Person(subject_id=SubjectId(name), licences=licences, **({"usage_location": "NL"} | known))


def wish(sku_id: SkuId = A3, **known: Any) -> Wish:
    fields: dict[str, Any] = {"audience": Audience.FACULTY, "replaces": frozenset({A1, A1_PLUS})}
    return Wish(
        sku_id=sku_id,
        article_code=ArticleCode("article"),
        holder_id=OrganisationId("board"),
        organisations=(SCHOOL,),
        seats_wanted=1,
        **(fields | known),
    )


def seats(enabled: int, consumed: int = 0, sku_id: SkuId = A3, *more_plans: str) -> SeatCount:
    return SeatCount(
        sku_id=sku_id,
        part_number="",
        capability="Enabled",
        enabled=enabled,
        warning=50,
        suspended=50,
        locked_out=50,
        consumed=consumed,
        plan_ids=MAPPINGS.skus[sku_id].plan_ids | set(map(ServicePlanId, more_plans)),
    )


def policy(**known: Any) -> Policy:
    return Policy(tenant_id=TENANT, valid_from=date(2026, 1, 1), **known)


def scene(*people: Person, others: tuple[Person, ...] = (), **known: Any) -> DeliverScene:
    """`people` are selected, `others` are in the tenant too; seats are plenty unless said otherwise."""
    plenty: dict[str, Any] = {
        "wish": wish(),
        "policy": policy(),
        "seats": seats(1_000),
        "entitlement": 1_000,
        "reserved": frozenset(),
        "waiting": (),
        "permissions": PEOPLE,
        "usage": Usage(),
        "limits": LIMITS,
        "mappings": MAPPINGS,
        "selection": Selection(
            chosen=tuple((one, SCHOOL) for one in people), undecidable={}, sizes={}, is_complete=True
        ),
    }
    return DeliverScene(
        plan_id=PlanId("plan"),
        operation_id=OperationId("operation"),
        tenant_id=TENANT,
        now=NOW,
        grounds=Grounds(mapping="m", policy="p", bindings="b", authority="a"),
        census=Census(tenant_id=TENANT, observed_at=NOW, is_complete=True, people=(*people, *others)),
        **(plenty | known),
    )


def states(plan: Plan) -> dict[str, str]:
    return {subject.subject_id: subject.state.value for subject in plan.subjects}


def reasons(plan: Plan) -> dict[str, str | None]:
    return {subject.subject_id: subject.reason for subject in plan.subjects}


def tally(plan: Plan) -> dict[str, int]:
    return dict(Counter(states(plan).values()))


def replaced(value: Any, **known: Any) -> Any:
    return msgspec.structs.replace(value, **known)
