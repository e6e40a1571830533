"""From one line to its tenants: which organisations, how many seats each, and which part cannot be served (S2, S12)."""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from provisioning.domain.ids import OrganisationId, TenantId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import VolumeLicence
from provisioning.domain.tenancy import Binding, OrganisationKind
from provisioning.planning.order_amounts import heads, latest_count
from provisioning.planning.order_context import Case, Halt, hold
from provisioning.planning.order_customer import participants_of


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant's part of a line."""

    tenant_id: TenantId
    organisations: tuple[OrganisationId, ...]
    seats: int
    held: Reason | None = None


def fan_out(case: Case, seats: int) -> tuple[Share, ...] | Halt:
    """One share per tenant, or why there can be none."""
    bindings = choose_bindings(case)
    if isinstance(bindings, Halt):
        return bindings
    if unconfirmed := sorted(b.binding_id for b in bindings.values() if not b.is_confirmed):
        return hold(Reason.BINDING_UNCONFIRMED, bindings=" ".join(unconfirmed))
    tenants: dict[TenantId, list[OrganisationId]] = {}
    for organisation, binding in bindings.items():
        tenants.setdefault(binding.tenant_id, []).append(organisation)
    split = _split(case, seats, tenants)
    if isinstance(split, Halt):
        return split
    unserved = unserved_tenants(_licences_of(case), list(tenants))
    return tuple(
        Share(
            tenant_id=tenant,
            organisations=tuple(organisations),
            seats=split[tenant],
            held=Reason.ONE_LICENSE_ID_MANY_TENANTS if tenant in unserved else None,
        )
        for tenant, organisations in tenants.items()
        if split[tenant]
    )


def choose_bindings(case: Case) -> dict[OrganisationId, Binding] | Halt:
    """The binding of each organisation of the line, in the order's sequence; the line's hint chooses between two."""
    shop, context = case.line.shop, case.context
    hint, hinted = domain_of(shop.tenant_hint), context.hinted
    wanted = hinted.tenant_id if hinted else None
    organisations = _organisations(case)
    chosen = {one: b for one in organisations if (b := _steadiest(context.bindings.get(one, ()), wanted))}
    bound = " ".join(sorted({binding.tenant_id for binding in chosen.values()}))
    if hint and wanted is None:
        return hold(Reason.TENANT_UNKNOWN, hinted=hint, bound=bound)
    if wanted and chosen and all(binding.tenant_id != wanted for binding in chosen.values()):
        return hold(Reason.TENANT_MISMATCH, hinted=wanted, bound=bound)
    missing = [one for one in organisations if one not in chosen]
    if not chosen or (missing and case.holder.organisation_id not in chosen):
        return hold(Reason.TENANT_NOT_BOUND, organisations=" ".join(missing))
    return chosen  # whoever has no binding of its own is covered by the board's


def domain_of(hint: str | None) -> str:
    """The domain or tenant id that a hint names; of an address only what follows the at sign."""
    return (hint or "").strip().lower().rpartition("@")[2].removeprefix("https://").removeprefix("www.").rstrip("/.")


def unserved_tenants(licences: Sequence[VolumeLicence], tenants: Sequence[TenantId]) -> set[TenantId]:
    """Tenants for which no License ID is left: one can live in one tenant only (M1). None known: nothing to check."""
    if not licences:
        return set()
    mapped = {licence.tenant_id for licence in licences}
    unmapped = sum(licence.tenant_id is None for licence in licences)
    return set([tenant for tenant in tenants if tenant not in mapped][unmapped:])


def largest_remainder(amount: int, weights: Mapping[TenantId, int]) -> dict[TenantId, int]:
    """Whole shares in proportion to the weights, that add up to the amount. The weights must not all be zero."""
    total = sum(weights.values())
    shares = {tenant: amount * weight // total for tenant, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda tenant: (-(amount * weights[tenant] % total), tenant))
    for tenant in by_remainder[: amount - sum(shares.values())]:
        shares[tenant] += 1
    return shares


def _organisations(case: Case) -> tuple[OrganisationId, ...]:
    """Whose people: the holder, and for a board those who take part (R14, R15)."""
    holder = case.holder.organisation_id
    if case.holder.kind is not OrganisationKind.BOARD:
        return (holder,)
    schools = [school for school in participants_of(holder, case.context) if school != holder]
    has_own = bool(case.context.bindings.get(holder))
    return (holder, *schools) if has_own else tuple(schools)


def _steadiest(bindings: Sequence[Binding], wanted: TenantId | None) -> Binding | None:
    """The hinted tenant's, else one that is no transition, else the newest."""

    def rank(binding: Binding) -> tuple[bool, bool, date, str]:
        return binding.tenant_id == wanted, not binding.is_transition, binding.valid_from, binding.binding_id

    return max(bindings, key=rank, default=None)


def _licences_of(case: Case) -> list[VolumeLicence]:
    parties = {case.holder.organisation_id, *_organisations(case)}
    return [licence for licence in case.context.records.volume_licences if licence.organisation_id in parties]


def _split(
    case: Case, seats: int, tenants: Mapping[TenantId, Sequence[OrganisationId]]
) -> Mapping[TenantId, int] | Halt:
    """Everything to the only tenant; else by the annual counts of the organisations in each, if all are known."""
    if len(tenants) == 1:
        return dict.fromkeys(tenants, seats)
    if case.article.is_named:
        return hold(Reason.SCOPE_UNDECIDABLE, missing="the tenant of each name")
    counts = case.context.records.annual_counts
    weights = {
        tenant: [_heads(case, one) for one in organisations if latest_count(counts, one) or not _is_holder(case, one)]
        for tenant, organisations in tenants.items()
    }
    known = {tenant: sum(n for n in numbers if n) for tenant, numbers in weights.items()}
    if any(None in numbers for numbers in weights.values()) or not sum(known.values()):
        return hold(Reason.SCOPE_UNDECIDABLE, missing="annual counts")
    return largest_remainder(seats, known)


def _heads(case: Case, organisation: OrganisationId) -> int | None:
    count = latest_count(case.context.records.annual_counts, organisation)
    return None if count is None else heads(count, case.article.audience)


def _is_holder(case: Case, organisation: OrganisationId) -> bool:
    """A board's own office may be without a count: it registers with its schools."""
    return organisation == case.holder.organisation_id
