"""How many, resting on what, until when: quantities, variants and terms (R1–R9, P4–P9)."""

from collections.abc import Collection
from datetime import date, timedelta

import msgspec

from provisioning.domain.catalogue import Article, Audience, Fulfilment, LicenceForm, Metric, Variant
from provisioning.domain.ids import ArticleCode, OrganisationId
from provisioning.domain.order import LedgerCause
from provisioning.domain.reasons import Reason
from provisioning.domain.records import AnnualCount
from provisioning.planning.entitlements import balance, first_day, in_force, last_day, licence_codes, root_of
from provisioning.planning.order_context import Case, Halt, hold, record_only, reject

PERPETUAL = "perpetual"  # the notice rule of a right without an end
_MONTHS = 12
_RESTS_ON_BASE = frozenset({Variant.EXTENSION, Variant.STEP_UP, Variant.ADDON})
_WITHOUT_BASE = {Variant.STEP_UP: Reason.STEP_UP_WITHOUT_BASE, Variant.ADDON: Reason.BASE_PACKAGE_REQUIRED}


class Term(msgspec.Struct, frozen=True):
    """From when and until when the bought right lasts; no end: perpetual."""

    starts_on: date
    ends_on: date | None


def seats_asked(case: Case) -> int | Halt:
    """What the line adds to what the holder has. A total below it is a decrease (R8, S4)."""
    if case.is_per_site and case.quantity > 0 and case.article.fulfilment is not Fulfilment.LICENCE_CODE:
        return _seats_of_site(case)
    if case.quantity < 0:
        return reject(Reason.DECREASE_NOT_ALLOWED, **_standing(case))
    if not case.line.shop.quantity_is_total:
        return case.quantity
    added = case.quantity - _current(case)
    if added < 0:
        return reject(Reason.DECREASE_NOT_ALLOWED, **_standing(case))
    return added or record_only(Reason.ALREADY_HELD)


def amount(case: Case) -> Halt | None:
    """A decrease is refused before anything else is asked of the line."""
    asked = seats_asked(case)
    return asked if isinstance(asked, Halt) else None


def term_of(case: Case) -> Term | Halt:
    """An extension, a step-up and an add-on end with their base (R9); the rest with the line or the licence year."""
    starts_on, ends_on = case.starts_on, case.line.shop.ends_on
    if case.article.notice_rule == PERPETUAL:
        return Term(starts_on, None) if ends_on is None else reject(Reason.TERM_INVALID)
    if case.article.variant in _RESTS_ON_BASE and case.article.base_article_code:
        return _term_of_base(case)
    if case.article.variant is Variant.RENEWAL and case.line.shop.starts_on is None:
        starts_on = _day_after_base(case)
    ends_on = ends_on or _end_of_licence_year(starts_on, case.article.min_term_months)
    return reject(Reason.TERM_INVALID) if ends_on < max(starts_on, case.context.today) else Term(starts_on, ends_on)


def resting_on_base(case: Case) -> Halt | None:
    """R9, P8, P9, S14: what rests on a base waits until the base is there."""
    base, variant = case.article.base_article_code, case.article.variant
    if base is None:
        return None
    if variant is Variant.RENEWAL:
        known = {entry.article_code for entry in case.context.entries}
        return None if known & _codes(case, base) else hold(Reason.EXTENSION_WITHOUT_BASE, base=base)
    if _day_on_base(case, base) is None:
        return hold(_WITHOUT_BASE.get(variant, Reason.EXTENSION_WITHOUT_BASE), base=base)
    return None


def step_up_within_base(case: Case) -> Halt | None:
    """P8, S6: never more of the higher product than of the base it steps up from."""
    base = case.article.base_article_code
    if case.article.variant is not Variant.STEP_UP or base is None:
        return None
    day = _day_on_base(case, base) or case.starts_on
    entries = case.context.entries
    stepped, on_base = balance(entries, {case.article.code}, day), balance(entries, _codes(case, base), day)
    wanted = case.quantity if case.line.shop.quantity_is_total else stepped + case.quantity
    return hold(Reason.STEP_UP_WITHOUT_BASE, base=str(on_base), wanted=str(wanted)) if wanted > on_base else None


def base_ordered_again(case: Case) -> Halt | None:
    """R9: a second base while one is running is suspicious; a new total of it is not."""
    if case.article.variant is not Variant.BASE or case.line.shop.quantity_is_total or case.line.released_by:
        return None
    has = balance(case.context.entries, _codes(case, case.article.code), case.starts_on)
    return hold(Reason.BASE_ORDERED_AGAIN, **_standing(case)) if has > 0 else None


def form_locked(case: Case) -> Halt | None:
    """R7: the same product in another licence form during the term, unless an operator let it pass."""
    if case.line.released_by:
        return None
    running = {
        e.article_code for e in in_force(case.context.entries, case.starts_on) if e.sku_id == case.article.sku_id
    }
    forms = {a.licence_form for a in case.context.mappings.articles if a.code in running}
    if not forms or case.article.licence_form in forms:
        return None
    return hold(Reason.LICENCE_FORM_LOCKED, form=" ".join(sorted(forms)))


def use_benefit(case: Case) -> Halt | None:
    """M10, S7: free pupil licences are bounded by the paid staff licences; an operator may let more pass."""
    return None if case.line.released_by or not _exceeds_ratio(case) else hold(Reason.SUB_RATIO_EXCEEDED)


def use_benefit_warning(case: Case) -> Reason | None:
    return Reason.SUB_RATIO_EXCEEDED if _exceeds_ratio(case) else None


def count_warnings(case: Case) -> tuple[Reason, ...]:
    """P4, P5, S8: fewer seats than there are staff, or a registration below the number that DUO has."""
    if case.article.audience is not Audience.FACULTY or case.article.variant is not Variant.BASE:
        return ()
    count = latest_count(case.context.records.annual_counts, case.holder.organisation_id)
    if count is None:
        return ()
    too_few = not case.is_per_site and case.quantity < count.staff
    below_duo = count.duo_staff is not None and count.staff < count.duo_staff
    warnings = ((Reason.SEATS_INSUFFICIENT, too_few), (Reason.COUNT_BELOW_DUO, below_duo))
    return tuple(reason for reason, applies in warnings if applies)


def named_list(case: Case) -> Halt | None:
    """R2, S18: a licence by name needs as many different names as it has seats."""
    if not case.article.is_named:
        return None
    names = {subject.strip().casefold() for subject in case.line.shop.subjects if subject.strip()}
    if not names:
        return hold(Reason.NAMED_LIST_MISSING)
    if len(names) != case.quantity:
        return hold(Reason.NAMED_LIST_SIZE, names=str(len(names)), quantity=str(case.quantity))
    return None


def named_devices(case: Case) -> Halt | None:
    """R4: an individual licence is tied to its device; for devices named beyond the number none was ordered."""
    article = case.article
    if article.metric is not Metric.DEVICE or article.licence_form is not LicenceForm.INDIVIDUAL:
        return None
    devices = {subject.strip().casefold() for subject in case.line.shop.subjects if subject.strip()}
    if len(devices) <= case.quantity:
        return None
    return reject(Reason.DEVICE_NOT_ORDERED, devices=str(len(devices)), quantity=str(case.quantity))


def metric(case: Case) -> Halt | None:
    """R1, R3: devices are no users, and a whole institution is one."""
    is_for_devices = case.article.audience is Audience.DEVICE
    if is_for_devices != (case.article.metric is Metric.DEVICE) or (case.is_per_site and case.quantity != 1):
        return hold(Reason.METRIC_MISMATCH)
    return None


def cause_of(article: Article) -> LedgerCause:
    causes = {Variant.STEP_UP: LedgerCause.STEP_UP, Variant.RENEWAL: LedgerCause.RENEWAL}
    return causes.get(article.variant, LedgerCause.ORDER_LINE)


def latest_count(counts: Collection[AnnualCount], organisation: OrganisationId) -> AnnualCount | None:
    own = (count for count in counts if count.organisation_id == organisation)
    return max(own, key=lambda count: count.licence_year, default=None)


def heads(count: AnnualCount, audience: Audience) -> int:
    """Those of a count that an audience speaks of."""
    numbers = {Audience.FACULTY: count.staff, Audience.STUDENT: count.pupils}
    return numbers.get(audience, count.staff + count.pupils)


def _seats_of_site(case: Case) -> int | Halt:
    """R1: one price for the institution; how many people that means, the annual registration says."""
    count = latest_count(case.context.records.annual_counts, case.holder.organisation_id)
    if count is None:
        return hold(Reason.SCOPE_UNDECIDABLE, missing="annual count")
    return max(heads(count, case.article.audience) - _current(case), 0) or record_only(Reason.ALREADY_HELD)


def _current(case: Case) -> int:
    return balance(case.context.entries, _codes(case, root_of(case.article)), case.starts_on)


def _standing(case: Case) -> dict[str, str]:
    """What the answer must name: the number that stands and until when (S4)."""
    codes = _codes(case, root_of(case.article))
    until = last_day(case.context.entries, codes, case.starts_on)
    return {"entitlement": str(_current(case)), "until": until.isoformat() if until else "no end"}


def _codes(case: Case, root: ArticleCode) -> frozenset[ArticleCode]:
    return licence_codes(root, case.context.mappings)


def _day_on_base(case: Case, base: ArticleCode) -> date | None:
    return first_day(case.context.entries, _codes(case, base), case.starts_on)


def _term_of_base(case: Case) -> Term | Halt:
    base = case.article.base_article_code or case.article.code
    starts_on = _day_on_base(case, base) or case.starts_on
    ends_on = last_day(case.context.entries, _codes(case, base), starts_on)
    if ends_on is not None and ends_on < case.context.today:
        return reject(Reason.TERM_INVALID)
    return Term(starts_on, ends_on)


def _day_after_base(case: Case) -> date:
    ends_on = last_day(case.context.entries, _codes(case, root_of(case.article)), case.starts_on)
    return ends_on + timedelta(days=1) if ends_on else case.starts_on


def _end_of_licence_year(starts_on: date, months: int) -> date:
    """A licence year is a calendar year (P4); a longer term is so many of them."""
    return date(starts_on.year + max(months // _MONTHS, 1) - 1, 12, 31)


def _exceeds_ratio(case: Case) -> bool:
    if case.sku is None or not case.sku.is_student_use_benefit or case.article.variant is Variant.STEP_UP:
        return False
    terms, day = case.context.terms, case.starts_on
    ratio = terms.suite_ratio if _is_suite(case.sku.product_line) else terms.product_ratio
    held = sum(e.delta for e in in_force(case.context.entries, day) if e.sku_id == case.article.sku_id)
    wanted = case.quantity if case.line.shop.quantity_is_total else held + case.quantity
    return wanted > ratio * _staff_licences(case, day)


def _staff_licences(case: Case, day: date) -> int:
    """Paid suites for staff; a step-up is the same person's again, so it does not count."""
    skus = case.context.mappings.skus
    paid = {
        sku_id
        for sku_id, sku in skus.items()
        if sku.audience is Audience.FACULTY and _is_suite(sku.product_line) and sku.family not in {"A1", "E1"}
    }
    entries = in_force(case.context.entries, day)
    return sum(e.delta for e in entries if e.sku_id in paid and e.cause is not LedgerCause.STEP_UP)


def _is_suite(product_line: str) -> bool:
    return product_line.endswith("suite")
