"""What a ticket asks, as the fields of one sentence: for its assessment. Pure; it names no people."""

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import OrganisationId, SkuId, TicketId
from provisioning.domain.ticket import TICKET_ENDS, Ticket, TicketKind, TicketState
from provisioning.domain.ticket_wishes import (
    ChangeSku,
    MoveSchool,
    Rebind,
    RemapAgreement,
    RemapHolder,
    ServicePlanPolicy,
    TicketWish,
)
from provisioning.planning.ticket_turn import Progress, Standing

_NONE = "–"


class AskedChange(msgspec.Struct, frozen=True, kw_only=True):
    """`named`: what the sentence of the kind fills in. `digest`: by which it is approved, of exactly what is told here.

    `notes`: codes of sentences that are read with it.
    """

    ticket_id: TicketId
    key: str
    kind: TicketKind
    state: TicketState
    named: dict[str, str]
    digest: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_decided(self) -> bool:
        """Whether it is carried out by now, or has ended."""
        return self.state in TICKET_ENDS or self.state in {TicketState.RUNNING, TicketState.AWAITING_MICROSOFT}


def asked_change(
    ticket: Ticket, wish: TicketWish, standing: Standing, names: Mapping[OrganisationId, str], mappings: Mappings
) -> AskedChange:
    """Its digest is there only while it waits for an approver, and is still of what lies ready."""
    is_same = standing.progress is Progress.DRAWN and standing.digest == ticket.digest
    waits = ticket.state is TicketState.AWAITING_APPROVAL and is_same
    return AskedChange(
        ticket_id=ticket.ticket_id,
        key=ticket.key,
        kind=ticket.kind,
        state=ticket.state,
        named=_Naming(names, mappings, dutch_day(ticket.created_at)).of(wish) | standing.counts,
        digest=ticket.digest if waits else None,
        notes=standing.notes,
    )


class _Naming:
    """Codes as people call them."""

    def __init__(self, names: Mapping[OrganisationId, str], mappings: Mappings, asked_on: date) -> None:
        self._names, self._mappings, self._asked_on = names, mappings, asked_on

    def of(self, wish: TicketWish) -> dict[str, str]:
        match wish:
            case ChangeSku():
                return {
                    "organisations": self._organisations(wish.organisations),
                    "old": self._product(wish.from_sku),
                    "new": self._product(wish.to_sku),
                }
            case RemapHolder():
                return {
                    "seats": "0",
                    "old": self._organisations(wish.from_holders),
                    "new": self._organisations([wish.to_holder]),
                    "day": self._day(wish.effective_on),
                }
            case RemapAgreement():
                numbers = ", ".join(wish.licence_ids)
                return {"numbers": numbers, "customer": wish.public_customer_number} | _tenants(wish)
            case MoveSchool():
                return {
                    "school": self._organisations([wish.school]),
                    "board": self._organisations([wish.to_board]),
                } | _tenants(wish)
            case Rebind():
                return {
                    "organisation": self._organisations([wish.organisation]),
                    "new": wish.tenant,
                    "day": self._day(wish.valid_from),
                }
            case ServicePlanPolicy():
                return {
                    "tenant": wish.tenant,
                    "product": self._product(wish.sku_id),
                    "off": ", ".join(wish.off) or _NONE,
                    "on": ", ".join(wish.on) or _NONE,
                    "day": self._day(wish.valid_from),
                }

    def _organisations(self, some: Iterable[OrganisationId]) -> str:
        return ", ".join(f"{self._names[one]} ({one})" if one in self._names else one for one in some)

    def _product(self, sku: SkuId) -> str:
        known = self._mappings.skus.get(sku)
        return known.name if known else sku

    def _day(self, day: date | None) -> str:
        return f"{day or self._asked_on:%d-%m-%Y}"


def _tenants(wish: RemapAgreement | MoveSchool) -> dict[str, str]:
    return {"old": wish.from_tenant, "new": wish.to_tenant}
