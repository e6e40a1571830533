"""Campaigns and their members. As with operations, `due_at` is the only queue of record."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, func, insert, select, text, update

from provisioning.database.jsonb import as_rows
from provisioning.database.store import Store, columns_of, in_chunks, inserted, row_of
from provisioning.database.tables.campaigns import campaigns
from provisioning.database.tables.campaigns import members as member_rows
from provisioning.database.transitions import sources_or_itself
from provisioning.domain.campaign import (
    CAMPAIGN_TRANSITIONS,
    MEMBER_TRANSITIONS,
    Campaign,
    CampaignMember,
    CampaignState,
    MemberKey,
    MemberState,
    advance_campaign,
    advance_member,
)
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import CampaignId, OperationId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.planning.campaign_readiness import Readiness
from provisioning.planning.campaign_turn import Progress

_SOURCES = sources_or_itself(CAMPAIGN_TRANSITIONS)
_MEMBER_SOURCES = {str(state): sources for state, sources in sources_or_itself(MEMBER_TRANSITIONS).items()}
_STANDING = ("state", "reason", "told", "approval", "started_by", "entered_at", "due_at")
_MOVING = (
    "state",
    "reason",
    "told",
    "operation_id",
    "people",
    "right",
    "left",
    "failed",
    "is_seen",
    "hands",
    "entered_at",
)
_KEY = ("tenant_id", "holder_id", "from_sku")

_SAVE = text("""
    UPDATE campaign_members AS present
    SET state = given.state, reason = given.reason, told = given.told, operation_id = given.operation_id,
        people = given.people, "right" = given."right", "left" = given."left", failed = given.failed,
        is_seen = given.is_seen, hands = given.hands, entered_at = given.entered_at
    FROM json_to_recordset(CAST(:rows AS json)) AS given (tenant_id text, holder_id text, from_sku text, state text,
        reason text, told text, operation_id text, people integer, "right" integer, "left" integer, failed integer,
        is_seen boolean, hands text[], entered_at timestamptz, sources text[])
    WHERE present.campaign_id = :campaign AND present.tenant_id = given.tenant_id
      AND present.holder_id = given.holder_id AND present.from_sku = given.from_sku
      AND present.state = ANY (given.sources)""")

_NOTE = text("""
    UPDATE campaign_members AS present
    SET readiness = given.readiness, checked_at = given.checked_at, look_until = NULL,
        people = CASE WHEN given.people > 0 THEN given.people ELSE present.people END
    FROM json_to_recordset(CAST(:rows AS json)) AS given (tenant_id text, holder_id text, from_sku text,
        readiness jsonb, checked_at timestamptz, people integer)
    WHERE present.campaign_id = :campaign AND present.tenant_id = given.tenant_id
      AND present.holder_id = given.holder_id AND present.from_sku = given.from_sku""")

_PROGRESS = text("""
    SELECT member.tenant_id, member.holder_id, member.from_sku, operations.state, operations.reason,
           people.state AS standing, people.reason AS why, people.number
    FROM campaign_members AS member JOIN operations USING (operation_id)
    LEFT JOIN LATERAL (
        SELECT state, reason, count(*) AS number FROM operation_subjects
        WHERE operation_id = member.operation_id AND NOT is_group GROUP BY state, reason
    ) AS people ON true
    WHERE member.campaign_id = :campaign AND member.state IN ('running', 'held')""")

_REASONS = text("""
    SELECT member.tenant_id, member.holder_id, member.from_sku, people.reason, count(*) AS number
    FROM campaign_members AS member JOIN operation_subjects AS people USING (operation_id)
    WHERE member.campaign_id = :campaign AND people.reason IS NOT NULL AND NOT people.is_group
      AND people.state IN ('waiting', 'refused', 'failed', 'changed_meanwhile')
    GROUP BY member.tenant_id, member.holder_id, member.from_sku, people.reason""")

_WRONG = frozenset({SubjectState.REFUSED, SubjectState.FAILED, SubjectState.CHANGED_MEANWHILE})


class SqlCampaigns(Store):
    def add(self, campaign: Campaign, members: Sequence[CampaignMember]) -> None:
        self._connection.execute(insert(campaigns).values(row_of(campaign)))
        for some in in_chunks(members):
            self._connection.execute(inserted(member_rows, [row_of(one) for one in some]))

    def find(self, campaign: CampaignId) -> Campaign | None:
        return self._find(columns_of(campaigns, Campaign).where(campaigns.c.campaign_id == campaign), Campaign)

    def get(self, campaign: CampaignId) -> Campaign:
        found = self.find(campaign)
        if found is None:
            raise InputError(f"There is no campaign {campaign}.")
        return found

    def list_by(self, states: Collection[CampaignState] = (), limit: int = 1000) -> list[Campaign]:
        query = columns_of(campaigns, Campaign)
        query = query.where(campaigns.c.state.in_(states)) if states else query
        return self._list(query.order_by(campaigns.c.created_at, campaigns.c.campaign_id).limit(limit), Campaign)

    def starting_with(self, prefix: str, limit: int = 3) -> list[CampaignId]:
        return self._ids(campaigns.c.campaign_id, prefix, limit)

    def save(self, campaign: Campaign) -> Campaign:
        table = campaigns.c
        is_ours = (table.campaign_id == campaign.campaign_id) & (table.version == campaign.version)
        may_go = table.state.in_(_SOURCES[campaign.state])
        news = {name: getattr(campaign, name) for name in _STANDING} | {"version": campaign.version + 1}
        if not self._changed(update(campaigns).where(is_ours, may_go).values(news)):
            raise self._refused(campaign)
        return msgspec.structs.replace(campaign, version=campaign.version + 1)

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[CampaignId]:
        return self._claimed(campaigns.c.campaign_id, now, again_at, limit)

    def members(self, campaign: CampaignId, states: Collection[MemberState] = ()) -> list[CampaignMember]:
        conditions = [member_rows.c.state.in_(states)] if states else []
        return self._list(_listed(campaign, *conditions), CampaignMember)

    def member_of(self, operation: OperationId) -> CampaignMember | None:
        query = columns_of(member_rows, CampaignMember).where(member_rows.c.operation_id == operation)
        return self._find(query, CampaignMember)

    def save_members(self, campaign: CampaignId, members: Sequence[CampaignMember]) -> None:
        for some in in_chunks(members):
            bound = {"campaign": campaign, "rows": as_rows(map(_moving, some))}
            if self._changed(_SAVE, bound) != len(some):
                raise self._refused_members(campaign, some)

    def counts(self, campaign: CampaignId) -> dict[int, Counter[MemberState]]:
        table = member_rows.c
        query = select(table.wave, table.state, func.count()).where(table.campaign_id == campaign)
        counted: dict[int, Counter[MemberState]] = defaultdict(Counter)
        for wave, state, number in self._connection.execute(query.group_by(table.wave, table.state)):
            counted[wave][MemberState(state)] = number
        return dict(counted)

    def progress(self, campaign: CampaignId) -> dict[MemberKey, Progress]:
        rows: dict[MemberKey, list[dict[str, Any]]] = defaultdict(list)
        for row in self._rows(_PROGRESS, {"campaign": campaign}):
            rows[_key_of(row)].append(row)
        return {key: _progress_of(some) for key, some in rows.items()}

    def reasons(self, campaign: CampaignId) -> dict[MemberKey, Counter[str]]:
        counted: dict[MemberKey, Counter[str]] = defaultdict(Counter)
        for row in self._rows(_REASONS, {"campaign": campaign}):
            counted[_key_of(row)][row["reason"]] = row["number"]
        return dict(counted)

    def note_readiness(self, campaign: CampaignId, found: Mapping[MemberKey, Readiness]) -> None:
        rows = as_rows(
            {**msgspec.structs.asdict(key), "readiness": one, "checked_at": one.checked_at, "people": one.people}
            for key, one in found.items()
        )
        self._connection.execute(_NOTE, {"campaign": campaign, "rows": rows})

    def readiness(self, campaign: CampaignId) -> dict[MemberKey, Readiness]:
        table = member_rows.c
        query = select(*(table[name] for name in _KEY), table.readiness)
        query = query.where(table.campaign_id == campaign, table.readiness.is_not(None))
        return {_key_of(row): row["readiness"] for row in self._rows(query)}

    def claim_look(
        self, campaign: CampaignId, before: datetime, wall: datetime, until: datetime
    ) -> list[CampaignMember]:
        table = member_rows.c
        one_at_a_time = select(campaigns.c.campaign_id).where(campaigns.c.campaign_id == campaign)
        self._connection.execute(one_at_a_time.with_for_update(key_share=True))  # else two would take the same
        is_free = table.look_until.is_(None) | (table.look_until <= wall)
        query = _unlooked(campaign, before).where(is_free).order_by(_OLDEST, table.tenant_id).limit(1)
        tenant = self._connection.scalar(query)
        if tenant is None:
            return []
        self._connection.execute(
            update(member_rows).where(_waiting(campaign), table.tenant_id == tenant).values(look_until=until)
        )
        return self._list(_listed(campaign, _waiting(campaign), table.tenant_id == tenant), CampaignMember)

    def count_to_look(self, campaign: CampaignId, before: datetime) -> int:
        return self._connection.scalar(select(func.count()).select_from(_unlooked(campaign, before).subquery())) or 0

    def _refused(self, campaign: Campaign) -> ConflictError:
        present = self.get(campaign.campaign_id)
        if present.version == campaign.version:
            advance_campaign(present.state, campaign.state)
        return ConflictError(f"Campaign {campaign.campaign_id} changed since it was read. Read it again.")

    def _refused_members(self, campaign: CampaignId, wanted: Sequence[CampaignMember]) -> InputError | ConflictError:
        present = {one.key: one for one in self.members(campaign)}
        for one in wanted:
            if one.key not in present:
                return InputError(f"Tenant {one.tenant_id} is not in campaign {campaign} with this holder and product.")
            if present[one.key].state is not one.state:
                advance_member(present[one.key].state, one.state)
        return ConflictError(f"Campaign {campaign} changed since it was read. Read it again.")


_OLDEST = func.min(func.coalesce(member_rows.c.checked_at, func.to_timestamp(0)))


def _waiting(campaign: CampaignId) -> ColumnElement[bool]:
    return (member_rows.c.campaign_id == campaign) & (member_rows.c.state == MemberState.WAITING)


def _unlooked(campaign: CampaignId, before: datetime) -> Select[Any]:
    """Tenants that wait, of which some member was last looked at before then."""
    tenant = member_rows.c.tenant_id
    return select(tenant).where(_waiting(campaign)).group_by(tenant).having(before > _OLDEST)


def _listed(campaign: CampaignId, *conditions: ColumnElement[bool]) -> Select[Any]:
    table = member_rows.c
    query = columns_of(member_rows, CampaignMember).where(table.campaign_id == campaign, *conditions)
    return query.order_by(table.wave, table.tenant_id, table.holder_id, table.from_sku)


def _key_of(row: Mapping[str, Any]) -> MemberKey:
    return MemberKey(row["tenant_id"], row["holder_id"], row["from_sku"])


def _moving(member: CampaignMember) -> dict[str, Any]:
    row = {name: getattr(member, name) for name in (*_KEY, *_MOVING)}
    return row | {"sources": _MEMBER_SOURCES[member.state]}


def _progress_of(rows: Sequence[Mapping[str, Any]]) -> Progress:
    people: Counter[SubjectState] = Counter()
    wrong: set[Reason] = set()
    for row in rows:
        if row["standing"] is not None:
            people[SubjectState(row["standing"])] += row["number"]
            if row["why"] and SubjectState(row["standing"]) in _WRONG:
                wrong.add(Reason(row["why"]))
    reason = rows[0]["reason"]
    return Progress(
        state=OperationState(rows[0]["state"]),
        reason=Reason(reason) if reason else None,
        people=people,
        wrong=frozenset(wrong),
    )
