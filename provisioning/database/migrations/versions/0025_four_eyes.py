"""Who had a hand in something stays on record: no later statement takes a name off, so that its bearer could approve."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0025"
down_revision = "0022"

_OPERATIONS = (
    "ALTER TABLE operations ADD COLUMN hands text[] NOT NULL DEFAULT '{}'",
    "ALTER TABLE campaign_members ADD COLUMN hands text[] NOT NULL DEFAULT '{}'",
    """
    CREATE FUNCTION keep_hands_of_operation() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.requested_by <> OLD.requested_by OR NOT NEW.hands @> OLD.hands THEN
            RAISE EXCEPTION 'who asked for an operation, or had it tried again, is taken off it'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'hands_in_operation_stay';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER operation_keeps_hands BEFORE UPDATE OF requested_by, hands ON operations
    FOR EACH ROW WHEN (NEW.requested_by IS DISTINCT FROM OLD.requested_by OR NEW.hands IS DISTINCT FROM OLD.hands)
    EXECUTE FUNCTION keep_hands_of_operation()""",
)

STATEMENTS = (*_OPERATIONS,)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("UPDATE (hands)", "campaign_members")


def downgrade() -> None:
    op.execute("DROP TRIGGER operation_keeps_hands ON operations")
    op.execute("DROP FUNCTION keep_hands_of_operation")
    op.execute("ALTER TABLE campaign_members DROP COLUMN hands")
    op.execute("ALTER TABLE operations DROP COLUMN hands")
