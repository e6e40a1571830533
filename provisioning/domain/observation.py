"""What Graph showed, when, and whether it was all of it."""

from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.ids import GroupId, ServicePlanId, SkuId, SubjectId, TenantId


class LicenceState(StrEnum):
    ACTIVE = "Active"
    ACTIVE_WITH_ERROR = "ActiveWithError"
    DISABLED = "Disabled"
    ERROR = "Error"


class HeldLicence(msgspec.Struct, frozen=True, gc=False):
    """One entry of licenseAssignmentStates: direct when `group_id` is None, else inherited from that group."""

    sku_id: SkuId
    disabled_plans: frozenset[ServicePlanId] = frozenset()
    group_id: GroupId | None = None
    state: str = LicenceState.ACTIVE
    error: str | None = None  # Microsoft's word, None when fine ("None" on the wire too)

    @property
    def is_active(self) -> bool:
        return self.state in {LicenceState.ACTIVE, LicenceState.ACTIVE_WITH_ERROR}

    @property
    def is_direct(self) -> bool:
        return self.group_id is None


class Person(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One user of the tenant as selectors and planners see it. `domain` is the UPN's suffix; the UPN is not kept."""

    subject_id: SubjectId
    domain: str = ""
    is_enabled: bool = True
    is_guest: bool = False
    usage_location: str | None = None
    attributes: dict[str, str] = {}  # department, companyName, officeLocation, employeeType, extensionAttribute1–15
    licences: tuple[HeldLicence, ...] = ()

    def holds(self, sku_id: SkuId) -> bool:
        return any(licence.sku_id == sku_id and licence.is_active for licence in self.licences)

    def direct(self, sku_id: SkuId) -> HeldLicence | None:
        return next((x for x in self.licences if x.sku_id == sku_id and x.is_direct and x.is_active), None)


class SeatCount(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of one SKU. `warning` units are in grace and never count as free."""

    sku_id: SkuId
    part_number: str
    capability: str
    enabled: int
    warning: int
    suspended: int
    locked_out: int
    consumed: int
    plan_ids: frozenset[ServicePlanId]


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One purchase behind the seats: evidence for a delivery."""

    subscription_id: str
    sku_id: SkuId
    status: str
    total: int
    next_lifecycle_at: datetime | None = None


class TenantProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What /organization and the token say: who this is and what we may do."""

    tenant_id: TenantId
    initial_domain: str
    verified_domains: tuple[str, ...]
    country: str | None
    default_usage_location: str | None
    permissions: frozenset[str]  # the token's roles


class Seats(msgspec.Struct, frozen=True, kw_only=True):
    """subscribedSkus and directory/subscriptions together."""

    tenant_id: TenantId
    observed_at: datetime
    counts: dict[SkuId, SeatCount]
    subscriptions: tuple[Subscription, ...]

    def enabled(self, sku_id: SkuId) -> int:
        count = self.counts.get(sku_id)
        return count.enabled if count else 0


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody in the tenant; incomplete when a page could not be read."""

    tenant_id: TenantId
    observed_at: datetime
    is_complete: bool
    people: tuple[Person, ...]


class PeoplePage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of everybody; `after` asks for the part behind it and is None at the end."""

    people: tuple[Person, ...]
    after: str | None = None


class ProductPlan(msgspec.Struct, frozen=True):
    """A service plan of a product as the tenant has it; `scope` is User or Company."""

    plan_id: ServicePlanId
    name: str
    scope: str = "User"


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """What Microsoft says a SKU consists of in this tenant; counts of plans grow from year to year."""

    sku_id: SkuId
    part_number: str
    scope: str = "User"
    plans: tuple[ProductPlan, ...] = ()


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """The direct user members of one group, unit or school role; incomplete when it could not be read whole."""

    key: str  # "group:<id>", "unit:<id>" or "school:<id>:<role>"
    is_complete: bool
    members: frozenset[SubjectId]
