"""Where campaigns stand: all of them in a list, one with its waves and its night, its readiness, and its tenants."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberKey, MemberState
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import NotFoundError
from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner
from provisioning.planning.campaign_forecast import Load, Opening, WaveForecast, Writes, foretell_night
from provisioning.planning.campaign_readiness import Readiness
from provisioning.planning.campaign_report import CampaignReport, Names, draw_report
from provisioning.planning.campaign_turn import Spent, spent_in
from provisioning.planning.quota import Sizes
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.approve_campaign import why_not_standing
from provisioning.services.campaign_deeds import get_campaign

_M = MemberState
_GOING = frozenset({_M.WAITING, _M.RUNNING, _M.HELD})


class CampaignRow(msgspec.Struct, frozen=True, kw_only=True):
    campaign: Campaign
    members: dict[MemberState, int]


class WaveRow(msgspec.Struct, frozen=True, kw_only=True):
    wave: int
    members: dict[MemberState, int]
    people: int
    right: int
    left: int
    failed: int
    spent: Spent


class ReadinessSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Of members that wait. `by_reason`: what is in the way, and in how many of them."""

    ready: int
    unready: int
    never_looked_at: int
    oldest_look: datetime | None
    seats_short: int
    by_reason: dict[Reason, int]
    losses: tuple[str, ...]  # kinds of loss that plans would bring, as an approval names them


class CampaignSheet(msgspec.Struct, frozen=True, kw_only=True):
    """`void`: why its approval lets nothing happen, empty while it stands. `night`: of what is still to come."""

    campaign: Campaign
    void: str
    waves: list[WaveRow]
    readiness: ReadinessSummary
    night: tuple[WaveForecast, ...]
    done_at: datetime | None

    @property
    def is_over(self) -> bool:
        at_work = any(wave.members.get(_M.RUNNING) for wave in self.waves)
        return self.campaign.is_over and not at_work


class ReadinessRow(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of one member, or a member in whose way nothing is (`reason` None)."""

    tenant_id: TenantId
    domain: str
    holder_id: OrganisationId
    product: str
    wave: int
    checked_at: datetime | None
    reason: Reason | None
    is_blocking: bool
    owner: Owner | None
    people: int
    at_stake: int
    details: tuple[str, ...]


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    domain: str
    product: str
    member: CampaignMember


@dataclass(frozen=True, kw_only=True)
class ShowCampaigns:
    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings
    limits: Limits

    def __call__(self, states: Collection[CampaignState] = ()) -> list[CampaignRow]:
        """Campaigns in these states (any when none is given), oldest first."""
        with self.open_uow() as uow:
            return [_row(uow, campaign) for campaign in uow.campaigns.list_by(states)]

    def one(self, named: str) -> CampaignSheet:
        """The sheet of the campaign whose id begins so; raises InputError when there is none."""
        now = self.clock.now()
        with self.open_uow() as uow:
            campaign = get_campaign(uow, named)
            members = uow.campaigns.members(campaign.campaign_id)
            looks = uow.campaigns.readiness(campaign.campaign_id)
        night = self._night(campaign, members, looks, now)
        return CampaignSheet(
            campaign=campaign,
            void=why_not_standing(campaign, self.mappings, now),
            waves=_waves(campaign, members),
            readiness=_summary([one for one in members if one.state is _M.WAITING], looks),
            night=night,
            done_at=night[-1].done_at if night else None,
        )

    def report_for(self, identity: Identity, named: str, board: OrganisationId) -> CampaignReport:
        """To people, to a desk, which passes letters on, and to the board itself: by the whole id, as notices name it.

        Raises NotFoundError: to a client another's campaign is one that does not exist.
        """
        if identity.is_person:
            return self.report(named)
        is_their_own = Role.BOARD in identity.roles and identity.board_id == board
        with self.open_uow() as uow:
            found = uow.campaigns.starting_with(named) == [named]
        made = self.report(named) if found and (is_their_own or Role.DESK in identity.roles) else None
        if made is None or not any(one.board_id == board for one in made.members):
            raise NotFoundError(f"There is no campaign {named}.")
        return made

    def readiness(self, named: str, *, unready_only: bool = False) -> list[ReadinessRow]:
        """A list to work through: whoever would lose most first, then who was never looked at, then who is ready."""
        with self.open_uow() as uow:
            campaign = get_campaign(uow, named)
            members = uow.campaigns.members(campaign.campaign_id, [_M.WAITING])
            looks = uow.campaigns.readiness(campaign.campaign_id)
            names = _names(uow, self.mappings)
        ordered = sorted(members, key=lambda one: _urgency(one, looks.get(one.key)))
        rows = [row for one in ordered for row in _findings(one, looks.get(one.key), names)]
        return [row for row in rows if row.is_blocking] if unready_only else rows

    def members(self, named: str, states: Collection[MemberState] = ()) -> list[MemberRow]:
        """By wave and tenant; all of them, or those in these states."""
        with self.open_uow() as uow:
            campaign = get_campaign(uow, named)
            found = uow.campaigns.members(campaign.campaign_id, states)
            names = _names(uow, self.mappings)
        return [
            MemberRow(domain=names.tenants.get(one.tenant_id, one.tenant_id), product=_product(one, names), member=one)
            for one in found
        ]

    def report(self, named: str) -> CampaignReport:
        """What it came to, in any state; people are numbers in it, and nobody is named."""
        with self.open_uow() as uow:
            campaign = get_campaign(uow, named)
            return draw_report(
                campaign,
                uow.campaigns.members(campaign.campaign_id),
                uow.campaigns.reasons(campaign.campaign_id),
                _names(uow, self.mappings),
                self.clock.now(),
            )

    def _night(
        self,
        campaign: Campaign,
        members: Sequence[CampaignMember],
        looks: Mapping[MemberKey, Readiness],
        now: datetime,
    ) -> tuple[WaveForecast, ...]:
        loads = [_load(one, looks.get(one.key)) for one in members if one.state in _GOING]
        first = min((one.wave for one in members), default=0)
        canaries_left = any(one.state in _GOING for one in members if one.wave == first)
        opening = Opening(
            widening=campaign.definition.widening,
            at_once=self.limits.campaign_at_once,
            is_past_canaries=not canaries_left,
        )
        return foretell_night(loads, max(now, campaign.definition.begins_at), Sizes.of(self.limits), opening)


def _row(uow: UnitOfWork, campaign: Campaign) -> CampaignRow:
    counts: Counter[MemberState] = Counter()
    for some in uow.campaigns.counts(campaign.campaign_id).values():
        counts.update(some)
    return CampaignRow(campaign=campaign, members=dict(counts))


def _load(member: CampaignMember, look: Readiness | None) -> Load:
    """Of whom nobody looked at, a write for each seat of the ledger: a group would make it fewer, never more.

    What was begun needs so much less as it has brought people already.
    """
    writes = look.writes if look else Writes(clashing=member.people)
    done = member.right / member.people if member.people else 0.0
    left = Writes(**{name: round(getattr(writes, name) * (1 - done)) for name in Writes.__struct_fields__})
    return Load(tenant_id=member.tenant_id, wave=member.wave, people=member.people - member.right, writes=left)


def _waves(campaign: Campaign, members: Sequence[CampaignMember]) -> list[WaveRow]:
    spent = {one.wave: one for one in spent_in(members, campaign.definition.budget)}
    return [_wave_row([one for one in members if one.wave == wave], spent[wave]) for wave in sorted(spent)]


def _wave_row(members: Sequence[CampaignMember], spent: Spent) -> WaveRow:
    going = [one for one in members if one.state is not _M.EXCLUDED]
    return WaveRow(
        wave=spent.wave,
        members=dict(Counter(one.state for one in members)),
        people=sum(one.people for one in going),
        right=sum(one.right for one in going),
        left=sum(one.left for one in going),
        failed=sum(one.failed for one in going),
        spent=spent,
    )


def _summary(members: Sequence[CampaignMember], looks: Mapping[MemberKey, Readiness]) -> ReadinessSummary:
    seen = [looks[one.key] for one in members if one.key in looks]
    blocking = Counter(reason for look in seen for reason in {one.reason for one in look.findings if one.is_blocking})
    return ReadinessSummary(
        ready=sum(look.is_ready for look in seen),
        unready=sum(not look.is_ready for look in seen),
        never_looked_at=len(members) - len(seen),
        oldest_look=min((look.checked_at for look in seen), default=None),
        seats_short=sum(look.short for look in seen),
        by_reason=dict(blocking.most_common()),
        losses=tuple(sorted({kind for look in seen for kind in look.losses})),
    )


def _urgency(member: CampaignMember, look: Readiness | None) -> tuple[int, int, MemberKey]:
    if look is None:
        return 1, 0, member.key
    return (2 if look.is_ready else 0), -look.at_stake, member.key


def _findings(member: CampaignMember, look: Readiness | None, names: Names) -> list[ReadinessRow]:
    place = {
        "tenant_id": member.tenant_id,
        "domain": names.tenants.get(member.tenant_id, member.tenant_id),
        "holder_id": member.holder_id,
        "product": _product(member, names),
        "wave": member.wave,
    }
    nothing = msgspec.convert(
        {**place, "checked_at": look.checked_at if look else None, "reason": None, "is_blocking": False, "owner": None}
        | {"people": member.people, "at_stake": 0, "details": ()},
        ReadinessRow,
    )
    if look is None or not look.findings:
        return [nothing]
    return [
        msgspec.structs.replace(
            nothing,
            reason=one.reason,
            is_blocking=one.is_blocking,
            owner=one.owner,
            people=one.people or member.people,
            at_stake=look.at_stake,
            details=one.details,
        )
        for one in look.findings
    ]


def _product(member: CampaignMember, names: Names) -> str:
    old, new = (names.products.get(sku, sku) for sku in (member.from_sku, member.to_sku))
    return f"{old} → {new}"


def _names(uow: UnitOfWork, mappings: Mappings) -> Names:
    products: dict[SkuId, str] = {sku: known.name for sku, known in mappings.skus.items()}
    return Names(
        {one.tenant_id: one.initial_domain for one in uow.tenants.list_all()},
        {one.organisation_id: one.name for one in uow.organisations.list_all()},
        products,
    )
