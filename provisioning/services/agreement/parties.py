"""Whose agreements they are, between which tenants, and who is served by them: read in the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import cast

import msgspec

from provisioning.domain.agreement_move import WITHHELD, AgreementMove
from provisioning.domain.ids import OrganisationId, TenantId
from provisioning.domain.order import LedgerEntry
from provisioning.domain.records import Agreement, Declaration, Participant, RecordKind, VolumeLicence
from provisioning.domain.tenancy import Binding, OrganisationKind, Tenant
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import RemapAgreement, wish_of
from provisioning.planning.order_context import OrderRecords
from provisioning.planning.order_customer import participants_on
from provisioning.ports import UnitOfWork
from provisioning.services.boards import board_of


class Parties(msgspec.Struct, frozen=True, kw_only=True):
    """`holders` bought what moves; `served`: whose people have it, by holder."""

    source: Tenant
    target: Tenant
    holders: tuple[OrganisationId, ...]
    served: dict[OrganisationId, tuple[OrganisationId, ...]]
    is_withheld: bool = False

    @property
    def everybody(self) -> frozenset[OrganisationId]:
        """All organisations whose people have some of it."""
        return frozenset(one for theirs in self.served.values() for one in theirs)

    def bindings_in(self, uow: UnitOfWork, tenant: TenantId, on: date) -> list[Binding]:
        """Theirs, confirmed by somebody."""
        bound = uow.tenants.bindings_in(tenant, on)
        return [one for one in bound if one.organisation_id in self.everybody and one.is_confirmed]

    def strangers_in(self, uow: UnitOfWork, tenant: TenantId, on: date) -> list[Binding]:
        """Of other boards: whom both would claim is nobody's to decide about."""
        boards = {board_of(uow, one, on) for one in self.everybody}
        bound = uow.tenants.bindings_in(tenant, on)
        others = [one for one in bound if one.organisation_id not in self.everybody]
        return [one for one in others if board_of(uow, one.organisation_id, on) not in boards]


def wish_in(ticket: Ticket) -> RemapAgreement:
    """Of a ticket in which nothing is missing."""
    return cast("RemapAgreement", wish_of(ticket.kind, ticket.given))


def find_parties(uow: UnitOfWork, ticket: Ticket, move: AgreementMove | None, on: date) -> Parties | None:
    """None while a tenant is not known to us, or the old one is none of theirs: nobody learns of a stranger's.

    Of what was approved it is those of then, whatever became of records and domains since.
    """
    wish = wish_in(ticket)
    is_withheld, approved = wish.from_tenant == WITHHELD, move is not None and bool(move.holders)
    source = uow.tenants.find(move.source) if move and (is_withheld or approved) else find_tenant(uow, wish.from_tenant)
    target = uow.tenants.find(move.target) if move and approved else find_tenant(uow, wish.to_tenant)
    if source is None or target is None:
        return None
    bought = _holding(uow, ticket, wish, {source.tenant_id, target.tenant_id})
    holders = move.holders if move and approved else bought
    parties = Parties(
        source=source,
        target=target,
        holders=holders,
        served={holder: served_by(uow, holder, on) for holder in holders},
        is_withheld=is_withheld,
    )
    return parties if is_withheld or approved or _is_theirs(uow, parties, source.tenant_id, on) else None


def _is_theirs(uow: UnitOfWork, parties: Parties, tenant: TenantId, on: date) -> bool:
    """Whether one of them uses the tenant, or bought something for it."""
    bound = {one.organisation_id for one in uow.tenants.bindings_in(tenant, on)}
    bought = (entry.tenant_id for holder in parties.holders for entry in uow.ledger.list_by(holder))
    return bool(bound & parties.everybody) or tenant in bought


def _holding(
    uow: UnitOfWork, ticket: Ticket, wish: RemapAgreement, tenants: set[TenantId]
) -> tuple[OrganisationId, ...]:
    """Of those whose License IDs they are: whoever bought something for one of the two tenants."""
    known = holders_of(uow, licences_under(uow, wish.public_customer_number)) or (ticket.organisation_id,)
    return tuple(one for one in known if any(entry.tenant_id in tenants for entry in uow.ledger.list_by(one)))


def find_tenant(uow: UnitOfWork, named: str) -> Tenant | None:
    """By one of its domains, or its id."""
    return uow.tenants.find_by_domain(named) if "." in named else uow.tenants.find(TenantId(named))


def licences_under(uow: UnitOfWork, number: str) -> list[VolumeLicence]:
    """License IDs on record of a customer number."""
    known = cast("list[VolumeLicence]", uow.records.list_by(RecordKind.VOLUME_LICENCE))
    return [one for one in known if one.public_customer_number == number]


def holders_of(uow: UnitOfWork, licences: Sequence[VolumeLicence]) -> tuple[OrganisationId, ...]:
    """Who has these License IDs, and who holds the agreements that they belong to."""
    agreements = cast("list[Agreement]", uow.records.list_by(RecordKind.AGREEMENT)) if licences else []
    by_agreement = {one.record_id: one.organisation_id for one in agreements}
    own = [one.organisation_id for one in licences]
    theirs = [by_agreement[one.agreement_id] for one in licences if one.agreement_id in by_agreement]
    return tuple(dict.fromkeys([*own, *theirs]))


def served_by(uow: UnitOfWork, holder: OrganisationId, on: date) -> tuple[OrganisationId, ...]:
    """Whose people have what it bought: a board's own and those of its participants, a school's its own."""
    found = uow.organisations.find(holder)
    if found is None or found.kind is not OrganisationKind.BOARD:
        return (holder,)
    records = OrderRecords(
        declarations=tuple(cast("list[Declaration]", uow.records.list_by(RecordKind.DECLARATION, holder))),
        agreements=tuple(cast("list[Agreement]", uow.records.list_by(RecordKind.AGREEMENT, holder))),
        participants=tuple(cast("list[Participant]", uow.records.list_by(RecordKind.PARTICIPANT))),
    )
    return (holder, *participants_on(holder, records, uow.organisations.relations_of(holder, on), on))


def held_by(uow: UnitOfWork, holders: Iterable[OrganisationId]) -> list[LedgerEntry]:
    """All that is on record of what they bought."""
    return [entry for holder in dict.fromkeys(holders) for entry in uow.ledger.list_by(holder)]
