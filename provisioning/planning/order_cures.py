"""Which news can cure which hold: what is replayed when something arrives (S14–S17)."""

from collections.abc import Mapping

from provisioning.domain.reasons import Reason
from provisioning.domain.records import RecordKind

BY_RECORD: Mapping[RecordKind, frozenset[Reason]] = {
    RecordKind.MEMBERSHIP: frozenset({Reason.NOT_A_MEMBER, Reason.SUPPLIER_APPROVAL_PENDING}),
    RecordKind.RELATION: frozenset(
        {Reason.ORGANISATION_UNKNOWN, Reason.ORGANISATION_NOT_PARTICIPANT, Reason.TENANT_NOT_BOUND}
    ),
    RecordKind.DECLARATION: frozenset({Reason.BOARD_DECLARATION_MISSING, Reason.ORGANISATION_NOT_PARTICIPANT}),
    RecordKind.AGREEMENT: frozenset(
        {Reason.AGREEMENT_REFUSED, Reason.ORGANISATION_NOT_PARTICIPANT, Reason.ADDON_OTHER_LICENSE_ID}
    ),
    RecordKind.VOLUME_LICENCE: frozenset({Reason.ADDON_OTHER_LICENSE_ID}),
    RecordKind.PARTICIPANT: frozenset({Reason.ORGANISATION_NOT_PARTICIPANT}),
    RecordKind.SUPPLIER_DECISION: frozenset({Reason.SUPPLIER_APPROVAL_PENDING}),
    RecordKind.ANNUAL_COUNT: frozenset({Reason.SCOPE_UNDECIDABLE}),
    RecordKind.MANDATE: frozenset({Reason.BOARD_DECLARATION_MISSING}),
}

BY_ORGANISATION = frozenset({Reason.ORGANISATION_UNKNOWN})
BY_BINDING = frozenset(
    {Reason.TENANT_UNKNOWN, Reason.TENANT_MISMATCH, Reason.TENANT_NOT_BOUND, Reason.BINDING_UNCONFIRMED}
)
BY_MAPPING = frozenset({Reason.ARTICLE_UNKNOWN, Reason.SKU_UNKNOWN, Reason.SKU_AMBIGUOUS, Reason.SKU_RETIRED})
BY_LEDGER = frozenset(
    {
        Reason.EXTENSION_WITHOUT_BASE,
        Reason.STEP_UP_WITHOUT_BASE,
        Reason.BASE_PACKAGE_REQUIRED,
        Reason.ADDON_OTHER_LICENSE_ID,
        Reason.SUB_RATIO_EXCEEDED,
    }
)
BY_SHOP = frozenset({Reason.LINE_VANISHED})

CURABLE = frozenset().union(*BY_RECORD.values(), BY_ORGANISATION, BY_BINDING, BY_MAPPING, BY_LEDGER)
