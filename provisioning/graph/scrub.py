"""Microsoft's sentences without the people in them: Graph echoes UPNs, addresses and display names."""

import re

_MASK = "…"
_LONGEST = 400
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|“[^”]*”|‘[^’]*’")
_TOKEN = re.compile(rf"{_GUID}|[^\s,;:()\[\]{{}}'\"“”‘’]+")
_GUID_ALONE = re.compile(_GUID)
_HARMLESS = re.compile(r"[a-z]+(?:-[a-z]+)*[.?!]?|[0-9]{1,4}[.%]?|[-–/&=.?!]+")

# Words with capitals, dots or signs that Microsoft's licensing texts use themselves; every other one may be a name.
_TECHNICAL = frozenset(
    """
    A Access An Another Authentication Authorization Cannot Company Conflicting Directory Edm.Guid Entra Error Error_
    Failed Graph Group GUID HTTP ID If In Insufficient Insufficient_privileges Internal Invalid It JSON Lifetime License
    LicenseAssignment Microsoft No Not OData Object One Operation Or Permission Please Property Request Resource Retry
    SKU Server Service Source Specified Subscription Sync TenantId The This Token Too Unable Unknown Unsupported Update
    UsageLocation User Value accountEnabled addLicenses assignLicense disabledPlans license(s) licenseAssignmentStates
    members member(s) object(s) plan(s) proxyAddresses reference-property removeLicenses reprocessLicenseAssignment
    servicePlanId skuId usageLocation userPrincipalName $count $filter $select
    """.split()  # noqa: SIM905  # a list of words reads as words
)


def scrub(text: str) -> str:
    """`text` with everything masked that could name a person; GUIDs and Microsoft's own words stay."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rpartition(" ")[0]  # half an address would pass for a word
    return _TOKEN.sub(_kept_token, _QUOTED.sub(_kept_quotation, text))


def _kept_quotation(match: re.Match[str]) -> str:
    quoted = match.group()
    inside = quoted[1:-1]
    return quoted if _GUID_ALONE.fullmatch(inside) or inside in _TECHNICAL else f"'{_MASK}'"


def _kept_token(match: re.Match[str]) -> str:
    token = match.group()
    if _GUID_ALONE.fullmatch(token) or _HARMLESS.fullmatch(token) or token.rstrip(".?!") in _TECHNICAL:
        return token
    return _MASK
