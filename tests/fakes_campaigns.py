"""The store of campaigns in memory, for services; the real one has its own tests."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from provisioning.domain.campaign import (
    Campaign,
    CampaignMember,
    CampaignState,
    MemberKey,
    MemberState,
    advance_campaign,
    advance_member,
)
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import CampaignId, OperationId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.operation import Operation, SubjectRecord
from provisioning.planning.campaign_readiness import Readiness
from provisioning.planning.campaign_turn import Progress

_LEFT = {SubjectState.WAITING, SubjectState.REFUSED, SubjectState.FAILED, SubjectState.CHANGED_MEANWHILE}
_AT_WORK = {MemberState.RUNNING, MemberState.HELD}


class Rows(Protocol):
    """What a fake database has to hold."""

    campaigns: dict[CampaignId, Campaign]
    members: dict[tuple[CampaignId, MemberKey], CampaignMember]
    looks: dict[tuple[CampaignId, MemberKey], Readiness]
    looking: dict[tuple[CampaignId, TenantId], datetime]
    operations: dict[OperationId, Operation]
    subjects: list[SubjectRecord]


class MemoryCampaigns:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def add(self, campaign: Campaign, members: Sequence[CampaignMember]) -> None:
        if campaign.campaign_id in self.rows.campaigns:
            raise ConflictError("The campaign exists already.")
        self.rows.campaigns[campaign.campaign_id] = campaign
        self.rows.members |= {(one.campaign_id, one.key): one for one in members}

    def find(self, campaign: CampaignId) -> Campaign | None:
        return self.rows.campaigns.get(campaign)

    def get(self, campaign: CampaignId) -> Campaign:
        found = self.find(campaign)
        if found is None:
            raise InputError(f"There is no campaign {campaign}.")
        return found

    def list_by(self, states: Collection[CampaignState] = (), limit: int = 1000) -> list[Campaign]:
        found = [one for one in self.rows.campaigns.values() if not states or one.state in states]
        return sorted(found, key=lambda one: (one.created_at, one.campaign_id))[:limit]

    def starting_with(self, prefix: str, limit: int = 3) -> list[CampaignId]:
        return sorted(each for each in self.rows.campaigns if each.startswith(prefix))[:limit]

    def save(self, campaign: Campaign) -> Campaign:
        present = self.get(campaign.campaign_id)
        if present.version != campaign.version:
            raise ConflictError("The campaign changed since it was read.")
        if present.state is not campaign.state:
            advance_campaign(present.state, campaign.state)
        given = campaign.approval
        assert given is None or given.approved_by not in {campaign.requested_by, *given.authors}, "four eyes"
        saved = msgspec.structs.replace(campaign, version=campaign.version + 1, definition=present.definition)
        self.rows.campaigns[campaign.campaign_id] = saved
        return saved

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[CampaignId]:
        due = [(one.due_at, one) for one in self.rows.campaigns.values() if one.due_at and one.due_at <= now]
        claimed = [one for _, one in sorted(due, key=lambda row: (row[0], row[1].campaign_id))[:limit]]
        for one in claimed:
            self.rows.campaigns[one.campaign_id] = msgspec.structs.replace(one, due_at=again_at)
        return [one.campaign_id for one in claimed]

    def members(self, campaign: CampaignId, states: Collection[MemberState] = ()) -> list[CampaignMember]:
        found = [one for (of, _), one in self.rows.members.items() if of == campaign]
        return sorted((x for x in found if not states or x.state in states), key=lambda one: (one.wave, one.key))

    def member_of(self, operation: OperationId) -> CampaignMember | None:
        return next((one for one in self.rows.members.values() if one.operation_id == operation), None)

    def save_members(self, campaign: CampaignId, members: Sequence[CampaignMember]) -> None:
        for one in members:
            present = self.rows.members.get((campaign, one.key))
            if present is None:
                raise InputError("The tenant is not in the campaign.")
            if present.state is not one.state:
                advance_member(present.state, one.state)
            self.rows.members[campaign, one.key] = one

    def counts(self, campaign: CampaignId) -> dict[int, Counter[MemberState]]:
        counted: dict[int, Counter[MemberState]] = {}
        for one in self.members(campaign):
            counted.setdefault(one.wave, Counter())[one.state] += 1
        return counted

    def progress(self, campaign: CampaignId) -> dict[MemberKey, Progress]:
        return {one.key: self._progress(one) for one in self.members(campaign, _AT_WORK)}

    def reasons(self, campaign: CampaignId) -> dict[MemberKey, Counter[str]]:
        found: dict[MemberKey, Counter[str]] = {}
        for one in self.members(campaign):
            left = [x.reason for x in self._people(one) if x.state in _LEFT and x.reason]
            if left:
                found[one.key] = Counter(left)
        return found

    def note_readiness(self, campaign: CampaignId, found: Mapping[MemberKey, Readiness]) -> None:
        self.rows.looks |= {(campaign, key): look for key, look in found.items()}
        for key, look in found.items():
            self.rows.looking.pop((campaign, key.tenant_id), None)
            member = self.rows.members[campaign, key]
            self.rows.members[campaign, key] = msgspec.structs.replace(member, people=look.people or member.people)

    def readiness(self, campaign: CampaignId) -> dict[MemberKey, Readiness]:
        return {key: look for (of, key), look in self.rows.looks.items() if of == campaign}

    def claim_look(
        self, campaign: CampaignId, before: datetime, wall: datetime, until: datetime
    ) -> list[CampaignMember]:
        free = [one for one in self._unlooked(campaign, before) if self.rows.looking.get((campaign, one), wall) <= wall]
        if not free:
            return []
        self.rows.looking[campaign, free[0]] = until
        return [one for one in self.members(campaign, {MemberState.WAITING}) if one.tenant_id == free[0]]

    def count_to_look(self, campaign: CampaignId, before: datetime) -> int:
        return len(self._unlooked(campaign, before))

    def _unlooked(self, campaign: CampaignId, before: datetime) -> list[TenantId]:
        looks = self.readiness(campaign)
        old = {
            one.tenant_id
            for one in self.members(campaign, {MemberState.WAITING})
            if one.key not in looks or looks[one.key].checked_at < before
        }
        return sorted(old)

    def _people(self, member: CampaignMember) -> list[SubjectRecord]:
        return [one for one in self.rows.subjects if one.operation_id == member.operation_id]

    def _progress(self, member: CampaignMember) -> Progress:
        assert member.operation_id is not None, "who is at work has an operation"
        operation, people = self.rows.operations[member.operation_id], self._people(member)
        wrong = {one.reason for one in people if one.reason and one.state in _LEFT - {SubjectState.WAITING}}
        return Progress(
            state=operation.state,
            reason=operation.reason,
            people=Counter(one.state for one in people),
            wrong=frozenset(wrong),
        )
