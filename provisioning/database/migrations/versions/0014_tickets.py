"""Tickets of boards: what they ask, where each stands, what was answered; and who wrote a record."""

from alembic import op

from provisioning.database.migrations.grants import grant, revoke

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    """
    CREATE TABLE tickets (
        ticket_id       text PRIMARY KEY,
        source          text NOT NULL,
        reference       text NOT NULL,
        kind            text NOT NULL CONSTRAINT ticket_kind_known CHECK (kind IN ('change_sku', 'remap_holder',
                            'remap_agreement', 'move_school', 'rebind', 'service_plan_policy')),
        organisation_id text NOT NULL CONSTRAINT ticket_of_known_organisation REFERENCES organisations,
        requested_by    text NOT NULL,
        authors         text[] NOT NULL CONSTRAINT who_brought_a_ticket_in_wrote_it CHECK (requested_by = ANY (authors)),
        board_id        text,
        requester       text,
        given           jsonb NOT NULL,
        missing         text[] NOT NULL,
        state           text NOT NULL CONSTRAINT ticket_state_known CHECK (state IN ('received', 'incomplete',
                            'awaiting_authority', 'assessing', 'awaiting_approval', 'running', 'awaiting_microsoft',
                            'held', 'completed', 'partially_completed', 'rejected', 'withdrawn')),
        reason          text,
        digest          text,
        approved_by     text,
        approved_at     timestamptz,
        closing_words   text,
        created_at      timestamptz NOT NULL,
        entered_at      timestamptz NOT NULL,
        due_at          timestamptz,
        answers         integer NOT NULL,
        version         integer NOT NULL,
        CONSTRAINT one_ticket_for_a_reference UNIQUE (source, reference),
        CONSTRAINT ticket_approved_by_second_person CHECK (
            approved_by IS NULL OR (starts_with(approved_by, 'person:') AND approved_by <> ALL (authors)
                AND approved_by IS DISTINCT FROM requester)),
        CONSTRAINT ticket_approved_at_a_moment CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
        CONSTRAINT ticket_approved_for_what_was_shown CHECK (approved_by IS NULL OR digest IS NOT NULL),
        CONSTRAINT ticket_carried_out_once_approved CHECK (
            state NOT IN ('running', 'completed', 'partially_completed')
            OR approved_by IS NOT NULL OR kind IN ('move_school', 'remap_agreement')),
        CONSTRAINT incomplete_ticket_says_what_is_missing CHECK (state <> 'incomplete' OR cardinality(missing) > 0),
        CONSTRAINT ticket_that_waits_for_a_person_has_reason CHECK (
            state NOT IN ('incomplete', 'awaiting_authority', 'held') OR reason IS NOT NULL)
    )""",
    "CREATE INDEX tickets_due ON tickets (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX tickets_by_organisation ON tickets (organisation_id)",
    """
    CREATE TABLE ticket_texts (
        text_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        ticket_id text NOT NULL CONSTRAINT text_of_known_ticket REFERENCES tickets,
        body      text NOT NULL,
        kept_at   timestamptz NOT NULL
    )""",
    "CREATE INDEX ticket_texts_by_age ON ticket_texts (kept_at)",
    "CREATE INDEX ticket_texts_by_ticket ON ticket_texts (ticket_id)",
    """
    ALTER TABLE outbox_intents
        ADD COLUMN ticket_id text CONSTRAINT answer_to_known_ticket REFERENCES tickets,
        ADD COLUMN sequence  integer,
        ADD COLUMN details   jsonb NOT NULL DEFAULT '{}',
        ADD CONSTRAINT answers_are_numbered CHECK ((ticket_id IS NULL) = (sequence IS NULL)),
        ADD CONSTRAINT one_answer_for_a_number UNIQUE (ticket_id, sequence)""",
    """
    CREATE INDEX answers_to_send ON outbox_intents (intent_id)
    WHERE ticket_id IS NOT NULL AND relayed_at IS NULL""",
    "ALTER TABLE records ADD COLUMN saved_by text",
    """
    CREATE INDEX operations_by_ticket ON operations ((wish -> 'remap' ->> 'ticket_id'))
    WHERE wish -> 'remap' ->> 'ticket_id' IS NOT NULL""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    # Who brought it in, for whom and as what stays as it was written.
    grant(
        "SELECT, INSERT, UPDATE (authors, requester, given, missing, state, reason, digest, approved_by, approved_at,"
        " closing_words, entered_at, due_at, answers, version)",
        "tickets",
    )
    grant("SELECT, INSERT, DELETE", "ticket_texts")
    grant("UPDATE (valid_until)", "bindings")


def downgrade() -> None:
    revoke("UPDATE (valid_until)", "bindings")
    op.execute("DROP INDEX operations_by_ticket")
    op.execute("ALTER TABLE records DROP COLUMN saved_by")
    op.execute("ALTER TABLE outbox_intents DROP COLUMN ticket_id, DROP COLUMN sequence, DROP COLUMN details")
    op.execute("DROP TABLE ticket_texts, tickets")
