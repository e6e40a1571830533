"""The store of campaigns: what was asked for, and where each of its tenants stands."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberKey, MemberState
from provisioning.domain.ids import CampaignId, OperationId
from provisioning.planning.campaign_readiness import Readiness
from provisioning.planning.campaign_turn import Progress


class CampaignStore(Protocol):
    """Campaigns and members move along the tables of `domain.campaign`, and only along those.

    Saving one where it is, with another reason for instance, is allowed. What would break the table raises
    TransitionError. Whoever moves members saves their campaign in the same transaction: its version is what tells one
    of two that the other was first.
    """

    def add(self, campaign: Campaign, members: Sequence[CampaignMember]) -> None:
        """Its tenants are known. Raises ConflictError when there is one with this id."""

    def find(self, campaign: CampaignId) -> Campaign | None: ...
    def get(self, campaign: CampaignId) -> Campaign: ...
    def list_by(self, states: Collection[CampaignState] = (), limit: int = 1000) -> list[Campaign]:
        """In these states, or all of them; oldest first."""

    def starting_with(self, prefix: str, limit: int = 3) -> list[CampaignId]:
        """Campaigns whose id begins so: people name them by their first characters."""

    def save(self, campaign: Campaign) -> Campaign:
        """Write where it stands if `version` is still ours, return it with the next version; else raise ConflictError.

        The definition stays as it was added. The database refuses an approval by whoever had a hand in it.
        """

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[CampaignId]:
        """Campaigns whose `due_at` has come, longest due first; it is moved to `again_at` for the next sweep."""

    def members(self, campaign: CampaignId, states: Collection[MemberState] = ()) -> list[CampaignMember]:
        """By wave and key; all of them, or those in these states."""

    def member_of(self, operation: OperationId) -> CampaignMember | None:
        """Whose work this operation is, or was last."""

    def save_members(self, campaign: CampaignId, members: Sequence[CampaignMember]) -> None:
        """State, reason, operation and counts of many at once, all or none; products and waves stay as they were.

        Raises InputError for whoever is not in the campaign.
        """

    def counts(self, campaign: CampaignId) -> dict[int, Counter[MemberState]]:
        """How many members of each wave are in which state."""

    def progress(self, campaign: CampaignId) -> dict[MemberKey, Progress]:
        """Where the operations of members stand that are at work or held."""

    def reasons(self, campaign: CampaignId) -> dict[MemberKey, Counter[str]]:
        """Of people whom the latest operation of each member left out: how many for which reason."""

    def note_readiness(self, campaign: CampaignId, found: Mapping[MemberKey, Readiness]) -> None:
        """What a look at each of them found, in place of what was found before."""

    def readiness(self, campaign: CampaignId) -> dict[MemberKey, Readiness]:
        """Of those that were looked at."""

    def claim_look(
        self, campaign: CampaignId, before: datetime, wall: datetime, until: datetime
    ) -> list[CampaignMember]:
        """Members that wait, of the tenant that was looked at longest ago, or never, if that was before `before`.

        It is nobody else's `until` then, in real time, or until what was found is noted. Empty when there is none.
        """

    def count_to_look(self, campaign: CampaignId, before: datetime) -> int:
        """Tenants with members that wait and that nobody looked at since."""
