"""A campaign as a file asks for it: its tenants found and put in waves. Nothing is written to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from uuid import uuid4

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.campaign import (
    Campaign,
    CampaignDefinition,
    CampaignMember,
    CampaignState,
    MemberState,
    SelectedBy,
)
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.ids import CampaignId, OrganisationId, SkuId, TenantId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Agreement, Participant, RecordKind
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.campaign_selection import Chosen, Holding, RemapFor, choose, participants_in
from provisioning.planning.campaign_waves import Traits, waves_of
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.boards import board_of
from provisioning.services.campaign_deeds import deed, digest_of
from provisioning.services.lookup import get_organisation, get_tenant


class CreatedCampaign(msgspec.Struct, frozen=True, kw_only=True):
    campaign: Campaign
    tenants: int
    people: int  # by the ledger
    waves: tuple[int, ...]  # tenants of each, the canaries first
    left_out: int  # members that are listed and do not go


@dataclass(frozen=True, kw_only=True)
class CreateCampaign:
    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings
    remap_for: RemapFor

    def __call__(self, identity: Identity, asked: CampaignDefinition) -> CreatedCampaign:
        """`asked` names tenants and organisations as people do. Raises InputError for one that is not known, for a
        product that is not, and when nobody would go.
        """
        require(identity, Action.CREATE_CAMPAIGN)
        self._require_known(asked)
        now = self.clock.now()
        with self.open_uow() as uow:
            definition = _resolved(uow, asked)
            campaign, members = self._drawn(uow, identity, definition, now)
            uow.campaigns.add(campaign, members)
            uow.audit.record(
                [
                    deed(
                        "campaign.created",
                        campaign,
                        identity.actor,
                        now,
                        digest=campaign.digest,
                        members=str(len(members)),
                    )
                ]
            )
            uow.commit()
        return _created(campaign, members)

    def _require_known(self, asked: CampaignDefinition) -> None:
        for pair in asked.pairs:
            for sku in (pair.from_sku, pair.to_sku, *pair.along, *pair.along.values()):
                if sku not in self.mappings.skus:
                    raise InputError(f"Product {sku} is not in skus.csv; add it, or correct the campaign.")
            if self.mappings.skus[pair.to_sku].is_retired:
                raise InputError(f"{self.mappings.skus[pair.to_sku].name} is retired; nobody gets it any more.")

    def _drawn(
        self, uow: UnitOfWork, identity: Identity, definition: CampaignDefinition, now: datetime
    ) -> tuple[Campaign, list[CampaignMember]]:
        day = dutch_day(definition.begins_at)
        holdings = _holdings(uow, definition, dutch_day(now))
        chosen = choose(definition, holdings, day, self.remap_for, _takers(uow, definition, day))
        going = [one for one in chosen if not one.excluded]
        if not going:
            raise InputError("Nobody would go: no holder of these products is meant. Look at the campaign's selection.")
        traits = _traits(uow, definition, going, dutch_day(now))
        waves = waves_of(traits, definition.canaries, definition.widening)
        campaign_id = CampaignId(str(uuid4()))
        members = [_member(campaign_id, one, waves, traits, now) for one in chosen]
        campaign = Campaign(
            campaign_id=campaign_id,
            definition=definition,
            digest=digest_of(definition, [one for one in members if one.state is MemberState.WAITING]),
            state=CampaignState.NEW,
            requested_by=identity.actor,
            created_at=now,
            entered_at=now,
        )
        return campaign, members


def _resolved(uow: UnitOfWork, asked: CampaignDefinition) -> CampaignDefinition:
    """Tenants by id, organisations by code, also of those that are left out."""
    selection = asked.selection
    return msgspec.structs.replace(
        asked,
        selection=msgspec.structs.replace(
            selection,
            tenants=tuple(get_tenant(uow, one).tenant_id for one in selection.tenants),
            organisations=tuple(get_organisation(uow, one).organisation_id for one in selection.organisations),
            excluded={_named(uow, one): why for one, why in selection.excluded.items()},
        ),
    )


def _named(uow: UnitOfWork, named: str) -> str:
    is_tenant = "." in named or "-" in named
    return get_tenant(uow, named).tenant_id if is_tenant else get_organisation(uow, named).organisation_id


def _holdings(uow: UnitOfWork, definition: CampaignDefinition, today: date) -> list[Holding]:
    """Of the ledger, and, where a list names somebody whom it does not know, of who is bound there."""
    boards = cache(lambda organisation: board_of(uow, organisation, today))
    skus = [pair.from_sku for pair in definition.pairs]
    known = uow.ledger.holdings(skus, today)
    found = [
        Holding(tenant_id=tenant, holder_id=holder, board_id=boards(holder), sku_id=sku, seats=seats)
        for (holder, tenant, sku), seats in known.items()
    ]
    if definition.selection.by is not SelectedBy.LIST:
        return found
    served = {(one.tenant_id, one.board_id, one.sku_id) for one in found}
    more = [
        Holding(tenant_id=tenant, holder_id=holder, board_id=boards(holder), sku_id=sku, seats=0)
        for tenant, holder in _bound(uow, definition, today)
        for sku in skus
        if (tenant, boards(holder), sku) not in served
    ]
    return [*found, *more]


def _bound(uow: UnitOfWork, definition: CampaignDefinition, today: date) -> Iterator[tuple[TenantId, OrganisationId]]:
    """Each named tenant with the boards of it, and each named organisation with the tenants it uses."""
    for tenant in definition.selection.tenants:
        bound = {board_of(uow, one.organisation_id, today) for one in uow.tenants.bindings_in(tenant, today)}
        yield from ((tenant, board) for board in sorted(bound))
    for organisation in definition.selection.organisations:
        tenants = {one.tenant_id for one in uow.tenants.bindings_of(organisation, today)}
        yield from ((tenant, organisation) for tenant in sorted(tenants - set(definition.selection.tenants)))


def _takers(uow: UnitOfWork, definition: CampaignDefinition, day: date) -> frozenset[OrganisationId]:
    if definition.selection.by is not SelectedBy.AGREEMENT:
        return frozenset()
    agreements = [one for one in uow.records.list_by(RecordKind.AGREEMENT) if isinstance(one, Agreement)]
    unknown = set(definition.selection.agreements) - {one.record_id for one in agreements}
    if unknown:
        raise InputError(f"No agreement {', '.join(sorted(unknown))} is on record; `records import` brings them in.")
    taking = [one for one in uow.records.list_by(RecordKind.PARTICIPANT) if isinstance(one, Participant)]
    return participants_in(definition.selection.agreements, agreements, taking, day)


def _traits(
    uow: UnitOfWork, definition: CampaignDefinition, going: Sequence[Chosen], today: date
) -> dict[TenantId, Traits]:
    addons: set[SkuId] = {sku for pair in definition.pairs for sku in pair.along}
    with_addons = {tenant for _, tenant, _ in uow.ledger.holdings(sorted(addons), today)} if addons else set()
    people: dict[TenantId, int] = {}
    for one in going:
        people[one.holding.tenant_id] = people.get(one.holding.tenant_id, 0) + one.holding.seats
    return {
        tenant: Traits(
            people=seats,
            mode=uow.tenants.policy_on(tenant, today).assignment_mode,
            has_addons=tenant in with_addons,
        )
        for tenant, seats in people.items()
    }


def _member(
    campaign: CampaignId, one: Chosen, waves: dict[TenantId, int], traits: dict[TenantId, Traits], now: datetime
) -> CampaignMember:
    is_out, known = bool(one.excluded), traits.get(one.holding.tenant_id)
    return CampaignMember(
        campaign_id=campaign,
        tenant_id=one.holding.tenant_id,
        holder_id=one.holding.holder_id,
        from_sku=one.holding.sku_id,
        to_sku=one.to_sku,
        board_id=one.holding.board_id,
        wave=waves.get(one.holding.tenant_id, 0),
        mode=known.mode if known else AssignmentMode.DIRECT,
        state=MemberState.EXCLUDED if is_out else MemberState.WAITING,
        reason=Reason.LEFT_OUT if is_out else None,
        told=one.excluded,
        people=one.holding.seats,
        entered_at=now,
    )


def _created(campaign: Campaign, members: Sequence[CampaignMember]) -> CreatedCampaign:
    going = [one for one in members if one.state is MemberState.WAITING]
    waves: dict[int, set[TenantId]] = {}
    for one in going:
        waves.setdefault(one.wave, set()).add(one.tenant_id)
    return CreatedCampaign(
        campaign=campaign,
        tenants=len({one.tenant_id for one in going}),
        people=sum(one.people for one in going),
        waves=tuple(len(waves[number]) for number in sorted(waves)),
        left_out=len(members) - len(going),
    )
