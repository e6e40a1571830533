"""A campaign: one remap for many tenants, first a few canaries, then widening waves, with a budget for errors."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import TransitionError
from provisioning.domain.ids import Actor, CampaignId, OperationId, OrganisationId, SkuId, TenantId
from provisioning.domain.migration import Window
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode


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
    _M.WAITING: frozenset({_M.RUNNING, _M.EXCLUDED, _M.FAILED}),  # FAILED: it could not even begin
    _M.RUNNING: frozenset({_M.COMPLETED, _M.PARTIALLY_COMPLETED, _M.FAILED, _M.HELD, _M.EXCLUDED}),
    _M.HELD: frozenset({_M.RUNNING, _M.COMPLETED, _M.PARTIALLY_COMPLETED, _M.FAILED, _M.EXCLUDED}),
    _M.PARTIALLY_COMPLETED: frozenset({_M.WAITING}),  # whoever is left is tried again
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
    """Who holds `from_sku` gets `to_sku`. `along`: add-ons that rest on it, and what each becomes in the same call.

    `from_table`: the remap table says so on the day the campaign begins, and its exceptions for boards hold.
    """

    from_sku: SkuId
    to_sku: SkuId
    audience: Audience = Audience.ANY
    along: dict[SkuId, SkuId] = {}
    from_table: bool = False


class SelectedBy(StrEnum):
    """How the tenants of a campaign are found."""

    MAPPING = "mapping"  # every holder in the ledger of a product that goes
    AGREEMENT = "agreement"  # those of them who take part in one of these agreements
    LIST = "list"  # these tenants and organisations, whether the ledger knows them or not


class CampaignSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a campaign is for. `excluded`: tenants and organisations that are left out, each with why."""

    by: SelectedBy
    agreements: tuple[str, ...] = ()
    tenants: tuple[TenantId, ...] = ()
    organisations: tuple[OrganisationId, ...] = ()
    excluded: dict[str, str] = {}


# What stops a campaign at the first tenant, whatever the shares say: somebody may have lost a service, somebody else
# writes at the same time, or we may not be there.
ALWAYS_STOPS = frozenset(
    {
        Reason.LICENCE_NOT_HELD,
        Reason.NOT_AS_WE_LEFT,
        Reason.TOO_MANY_CHANGED,
        Reason.GROUP_CHANGED,
        Reason.FIRST_FIVE_FAILED,
        Reason.CONSENT_REVOKED,
        Reason.CREDENTIAL_REJECTED,
        Reason.APPLICATION_INCIDENT,
    }
)


class ErrorBudget(msgspec.Struct, frozen=True, kw_only=True):
    """Shares (0 to 1) of a wave's tenants and people that may fail before the campaign stops by itself."""

    tenants: float = 0.02
    people: float = 0.02
    always: frozenset[Reason] = ALWAYS_STOPS


class CampaignDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What the file asked for. Frozen with the campaign."""

    name: str
    asked_by: str  # who decided this: a reference, no name
    why: str  # in plain words, for the boards
    pairs: tuple[CampaignPair, ...]
    selection: CampaignSelection
    begins_at: datetime
    window: Window = Window()
    canaries: int = 10  # tenants
    widening: float = 3.0  # each wave is so many times the one before
    budget: ErrorBudget = ErrorBudget()


class CampaignApproval(msgspec.Struct, frozen=True, kw_only=True):
    """What a second person let happen: this list, by these rules, with these products. Plans within it need no other.

    `mapping`: digest of the mapping rows that it rests on. `losses`: the kinds of loss that the approver was shown, as
    `planning.losses.kinds_of` names them; a plan with any other is asked for by itself. A campaign that stands still
    lends its approval to nobody.
    """

    campaign_id: CampaignId
    approved_by: Actor
    approved_at: datetime
    digest: str
    mapping: str
    authors: tuple[Actor, ...] = ()  # of the mappings, who may not have given it
    pairs: tuple[CampaignPair, ...]
    valid_until: datetime
    losses: frozenset[str] = frozenset()


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """`digest`: of definition, list and waves. `due_at`: when the sweep looks at it again."""

    campaign_id: CampaignId
    definition: CampaignDefinition
    digest: str
    state: CampaignState
    reason: Reason | None = None
    told: str = ""  # why, as a person or the budget said it last
    requested_by: Actor
    approval: CampaignApproval | None = None
    started_by: Actor | None = None
    created_at: datetime
    entered_at: datetime
    due_at: datetime | None = None
    version: int = 0

    @property
    def is_over(self) -> bool:
        return self.state in CAMPAIGN_ENDS


class MemberKey(msgspec.Struct, frozen=True, order=True):
    """One holder's people with one product in one tenant."""

    tenant_id: TenantId
    holder_id: OrganisationId
    from_sku: SkuId


class CampaignMember(msgspec.Struct, frozen=True, kw_only=True):
    """One holder's people with one product in one tenant: one operation.

    `people`: how many hold it, by the ledger until somebody looked. `right`, `left` and `failed` count them by what
    the operation came to: served or in no need of it, waiting, went wrong. `is_seen`: a person saw what went wrong
    here and let the campaign go on, so the budget counts it no more. `hands`: who had whoever is left tried again; none
    of them approves what comes of that.
    """

    campaign_id: CampaignId
    tenant_id: TenantId
    holder_id: OrganisationId
    from_sku: SkuId
    to_sku: SkuId
    board_id: OrganisationId
    wave: int  # 0 are the canaries
    mode: AssignmentMode = AssignmentMode.DIRECT  # how its tenant licensed when the waves were drawn
    state: MemberState = MemberState.WAITING
    reason: Reason | None = None
    told: str = ""  # why it is excluded
    operation_id: OperationId | None = None
    people: int = 0
    right: int = 0
    left: int = 0
    failed: int = 0
    is_seen: bool = False
    hands: tuple[Actor, ...] = ()
    entered_at: datetime

    @property
    def key(self) -> MemberKey:
        return MemberKey(self.tenant_id, self.holder_id, self.from_sku)
