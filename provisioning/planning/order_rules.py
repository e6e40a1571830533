"""Judging an order line: one pure function, a list of rules in the order in which a person would ask them.

The first rule that halts decides. Where several would, the earliest is the one that must be cured first.
"""

from collections.abc import Callable, Sequence

from provisioning.domain.catalogue import Fulfilment
from provisioning.domain.lifecycle import LineState
from provisioning.domain.operation import Wish
from provisioning.domain.order import MOST_SEATS, LedgerEntry, OrderLine, ShopLine, ShopStatus
from provisioning.domain.reasons import Reason
from provisioning.planning import order_amounts, order_customer
from provisioning.planning.fan_out import Share, fan_out
from provisioning.planning.mapping_digest import row_digest
from provisioning.planning.order_amounts import Term
from provisioning.planning.order_articles import find_article, find_sku, supplier_direct
from provisioning.planning.order_context import Case, Halt, Judgement, OrderContext, Part, hold, record_only
from provisioning.planning.order_licences import addon_beside_its_base

# suspicions that a person may let pass; every other hold is cured by what it waits for
RELEASABLE = frozenset(
    {
        Reason.DUPLICATE_ORDER_SUSPECTED,
        Reason.BASE_ORDERED_AGAIN,
        Reason.SUB_RATIO_EXCEEDED,
        Reason.LICENCE_FORM_LOCKED,
    }
)


def judge(line: OrderLine, context: OrderContext) -> Judgement:
    """Where a received or held line goes, what it adds to the ledger and which operations it becomes."""
    halt = shop_line(line, context)
    case = halt or identify(line, context)
    if isinstance(case, Halt):
        return _halted(case, context)
    halt = next((halt for rule in RULES if (halt := rule(case))), None)
    return _halted(halt, context) if halt else _provide(case)


def shop_line(line: OrderLine, context: OrderContext) -> Halt | None:
    """What the row itself says, before anybody is looked up."""
    shop = line.shop
    if shop.status == ShopStatus.CANCELLED:
        return Halt(LineState.CANCELLED, None)  # nothing was bought yet: R10 does not bind
    if context.orders_from and shop.placed_at < context.orders_from:
        return record_only(Reason.PLACED_BEFORE_START)
    if isinstance(shop.quantity, str) or shop.quantity == 0 or abs(shop.quantity) > MOST_SEATS:
        return hold(Reason.QUANTITY_INVALID)
    if shop.starts_on and shop.ends_on and shop.ends_on < shop.starts_on:
        return hold(Reason.DATES_REVERSED)
    return None


def identify(line: OrderLine, context: OrderContext) -> Case | Halt:
    """The customer and the article that the row means."""
    holder = order_customer.customer(context)
    if isinstance(holder, Halt):
        return holder
    article = find_article(line.shop.article_code, context)
    if isinstance(article, Halt):
        return article
    sku = find_sku(article, context.mappings)
    if isinstance(sku, Halt):
        return sku
    return Case(line=line, context=context, holder=holder, article=article, sku=sku)


def duplicate(case: Case) -> Halt | None:
    """S13: the same wish under another id within a day, unless an operator let it pass."""
    if not case.context.similar or case.line.released_by:
        return None
    return hold(Reason.DUPLICATE_ORDER_SUSPECTED, similar=" ".join(map(str, case.context.similar)))


RULES: Sequence[Callable[[Case], Halt | None]] = (
    order_customer.membership,
    order_customer.authority,
    supplier_direct,
    order_amounts.amount,
    order_customer.board_declaration,
    order_customer.supplier,
    order_customer.processing_agreement,
    order_amounts.metric,
    order_amounts.named_list,
    order_amounts.named_devices,
    duplicate,
    order_amounts.base_ordered_again,
    order_amounts.form_locked,
    order_amounts.resting_on_base,
    order_amounts.step_up_within_base,
    order_amounts.use_benefit,
)


def _provide(case: Case) -> Judgement:
    """All rules passed: amounts, term, tenants."""
    seats = order_amounts.seats_asked(case)
    if isinstance(seats, Halt):
        return _halted(seats, case.context)
    term = order_amounts.term_of(case)
    if isinstance(term, Halt):
        return _halted(term, case.context)
    if case.article.fulfilment is Fulfilment.LICENCE_CODE:
        return _recorded(case, term, seats)
    shares = fan_out(case, seats)
    if isinstance(shares, Halt):
        return _halted(shares, case.context)
    halt = addon_beside_its_base(case, term, shares)
    return _halted(halt, case.context) if halt else _accepted(case, term, shares)


def after_acceptance(shop: ShopLine) -> Reason:
    """What a changed row means once the line is accepted: seats stay, and the answer names the rule (R10, S4)."""
    return Reason.CANCELLATION_NOT_ALLOWED if shop.status == ShopStatus.CANCELLED else Reason.LINE_CHANGED


def _accepted(case: Case, term: Term, shares: Sequence[Share]) -> Judgement:
    return Judgement(
        state=LineState.ACCEPTED,
        warnings=_warnings(case),
        entries=tuple(_entry(case, term, share.seats, share) for share in shares),
        parts=tuple(Part(tenant_id=s.tenant_id, wish=_wish(case, term, s), held=s.held) for s in shares),
        holder_id=case.holder.organisation_id,
        details=_redirection(case.context),
    )


def _recorded(case: Case, term: Term, seats: int) -> Judgement:
    """A licence code is a right that stands in the ledger, without a tenant and without seats to wait for (S20)."""
    return Judgement(
        state=LineState.RECORDED_ONLY,
        reason=Reason.NOT_PROVISIONABLE,
        entries=(_entry(case, term, seats, None),),
        holder_id=case.holder.organisation_id,
        details={"fulfilment": case.article.fulfilment, **_redirection(case.context)},
    )


def _halted(halt: Halt, context: OrderContext) -> Judgement:
    holder = context.holder
    warnings = (halt.reason,) if halt.reason is Reason.SUB_RATIO_EXCEEDED else ()
    return Judgement(
        state=halt.state,
        reason=halt.reason,
        warnings=warnings,
        holder_id=holder.organisation_id if holder else None,
        details={**halt.details, **_redirection(context)},
    )


def _warnings(case: Case) -> tuple[Reason, ...]:
    single = (
        order_customer.invoice_warning(case),
        order_customer.agreement_warning(case),
        order_amounts.use_benefit_warning(case),
    )
    return (*(warning for warning in single if warning), *order_amounts.count_warnings(case))


def _entry(case: Case, term: Term, seats: int, share: Share | None) -> LedgerEntry:
    return LedgerEntry(
        holder_id=case.holder.organisation_id,
        tenant_id=share.tenant_id if share else None,
        article_code=case.article.code,
        sku_id=case.article.sku_id,
        delta=seats,
        effective_on=term.starts_on,
        ends_on=term.ends_on,
        cause=order_amounts.cause_of(case.article),
        cause_ref=str(case.line.shop.key),
    )


def _wish(case: Case, term: Term, share: Share) -> Wish:
    if case.sku is None:
        raise AssertionError(f"{case.article.code} is delivered through Graph and has no product")  # checked at load
    return Wish(
        sku_id=case.sku.sku_id,
        audience=case.article.audience,
        article_code=case.article.code,
        replaces=case.article.replaces,
        holder_id=case.holder.organisation_id,
        organisations=share.organisations,
        seats_wanted=share.seats,
        line=case.line.shop.key,
        starts_on=term.starts_on,
        mapping_digest=row_digest(case.article, case.context.mappings),
    )


def _redirection(context: OrderContext) -> dict[str, str]:
    if context.successor is None or context.organisation is None:
        return {}
    return {"ordered_for": context.organisation.organisation_id}
