"""Which mappings and limits are in force: proposed by one person, approved by another, the first ones installed."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """
    CREATE TABLE configuration_versions (
        version_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind        text NOT NULL CONSTRAINT configuration_kind_known CHECK (kind IN ('mappings', 'limits')),
        digest      text NOT NULL,
        content     jsonb NOT NULL,
        reason      text NOT NULL CONSTRAINT configuration_has_a_reason CHECK (length(trim(reason)) > 0),
        proposed_by text NOT NULL,
        proposed_at timestamptz NOT NULL,
        approved_by text,
        approved_at timestamptz,
        retired_at  timestamptz,
        CONSTRAINT configuration_approved_by_second_person CHECK (
            starts_with(approved_by, 'person:') AND approved_by <> proposed_by),
        CONSTRAINT configuration_installed_by_the_system CHECK ((proposed_by = 'system') = (reason = 'installed')),
        CONSTRAINT installed_configuration_has_no_approver CHECK (proposed_by <> 'system' OR approved_by IS NULL),
        CONSTRAINT configuration_approved_at_a_moment CHECK ((approved_by IS NULL) = (approved_at IS NULL))
    )""",
    """
    CREATE UNIQUE INDEX one_configuration_in_force ON configuration_versions (kind)
    WHERE retired_at IS NULL AND (approved_by IS NOT NULL OR proposed_by = 'system')""",
    """
    CREATE UNIQUE INDEX one_installed_configuration ON configuration_versions (kind) WHERE proposed_by = 'system'""",
    """
    CREATE UNIQUE INDEX one_open_proposal_of_a_configuration ON configuration_versions (kind, digest)
    WHERE approved_by IS NULL AND retired_at IS NULL AND proposed_by <> 'system'""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE (approved_by, approved_at, retired_at)", "configuration_versions")


def downgrade() -> None:
    op.execute("DROP TABLE configuration_versions")
