"""Who may order: membership, authority, declaration, supplier, processing agreement (R14–R25)."""

from collections.abc import Iterable
from datetime import date

from provisioning.domain.ids import OrganisationId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Declaration
from provisioning.domain.tenancy import Organisation, OrganisationKind, Relation, RelationKind
from provisioning.planning.order_context import Case, Halt, OrderContext, OrderRecords, hold, reject


def customer(context: OrderContext) -> Organisation | Halt:
    """The organisation in whose name the licences stand; one that ended without a successor is not known any more."""
    holder, asked = context.holder, context.organisation
    if holder is None or asked is None:
        return hold(Reason.ORGANISATION_UNKNOWN)
    ended = asked.operational_until
    if context.successor is None and ended is not None and ended < context.today:
        return hold(Reason.ORGANISATION_UNKNOWN, ended=ended.isoformat())
    return holder


def declaration_of(board: OrganisationId, records: OrderRecords, on: date) -> Declaration | None:
    """The board's declaration in force on the day, the latest when there are several."""
    running = [d for d in records.declarations if d.organisation_id == board and _runs(d, on)]
    return max(running, key=lambda d: d.signed_on, default=None)


def participants_of(board: OrganisationId, context: OrderContext) -> tuple[OrganisationId, ...]:
    """The schools that take part today: those of the agreements, else those of the declaration; never "all"."""
    return participants_on(board, context.records, context.relations, context.today)


def participants_on(
    board: OrganisationId, records: OrderRecords, relations: Iterable[Relation], day: date
) -> tuple[OrganisationId, ...]:
    """As `participants_of`, on a day; `relations` are valid on it."""
    own = {a.record_id for a in records.agreements if a.organisation_id == board}
    by_agreement = [
        p.organisation_id
        for p in records.participants
        if p.agreement_id in own and _spans(p.valid_from, p.valid_until, day)
    ]
    by_relation = [r.child_id for r in relations if r.kind is RelationKind.PARTICIPATES and r.parent_id == board]
    declaration = declaration_of(board, records, day)
    declared = declaration.participants if declaration else ()
    return tuple(dict.fromkeys([*by_agreement, *by_relation] or declared))


def membership(case: Case) -> Halt | None:
    """R23: of the holder, or of the school that ordered before it was succeeded (S48)."""
    asked = case.context.organisation
    for organisation in (case.holder, asked):
        if organisation and _membership_of(organisation, case.context.records) == "active":
            return None
    return hold(Reason.NOT_A_MEMBER)


def authority(case: Case) -> Halt | None:
    """R19: whoever acts for another organisation needs a declaration or a mandate that says so."""
    acting, asked = case.context.acting, case.context.organisation
    if (
        acting is None
        or asked is None
        or acting.organisation_id in {asked.organisation_id, case.holder.organisation_id}
    ):
        return None
    if _is_mandated(case, asked.organisation_id):
        return None
    if acting.kind is not OrganisationKind.BOARD:
        return reject(Reason.ACTOR_NOT_AUTHORISED, acting=acting.organisation_id)
    return _board_may(case, acting.organisation_id, asked.organisation_id)


def board_declaration(case: Case) -> Halt | None:
    """R17, S15: signed late is soon enough, the line waited for it. All participants must have been declared."""
    if case.holder.kind is not OrganisationKind.BOARD:
        return None
    board = case.holder.organisation_id
    declaration = declaration_of(board, case.context.records, case.context.today)
    if declaration is None:
        return hold(Reason.BOARD_DECLARATION_MISSING)
    participants = participants_of(board, case.context)
    if not participants:
        return hold(Reason.ORGANISATION_NOT_PARTICIPANT)
    undeclared = set(participants) - set(declaration.participants) - {board}
    return hold(Reason.ORGANISATION_NOT_PARTICIPANT, organisations=" ".join(sorted(undeclared))) if undeclared else None


def supplier(case: Case) -> Halt | None:
    """R24: for a supporting institution the supplier has the last word, each for itself (S16)."""
    if not _is_supporting(case.holder, case.context.records):
        return None
    decisions = [
        d.decision
        for d in case.context.records.supplier_decisions
        if d.organisation_id == case.holder.organisation_id and d.supplier == case.article.supplier
    ]
    if "rejected" in decisions:
        return reject(Reason.SUPPLIER_REJECTED, supplier=case.article.supplier)
    return None if "approved" in decisions else hold(Reason.SUPPLIER_APPROVAL_PENDING, supplier=case.article.supplier)


def processing_agreement(case: Case) -> Halt | None:
    """Refused by the school: nothing is written there."""
    return hold(Reason.AGREEMENT_REFUSED) if "refused" in _processing(case) else None


def agreement_warning(case: Case) -> Reason | None:
    return None if "agreed" in _processing(case) else Reason.AGREEMENT_ABSENT


def invoice_warning(case: Case) -> Reason | None:
    """R18: a reference number on the line against a declaration that says otherwise; blank and empty are equal."""
    if case.holder.kind is not OrganisationKind.BOARD:
        return None
    declaration = declaration_of(case.holder.organisation_id, case.context.records, case.context.today)
    ordered = (case.line.shop.reference_number or "").strip()
    declared = ((declaration and declaration.reference_number) or "").strip()
    return Reason.INVOICE_MODE_CONFLICT if ordered and ordered != declared else None


def _runs(declaration: Declaration, on: date) -> bool:
    return declaration.signed_on <= on and (declaration.revoked_on is None or on < declaration.revoked_on)


def _spans(valid_from: date, valid_until: date | None, on: date) -> bool:
    return valid_from <= on and (valid_until is None or on <= valid_until)


def _membership_of(organisation: Organisation, records: OrderRecords) -> str:
    on_record = [m.status for m in records.memberships if m.organisation_id == organisation.organisation_id]
    return on_record[-1] if on_record else organisation.membership


def _is_supporting(organisation: Organisation, records: OrderRecords) -> bool:
    on_record = {m.eligibility for m in records.memberships if m.organisation_id == organisation.organisation_id}
    return organisation.kind is OrganisationKind.SUPPORTING_INSTITUTION or "supporting_institution" in on_record | {
        organisation.eligibility
    }


def _is_mandated(case: Case, organisation: OrganisationId) -> bool:
    return any(
        mandate.organisation_id == organisation
        and mandate.actor == case.line.shop.actor
        and _spans(mandate.valid_from, mandate.valid_until, case.context.placed_on)
        for mandate in case.context.records.mandates
    )


def _board_may(case: Case, board: OrganisationId, school: OrganisationId) -> Halt | None:
    records = case.context.records
    if not any(d.organisation_id == board for d in records.declarations):
        return hold(Reason.BOARD_DECLARATION_MISSING, acting=board)  # it may still be on its way
    declaration = declaration_of(board, records, case.context.placed_on)
    if declaration is None or school not in declaration.participants:
        return reject(Reason.ACTOR_NOT_AUTHORISED, acting=board)
    return None


def _processing(case: Case) -> set[str]:
    """Agreements with an end count until then; those of the holder only."""
    return {
        agreement.processing
        for agreement in case.context.records.agreements
        if agreement.organisation_id == case.holder.organisation_id
        and _spans(agreement.starts_on, agreement.ends_on, case.context.today)
    }
