"""The products the twin knows: SKUs, their service plans, and which plans exclude or need each other.

Facts from learn.microsoft.com, "Product names and service plan identifiers for licensing", in `catalogue.json`;
that file is deliberately not the mapping table of the service this twin is a witness of.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

CATALOGUE_FILE = Path(__file__).with_name("catalogue.json")


class ServicePlan(msgspec.Struct, frozen=True):
    servicePlanId: str
    servicePlanName: str
    appliesTo: str = "User"


class Sku(msgspec.Struct, frozen=True, dict=True):
    skuId: str
    skuPartNumber: str
    servicePlans: tuple[ServicePlan, ...]
    appliesTo: str = "User"

    def __post_init__(self) -> None:
        # Computed once per SKU: every assignment asks for it.
        self.__dict__["plan_ids"] = frozenset(plan.servicePlanId for plan in self.servicePlans)

    @property
    def plan_ids(self) -> frozenset[str]:
        plan_ids: frozenset[str] = self.__dict__["plan_ids"]
        return plan_ids


class Dependency(msgspec.Struct, frozen=True):
    """`plan` needs at least one plan of `anyOf`."""

    plan: str
    anyOf: tuple[str, ...]


class PlanRules:
    """Which service plans cannot stand together and which cannot stand alone."""

    def __init__(self, exclusive: Iterable[tuple[str, str]] = (), requires: Iterable[Dependency] = ()) -> None:
        self.exclusive = tuple(exclusive)
        self.requires = tuple(requires)

    def conflicts(self, plans: frozenset[str]) -> Iterator[tuple[str, str]]:
        return (pair for pair in self.exclusive if pair[0] in plans and pair[1] in plans)

    def unmet(self, plans: frozenset[str]) -> Iterator[Dependency]:
        return (rule for rule in self.requires if rule.plan in plans and plans.isdisjoint(rule.anyOf))

    def extended(self, exclusive: Iterable[tuple[str, str]], requires: Iterable[Dependency]) -> "PlanRules":
        return PlanRules((*self.exclusive, *exclusive), (*self.requires, *requires))


class Catalogue:
    def __init__(self, skus: Mapping[str, Sku], rules: PlanRules) -> None:
        self.skus = dict(skus)
        self.rules = rules


class _SkuRow(msgspec.Struct):
    skuId: str
    skuPartNumber: str
    plans: list[str]


class _RequireRow(msgspec.Struct):
    plan: str
    anyOf: list[str]


class _CatalogueFile(msgspec.Struct):
    plans: dict[str, str]
    companyPlans: list[str]
    skus: list[_SkuRow]
    exclusive: list[tuple[str, str]]
    requires: list[_RequireRow]


def read_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """The catalogue in `path`; raises msgspec.ValidationError or KeyError when the file contradicts itself."""
    rows = msgspec.json.decode(path.read_bytes(), type=_CatalogueFile)
    plans = _plans_by_name(rows)
    skus = (Sku(row.skuId, row.skuPartNumber, tuple(plans[name] for name in row.plans)) for row in rows.skus)
    ids = rows.plans
    exclusive = [(ids[one], ids[other]) for one, other in rows.exclusive]
    requires = [Dependency(ids[row.plan], tuple(ids[name] for name in row.anyOf)) for row in rows.requires]
    return Catalogue({sku.skuId: sku for sku in skus}, PlanRules(exclusive, requires))


def _plans_by_name(rows: _CatalogueFile) -> dict[str, ServicePlan]:
    scope = defaultdict(lambda: "User", dict.fromkeys(rows.companyPlans, "Company"))
    return {name: ServicePlan(plan_id, name, scope[name]) for name, plan_id in rows.plans.items()}
