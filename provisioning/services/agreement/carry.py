"""Our own part, once the seats are in the other tenant: the ledger follows, people get them, and what is left goes.

Everything in the caller's transaction, and each operation has one id however often it is begun.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import NAMESPACE_URL, uuid5

import msgspec

from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Article, Mappings
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OperationId, OrganisationId, SkuId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.domain.order import LedgerEntry
from provisioning.domain.records import MappingState, RecordKind
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.ticket import Ticket
from provisioning.planning.agreement_transfer import relocate
from provisioning.planning.agreement_watch import GRACE
from provisioning.planning.entitlements import in_force, root_of
from provisioning.planning.mapping_digest import current_row_digest
from provisioning.ports import Clock, UnitOfWork
from provisioning.services.agreement.parties import Parties, find_parties, held_by, licences_under, wish_in
from provisioning.services.customer_turn import await_customer_turn
from provisioning.services.transitions import created


class Share(msgspec.Struct, frozen=True):
    """What one holder has of one product."""

    holder: OrganisationId
    sku_id: SkuId
    article: Article


def carry_over(
    uow: UnitOfWork, ticket: Ticket, move: AgreementMove, mappings: Mappings, clock: Clock
) -> tuple[AgreementMove, list[Operation]]:
    """What was bought follows on the day the seats were seen, and so does where its License IDs are mapped."""
    now = clock.now()
    today = dutch_day(now)
    parties = find_parties(uow, ticket, move, today)
    if parties is None:
        return move, []
    await_customer_turn(uow, parties.holders, clock.wall())
    entries = relocate(
        held_by(uow, parties.holders), move.source, move.target, set(move.inventory.moving), today, ticket.cause
    )
    uow.ledger.append(entries)
    note_mapping(uow, ticket, MappingState.REMAPPED, now, move.target)
    uow.audit.record([_followed(ticket, move, entries, now)])
    operations = _serving(uow, ticket, move, parties, mappings, entries, now)
    carried = msgspec.structs.replace(
        move, moved_on=today, serving=tuple(one.operation_id for one in operations), next_look_at=now
    )
    return carried, operations


def note_mapping(
    uow: UnitOfWork, ticket: Ticket, state: MappingState, now: datetime, tenant: TenantId | None = None
) -> None:
    """What Microsoft is known to have done with the License IDs; the audit log keeps what was on record before."""
    wish = wish_in(ticket)
    for licence in licences_under(uow, wish.public_customer_number):
        following = msgspec.structs.replace(licence, mapping_state=state, tenant_id=tenant or licence.tenant_id)
        author = uow.records.author(RecordKind.VOLUME_LICENCE, licence.record_id)
        if uow.records.save([following], now, author):
            uow.audit.record(
                [
                    Event(
                        at=now,
                        actor=SYSTEM,
                        kind="licence.mapped",
                        organisation=licence.organisation_id,
                        tenant=following.tenant_id,
                        before=f"{licence.mapping_state or '-'} {licence.tenant_id or '-'}",
                        after=f"{state} {following.tenant_id or '-'}",
                        details={"ticket": ticket.ticket_id, "licence": licence.record_id},
                    )
                ]
            )


def begin_release(
    uow: UnitOfWork, ticket: Ticket, move: AgreementMove, mappings: Mappings, now: datetime
) -> tuple[AgreementMove, list[Operation]]:
    """Unchanged while somebody in the target is still being looked after.

    Where seats of others stay, or ours are in grace, the product still works in the source for whoever has it: there
    nobody loses it before everybody is served in the target (L3), and where the target's school assigns by itself we
    have read nobody back. A school that assigns by itself takes away by itself.
    """
    served = [uow.operations.get(one) for one in move.serving]
    if any(one.state not in OPERATION_ENDS for one in served):
        return move, []
    today = dutch_day(now)
    parties = find_parties(uow, ticket, move, today)
    moved = [entry for entry in held_by(uow, parties.holders if parties else ()) if entry.cause_ref == ticket.cause]
    shares = _shares([one for one in moved if one.tenant_id == move.target], mappings, today)
    unserved = _unserved(uow, move, served, shares, today)
    still_works = {*move.inventory.staying, *(one.sku_id for one in move.latest.source if one.status == GRACE)}
    organisations = _losing(uow, parties, move, today)
    operations = [
        _begin(uow, ticket, move.source, OperationKind.RELEASE, share, theirs, mappings, now)
        for share in shares
        if share.sku_id not in unserved & still_works and (theirs := _of(organisations, share, parties))
    ]
    released = msgspec.structs.replace(
        move,
        is_released=True,
        releasing=tuple(one.operation_id for one in operations),
        unserved=tuple(sorted(unserved)),
        next_look_at=now,
    )
    return released, operations


def _assigns(uow: UnitOfWork, tenant: TenantId, on: date) -> bool:
    """Whether we do, and not its school by itself."""
    return uow.tenants.policy_on(tenant, on).assignment_mode is not AssignmentMode.NONE


def _unserved(
    uow: UnitOfWork, move: AgreementMove, served: Sequence[Operation], shares: Sequence[Share], on: date
) -> set[SkuId]:
    """Products of which some holder's people were not all read back in the target."""
    done = [one for one in served if one.state is OperationState.COMPLETED] if _assigns(uow, move.target, on) else []
    whole = {(one.wish.holder_id, one.wish.sku_id) for one in done}
    return {one.sku_id for one in shares if (one.holder, one.sku_id) not in whole}


def _losing(uow: UnitOfWork, parties: Parties | None, move: AgreementMove, on: date) -> tuple[OrganisationId, ...]:
    """Whose people lose it in the source. Nobody is looked for where the tenant is another customer's."""
    if parties is None or move.is_withheld or not _assigns(uow, move.source, on):
        return ()
    return _bound(uow, parties, move.source, on)


def _serving(
    uow: UnitOfWork,
    ticket: Ticket,
    move: AgreementMove,
    parties: Parties,
    mappings: Mappings,
    entries: Sequence[LedgerEntry],
    now: datetime,
) -> list[Operation]:
    """One delivery for each holder and product. What was ordered for the target waits there on its own order."""
    today = dutch_day(now)
    organisations = _bound(uow, parties, move.target, today)
    arrived = [one for one in entries if one.tenant_id == move.target]
    return [
        _begin(uow, ticket, move.target, OperationKind.DELIVER, share, theirs, mappings, now)
        for share in _shares(arrived, mappings, today)
        if (theirs := _of(organisations, share, parties))
    ]


def _bound(uow: UnitOfWork, parties: Parties, tenant: TenantId, on: date) -> tuple[OrganisationId, ...]:
    return tuple(dict.fromkeys(one.organisation_id for one in parties.bindings_in(uow, tenant, on)))


def _of(organisations: Sequence[OrganisationId], share: Share, parties: Parties | None) -> tuple[OrganisationId, ...]:
    return tuple(one for one in organisations if parties and one in parties.served[share.holder])


def _shares(entries: Sequence[LedgerEntry], mappings: Mappings, on: date) -> list[Share]:
    """Base, extension and renewal of one product are one share, called by its base article."""
    shares: dict[tuple[OrganisationId, SkuId], Share] = {}
    for entry in in_force(entries, on):
        article = next((one for one in mappings.articles if one.code == entry.article_code), None)
        if article is not None and entry.sku_id is not None and entry.delta > 0:
            base = next((one for one in mappings.articles if one.code == root_of(article)), article)
            shares.setdefault((entry.holder_id, entry.sku_id), Share(entry.holder_id, entry.sku_id, base))
    return list(shares.values())


def _begin(
    uow: UnitOfWork,
    ticket: Ticket,
    tenant: TenantId,
    kind: OperationKind,
    share: Share,
    organisations: tuple[OrganisationId, ...],
    mappings: Mappings,
    now: datetime,
) -> Operation:
    name = f"{kind}:{ticket.ticket_id}/{tenant}/{share.holder}/{share.sku_id}"
    operation_id = OperationId(str(uuid5(NAMESPACE_URL, name)))
    begun = uow.operations.find(operation_id)
    if begun is not None:
        return begun
    operation = Operation(
        operation_id=operation_id,
        kind=kind,
        tenant_id=tenant,
        lane=Lane.BULK,
        state=OperationState.NEW,
        wish=_wish(share, organisations, kind, mappings),
        requested_by=ticket.requested_by,
        created_at=now,
        entered_at=now,
        due_at=now,
    )
    uow.operations.add(operation)
    uow.audit.record([created(operation, {"ticket": ticket.ticket_id})])
    return operation


def _wish(share: Share, organisations: tuple[OrganisationId, ...], kind: OperationKind, mappings: Mappings) -> Wish:
    article = share.article
    is_delivery = kind is OperationKind.DELIVER
    return Wish(
        sku_id=share.sku_id,
        audience=article.audience,
        article_code=article.code,
        replaces=article.replaces if is_delivery else frozenset(),
        holder_id=share.holder,
        organisations=organisations,
        seats_wanted=0,  # the seats were seen, and nobody waits for more
        mapping_digest=current_row_digest(article.code, share.sku_id, mappings) or "",
    )


def _followed(ticket: Ticket, move: AgreementMove, entries: Sequence[LedgerEntry], now: datetime) -> Event:
    return Event(
        at=now,
        actor=SYSTEM,
        kind="entitlement.relocated",
        organisation=ticket.organisation_id,
        tenant=move.target,
        after=str(sum(one.delta for one in entries if one.delta > 0)),
        details={"ticket": ticket.ticket_id},
    )
