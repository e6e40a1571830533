"""In an emergency one person approves alone, with a reason; another reviews it afterwards."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    """
    ALTER TABLE plans
        ADD COLUMN break_glass_reason text,
        ADD COLUMN reviewed_by text,
        ADD COLUMN reviewed_at timestamptz,
        DROP CONSTRAINT plan_not_approved_by_requester,
        DROP CONSTRAINT plan_not_approved_by_author,
        ADD CONSTRAINT plan_not_approved_by_requester CHECK (
            approved_by <> requested_by OR break_glass_reason IS NOT NULL),
        ADD CONSTRAINT plan_not_approved_by_author CHECK (
            approved_by <> ALL (authors) OR break_glass_reason IS NOT NULL),
        ADD CONSTRAINT broken_glass_has_a_reason CHECK (length(trim(break_glass_reason)) > 0),
        ADD CONSTRAINT broken_glass_is_an_approval CHECK (break_glass_reason IS NULL OR approved_by IS NOT NULL),
        ADD CONSTRAINT plan_reviewed_by_person CHECK (starts_with(reviewed_by, 'person:')),
        ADD CONSTRAINT plan_reviewed_by_another CHECK (reviewed_by <> approved_by),
        ADD CONSTRAINT plan_reviewed_at_a_moment CHECK ((reviewed_by IS NULL) = (reviewed_at IS NULL))
    """,
    """
    CREATE INDEX plans_to_review ON plans (operation_id)
    WHERE break_glass_reason IS NOT NULL AND reviewed_at IS NULL""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("UPDATE (break_glass_reason, reviewed_by, reviewed_at)", "plans")


def downgrade() -> None:
    op.execute("""
        ALTER TABLE plans
            DROP CONSTRAINT plan_not_approved_by_requester,
            DROP CONSTRAINT plan_not_approved_by_author,
            DROP COLUMN break_glass_reason,
            DROP COLUMN reviewed_by,
            DROP COLUMN reviewed_at,
            ADD CONSTRAINT plan_not_approved_by_requester CHECK (approved_by <> requested_by) NOT VALID,
            ADD CONSTRAINT plan_not_approved_by_author CHECK (approved_by <> ALL (authors)) NOT VALID""")
