"""The words of a tenant: which of its products each probe may use, and why it has nothing for some."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from provisioning.domain.ids import SkuId, SubjectId
from provisioning.domain.observation import Product, SeatCount
from provisioning.planning.probe import Ask, Probe
from provisioning.planning.probe_people import Cast

NOBODY = "00000000-dead-4000-8000-000000000000"
# Products that are rarely owned (learn.microsoft.com, "Product names and service plan identifiers for licensing").
_RARE = (SkuId("8efbe2f6-106e-442f-97d4-a59aa6037e06"), SkuId("46974aed-363e-423c-9e6a-951037cec495"))
# Service plans that cannot stand together, and those that cannot stand alone (the same list; dossier 8.2, 9.1).
_EXCLUSIVE = (("63038b2c-28d0-45f6-bc36-33062963b498", "0a4983bb-d3e5-4a09-95d8-b2d0127b3df5"),)
_DEPENDENT = "4828c8ec-dc2e-4779-b502-87ac9ce28ab7"  # MCOEV
_PILLARS = ("0feaeb32-d00e-4d66-bd5a-43b5b83db82c", "57ff2da0-773e-42df-b2af-ffb7a2317929")  # MCOSTANDARD, TEAMS1

_WORD = re.compile(r"<([a-z]+)>")

Words = Mapping[str, str | tuple[str, ...]]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant's words; `absent` says of each other word why the tenant has nothing for it."""

    words: dict[str, str | tuple[str, ...]]
    absent: dict[str, str]

    def copied(self, user: SubjectId, graph: str) -> "Stage":
        """The same stage in another Graph, where the person has another id."""
        return msgspec.structs.replace(self, words={**self.words, "user": user, "graph": graph})


def set_stage(
    cast: Cast,
    graph: str,
    counts: Mapping[SkuId, SeatCount],
    products: Sequence[Product],
    chosen: SkuId | None = None,
) -> Stage:
    """Which of the tenant's products each probe may use. `chosen`: the one to give and take."""
    offered = {one.sku_id: one for one in products if one.scope == "User" and one.sku_id in counts}
    free = [sku for sku in offered if _free(counts[sku]) > 0]
    sku = chosen if chosen in free else (None if chosen else next(iter(sorted(free)), None))
    found: dict[str, str | tuple[str, ...] | None] = {
        "user": cast.user,
        "group": cast.group,
        "graph": graph,
        "nobody": NOBODY,
        "sku": sku,
        "plan": _plan_of(offered.get(sku)) if sku else None,
        "unowned": next((one for one in _RARE if one not in counts), None),
        "popular": next((one for one in offered if counts[one].consumed > 1), None),
        **_in_trouble(offered, counts),
        **_contradictory([offered[one] for one in free]),
    }
    return Stage(
        words={word: value for word, value in found.items() if value},
        absent={word: reason for word, reason in _absent(chosen).items() if not found.get(word)},
    )


_ABSENT = {
    "group": "no group was named",
    "sku": "no product has a free seat",
    "plan": "no product with a free seat has a service plan that may be off",
    "exhausted": "no product is without a free seat",
    "unowned": "every product that is rarely owned is owned here",
    "popular": "no product is held by two people",
    "graced": "no product has seats in grace and no others free",
    "suspended": "no product is suspended",
    "locked": "no product is locked",
    "needy": "no product with a free seat has a plan that needs another",
    "pillars": "no product with a free seat has a plan that needs another",
    "clash": "no two products with free seats exclude each other",
    "rival": "no two products with free seats exclude each other",
    "next": "one page was all there is",
}


def _absent(chosen: SkuId | None) -> dict[str, str]:
    return (
        _ABSENT
        if chosen is None
        else {**_ABSENT, "sku": f"product {chosen} has no free seat, or is not one for people"}
    )


def _free(count: SeatCount) -> int:
    return count.enabled - count.consumed


def _plan_of(product: Product | None) -> str | None:
    """One whose absence no other plan minds."""
    plans = product.plans if product else ()
    spared = {_DEPENDENT, *_PILLARS, *(plan for pair in _EXCLUSIVE for plan in pair)}
    return next((plan.plan_id for plan in plans if plan.scope == "User" and plan.plan_id not in spared), None)


def _in_trouble(offered: Collection[SkuId], counts: Mapping[SkuId, SeatCount]) -> dict[str, str | None]:
    """Products that give nothing, by why."""

    def first(fits: Callable[[SeatCount], bool]) -> str | None:
        return next((sku for sku in sorted(offered) if fits(counts[sku])), None)

    return {
        "exhausted": first(lambda x: x.enabled > 0 and _free(x) <= 0 and not x.warning),
        "graced": first(lambda x: _free(x) <= 0 < _free(x) + x.warning),
        "suspended": first(lambda x: x.suspended > 0 and not x.enabled + x.warning),
        "locked": first(lambda x: x.locked_out > 0 and not x.enabled + x.warning + x.suspended),
    }


def _contradictory(products: Sequence[Product]) -> dict[str, str | tuple[str, ...] | None]:
    """A product with a plan that needs others of it, and two that exclude each other."""
    plans = {one.sku_id: frozenset(plan.plan_id for plan in one.plans) for one in products}
    needy = next((sku for sku, own in plans.items() if _DEPENDENT in own and own & set(_PILLARS)), None)
    pairs = (
        (one, rival)
        for first, second in _EXCLUSIVE
        for one, own in plans.items()
        for rival, theirs in plans.items()
        if first in own and second in theirs and one != rival
    )
    clash, rival = next(pairs, (None, None))
    pillars = tuple(plan for plan in _PILLARS if needy and plan in plans[needy])
    return {"needy": needy, "pillars": pillars, "clash": clash, "rival": rival}


def obstacle(probe: Probe, stage: Stage, permissions: Collection[str]) -> str | None:
    """Why the probe is not tried in this tenant; None when it can be."""
    if missing := sorted(probe.needs - set(permissions)):
        return f"the tenant has not consented to {', '.join(missing)}"
    if probe.lacks and probe.lacks in permissions:
        return f"the tenant has consented to {probe.lacks}"
    lacking = [stage.absent.get(word, word) for word in sorted(probe.words - stage.words.keys() - {"next"})]
    return lacking[0] if lacking else None


def filled(ask: Ask, words: Words) -> Ask:
    """The request with the tenant's words in it; a text that is one word of several becomes a list."""
    return msgspec.structs.replace(
        ask,
        path=str(_filled(ask.path, words)),
        body=_filled(ask.body, words),
        items=tuple(filled(item, words) for item in ask.items),
    )


def _filled(body: Any, words: Words) -> Any:
    match body:
        case str():
            whole = _WORD.fullmatch(body)
            if whole and not isinstance(words[whole.group(1)], str):
                return list(words[whole.group(1)])
            return _WORD.sub(lambda match: str(words[match.group(1)]), body)
        case dict():
            return {name: _filled(value, words) for name, value in body.items()}
        case list():
            return [_filled(value, words) for value in body]
    return body
