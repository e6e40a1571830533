"""What is next in a campaign: where operations brought its tenants, who begins, when it stops by itself. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from provisioning.domain.campaign import (
    MEMBER_ENDS,
    Campaign,
    CampaignMember,
    CampaignState,
    ErrorBudget,
    MemberKey,
    MemberState,
    advance_campaign,
    advance_member,
)
from provisioning.domain.ids import TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode

_O, _M = OperationState, MemberState
_AT_WORK = frozenset({_M.RUNNING, _M.HELD})
_WENT_WRONG = (SubjectState.REFUSED, SubjectState.FAILED, SubjectState.CHANGED_MEANWHILE)
_RIGHT = (SubjectState.VERIFIED, SubjectState.ALREADY_RIGHT)
_CALLED_OFF = frozenset({Reason.CAMPAIGN_CALLED_OFF, Reason.EXCLUDED_FROM_CAMPAIGN})
_SETTLING = frozenset({_M.WAITING, _M.RUNNING})
_STATE_OF: Mapping[OperationState, MemberState] = {
    # what waits for a school, Microsoft or an approver may wait for weeks: it counts, and keeps nobody else waiting
    _O.AWAITING_CONSENT: _M.HELD,
    _O.AWAITING_SEATS: _M.HELD,
    _O.AWAITING_APPROVAL: _M.HELD,
    _O.HELD: _M.HELD,
    _O.COMPLETED: _M.COMPLETED,
    _O.PARTIALLY_COMPLETED: _M.PARTIALLY_COMPLETED,
    _O.FAILED: _M.FAILED,
    _O.CANCELLED: _M.FAILED,
}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a member's operation stands: its state and why, its people by state, and why of those it went wrong."""

    state: OperationState
    reason: Reason | None = None
    people: Mapping[SubjectState, int] = {}
    wrong: frozenset[Reason] = frozenset()


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How many operations of the campaign may be under way, and how many may begin in one look."""

    at_once: int
    in_a_look: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a turn is decided from. `is_open`: whether its window lets writes leave now."""

    campaign: Campaign
    members: tuple[CampaignMember, ...]
    progress: Mapping[MemberKey, Progress]
    pace: Pace
    is_open: bool
    now: datetime


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Where every tenant stands now, and who begins. Whoever begins is still where they were."""

    campaign: Campaign
    members: tuple[CampaignMember, ...]
    begins: tuple[CampaignMember, ...] = ()


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What one wave has used of its budget."""

    wave: int
    tenants: int
    people: int
    failed_tenants: int
    failed_people: int

    def is_beyond(self, budget: ErrorBudget) -> bool:
        """Strictly beyond: exactly the budget may be used up."""
        return self.failed_tenants > budget.tenants * self.tenants or self.failed_people > budget.people * self.people


def next_turn(standing: Standing) -> Turn:
    """Fold in what operations came to, stop when that is beyond the budget, then say who begins."""
    members = tuple(_folded(one, standing) for one in standing.members)
    campaign = _campaign(standing, members)
    goes_on = (
        campaign.state is CampaignState.RUNNING and standing.is_open and campaign.definition.begins_at <= standing.now
    )
    begins = tuple(_beginning(members, campaign.definition.widening, standing.pace)) if goes_on else ()
    return Turn(campaign=campaign, members=members, begins=begins)


def spent_in(members: Iterable[CampaignMember], budget: ErrorBudget) -> list[Spent]:
    """Wave by wave, of what nobody saw yet. Who was excluded counts nowhere."""
    taking = sorted((one for one in members if one.state is not _M.EXCLUDED), key=lambda one: (one.wave, one.key))
    return [_spent(wave, list(some), budget) for wave, some in groupby(taking, key=lambda one: one.wave)]


# ── tenants ──────────────────────────────────────────────────────────────────────────────────────────────


def _folded(member: CampaignMember, standing: Standing) -> CampaignMember:
    found = standing.progress.get(member.key) if member.state in _AT_WORK else None
    if found is None:
        return member
    counted = msgspec.structs.replace(
        member,
        right=sum(found.people.get(state, 0) for state in _RIGHT),
        left=found.people.get(SubjectState.WAITING, 0),
        failed=sum(found.people.get(state, 0) for state in _WENT_WRONG),
        people=max(member.people, sum(found.people.values())),
    )
    return _at(counted, _state_of(counted, found), found.reason, standing.now)


def _state_of(member: CampaignMember, found: Progress) -> MemberState:
    if found.state is _O.CANCELLED and found.reason in _CALLED_OFF:
        return _M.EXCLUDED
    state = _STATE_OF.get(found.state, _M.RUNNING)
    nobody = state is _M.PARTIALLY_COMPLETED and member.failed and not member.right
    return _M.FAILED if nobody else state


def _at(member: CampaignMember, state: MemberState, reason: Reason | None, now: datetime) -> CampaignMember:
    if state is member.state:
        return msgspec.structs.replace(member, reason=reason)
    return msgspec.structs.replace(member, state=advance_member(member.state, state), reason=reason, entered_at=now)


# ── the campaign ─────────────────────────────────────────────────────────────────────────────────────────


def _campaign(standing: Standing, members: Sequence[CampaignMember]) -> Campaign:
    campaign = standing.campaign
    if campaign.state is not CampaignState.RUNNING:
        return campaign
    if told := _why_stop(standing, members):
        return _to(campaign, CampaignState.STOPPED, Reason.CAMPAIGN_STOPPED, told, standing.now)
    if all(one.state in MEMBER_ENDS for one in members):
        return _to(campaign, CampaignState.COMPLETED, None, "", standing.now)
    return campaign


def _to(campaign: Campaign, state: CampaignState, reason: Reason | None, told: str, now: datetime) -> Campaign:
    moved = advance_campaign(campaign.state, state)
    return msgspec.structs.replace(campaign, state=moved, reason=reason, told=told, entered_at=now)


def _why_stop(standing: Standing, members: Sequence[CampaignMember]) -> str:
    """In a few words, empty when the campaign may go on."""
    budget = standing.campaign.definition.budget
    for one in members:
        if always := _always(one, standing.progress.get(one.key), budget):
            return f"{always} in tenant {one.tenant_id}"
    beyond = next((spent for spent in spent_in(members, budget) if spent.is_beyond(budget)), None)
    if beyond is None:
        return ""
    return (
        f"wave {beyond.wave}: {beyond.failed_tenants} of {beyond.tenants} tenants and {beyond.failed_people:,} of "
        f"{beyond.people:,} people failed; the budget is {budget.tenants:.1%} and {budget.people:.1%}"
    )


def _always(member: CampaignMember, found: Progress | None, budget: ErrorBudget) -> str:
    """The first reason that stops it at once, of the operation or of one of its people."""
    if member.is_seen or member.state is _M.EXCLUDED:
        return ""
    went_wrong = member.state in {_M.HELD, _M.FAILED}
    said = {member.reason} if went_wrong and member.reason else set[Reason]()
    said |= found.wrong if found else frozenset()
    return min(said & budget.always, default="")


def _spent(wave: int, members: Sequence[CampaignMember], budget: ErrorBudget) -> Spent:
    unseen = [one for one in members if not one.is_seen]
    return Spent(
        wave=wave,
        tenants=len({one.tenant_id for one in members}),
        people=sum(one.people for one in members),
        failed_tenants=len({one.tenant_id for one in unseen if _has_failed(one, budget)}),
        failed_people=sum(one.failed for one in unseen),
    )


def _has_failed(member: CampaignMember, budget: ErrorBudget) -> bool:
    """As a whole, or with more of its people than a wave may lose."""
    return member.state in {_M.FAILED, _M.HELD} or member.failed > budget.people * member.people


# ── who begins ───────────────────────────────────────────────────────────────────────────────────────────


def _beginning(members: Sequence[CampaignMember], widening: float, pace: Pace) -> list[CampaignMember]:
    """Whoever waits, wave by wave, as far as their wave is open. Who began before may always begin again.

    Whoever has several products or holders in one tenant is begun with one of them at a time: they would write to the
    same people.
    """
    going = [one for one in members if one.state is not _M.EXCLUDED]
    busy = {one.tenant_id for one in going if one.state in _AT_WORK}
    begun = {one.tenant_id for one in going if one.operation_id or one.state is not _M.WAITING}
    room = _room(going, begun, widening)
    ready: dict[TenantId, CampaignMember] = {}
    for one in sorted(going, key=lambda one: (one.wave, one.key)):
        if one.state is not _M.WAITING or one.tenant_id in busy | ready.keys():
            continue
        if one.tenant_id not in begun:
            if room[one.mode, one.wave] <= 0:
                continue
            room[one.mode, one.wave] -= 1
        ready[one.tenant_id] = one
    at_once = min(pace.in_a_look, pace.at_once - sum(one.state is _M.RUNNING for one in going))
    return list(ready.values())[: max(0, at_once)]


def _room(
    members: Sequence[CampaignMember], begun: set[TenantId], widening: float
) -> dict[tuple[AssignmentMode, int], int]:
    """How many more tenants of each mode and wave may begin.

    Canaries stand for tenants that license as they do: what a group brings takes Microsoft far longer than a write.
    Where none of a mode is among them, all of them are waited for.
    """
    first = min((one.wave for one in members), default=0)
    canaries = [one for one in members if one.wave == first]
    room: dict[tuple[AssignmentMode, int], int] = {}
    for mode in {one.mode for one in members}:
        own = [one for one in members if one.mode is mode]
        alike = own if any(one.wave == first for one in own) else [*canaries, *own]
        room |= {(mode, wave): number for wave, number in _room_by_wave(alike, begun, widening).items()}
    return room


def _room_by_wave(members: Sequence[CampaignMember], begun: set[TenantId], widening: float) -> dict[int, int]:
    """All canaries are waited for, once: those that are tried again keep nobody waiting. From then on each tenant that
    ended lets `widening` tenants of the next wave begin: a wave that waited for the slowest tenant of the one before
    would leave the quota idle meanwhile.
    """
    waves: dict[int, set[TenantId]] = {}
    for one in members:
        waves.setdefault(one.wave, set()).add(one.tenant_id)
    unsettled = _unsettled(members)
    room: dict[int, int] = {}
    before: set[TenantId] = set()
    for number, tenants in sorted(waves.items()):
        is_open = not before & unsettled or (len(room) == 1 and bool(tenants & begun))
        may = len(tenants) if is_open else int(widening * len(before - unsettled)) if len(room) > 1 else 0
        room[number] = may - len(tenants & begun)
        before = tenants
    return room


def _unsettled(members: Iterable[CampaignMember]) -> set[TenantId]:
    """A tenant that is held waits for a person and keeps no others waiting: the budget counts it."""
    listed = list(members)
    held = {one.tenant_id for one in listed if one.state is _M.HELD}
    return {one.tenant_id for one in listed if one.state in _SETTLING} - held
