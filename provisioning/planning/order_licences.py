"""License IDs: an add-on ordered on another one than its base never shows (M4). Judged when both are on record."""

from collections.abc import Collection, Sequence

from provisioning.domain.catalogue import Article, Variant
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import VolumeLicence
from provisioning.planning.entitlements import in_force, licence_codes
from provisioning.planning.fan_out import Share
from provisioning.planning.order_amounts import Term
from provisioning.planning.order_context import Case, Halt, hold


def addon_beside_its_base(case: Case, term: Term, shares: Sequence[Share]) -> Halt | None:
    """Whether any part of an add-on goes on a License ID on which its base is not."""
    base = _base_of(case)
    if base is None:
        return None
    codes = licence_codes(base.code, case.context.mappings)
    homes = {
        entry.tenant_id
        for entry in in_force(case.context.entries, term.starts_on)
        if entry.article_code in codes and entry.delta > 0 and entry.tenant_id
    }
    on_base = _license_ids(case, base, homes)
    for share in shares:
        own = _license_ids(case, case.article, {share.tenant_id})
        if own and on_base and own.isdisjoint(on_base):
            return hold(Reason.ADDON_OTHER_LICENSE_ID, addon=" ".join(sorted(own)), base=" ".join(sorted(on_base)))
    return None


def _base_of(case: Case) -> Article | None:
    if case.article.variant is not Variant.ADDON:
        return None
    return next((a for a in case.context.mappings.articles if a.code == case.article.base_article_code), None)


def _license_ids(case: Case, article: Article, tenants: Collection[TenantId]) -> set[str]:
    """On which License IDs the article may be in these tenants, as far as records say."""
    return {
        licence.record_id
        for licence in case.context.records.volume_licences
        if licence.tenant_id in tenants and _may_carry(case, licence, article)
    }


def _may_carry(case: Case, licence: VolumeLicence, article: Article) -> bool:
    """An agreement with another supplier or in another form carries it not; one that nobody recorded may."""
    agreement = next((a for a in case.context.records.agreements if a.record_id == licence.agreement_id), None)
    if agreement is None:
        return True
    return (agreement.supplier, agreement.licence_form) == (article.supplier, article.licence_form)
