"""Assessments of real plans: people of two schools get A3, in a tenant with as many seats as a test wants."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from config.limits import default_limits
from provisioning.domain.ids import Actor, OperationId, OrganisationId, SkuId, SubjectId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.observation import Person
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.planning.assessing import draw_assessment
from provisioning.planning.assessment import Assessment, DrawnPlan, Known, Reader
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.plan import Plan
from provisioning.planning.quota import Sizes
from provisioning.planning.selection import Selection
from tests.unit.planning.scene import A1, A3, MAPPINGS, NOW, TENANT, held, person, scene, seats, wish

NORTH, SOUTH, BOARD = OrganisationId("north"), OrganisationId("south"), OrganisationId("board")
OPERATION = OperationId("77aa1234-0000-4000-8000-000000000000")
NAMES = {NORTH: "De Linde", SOUTH: "De Eik"}
BOTH = frozenset({NORTH, SOUTH, BOARD})
ALL = Reader(names={})
OF_BOARD = Reader(own=BOTH, board="Stichting Noord")

Chosen = tuple[Person, OrganisationId]


def some(number: int, school: OrganisationId = NORTH, *licences: Any, **known: Any) -> list[Chosen]:
    """So many people of a school; with A1 unless said otherwise."""
    has = licences or (held(A1),)
    return [(person(f"{school}-{n:04d}", *has, **known), school) for n in range(number)]


def a_wish(sku_id: SkuId = A3, **changes: Any) -> Wish:
    """A3 in the place of A1 for both schools."""
    return msgspec.structs.replace(wish(sku_id), organisations=(NORTH, SOUTH), **changes)


def planned(chosen: Sequence[Chosen], **known: Any) -> Plan:
    fields = {"wish": a_wish(), **known}
    selection = Selection(chosen=tuple(chosen), undecidable={}, sizes={}, is_complete=True)
    return plan_deliver(scene(*(one for one, _ in chosen), selection=selection, **fields))


def an_operation(**changes: Any) -> Operation:
    made = Operation(
        operation_id=OPERATION,
        kind=OperationKind.DELIVER,
        tenant_id=TENANT,
        lane=Lane.BULK,
        state=OperationState.AWAITING_APPROVAL,
        wish=a_wish(),
        requested_by=Actor("person:duty"),
        created_at=NOW - timedelta(hours=1),
        entered_at=NOW,
        due_at=None,
    )
    return msgspec.structs.replace(made, **changes)


def drawn(plan: Plan, **changes: Any) -> DrawnPlan:
    operation = changes.pop("operation", None) or an_operation(wish=changes.pop("wish", an_operation().wish))
    made = DrawnPlan(
        operation=operation,
        domain="linde.onmicrosoft.com",
        digest=plan.envelope.digest,
        drawn_at=plan.drawn_at,
        observed_at=plan.observed_at,
        people=plan.subjects,
        steps=plan.steps,
        seats=plan.seats,
        breaches=plan.guard_breaches,
    )
    return msgspec.structs.replace(made, **changes)


def known(**changes: Any) -> Known:
    made = Known(mappings=MAPPINGS, sizes=Sizes.of(default_limits()), schools=NAMES, now=NOW)
    return msgspec.structs.replace(made, **changes)


def assess(*plans: DrawnPlan, reader: Reader = ALL, **changes: Any) -> Assessment:
    return draw_assessment(plans, known(**changes), reader)


def short_of_seats() -> Assessment:
    """Three of five get a seat; one more has what they should have, and one is refused. For operators."""
    return assess(_short(), reader=Reader(names={SubjectId("in-group"): "p_inherits"}))


def short_for_board() -> Assessment:
    return assess(_short(), reader=OF_BOARD)


def _short() -> DrawnPlan:
    chosen = [
        *some(4),
        *some(1, SOUTH),
        (person("right", held(A3)), SOUTH),
        (person("in-group", held(A1, group="g")), SOUTH),  # type: ignore[arg-type]
    ]
    return drawn(planned(chosen, seats=seats(4, 1), entitlement=4))
