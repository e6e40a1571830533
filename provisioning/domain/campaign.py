"""A campaign: one remap for many tenants, first a few canaries, then widening waves, with a budget for errors."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import TransitionError
from provisioning.domain.ids import Actor, CampaignId, SkuId


class CampaignState(StrEnum):
    NEW = "new"  # tenants are chosen; readiness is being looked at
    APPROVED = "approved"  # by a second person, over exactly this list and these rules
    RUNNING = "running"
    PAUSED = "paused"  # by a person
    STOPPED = "stopped"  # by its error budget: a person looks before it goes on
    COMPLETED = "completed"  # every tenant has ended, the leftovers listed with reasons; an end
    CALLED_OFF = "called_off"  # what was begun is read back, the rest stays as it is; an end


class MemberState(StrEnum):
    """Where one tenant stands in a campaign."""

    WAITING = "waiting"  # for its wave
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partially_completed"  # some people are left, with reasons
    FAILED = "failed"
    HELD = "held"  # its operation waits for a person
    EXCLUDED = "excluded"  # by a person, with a reason


_C, _M = CampaignState, MemberState

CAMPAIGN_TRANSITIONS: Mapping[CampaignState, frozenset[CampaignState]] = {
    _C.NEW: frozenset({_C.APPROVED, _C.CALLED_OFF}),
    _C.APPROVED: frozenset({_C.NEW, _C.RUNNING, _C.CALLED_OFF}),  # NEW: its list or rules changed, the approval is void
    _C.RUNNING: frozenset({_C.PAUSED, _C.STOPPED, _C.COMPLETED, _C.CALLED_OFF}),
    _C.PAUSED: frozenset({_C.RUNNING, _C.CALLED_OFF}),
    _C.STOPPED: frozenset({_C.RUNNING, _C.CALLED_OFF}),
    _C.COMPLETED: frozenset({_C.RUNNING}),  # leftovers are tried again
    _C.CALLED_OFF: frozenset(),
}

MEMBER_TRANSITIONS: Mapping[MemberState, frozenset[MemberState]] = {
    _M.WAITING: frozenset({_M.RUNNING, _M.EXCLUDED}),
    _M.RUNNING: frozenset({_M.COMPLETED, _M.PARTIALLY_COMPLETED, _M.FAILED, _M.HELD, _M.EXCLUDED}),
    _M.HELD: frozenset({_M.RUNNING, _M.COMPLETED, _M.PARTIALLY_COMPLETED, _M.FAILED, _M.EXCLUDED}),
    _M.PARTIALLY_COMPLETED: frozenset({_M.WAITING}),
    _M.FAILED: frozenset({_M.WAITING, _M.EXCLUDED}),
    _M.COMPLETED: frozenset(),
    _M.EXCLUDED: frozenset({_M.WAITING}),
}

CAMPAIGN_ENDS = frozenset({_C.COMPLETED, _C.CALLED_OFF})
MEMBER_ENDS = frozenset({_M.COMPLETED, _M.PARTIALLY_COMPLETED, _M.FAILED, _M.EXCLUDED})


def advance_campaign(current: CampaignState, following: CampaignState) -> CampaignState:
    """Return the following state, or raise TransitionError when the table does not allow it."""
    if following not in CAMPAIGN_TRANSITIONS[current]:
        raise TransitionError(f"CampaignState may not go from {current} to {following}")
    return following


def advance_member(current: MemberState, following: MemberState) -> MemberState:
    """As `advance_campaign`, for one tenant of it."""
    if following not in MEMBER_TRANSITIONS[current]:
        raise TransitionError(f"MemberState may not go from {current} to {following}")
    return following


class CampaignPair(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds `from_sku` gets `to_sku`. `along`: add-ons that rest on it, and what each becomes in the same call."""

    from_sku: SkuId
    to_sku: SkuId
    audience: Audience = Audience.ANY
    along: dict[SkuId, SkuId] = {}


class CampaignApproval(msgspec.Struct, frozen=True, kw_only=True):
    """What a second person let happen: this list, by these rules, with these products. Plans within it need no other.

    `mapping`: digest of the mappings when it was given. `losses`: the kinds of loss that the approver was shown, as
    `planning.losses.kinds_of` names them; a plan with any other is asked for by itself.
    """

    campaign_id: CampaignId
    approved_by: Actor
    approved_at: datetime
    digest: str
    mapping: str
    pairs: tuple[CampaignPair, ...]
    valid_until: datetime
    losses: frozenset[str] = frozenset()
