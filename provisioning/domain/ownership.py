"""Who has to act on a reason: the owner of the work-list item."""

from collections.abc import Mapping

from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner

_R = Reason

_OWNED: Mapping[Owner, frozenset[Reason]] = {
    Owner.SHOP: frozenset(
        {
            _R.ARTICLE_UNKNOWN,
            _R.QUANTITY_INVALID,
            _R.DATES_REVERSED,
            _R.TERM_INVALID,
            _R.LINE_VANISHED,
            _R.LINE_CHANGED,
            _R.PLACED_BEFORE_START,
            _R.DUPLICATE_MESSAGE,
            _R.NAMED_LIST_MISSING,
            _R.NAMED_LIST_SIZE,
            _R.NOT_PROVISIONABLE,
            _R.INVOICE_MODE_CONFLICT,
            _R.ALREADY_MEMBER,
        }
    ),
    Owner.SCHOOL: frozenset(
        {
            _R.SUBJECT_NOT_NAMED,
            _R.CLOSURE_EVIDENCE_MISSING,
            _R.RENEWAL_DECISION_MISSING,
            _R.BOARD_DECLARATION_MISSING,
            _R.NOT_A_MEMBER,
            _R.AGREEMENT_REFUSED,
            _R.AGREEMENT_ABSENT,
            _R.COUNT_BELOW_DUO,
            _R.CONSENT_MISSING,
            _R.CONSENT_INSUFFICIENT,
            _R.CONSENT_REVOKED,
            _R.SEATS_INSUFFICIENT,
            _R.COUNT_VIOLATION,
            _R.SELECTOR_EMPTY,
            _R.USAGE_LOCATION,
            _R.INHERITED_FROM_GROUP,
            _R.HELD_VIA_GROUP,
            _R.NOT_IN_SCHOOL_GROUP,
            _R.ENTRA_P1_LOST,
            _R.SCHOOL_ASSIGNS,
            _R.PLANS_UNDECIDED,
            _R.REMAP_NOT_ORDERED,
            _R.REMAP_SCHOOL_ASSIGNS,
            _R.DEVICE_NOT_ORDERED,
            _R.TICKET_INCOMPLETE,
            _R.PEOPLE_NOT_THERE,
        }
    ),
    Owner.APPROVER: frozenset(
        {
            _R.APPROVAL_NEEDED,
            _R.APPROVAL_EXPIRED,
            _R.BREAK_GLASS_UNREVIEWED,
            _R.BINDING_UNCONFIRMED,
            _R.CONFIGURATION_UNAPPROVED,
            _R.ROLLBACK_UNREVIEWED,
        }
    ),
    Owner.ADMIN: frozenset(
        {
            _R.SKU_UNKNOWN,
            _R.SKU_AMBIGUOUS,
            _R.SKU_RETIRED,
            _R.POISON,
            _R.WORK_FAILED,
            _R.STOPPED,
            _R.MAILBOX_AT_RISK,
            _R.WEBHOOK_GIVEN_UP,
            _R.CLOCK_SKEW,
            _R.APPLICATION_INCIDENT,
            _R.CREDENTIAL_REJECTED,
            _R.TOKEN_REJECTED,
            _R.REQUEST_MALFORMED,
        }
    ),
}

OWNERS: Mapping[Reason, Owner] = {
    reason: next((owner for owner, owned in _OWNED.items() if reason in owned), Owner.OPERATOR) for reason in Reason
}


def owner_of(reason: Reason) -> Owner:
    """Who can cure it; what nobody else owns is the operator's."""
    return OWNERS[reason]
