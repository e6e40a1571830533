"""What was ordered, and the append-only ledger of what may be used."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    CREATE TABLE collector_watermarks (
        source     text PRIMARY KEY,
        changed_at timestamptz NOT NULL
    )""",
    """
    CREATE TABLE order_lines (
        source              text NOT NULL,
        order_number        text NOT NULL,
        line_number         text NOT NULL,
        status              text NOT NULL,
        placed_at           timestamptz NOT NULL,
        changed_at          timestamptz NOT NULL,
        organisation_code   text NOT NULL,
        actor               text NOT NULL,
        article_code        text NOT NULL,
        quantity            text NOT NULL,
        quantity_is_total   boolean NOT NULL,
        unit_price_cents    bigint,
        starts_on           date,
        ends_on             date,
        tenant_hint         text,
        reference_number    text,
        requester_reference text,
        digest              text NOT NULL,
        state               text NOT NULL CHECK (state IN ('received', 'held', 'rejected', 'recorded_only',
                                'accepted', 'completed', 'partially_completed', 'cancelled')),
        reason              text,
        warnings            text[] NOT NULL DEFAULT '{}',
        received_at         timestamptz NOT NULL,
        judged_at           timestamptz,
        held_since          timestamptz,
        released_by         text,
        PRIMARY KEY (source, order_number, line_number),
        CONSTRAINT held_or_rejected_has_reason CHECK (state NOT IN ('held', 'rejected') OR reason IS NOT NULL),
        CONSTRAINT held_has_age CHECK (state <> 'held' OR held_since IS NOT NULL)
    )""",
    "CREATE INDEX order_lines_by_change ON order_lines (source, changed_at)",
    "CREATE INDEX order_lines_alike ON order_lines (organisation_code, article_code, placed_at)",
    "CREATE INDEX order_lines_by_order ON order_lines (order_number)",
    "CREATE INDEX order_lines_held ON order_lines (organisation_code, held_since) WHERE state = 'held'",
    """
    CREATE INDEX order_lines_open ON order_lines (source, state)
    WHERE state IN ('received', 'held', 'accepted', 'partially_completed')""",
    """
    CREATE TABLE subject_references (
        source       text NOT NULL,
        order_number text NOT NULL,
        line_number  text NOT NULL,
        ordinal      integer NOT NULL,
        reference    text,
        subject_id   text,
        kept_at      timestamptz NOT NULL,
        PRIMARY KEY (source, order_number, line_number, ordinal),
        CONSTRAINT reference_goes_when_resolved CHECK ((reference IS NULL) <> (subject_id IS NULL))
    )""",
    "CREATE INDEX subject_references_by_age ON subject_references (kept_at)",
    """
    CREATE TABLE entitlement_ledger (
        entry_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        holder_id    text NOT NULL,
        tenant_id    text,
        article_code text NOT NULL,
        sku_id       text,
        delta        integer NOT NULL,
        effective_on date NOT NULL,
        ends_on      date,
        cause        text NOT NULL,
        cause_ref    text NOT NULL,
        CONSTRAINT ledger_entry_not_reversed CHECK (effective_on <= ends_on)
    )""",
    "CREATE INDEX entitlement_ledger_by_tenant ON entitlement_ledger (tenant_id, sku_id)",
    "CREATE INDEX entitlement_ledger_by_holder ON entitlement_ledger (holder_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT", "entitlement_ledger")
    grant("SELECT, INSERT, UPDATE", "collector_watermarks", "order_lines")
    grant("SELECT, INSERT, UPDATE, DELETE", "subject_references")


def downgrade() -> None:
    op.execute("DROP TABLE entitlement_ledger, subject_references, order_lines, collector_watermarks")
