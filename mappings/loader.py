"""The files of a mappings folder as one frozen value with a digest of its content."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from mappings.rows import Row, read_rows
from provisioning.domain.calendar import SchoolHoliday
from provisioning.domain.catalogue import (
    Article,
    Audience,
    Fulfilment,
    LicenceForm,
    Mappings,
    Metric,
    PlanRelation,
    PlanRule,
    Remap,
    ServicePlan,
    Sku,
    Variant,
)
from provisioning.domain.errors import ConfigurationError
from provisioning.domain.ids import ArticleCode, ServicePlanId, SkuId

OURS = Path(__file__).parent

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "articles.csv": (
        "article_code", "supplier", "sku_id", "licence_form", "metric", "is_named", "audience", "variant",
        "base_article_code", "replaces", "fulfilment", "price_may_be_zero", "min_term_months", "notice_rule",
        "valid_from", "valid_until",
    ),
    "skus.csv": (
        "sku_id", "part_number", "name", "family", "audience", "product_line", "is_student_use_benefit", "lifecycle",
    ),
    "service_plans.csv": ("sku_id", "plan_id", "plan_name", "family"),
    "plan_rules.csv": ("relation", "plan_id", "plan_name", "other_plan_id", "other_plan_name"),
    "remaps.csv": ("from_sku", "to_sku", "valid_from", "valid_until", "exceptions", "boards", "beside"),
    "group_licensing.csv": ("sku_id", "part_number"),
    "ambiguous.csv": ("word", "article_codes"),
    "school_holidays.csv": ("name", "region", "school_year", "first_day", "last_day", "is_binding"),
}  # fmt: skip


def load_mappings(folder: Path = OURS) -> Mappings:
    """Read every file of the folder. Raises ConfigurationError that names file, line, column and what to do."""
    rows = {file: read_rows(folder, file, columns) for file, columns in COLUMNS.items()}
    mappings = Mappings(
        articles=tuple(sorted((_article(row) for row in rows["articles.csv"]), key=_article_order)),
        skus=_skus(rows["skus.csv"], _plans(rows["service_plans.csv"])),
        plan_rules=_plan_rules(rows["plan_rules.csv"]),
        remaps=tuple(sorted((_remap(row) for row in rows["remaps.csv"]), key=lambda remap: remap.key)),
        group_licensing=frozenset(SkuId(row.guid("sku_id")) for row in rows["group_licensing.csv"]),
        ambiguous={row.text("word").casefold(): _codes(row) for row in rows["ambiguous.csv"]},
        digest="",
        school_holidays=tuple(sorted(map(_school_holiday, rows["school_holidays.csv"]), key=_holiday_order)),
    )
    return msgspec.structs.replace(mappings, digest=digest_of(mappings))


def digest_of(mappings: Mappings) -> str:
    """Names the content: the order of rows, quoting and line ends play no part."""
    content = msgspec.structs.replace(mappings, digest="")
    return sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def _article(row: Row) -> Article:
    sku_id, base = row.optional_guid("sku_id"), row.optional("base_article_code")
    return Article(
        code=ArticleCode(row.text("article_code")),
        supplier=row.text("supplier"),
        sku_id=SkuId(sku_id) if sku_id else None,
        licence_form=row.word("licence_form", LicenceForm),
        metric=row.word("metric", Metric),
        is_named=row.yes("is_named"),
        audience=row.word("audience", Audience),
        variant=row.word("variant", Variant),
        base_article_code=ArticleCode(base) if base else None,
        replaces=frozenset(SkuId(sku) for sku in row.guids("replaces")),
        fulfilment=row.word("fulfilment", Fulfilment),
        price_may_be_zero=row.yes("price_may_be_zero"),
        min_term_months=row.count("min_term_months"),
        notice_rule=row.text("notice_rule"),
        valid_from=row.day("valid_from"),
        valid_until=row.optional_day("valid_until"),
    )


def _article_order(article: Article) -> tuple[str, str]:
    return article.code, article.valid_from.isoformat()


def _plans(rows: Iterable[Row]) -> Mapping[str, tuple[ServicePlan, ...]]:
    plans: dict[str, dict[str, ServicePlan]] = defaultdict(dict)
    for row in rows:  # Microsoft's list names some pairs twice: the last one counts
        plan = ServicePlan(ServicePlanId(row.guid("plan_id")), row.text("plan_name"), row.text("family"))
        plans[row.guid("sku_id")][plan.plan_id] = plan
    return {sku: tuple(named[plan] for plan in sorted(named)) for sku, named in plans.items()}


def _skus(rows: Iterable[Row], plans: Mapping[str, tuple[ServicePlan, ...]]) -> dict[SkuId, Sku]:
    skus: dict[SkuId, Sku] = {}
    for row in rows:
        sku = _sku(row, plans)
        if sku.sku_id in skus:
            raise row.wrong("sku_id", f"repeats {sku.sku_id}; keep one row for each product")
        skus[sku.sku_id] = sku
    if strays := plans.keys() - skus.keys():
        raise ConfigurationError(f"skus.csv has no {min(strays)}, which service_plans.csv speaks of; add the product.")
    return skus


def _sku(row: Row, plans: Mapping[str, tuple[ServicePlan, ...]]) -> Sku:
    sku_id = SkuId(row.guid("sku_id"))
    return Sku(
        sku_id=sku_id,
        part_number=row.text("part_number"),
        name=row.text("name"),
        family=row.text("family"),
        audience=row.word("audience", Audience),
        product_line=row.text("product_line"),
        is_student_use_benefit=row.yes("is_student_use_benefit"),
        lifecycle=row.text("lifecycle"),
        plans=plans.get(sku_id, ()),
    )


def _plan_rules(rows: Iterable[Row]) -> tuple[PlanRule, ...]:
    others: dict[tuple[PlanRelation, ServicePlanId], set[ServicePlanId]] = defaultdict(set)
    for row in rows:
        relation = row.word("relation", PlanRelation)
        plan, other = ServicePlanId(row.guid("plan_id")), ServicePlanId(row.guid("other_plan_id"))
        others[relation, plan].add(other)
        if relation is PlanRelation.MUTUALLY_EXCLUSIVE:  # written once, true both ways
            others[relation, other].add(plan)
    return tuple(PlanRule(relation, plan, frozenset(them)) for (relation, plan), them in sorted(others.items()))


def _remap(row: Row) -> Remap:
    beside = row.optional_guid("beside")
    return Remap(
        from_sku=SkuId(row.guid("from_sku")),
        to_sku=SkuId(row.guid("to_sku")),
        valid_from=row.day("valid_from"),
        valid_until=row.optional_day("valid_until"),
        exceptions=frozenset(row.words("exceptions")),
        boards=frozenset(row.words("boards")),
        beside=SkuId(beside) if beside else None,
    )


def _school_holiday(row: Row) -> SchoolHoliday:
    return SchoolHoliday(
        name=row.text("name"),
        region=row.text("region").lower(),
        school_year=row.text("school_year"),
        first_day=row.day("first_day"),
        last_day=row.day("last_day"),
        is_binding=row.yes("is_binding"),
    )


def _holiday_order(holiday: SchoolHoliday) -> tuple[str, str, str]:
    return holiday.region, holiday.first_day.isoformat(), holiday.name


def _codes(row: Row) -> tuple[ArticleCode, ...]:
    if not (codes := row.words("article_codes")):
        raise row.wrong("article_codes", "is empty; name the articles that the word may mean, blanks between")
    return tuple(ArticleCode(code) for code in codes)
