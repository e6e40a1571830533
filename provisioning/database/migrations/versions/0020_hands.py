"""Whoever had a hand in what a ticket or a campaign rests on does not approve it, whoever writes the statement."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0020"
down_revision = "0019"

STATEMENTS = (
    """
    ALTER TABLE tickets
        ADD COLUMN grounded_by text[] NOT NULL DEFAULT '{}',
        ADD CONSTRAINT ticket_not_approved_by_whose_work_it_rests_on CHECK (
            approved_by IS NULL OR approved_by <> ALL (grounded_by))""",
    "CREATE INDEX tickets_by_time ON tickets (created_at, ticket_id)",  # the order of their pages
    "CREATE INDEX tickets_by_client ON tickets (requested_by)",
    # No CHECK looks into another table; an approval that names no authors must not let one of them through.
    """
    CREATE FUNCTION refuse_campaign_approved_by_author() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM configuration_versions
            WHERE kind = 'mappings' AND retired_at IS NULL AND (approved_by IS NOT NULL OR restores IS NOT NULL)
              AND proposed_by = NEW.approval ->> 'approved_by')
        THEN
            RAISE EXCEPTION 'the mappings in force were proposed by who approves'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_not_approved_by_author_of_mappings';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER campaign_inserted_with_approval BEFORE INSERT ON campaigns
    FOR EACH ROW WHEN (NEW.approval IS NOT NULL) EXECUTE FUNCTION refuse_campaign_approved_by_author()""",
    """
    CREATE TRIGGER campaign_given_approval BEFORE UPDATE OF approval ON campaigns
    FOR EACH ROW WHEN (NEW.approval IS NOT NULL AND NEW.approval IS DISTINCT FROM OLD.approval)
    EXECUTE FUNCTION refuse_campaign_approved_by_author()""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("UPDATE (grounded_by)", "tickets")


def downgrade() -> None:
    op.execute("DROP TRIGGER campaign_inserted_with_approval ON campaigns")
    op.execute("DROP TRIGGER campaign_given_approval ON campaigns")
    op.execute("DROP FUNCTION refuse_campaign_approved_by_author")
    op.execute("DROP INDEX tickets_by_time, tickets_by_client")
    op.execute("ALTER TABLE tickets DROP COLUMN grounded_by")
