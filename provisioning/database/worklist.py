"""Everything that waits for a person: read from where it waits, kept nowhere else."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from provisioning.database.store import Store
from provisioning.domain.ownership import owner_of
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import WorkItem

_ITEMS = text("""
    SELECT 'order ' || source || '/' || order_number || '/' || line_number AS subject, reason, held_since AS since,
           known.organisation_id, CAST(NULL AS text) AS tenant_id, CAST(NULL AS text) AS operation_id, 1 AS count
    FROM order_lines LEFT JOIN organisations AS known ON known.organisation_id = organisation_code
    WHERE state = 'held'
    UNION ALL
    SELECT 'operation ' || operation_id, reason, entered_at, wish ->> 'holder_id', tenant_id, operation_id, 1
    FROM operations WHERE state IN ('held', 'failed') AND reason IS NOT NULL
    UNION ALL
    SELECT 'operation ' || operation_id, reason, unreadable_since, wish ->> 'holder_id', tenant_id, operation_id, 1
    FROM operations WHERE reason = 'TENANT_UNREADABLE' AND unreadable_since IS NOT NULL
    UNION ALL
    SELECT 'operation ' || operation_id, reason, entered_at, wish ->> 'holder_id', tenant_id, operation_id, 1
    FROM operations WHERE reason = 'PREFLIGHT_EXPIRED' AND state IN ('planning', 'applying')
    UNION ALL
    SELECT 'plan of operation ' || operation_id, 'APPROVAL_NEEDED', entered_at, wish ->> 'holder_id',
           operations.tenant_id, operations.operation_id, 1
    FROM operations JOIN plans USING (operation_id)
    WHERE state = 'awaiting_approval' AND void_reason IS NULL AND approved_at IS NULL
    UNION ALL
    SELECT 'plan of operation ' || operation_id, 'BREAK_GLASS_UNREVIEWED', approved_at, wish ->> 'holder_id',
           operations.tenant_id, operations.operation_id, 1
    FROM operations JOIN plans USING (operation_id)
    WHERE break_glass_reason IS NOT NULL AND reviewed_at IS NULL
    UNION ALL
    SELECT 'binding of ' || organisation_id || ' to ' || tenant_id, 'BINDING_UNCONFIRMED',
           timezone('UTC', valid_from), organisation_id, tenant_id, NULL, 1
    FROM bindings WHERE confirmed_at IS NULL AND (valid_until IS NULL OR valid_until >= CAST(:now AS date))
    UNION ALL
    SELECT 'policy ' || left(digest, 8) || ' of ' || tenant_id, 'APPROVAL_NEEDED', timezone('UTC', valid_from),
           NULL, tenant_id, NULL, 1
    FROM policies WHERE approved_by IS NULL AND NOT is_superseded
    UNION ALL
    SELECT 'waiting in operation ' || operation_id, 'SEATS_INSUFFICIENT', min(since), wish ->> 'holder_id',
           waiting_list.tenant_id, operation_id, count(*)
    FROM waiting_list JOIN operations USING (operation_id)
    WHERE served_at IS NULL AND state = 'partially_completed'
    GROUP BY operation_id, wish, waiting_list.tenant_id
    UNION ALL
    SELECT 'people of operation ' || operation_id, people.reason, entered_at, wish ->> 'holder_id', tenant_id,
           operation_id, count(*)
    FROM operations AS ended JOIN operation_subjects AS people USING (operation_id)
    WHERE ended.state = 'partially_completed' AND people.state IN ('refused', 'failed', 'changed_meanwhile')
      AND people.reason IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM operations AS later
        WHERE later.tenant_id = ended.tenant_id AND later.created_at > ended.created_at AND later.state <> 'cancelled'
          AND (later.wish -> 'holder_id', later.wish -> 'sku_id') = (ended.wish -> 'holder_id', ended.wish -> 'sku_id'))
    GROUP BY operation_id, people.reason, entered_at, wish, tenant_id
    UNION ALL
    SELECT 'rollback to ' || kind || ' ' || left(digest, 8), 'ROLLBACK_UNREVIEWED', proposed_at, NULL, NULL, NULL, 1
    FROM configuration_versions WHERE restores IS NOT NULL AND reviewed_at IS NULL
    UNION ALL
    SELECT 'migration ' || migration_id, reason, entered_at, definition ->> 'source_holder', source_tenant_id, NULL, 1
    FROM migrations WHERE state = 'paused'
    UNION ALL
    SELECT 'campaign ' || campaign_id, coalesce(reason, 'CAMPAIGN_STOPPED'), entered_at, NULL, NULL, NULL, 1
    FROM campaigns WHERE state IN ('stopped', 'paused')
    UNION ALL
    SELECT 'campaign ' || campaign_id, 'APPROVAL_NEEDED', entered_at, NULL, NULL, NULL, 1
    FROM campaigns WHERE state = 'new'
    UNION ALL
    SELECT 'campaign ' || campaign_id, 'CAMPAIGN_TO_START', entered_at, NULL, NULL, NULL, 1
    FROM campaigns WHERE state = 'approved'
    UNION ALL
    SELECT 'people of campaign ' || campaign_id, 'OLD_PRODUCT_ENDS', CAST(readiness ->> 'warn_at' AS timestamptz),
           holder_id, tenant_id, operation_id, people - "right"
    FROM campaign_members JOIN campaigns USING (campaign_id)
    WHERE CAST(readiness ->> 'warn_at' AS timestamptz) <= :now AND people > "right"
      AND campaign_members.state NOT IN ('completed', 'excluded') AND campaigns.state NOT IN ('new', 'called_off')
    UNION ALL
    SELECT 'people of migration ' || migration_id, 'SITUATION_UNEXPLAINED', coalesce(matched_at, entered_at),
           definition ->> 'source_holder', source_tenant_id, NULL, count(*)
    FROM migrations JOIN migration_travellers AS people USING (migration_id)
    WHERE migrations.state = 'matched' AND people.state = 'waiting' AND situation <> 'matched'
      AND NOT jsonb_exists(definition -> 'treatments', situation)
    GROUP BY migration_id
    UNION ALL
    SELECT 'webhook ' || endpoint, 'WEBHOOK_GIVEN_UP', min(given_up_at), NULL, NULL, NULL, count(*)
    FROM webhook_messages WHERE given_up_at IS NOT NULL GROUP BY endpoint
    UNION ALL
    SELECT 'ticket ' || source || '/' || reference, coalesce(reason, 'APPROVAL_NEEDED'), entered_at, organisation_id,
           NULL, NULL, 1
    FROM tickets WHERE state IN ('incomplete', 'awaiting_authority', 'held', 'awaiting_approval')
      OR (state = 'awaiting_microsoft' AND reason IS NOT NULL)
    ORDER BY since, subject""")


class SqlWorkList(Store):
    def items(self, now: datetime) -> list[WorkItem]:
        """Oldest first; what begins in the future is as old as now."""
        return [_item(row, now) for row in self._rows(_ITEMS, {"now": now})]


def _item(row: dict[str, Any], now: datetime) -> WorkItem:
    owner = owner_of(Reason(row["reason"]))
    return msgspec.convert(row | {"owner": owner, "since": min(row["since"], now)}, WorkItem)
