"""What a ticket can wish, kind by kind; how much of it is there yet, and whom it is about."""

from collections.abc import Mapping
from datetime import date
from typing import cast, get_args

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import OrganisationId, SkuId
from provisioning.domain.ticket import TicketKind


class ChangeSku(msgspec.Struct, frozen=True, kw_only=True, tag="change_sku"):
    """`along`: add-ons that rest on the old product, and what each becomes in the same call (itself: it stays)."""

    organisations: tuple[OrganisationId, ...]  # whose people
    from_sku: SkuId
    to_sku: SkuId
    audience: Audience | None = None  # None: the new product's own
    along: dict[SkuId, SkuId] = {}
    starts_on: date | None = None


class RemapHolder(msgspec.Struct, frozen=True, kw_only=True, tag="remap_holder"):
    """Another organisation holds the licences from a day on; the people, the tenant and the product stay."""

    from_holders: tuple[OrganisationId, ...]
    to_holder: OrganisationId
    sku_id: SkuId | None = None  # None: all they hold
    agreement_id: str | None = None  # of the new holder; None: the only one that runs
    effective_on: date | None = None  # None: the day the ticket came in


class RemapAgreement(msgspec.Struct, frozen=True, kw_only=True, tag="remap_agreement"):
    """Microsoft moves whole agreements to another tenant (M1). `seats`: somebody wants a part of them only (S31).

    `staying_behind`: people who have the licence in the old tenant and need none in the new one.
    """

    public_customer_number: str
    licence_ids: tuple[str, ...]
    from_tenant: str
    to_tenant: str
    seats: int | None = None
    staying_behind: int = 0


class MoveSchool(msgspec.Struct, frozen=True, kw_only=True, tag="move_school"):
    """`people`: a selector over the old tenant. `products`: what they hold: what each becomes (itself: it stays)."""

    school: OrganisationId
    to_board: OrganisationId
    from_tenant: str
    to_tenant: str
    people: str
    products: dict[SkuId, SkuId]
    moves_on: date | None = None


class Rebind(msgspec.Struct, frozen=True, kw_only=True, tag="rebind"):
    """Without `selectors` those of the present binding go along; the others stay beside the given ones."""

    organisation: OrganisationId
    tenant: str
    selectors: dict[Audience, str] = {}
    valid_from: date | None = None


class ServicePlanPolicy(msgspec.Struct, frozen=True, kw_only=True, tag="service_plan_policy"):
    """Service plans by name that a school wants off, or on again, in one product of its tenant."""

    tenant: str
    sku_id: SkuId
    off: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    valid_from: date | None = None


TicketWish = ChangeSku | RemapHolder | RemapAgreement | MoveSchool | Rebind | ServicePlanPolicy

WISHES: Mapping[TicketKind, type[msgspec.Struct]] = {
    TicketKind(str(struct.__struct_config__.tag)): struct for struct in get_args(TicketWish)
}


def missing_in(kind: TicketKind, given: Mapping[str, object], requester: str | None) -> tuple[str, ...]:
    """Everything that has to be asked back, in the order of the fields."""
    fields = [field.name for field in msgspec.structs.fields(WISHES[kind]) if field.required]
    missing = [name for name in fields if not given.get(name)]
    if kind is TicketKind.SERVICE_PLAN_POLICY and not given.get("off") and not given.get("on"):
        missing.append("off")
    return tuple(missing if requester else ["requester", *missing])


def wish_of(kind: TicketKind, given: Mapping[str, object]) -> TicketWish:
    """The typed wish of a ticket in which nothing is missing. Raises msgspec.ValidationError otherwise."""
    return cast("TicketWish", msgspec.convert(dict(given) | {"type": kind.value}, WISHES[kind], strict=False))


def organisations_in(wish: TicketWish) -> tuple[OrganisationId, ...]:
    """Whose affairs the wish names itself."""
    match wish:
        case ChangeSku():
            return wish.organisations
        case RemapHolder():
            return (*wish.from_holders, wish.to_holder)
        case MoveSchool():
            return (wish.school, wish.to_board)
        case Rebind():
            return (wish.organisation,)
        case RemapAgreement() | ServicePlanPolicy():
            return ()
