"""Who there is: organisations and their records, tenants, bindings, policies; and which realm this database serves."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0001"
down_revision = None

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    CREATE TABLE realm (
        is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
        name        text NOT NULL CHECK (name IN ('live', 'sandbox')),
        claimed_at  timestamptz NOT NULL
    )""",
    """
    CREATE TABLE organisations (
        organisation_id   text PRIMARY KEY,
        kind              text NOT NULL,
        name              text NOT NULL,
        board_number      text,
        town              text,
        web_domain        text,
        membership        text NOT NULL,
        eligibility       text NOT NULL,
        operational_from  date,
        operational_until date
    )""",
    # No foreign keys: a register may speak of organisations that it no longer lists.
    """
    CREATE TABLE organisation_relations (
        parent_id   text NOT NULL,
        child_id    text NOT NULL,
        kind        text NOT NULL,
        valid_from  date NOT NULL,
        valid_until date,
        PRIMARY KEY (parent_id, child_id, kind, valid_from),
        CONSTRAINT relation_not_reversed CHECK (valid_from <= valid_until)
    )""",
    "CREATE INDEX organisation_relations_by_child ON organisation_relations (child_id)",
    """
    CREATE TABLE records (
        kind            text NOT NULL,
        record_id       text NOT NULL,
        organisation_id text NOT NULL,
        body            jsonb NOT NULL,
        saved_at        timestamptz NOT NULL,
        PRIMARY KEY (kind, record_id)
    )""",
    "CREATE INDEX records_by_organisation ON records (organisation_id, kind)",
    """
    CREATE TABLE tenants (
        tenant_id        text PRIMARY KEY CONSTRAINT tenant_in_lower_case CHECK (tenant_id = lower(tenant_id)),
        initial_domain   text NOT NULL,
        verified_domains text[] NOT NULL,
        country          text,
        consent          text NOT NULL,
        permissions      text[] NOT NULL,
        first_write_at   timestamptz,
        proven_at        timestamptz
    )""",
    """
    CREATE TABLE bindings (
        binding_id      text PRIMARY KEY,
        organisation_id text NOT NULL CONSTRAINT binding_of_known_organisation REFERENCES organisations,
        tenant_id       text NOT NULL CONSTRAINT binding_to_known_tenant REFERENCES tenants,
        valid_from      date NOT NULL,
        valid_until     date,
        is_transition   boolean NOT NULL,
        selectors       jsonb NOT NULL,
        selected_by     text,
        created_by      text NOT NULL,
        confirmed_by    text,
        confirmed_at    timestamptz,
        evidence        text[] NOT NULL,
        CONSTRAINT binding_not_reversed CHECK (valid_from <= valid_until),
        CONSTRAINT binding_confirmed_by_second_person CHECK (
            confirmed_by IS NULL
            OR (confirmed_by <> coalesce(selected_by, created_by) AND starts_with(confirmed_by, 'person:'))),
        CONSTRAINT binding_confirmed_on_two_facts CHECK (confirmed_by IS NULL OR cardinality(evidence) >= 2),
        CONSTRAINT binding_confirmed_at_a_moment CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
        CONSTRAINT one_binding_per_day EXCLUDE USING gist (
            organisation_id WITH =, daterange(valid_from, valid_until, '[]') WITH &&) WHERE (NOT is_transition)
    )""",
    "CREATE INDEX bindings_by_organisation ON bindings (organisation_id)",
    "CREATE INDEX bindings_by_tenant ON bindings (tenant_id)",
    """
    CREATE TABLE policies (
        policy_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant_id       text NOT NULL CONSTRAINT policy_of_known_tenant REFERENCES tenants,
        valid_from      date NOT NULL,
        valid_until     date,
        assignment_mode text NOT NULL CHECK (assignment_mode IN ('none', 'direct', 'group')),
        group_id        text,
        managed_by      text NOT NULL CHECK (managed_by IN ('us', 'customer', 'mixed')),
        usage_location  text CONSTRAINT policy_names_a_country CHECK (usage_location ~ '^[A-Z]{2}$'),
        seat_priority   text[] NOT NULL,
        skus            jsonb NOT NULL,
        advised         jsonb NOT NULL,
        asked_by        text NOT NULL,
        created_by      text NOT NULL,
        approved_by     text,
        approved_at     timestamptz,
        digest          text NOT NULL,
        is_superseded   boolean NOT NULL DEFAULT false,
        CONSTRAINT policy_not_reversed CHECK (valid_from <= valid_until),
        CONSTRAINT policy_approved_by_second_person CHECK (
            approved_by IS NULL OR (approved_by <> created_by AND starts_with(approved_by, 'person:'))),
        CONSTRAINT one_policy_per_day EXCLUDE USING gist (
            tenant_id WITH =, daterange(valid_from, valid_until, '[]') WITH &&)
            WHERE (approved_by IS NOT NULL AND NOT is_superseded)
    )""",
    "CREATE INDEX policies_by_tenant ON policies (tenant_id)",
    """
    CREATE TABLE selection_sizes (
        binding_id text NOT NULL REFERENCES bindings,
        audience   text NOT NULL,
        size       integer NOT NULL,
        noted_at   timestamptz NOT NULL,
        PRIMARY KEY (binding_id, audience)
    )""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT", "alembic_version")
    grant("SELECT, INSERT", "realm", "organisation_relations", "bindings", "policies")
    grant("SELECT, INSERT, UPDATE", "organisations", "records", "tenants", "selection_sizes")
    # What the service role may not change, it cannot bend: the author and the terms stay as they were written.
    grant("UPDATE (selectors, selected_by, confirmed_by, confirmed_at, evidence)", "bindings")
    grant("UPDATE (valid_until, approved_by, approved_at, is_superseded)", "policies")


def downgrade() -> None:
    op.execute("""
        DROP TABLE selection_sizes, policies, bindings, tenants, records, organisation_relations, organisations, realm""")
    op.execute("DROP EXTENSION btree_gist")
