"""What Microsoft's refusals mean, by the stable fragments of their texts and by AADSTS code.

Licensing failures are all 400 Request_BadRequest and differ in their sentence alone
(learn.microsoft.com: "user: assignLicense", "Resolve group license assignment problems in Microsoft Entra ID",
"Add members", "Microsoft Entra authentication and authorization error codes").
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from provisioning.domain.reasons import Reason

REFUSALS: tuple[tuple[str, Reason], ...] = (  # the first fragment that occurs decides
    ("invalid usage location", Reason.USAGE_LOCATION),
    ("usage location of the user", Reason.USAGE_LOCATION_PROHIBITED),
    ("prohibitedinusagelocation", Reason.USAGE_LOCATION_PROHIBITED),
    ("not available in the usage location", Reason.USAGE_LOCATION_PROHIBITED),
    ("does not have any available licenses", Reason.COUNT_VIOLATION),
    ("does not correspond to a valid company license", Reason.SKU_NOT_OWNED),
    ("does not have a corresponding license", Reason.LICENCE_NOT_HELD),
    ("inherited from a group membership", Reason.INHERITED_FROM_GROUP),
    ("depends on the service plan", Reason.DEPENDENCY),
    ("mutually exclusive", Reason.MUTUALLY_EXCLUSIVE),
    ("same value for property proxyaddresses", Reason.UNIQUENESS),
    ("missing from the request payload", Reason.REQUEST_MALFORMED),
    ("reading the request payload", Reason.REQUEST_MALFORMED),
    ("convert the literal", Reason.REQUEST_MALFORMED),
    ("edm.guid", Reason.REQUEST_MALFORMED),
    ("is not part of the license", Reason.REQUEST_MALFORMED),
    ("added and removed in one request", Reason.REQUEST_MALFORMED),
    ("http method is not allowed", Reason.REQUEST_MALFORMED),
)

GROUP_REFUSALS: tuple[tuple[str, Reason], ...] = (  # of writes to a group, before the ones above
    ("added object references already exist", Reason.MEMBER_ALREADY),
    ("source resource object or one of the objects being referenced", Reason.GROUP_TOO_NEW),
    ("on-premises mastered", Reason.GROUP_READ_ONLY),
    ("originated within an external service", Reason.GROUP_READ_ONLY),
    ("mail-enabled security group", Reason.GROUP_READ_ONLY),
    ("dynamic membership", Reason.GROUP_READ_ONLY),
    ("dynamic group", Reason.GROUP_READ_ONLY),
)


def refusal_reason(message: str, *, of_group: bool = False) -> Reason:
    """Why Graph refused a request it understood; GRAPH_OTHER when its sentence is not in the catalogue."""
    lowered = message.lower()
    known = GROUP_REFUSALS + REFUSALS if of_group else REFUSALS
    return next((reason for fragment, reason in known if fragment in lowered), Reason.GRAPH_OTHER)


class Remedy(Enum):
    """Who can do something about a refused token."""

    TENANT = "tenant"  # a person at the school
    CREDENTIAL = "credential"  # perhaps we ourselves
    TIME = "time"
    NOBODY = "nobody"  # our request is wrong: a bug or a setting


class TokenRefusal(msgspec.Struct, frozen=True):
    reason: Reason
    remedy: Remedy


_CONSENT = TokenRefusal(Reason.CONSENT_MISSING, Remedy.TENANT)
_DISABLED = TokenRefusal(Reason.CONSENT_REVOKED, Remedy.TENANT)
_CREDENTIAL = TokenRefusal(Reason.CREDENTIAL_REJECTED, Remedy.CREDENTIAL)
_ELSEWHERE = TokenRefusal(Reason.TENANT_MISMATCH, Remedy.TENANT)
_BLOCKED = TokenRefusal(Reason.FORBIDDEN, Remedy.TENANT)
_BUSY = TokenRefusal(Reason.THROTTLED, Remedy.TIME)
_OURS = TokenRefusal(Reason.REQUEST_MALFORMED, Remedy.NOBODY)

TOKEN_REFUSALS: Mapping[int, TokenRefusal] = {
    90002: TokenRefusal(Reason.TENANT_GONE, Remedy.TENANT),
    700016: _CONSENT,
    90099: _CONSENT,
    500011: _CONSENT,
    7000112: _DISABLED,
    70001: _DISABLED,
    7000215: _CREDENTIAL,
    7000222: _CREDENTIAL,
    7000218: _CREDENTIAL,
    700027: _CREDENTIAL,
    700024: _CREDENTIAL,
    700030: _CREDENTIAL,
    50012: _CREDENTIAL,
    50027: _CREDENTIAL,
    53003: _BLOCKED,
    90038: _ELSEWHERE,
    900382: _ELSEWHERE,
    900432: _ELSEWHERE,
    90055: _BUSY,
    90024: _BUSY,
    90033: _BUSY,
    90006: _BUSY,
    50196: _BUSY,  # "request loop detected": it passes when we are quiet
    70011: _OURS,
    900144: _OURS,
    9001023: _OURS,
    90124: _OURS,
}

NO_SUCH_TENANT = frozenset({90002, 900023})  # of a discovery document: unknown, or not even a possible name
