"""Who may act and when nobody may; what is on record for good; what is to be told."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    """
    CREATE TABLE actors (
        actor      text PRIMARY KEY CONSTRAINT actor_is_person_or_client CHECK (actor ~ '^(person|client):.+'),
        roles      text[] NOT NULL,
        board_id   text,
        added_at   timestamptz NOT NULL,
        revoked_at timestamptz,
        CONSTRAINT persons_have_roles_of_persons CHECK (
            NOT starts_with(actor, 'person:') OR roles <@ ARRAY['admin', 'operator', 'approver', 'auditor']),
        CONSTRAINT clients_have_roles_of_clients CHECK (
            NOT starts_with(actor, 'client:') OR roles <@ ARRAY['shop', 'desk', 'board']),
        CONSTRAINT board_client_has_a_board CHECK ('board' <> ALL (roles) OR board_id IS NOT NULL)
    )""",
    """
    CREATE TABLE tokens (
        token_digest text PRIMARY KEY,
        actor        text NOT NULL REFERENCES actors,
        added_at     timestamptz NOT NULL,
        expires_at   timestamptz CONSTRAINT token_expires NOT NULL,
        revoked_at   timestamptz
    )""",
    "CREATE INDEX tokens_by_actor ON tokens (actor)",
    """
    CREATE TABLE leases (
        name       text PRIMARY KEY,
        holder     text NOT NULL,
        fence      bigint NOT NULL,
        expires_at timestamptz NOT NULL
    ) WITH (fillfactor = 50)""",
    """
    CREATE TABLE stops (
        scope      text PRIMARY KEY CONSTRAINT stop_scope_known CHECK (scope ~ '^(all$|tenant:.|kind:.)'),
        reason     text NOT NULL,
        stopped_by text NOT NULL,
        stopped_at timestamptz NOT NULL
    )""",
    """
    CREATE TABLE credential_failures (
        tenant_id text NOT NULL,
        reason    text NOT NULL,
        failed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, reason)
    )""",
    """
    CREATE TABLE pseudonyms (
        tenant_id  text NOT NULL,
        subject_id text NOT NULL,
        pseudonym  text NOT NULL UNIQUE,
        PRIMARY KEY (tenant_id, subject_id)
    )""",
    """
    CREATE TABLE audit_events (
        event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        body            text NOT NULL,
        organisation_id text,
        tenant_id       text,
        operation_id    text
    )""",
    "CREATE INDEX audit_events_by_operation ON audit_events (operation_id, event_id)",
    "CREATE INDEX audit_events_by_organisation ON audit_events (organisation_id, event_id)",
    # Numbers are given before transactions end, so "everything above the last sealed number" would skip those
    # that commit late. This queue cannot: a row appears when its event does, and goes when it is sealed.
    "CREATE TABLE audit_unsealed (event_id bigint PRIMARY KEY REFERENCES audit_events)",
    """
    CREATE FUNCTION queue_for_sealing() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO audit_unsealed SELECT event_id FROM recorded;
        RETURN NULL;
    END $$""",
    """
    CREATE TRIGGER queue_for_sealing AFTER INSERT ON audit_events REFERENCING NEW TABLE AS recorded
    FOR EACH STATEMENT EXECUTE FUNCTION queue_for_sealing()""",
    """
    CREATE TABLE audit_seals (
        sequence bigint PRIMARY KEY CHECK (sequence >= 0),
        event_id bigint NOT NULL UNIQUE REFERENCES audit_events,
        leaf     bytea NOT NULL CHECK (length(leaf) = 32)
    )""",
    """
    CREATE TABLE audit_sealer (
        is_only_row     boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
        frontier        bytea NOT NULL,
        checkpointed    bigint NOT NULL,
        checkpointed_at timestamptz
    )""",
    """
    CREATE TABLE audit_checkpoints (
        size      bigint PRIMARY KEY,
        note      text NOT NULL,
        frontier  bytea NOT NULL,
        signed_at timestamptz NOT NULL
    )""",
    """
    CREATE TABLE outbox_intents (
        intent_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic           text NOT NULL,
        organisation_id text NOT NULL,
        reference       text NOT NULL,
        at              timestamptz NOT NULL,
        relayed_at      timestamptz
    )""",
    "CREATE INDEX outbox_intents_to_relay ON outbox_intents (at) WHERE relayed_at IS NULL",
    """
    CREATE TABLE notices (
        organisation_id text NOT NULL,
        topic           text NOT NULL,
        day             date NOT NULL,
        facts           integer NOT NULL,
        first_at        timestamptz NOT NULL,
        last_at         timestamptz NOT NULL,
        references_made text[] NOT NULL,
        made_at         timestamptz NOT NULL,
        PRIMARY KEY (organisation_id, topic, day)
    )""",
    "CREATE INDEX notices_by_age ON notices (made_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT", "audit_events", "audit_seals", "audit_checkpoints")
    grant("SELECT, INSERT, DELETE", "audit_unsealed", "stops", "pseudonyms")
    grant("SELECT, INSERT, UPDATE", "actors", "tokens", "leases", "credential_failures", "audit_sealer")
    grant("SELECT, INSERT, UPDATE", "outbox_intents", "notices")


def downgrade() -> None:
    op.execute("""
        DROP TABLE notices, outbox_intents, audit_checkpoints, audit_sealer, audit_seals, audit_unsealed, audit_events,
            pseudonyms, credential_failures, stops, leases, tokens, actors""")
    op.execute("DROP FUNCTION queue_for_sealing")
