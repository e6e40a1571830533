"""What can be ordered and what it is at Microsoft: articles, SKUs, service plans, and the rules between them."""

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from provisioning.domain.calendar import SchoolHoliday
from provisioning.domain.ids import ArticleCode, ServicePlanId, SkuId


class Audience(StrEnum):
    FACULTY = "faculty"
    STUDENT = "student"
    DEVICE = "device"
    ANY = "any"


class LicenceForm(StrEnum):
    SCHOOL = "school"
    GROUP = "group"
    INDIVIDUAL = "individual"
    DISCOUNT_SCHEME = "discount_scheme"


class Metric(StrEnum):
    SITE = "site"
    USER = "user"
    DEVICE = "device"


class Variant(StrEnum):
    BASE = "base"
    EXTENSION = "extension"
    STEP_UP = "step_up"
    RENEWAL = "renewal"
    ADDON = "addon"


class Fulfilment(StrEnum):
    GRAPH_USER = "graph_user"
    GRAPH_GROUP_DEVICES = "graph_group_devices"
    LICENCE_CODE = "licence_code"
    SUPPLIER_DIRECT = "supplier_direct"


# the family of plans that are no service of their own: machinery of the tenant, or part of a larger plan
PLATFORM = "platform"


class ServicePlan(msgspec.Struct, frozen=True):
    """A part of a SKU; `family` is the service it brings (exchange, sharepoint, teams …), across tiers."""

    plan_id: ServicePlanId
    name: str
    family: str


class Sku(msgspec.Struct, frozen=True, kw_only=True):
    """One Microsoft product. `lifecycle` is listed, legacy or retired; a retired SKU is never a target."""

    sku_id: SkuId
    part_number: str
    name: str
    family: str  # A1, A3, A5 or none
    audience: Audience
    product_line: str
    is_student_use_benefit: bool
    lifecycle: str
    plans: tuple[ServicePlan, ...]

    @property
    def is_retired(self) -> bool:
        return self.lifecycle.startswith("retired")

    @property
    def plan_ids(self) -> frozenset[ServicePlanId]:
        return frozenset(plan.plan_id for plan in self.plans)


class PlanRelation(StrEnum):
    MUTUALLY_EXCLUSIVE = "mutually_exclusive"
    REQUIRES_ANY = "requires_any"


class PlanRule(msgspec.Struct, frozen=True):
    """`plan` excludes each of `others`, or needs at least one of them."""

    relation: PlanRelation
    plan: ServicePlanId
    others: frozenset[ServicePlanId]


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One row of articles.csv: a deliverable of the shop, valid in a period (the last day included)."""

    code: ArticleCode
    supplier: str
    sku_id: SkuId | None
    licence_form: LicenceForm
    metric: Metric
    is_named: bool
    audience: Audience
    variant: Variant
    base_article_code: ArticleCode | None
    replaces: frozenset[SkuId]
    fulfilment: Fulfilment
    price_may_be_zero: bool
    min_term_months: int
    notice_rule: str
    valid_from: date
    valid_until: date | None

    def is_valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Remap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of remaps.csv: what a product becomes, in a period (the last day included).

    A row that names `boards` holds for these alone and wins over a general row, which holds for every board but its
    `exceptions`. With `beside` it speaks of an add-on: what that becomes in the same call, where somebody's suite
    `beside` is remapped; the same product: it stays.
    """

    from_sku: SkuId
    to_sku: SkuId
    valid_from: date
    valid_until: date | None
    exceptions: frozenset[str]
    boards: frozenset[str] = frozenset()
    beside: SkuId | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Its place among the rows, and what tells it from the others of a table without errors."""
        return self.from_sku, self.valid_from.isoformat(), self.beside or "", " ".join(sorted(self.boards))

    @property
    def name(self) -> str:
        """As a person finds the row in the file."""
        beside = f" beside {self.beside}" if self.beside else ""
        boards = f" for {' '.join(sorted(self.boards))}" if self.boards else ""
        return f"{self.from_sku} from {self.valid_from}{beside}{boards}"

    def is_valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def meets(self, other: "Remap") -> bool:
        """Whether there is a day on which both are valid."""
        latest = max(self.valid_from, other.valid_from)
        return self.is_valid_on(latest) and other.is_valid_on(latest)

    def holds_for(self, whose: Collection[str]) -> bool:
        """`whose`: the code of the organisation that holds the right and that of its board; none: no row names it."""
        return not self.boards.isdisjoint(whose) if self.boards else self.exceptions.isdisjoint(whose)


class Mappings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything under `mappings/`, read once, frozen. `digest` names this very content."""

    articles: tuple[Article, ...]
    skus: Mapping[SkuId, Sku]
    plan_rules: tuple[PlanRule, ...]
    remaps: tuple[Remap, ...]
    group_licensing: frozenset[SkuId]  # SKUs that bring Entra ID P1
    ambiguous: Mapping[str, tuple[ArticleCode, ...]]  # loose words of the trade ("A1") and what they might mean
    digest: str
    school_holidays: tuple[SchoolHoliday, ...] = ()

    def articles_coded(self, code: str, on: date) -> tuple[Article, ...]:
        """Every article with this code that is valid on the day: none is unknown, two are ambiguous."""
        return tuple(a for a in self.articles if a.code == code and a.is_valid_on(on))
