"""The products and service plans of a migration file, looked up in the mappings."""

from collections.abc import Iterable, Mapping
from itertools import combinations

from provisioning.domain.catalogue import Audience, Mappings, ServicePlan, Sku
from provisioning.domain.ids import SkuId
from provisioning.domain.migration import ProductPair
from provisioning.intake.branches import Branch, nearest, shown
from provisioning.intake.migration_fields import fields_of


def products_of(root: Branch, mappings: Mappings) -> tuple[ProductPair, ...]:
    """One pair for each readable entry; at least one must be there, and no two for one product of the source."""
    if root.value("products") in (None, []):
        root.wrong("products", "is empty; write at least one {from: …, to: …}")
    found = [
        (number, pair)
        for number, branch in enumerate(root.branches("products", fields_of("products")), start=1)
        if (pair := _pair(branch, mappings))
    ]
    for (number, one), (other_number, other) in combinations(found, 2):
        if one.source_sku == other.source_sku:
            root.wrong(
                f"products[{other_number}].from",
                f"is in products[{number}] already, and whoever holds it gets one product; "
                "keep one of the two, and make another migration for people who get the other",
            )
    return tuple(pair for _, pair in found)


def plan_mapping_of(root: Branch, products: Iterable[ProductPair], mappings: Mappings) -> dict[str, str]:
    """By the plans' names as the mappings write them. A product without plans there allows any name on its side."""
    pairs = tuple(products)
    sources = [mappings.skus[pair.source_sku] for pair in pairs]
    targets = [mappings.skus[pair.target_sku] for pair in pairs]
    mapping: dict[str, str] = {}
    for word, value in root.pairs("plan_mapping").items():
        path = f"plan_mapping.{word}"
        here, there = _plan(root, path, word, sources), _plan(root, path, value, targets)
        if here in mapping:
            root.wrong(path, f"{here} is there twice, once by name and once by id; keep one")
        if here and there:
            mapping[here] = there
    return mapping


def _pair(branch: Branch, mappings: Mappings) -> ProductPair | None:
    """For whom it is says the file, or else the product that people get."""
    audience = branch.word("audience", Audience, Audience.ANY)
    source = product_named(branch, "from", branch.text("from"), mappings)
    target = product_named(branch, "to", branch.optional_text("to"), mappings) if "to" in branch else source
    if target and target.is_retired:
        branch.wrong("to", f"{target.part_number} is {target.lifecycle}; nobody can get it, choose another")
    if source is None or target is None:
        return None
    whose = target.audience if audience is Audience.ANY else audience
    return ProductPair(source_sku=source.sku_id, target_sku=target.sku_id, audience=whose)


def product_named(branch: Branch, name: str, word: str | None, mappings: Mappings) -> Sku | None:
    """The product that the word names by part number or id; None, with the problem noted, when none or several do."""
    if not word:
        return None
    folded = word.lower()
    if folded in mappings.skus:
        return mappings.skus[SkuId(folded)]
    found = [sku for sku in mappings.skus.values() if sku.part_number.lower() == folded]
    if len(found) == 1:
        return found[0]
    if found:
        ids = " or ".join(sku.sku_id for sku in found)
        branch.wrong(name, f"{shown(word)} names {len(found)} products; write its id: {ids}")
    else:
        branch.wrong(name, f"{shown(word)} is no product of skus.csv; {_meant(word, mappings.skus)}")
    return None


def _meant(word: str, skus: Mapping[SkuId, Sku]) -> str:
    told = nearest(word, [sku.part_number for sku in skus.values()])
    return told if told.startswith("do you mean") else "provisioning mappings check tells where it is"


def _plan(root: Branch, path: str, word: object, products: list[Sku]) -> str | None:
    plans: dict[str, ServicePlan] = {}
    for plan in (plan for sku in products for plan in sku.plans):
        plans[plan.name.casefold()] = plans[plan.plan_id] = plan
    folded = word.strip().casefold() if isinstance(word, str) else ""
    if folded in plans:
        return plans[folded].name
    if not isinstance(word, str) or not folded:
        root.wrong(path, "should lead from one service plan to another, both texts")
    elif products and all(sku.plans for sku in products):
        names = sorted({plan.name for plan in plans.values()})
        told = nearest(word, names)
        hint = told if told.startswith("do you mean") else "see service_plans.csv"
        root.wrong(path, f"{shown(word)} is no service plan of {', '.join(s.part_number for s in products)}; {hint}")
    else:
        return word.strip()
    return None
