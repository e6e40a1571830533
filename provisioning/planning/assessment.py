"""What a request would do, as a value: per school before and after, seats, services, who is held, whether it can be.

Drawn from stored plans and from what is asked besides; read by boards and by operators, who get the same numbers.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import ArticleCode, OperationId, OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.operation import Operation, OperationKind, Step
from provisioning.domain.reasons import Reason
from provisioning.planning.asked_change import AskedChange
from provisioning.planning.assessment_counts import ProductCount, ServiceChange
from provisioning.planning.assessment_facts import Fact
from provisioning.planning.plan import SubjectPlan
from provisioning.planning.quota import Sizes
from provisioning.planning.rebind_counts import RebindCounts
from provisioning.planning.seats import SeatsSeen
from provisioning.planning.ticket_counts import AgreementCounts, HolderCount


class Feasibility(StrEnum):
    POSSIBLE = "possible"
    PARTLY = "partly"  # some people are held, or seats are missing
    IMPOSSIBLE = "impossible"  # a fact blocks it; the fact says what to ask instead
    UNKNOWN = "unknown"  # a tenant has not been looked at yet


class SchoolCount(msgspec.Struct, frozen=True, kw_only=True):
    """One school's people in a plan. The organisation is None for people whom no school is known to have."""

    organisation_id: OrganisationId | None
    name: str
    people: int
    held: int
    products: tuple[ProductCount, ...]


class SeatNeed(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of the new product. `missing` = `to_order` + `awaited`; the tenant's own numbers are None where unknown.

    `awaited` seats are bought and not there yet. `article` is what to order, None when the mappings sell none.
    """

    sku_id: SkuId
    product: str
    needed: int
    missing: int
    to_order: int
    awaited: int
    article: ArticleCode | None
    enabled: int | None = None
    free: int | None = None
    in_grace: int | None = None


class HeldPeople(msgspec.Struct, frozen=True, kw_only=True):
    """People with one reason; `who` are ids or pseudonyms, none for readers who get counts only."""

    state: SubjectState
    reason: Reason | None
    people: int
    who: tuple[str, ...] = ()


class PlanPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one plan does in one tenant, as far as its reader may know."""

    operation_id: OperationId
    kind: OperationKind
    state: OperationState
    tenant_id: TenantId
    domain: str
    digest: str
    drawn_at: datetime
    observed_at: datetime
    target: str
    people: int
    served: int
    already_right: int
    schools: tuple[SchoolCount, ...]
    products: tuple[ProductCount, ...]
    services: ServiceChange
    seats: SeatNeed
    held: tuple[HeldPeople, ...]
    writes: int
    breaches: tuple[str, ...] = ()  # why it does not apply by itself; for operators


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """`digest`: over all that an approval binds, the same for every reader. `minutes`: of writing, if it began now."""

    feasibility: Feasibility
    people: int
    served: int
    already_right: int
    held: int
    schools: int  # different ones, over all tenants
    parts: tuple[PlanPart, ...]
    facts: tuple[Fact, ...]
    writes: int
    minutes: int
    drawn_at: datetime
    digest: str
    asked: AskedChange | None = None  # the ticket that all of this is for
    for_board: str | None = None  # the board's name when it is its own part alone
    agreement: AgreementCounts | None = None  # of one that Microsoft moves, once both tenants were looked at
    holders: tuple[HolderCount, ...] = ()  # of licences that come to be held by another
    rebind: RebindCounts | None = None  # of another tenant or selector, once the tenant was looked at


class DrawnPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, stored or fresh, with the operation that it is of."""

    operation: Operation
    domain: str
    digest: str
    drawn_at: datetime
    observed_at: datetime
    people: Sequence[SubjectPlan]
    steps: Sequence[Step]
    seats: SeatsSeen | None = None
    breaches: tuple[str, ...] = ()
    has_base: bool = False  # the holder has the product already: more of it is an extension
    given_on: date | None = None  # when we last gave these organisations the product that goes, if we did


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader may see. `own`: organisations of their board, None for who may see all.

    `names` are what people are called for this reader: ids, pseudonyms or nothing.
    """

    own: frozenset[OrganisationId] | None = None
    board: str | None = None
    names: Mapping[SubjectId, str] = {}

    def sees(self, organisation: OrganisationId | None) -> bool:
        return self.own is None or organisation in self.own


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What an assessment is drawn from, besides the plans."""

    mappings: Mappings
    sizes: Sizes
    schools: Mapping[OrganisationId, str]
    shared: frozenset[TenantId] = frozenset()  # tenants that others than the reader's board use as well
    facts: tuple[Fact, ...] = ()  # of what is asked besides the plans
    now: datetime
