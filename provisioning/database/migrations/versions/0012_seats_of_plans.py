"""The seats that a plan saw when it was drawn: what an assessment tells besides the plan itself."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    # Plans of before have none. Written once with the plan: whoever may insert a plan may write it, nobody changes it.
    op.execute("ALTER TABLE plans ADD COLUMN seats jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE plans DROP COLUMN seats")
