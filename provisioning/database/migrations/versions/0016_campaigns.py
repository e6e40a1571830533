"""Campaigns: what was asked for, who let it happen, and where each tenant stands."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    """
    CREATE TABLE campaigns (
        campaign_id  text PRIMARY KEY,
        definition   jsonb NOT NULL,
        digest       text NOT NULL,
        state        text NOT NULL CHECK (state IN ('new', 'approved', 'running', 'paused', 'stopped', 'completed',
                         'called_off')),
        reason       text,
        told         text NOT NULL,
        requested_by text NOT NULL,
        approval     jsonb,
        started_by   text,
        created_at   timestamptz NOT NULL,
        entered_at   timestamptz NOT NULL,
        due_at       timestamptz,
        version      integer NOT NULL,
        CONSTRAINT campaign_runs_approved CHECK (state IN ('new', 'called_off') OR approval IS NOT NULL),
        CONSTRAINT campaign_approved_by_person CHECK (
            approval IS NULL OR starts_with(approval ->> 'approved_by', 'person:')),
        CONSTRAINT campaign_approved_by_second_person CHECK (
            approval IS NULL OR (approval ->> 'approved_by' <> requested_by
                AND NOT jsonb_exists(approval -> 'authors', approval ->> 'approved_by'))),
        CONSTRAINT campaign_approved_as_it_is CHECK (approval IS NULL OR approval ->> 'digest' = digest),
        CONSTRAINT stopped_campaign_says_why CHECK (state NOT IN ('paused', 'stopped') OR length(trim(told)) > 0)
    )""",
    "CREATE INDEX campaigns_due ON campaigns (due_at) WHERE due_at IS NOT NULL",
    """
    CREATE TABLE campaign_members (
        campaign_id  text NOT NULL CONSTRAINT member_of_known_campaign REFERENCES campaigns,
        tenant_id    text NOT NULL CONSTRAINT member_in_known_tenant REFERENCES tenants,
        holder_id    text NOT NULL,
        from_sku     text NOT NULL,
        to_sku       text NOT NULL,
        board_id     text NOT NULL,
        wave         integer NOT NULL CHECK (wave >= 0),
        state        text NOT NULL CHECK (state IN ('waiting', 'running', 'completed', 'partially_completed',
                         'failed', 'held', 'excluded')),
        reason       text,
        told         text NOT NULL,
        operation_id text CONSTRAINT member_with_known_operation REFERENCES operations,
        people       integer NOT NULL,
        "right"      integer NOT NULL,
        "left"       integer NOT NULL,
        failed       integer NOT NULL,
        is_seen      boolean NOT NULL,
        entered_at   timestamptz NOT NULL,
        readiness    jsonb,
        checked_at   timestamptz,
        PRIMARY KEY (campaign_id, tenant_id, holder_id, from_sku),
        CONSTRAINT running_member_has_operation CHECK (
            state IN ('waiting', 'failed', 'excluded') OR operation_id IS NOT NULL),
        CONSTRAINT excluded_member_says_why CHECK (
            state <> 'excluded' OR reason IS NOT NULL OR length(trim(told)) > 0)
    ) WITH (fillfactor = 80)""",
    # an operation works for one member only, whoever begins twice
    "CREATE UNIQUE INDEX one_member_for_an_operation ON campaign_members (operation_id) WHERE operation_id IS NOT NULL",
    "CREATE INDEX campaign_members_to_check ON campaign_members (campaign_id, checked_at) WHERE state = 'waiting'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    # What was asked for, and for whom, stays as it was written.
    grant(
        "SELECT, INSERT, UPDATE (state, reason, told, approval, started_by, entered_at, due_at, version)", "campaigns"
    )
    grant(
        'SELECT, INSERT, UPDATE (state, reason, told, operation_id, people, "right", "left", failed, is_seen,'
        " entered_at, readiness, checked_at)",
        "campaign_members",
    )


def downgrade() -> None:
    op.execute("DROP TABLE campaign_members, campaigns")
