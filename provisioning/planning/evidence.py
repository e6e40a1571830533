"""What proves that a tenant is an organisation's own: facts that do not come from whoever typed the binding."""

from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.observation import Seats, TenantProfile
from provisioning.domain.tenancy import BindingEvidence, Organisation
from provisioning.planning.consent import ReturnedConsent

FACTS_NEEDED = 2
_MICROSOFTS_OWN = ".onmicrosoft.com"

WHAT_IS_MISSING: Mapping[BindingEvidence, str] = {
    BindingEvidence.VERIFIED_DOMAIN: "the organisation's web domain is not among the tenant's verified domains",
    BindingEvidence.EXPECTED_SUBSCRIPTION: "no subscription with a number that this organisation ordered is there",
    BindingEvidence.SIGNED_CONSENT: "no consent came back that carries our signed state for this organisation",
}


def web_host(address: str | None) -> str:
    """The host of a web address as registers print it: `www.school.nl`, `https://school.nl/home` → `school.nl`."""
    text = (address or "").strip().lower()
    host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    return host.removeprefix("www.")


def domain_is_verified(organisation: Organisation, verified: Iterable[str]) -> bool:
    """Whether the organisation's web domain, or one above it, is among those that Microsoft verified in a tenant.

    Who verified `board.nl` rules the name service of `school.board.nl` too, so that proves the same.
    """
    host = web_host(organisation.web_domain)
    domains = (domain.lower() for domain in verified)
    return bool(host) and any(
        host == domain or host.endswith(f".{domain}") for domain in domains if not domain.endswith(_MICROSOFTS_OWN)
    )


def subscription_is_expected(seats: Seats, ordered: Mapping[SkuId, Collection[int]]) -> bool:
    """Whether one purchase in the tenant has exactly a number that was ordered, of one line or of all together.

    A number that merely suffices proves nothing: many tenants hold some hundreds of the same product.
    """
    return any(
        subscription.total in {*ordered[subscription.sku_id], sum(ordered[subscription.sku_id])}
        for subscription in seats.subscriptions
        if subscription.sku_id in ordered and subscription.total > 0
    )


def consent_is_ours(returned: ReturnedConsent | None, organisation: OrganisationId, profile: TenantProfile) -> bool:
    """Whether the consent that came back answers our link for this organisation, in this very tenant."""
    if returned is None:
        return False
    request, tenant = returned.request, TenantId(profile.tenant_id)
    named = {request.tenant_id, returned.tenant_id}
    # The tenant in the returned address is the browser's word; granted permissions are Microsoft's.
    return request.organisation_id == organisation and named == {tenant} and bool(profile.permissions)


def gather_evidence(
    organisation: Organisation,
    profile: TenantProfile,
    seats: Seats,
    ordered: Mapping[SkuId, Collection[int]],
    returned: ReturnedConsent | None,
) -> frozenset[BindingEvidence]:
    """The facts that speak for this tenant being the organisation's."""
    found = {
        BindingEvidence.VERIFIED_DOMAIN: domain_is_verified(organisation, profile.verified_domains),
        BindingEvidence.EXPECTED_SUBSCRIPTION: subscription_is_expected(seats, ordered),
        BindingEvidence.SIGNED_CONSENT: consent_is_ours(returned, organisation.organisation_id, profile),
    }
    return frozenset(fact for fact, is_there in found.items() if is_there)


def missing_evidence(found: Collection[BindingEvidence]) -> str:
    """A sentence with each fact that is not there, for the person who wants to confirm."""
    return "; ".join(sentence for fact, sentence in WHAT_IS_MISSING.items() if fact not in found)
