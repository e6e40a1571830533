"""What was approved is kept, so that one person can bring back what two persons agreed on before; another reviews it."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0011"
down_revision = "0010"

# The foreign key says what a constraint cannot: whatever comes back was in force before, by two persons or as installed.
STATEMENTS = (
    """
    CREATE TABLE configuration_contents (
        kind   text NOT NULL CONSTRAINT content_kind_known CHECK (kind IN ('mappings', 'limits')),
        digest text NOT NULL,
        packed bytea NOT NULL,
        CONSTRAINT configuration_contents_pkey PRIMARY KEY (kind, digest)
    )""",
    """
    ALTER TABLE configuration_versions
        ADD COLUMN restores bigint,
        ADD COLUMN reviewed_by text,
        ADD COLUMN reviewed_at timestamptz,
        ADD COLUMN was_agreed boolean GENERATED ALWAYS AS (
            approved_by IS NOT NULL OR proposed_by = 'system') STORED,
        ADD COLUMN restores_agreed boolean GENERATED ALWAYS AS (
            CASE WHEN restores IS NULL THEN NULL ELSE true END) STORED,
        ADD CONSTRAINT configuration_versions_agreed UNIQUE (version_id, kind, digest, was_agreed),
        ADD CONSTRAINT configuration_restores_what_was_agreed FOREIGN KEY (restores, kind, digest, restores_agreed)
            REFERENCES configuration_versions (version_id, kind, digest, was_agreed),
        ADD CONSTRAINT configuration_restored_by_one_person CHECK (
            restores IS NULL OR (starts_with(proposed_by, 'person:') AND approved_by IS NULL)),
        ADD CONSTRAINT configuration_reviewed_by_another CHECK (
            restores IS NOT NULL AND starts_with(reviewed_by, 'person:') AND reviewed_by <> proposed_by
            OR reviewed_by IS NULL),
        ADD CONSTRAINT configuration_reviewed_at_a_moment CHECK ((reviewed_by IS NULL) = (reviewed_at IS NULL))
    """,
    "DROP INDEX one_configuration_in_force",
    """
    CREATE UNIQUE INDEX one_configuration_in_force ON configuration_versions (kind)
    WHERE retired_at IS NULL AND (approved_by IS NOT NULL OR proposed_by = 'system' OR restores IS NOT NULL)""",
    "DROP INDEX one_open_proposal_of_a_configuration",
    """
    CREATE UNIQUE INDEX one_open_proposal_of_a_configuration ON configuration_versions (kind, digest)
    WHERE approved_by IS NULL AND retired_at IS NULL AND proposed_by <> 'system' AND restores IS NULL""",
    "CREATE INDEX operations_by_product ON operations ((wish ->> 'sku_id'))",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT", "configuration_contents")
    grant("UPDATE (reviewed_by, reviewed_at)", "configuration_versions")


def downgrade() -> None:
    """What one person brought back is in force again as the version that it was before."""
    op.execute("DROP INDEX one_configuration_in_force")
    op.execute("DROP INDEX one_open_proposal_of_a_configuration")
    op.execute("""
        UPDATE configuration_versions AS earlier SET retired_at = NULL FROM configuration_versions AS back
        WHERE back.restores = earlier.version_id AND back.retired_at IS NULL""")
    op.execute("DELETE FROM configuration_versions WHERE restores IS NOT NULL")
    op.execute("""
        ALTER TABLE configuration_versions
            DROP CONSTRAINT configuration_restores_what_was_agreed,
            DROP CONSTRAINT configuration_versions_agreed,
            DROP CONSTRAINT configuration_restored_by_one_person,
            DROP CONSTRAINT configuration_reviewed_by_another,
            DROP CONSTRAINT configuration_reviewed_at_a_moment,
            DROP COLUMN was_agreed,
            DROP COLUMN restores_agreed""")
    op.execute("""
        ALTER TABLE configuration_versions
            DROP COLUMN restores, DROP COLUMN reviewed_by, DROP COLUMN reviewed_at""")
    op.execute("""
        CREATE UNIQUE INDEX one_configuration_in_force ON configuration_versions (kind)
        WHERE retired_at IS NULL AND (approved_by IS NOT NULL OR proposed_by = 'system')""")
    op.execute("""
        CREATE UNIQUE INDEX one_open_proposal_of_a_configuration ON configuration_versions (kind, digest)
        WHERE approved_by IS NULL AND retired_at IS NULL AND proposed_by <> 'system'""")
    op.execute("DROP INDEX operations_by_product")
    op.execute("DROP TABLE configuration_contents")
