"""The work: operations, their plans, people and steps, every attempt, and the seats they claim."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    CREATE TABLE operations (
        operation_id     text PRIMARY KEY,
        kind             text NOT NULL,
        tenant_id        text NOT NULL CONSTRAINT operation_in_known_tenant REFERENCES tenants,
        lane             text NOT NULL CHECK (lane IN ('order', 'bulk')),
        state            text NOT NULL CHECK (state IN ('new', 'awaiting_consent', 'awaiting_seats',
                             'awaiting_date', 'planning', 'awaiting_approval', 'applying', 'verifying',
                             'completed', 'partially_completed', 'held', 'failed', 'cancelled')),
        reason           text,
        wish             jsonb NOT NULL,
        requested_by     text NOT NULL,
        created_at       timestamptz NOT NULL,
        entered_at       timestamptz NOT NULL,
        due_at           timestamptz,
        waits            integer NOT NULL,
        lost_attempts    integer NOT NULL,
        version          integer NOT NULL,
        resume_state     text,
        seats_seen       integer,
        seats_seen_since timestamptz,
        CONSTRAINT held_operation_has_reason CHECK (state <> 'held' OR reason IS NOT NULL)
    )""",
    "CREATE INDEX operations_due ON operations (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX operations_by_tenant ON operations (tenant_id, state)",
    "CREATE INDEX operations_by_state ON operations (state)",
    "CREATE INDEX operations_by_line ON operations ((wish -> 'line'))",
    """
    CREATE TABLE plans (
        plan_id          text PRIMARY KEY,
        operation_id     text NOT NULL CONSTRAINT plan_of_known_operation REFERENCES operations,
        tenant_id        text NOT NULL,
        sku_id           text,
        digest           text NOT NULL,
        envelope         bytea NOT NULL,
        drawn_at         timestamptz NOT NULL,
        observed_at      timestamptz NOT NULL,
        valid_until      timestamptz NOT NULL,
        guard_breaches   text[] NOT NULL,
        requested_by     text NOT NULL,
        authors          text[] NOT NULL,
        approved_by      text,
        approved_at      timestamptz,
        rejected_by      text,
        rejected_at      timestamptz,
        rejected_because text,
        void_reason      text,
        voided_at        timestamptz,
        CONSTRAINT plan_approved_by_person CHECK (starts_with(approved_by, 'person:')),
        CONSTRAINT plan_not_approved_by_requester CHECK (approved_by <> requested_by),
        CONSTRAINT plan_not_approved_by_author CHECK (approved_by <> ALL (authors)),
        CONSTRAINT plan_approved_at_a_moment CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
        CONSTRAINT plan_approved_in_time CHECK (approved_at <= valid_until),
        CONSTRAINT plan_approved_or_rejected CHECK (approved_by IS NULL OR rejected_by IS NULL)
    )""",
    "CREATE UNIQUE INDEX one_current_plan ON plans (operation_id) WHERE void_reason IS NULL",
    "CREATE INDEX plans_by_operation ON plans (operation_id)",
    """
    CREATE TABLE operation_subjects (
        operation_id    text NOT NULL REFERENCES operations,
        subject_id      text NOT NULL,
        plan_id         text NOT NULL,
        pseudonym       text NOT NULL,
        organisation_id text,
        state           text NOT NULL CHECK (state IN ('pending', 'verified', 'already_right', 'waiting',
                            'refused', 'failed', 'changed_meanwhile')),
        reason          text,
        before          jsonb NOT NULL,
        notes           text[] NOT NULL,
        PRIMARY KEY (operation_id, subject_id)
    )""",
    """
    CREATE TABLE steps (
        step_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        operation_id text NOT NULL,
        plan_id      text NOT NULL REFERENCES plans,
        tenant_id    text NOT NULL,
        subject_id   text NOT NULL,
        position     integer NOT NULL,
        sequence     smallint NOT NULL,
        kind         text NOT NULL,
        change       jsonb NOT NULL,
        explanation  text NOT NULL,
        state        text NOT NULL CHECK (state IN ('pending', 'in_flight', 'unknown', 'applied', 'verified',
                         'skipped', 'failed')),
        reason       text,
        attempts     smallint NOT NULL DEFAULT 0,
        last_attempt text,
        sent_at      timestamptz,
        applied_at   timestamptz,
        verified_at  timestamptz,
        not_before   timestamptz,
        FOREIGN KEY (operation_id, subject_id) REFERENCES operation_subjects ON DELETE CASCADE,
        CONSTRAINT steps_of_a_person_in_sequence UNIQUE (plan_id, subject_id, sequence)
    ) WITH (fillfactor = 80)""",
    "CREATE INDEX steps_by_subject ON steps (operation_id, subject_id)",
    "CREATE INDEX steps_open ON steps (operation_id, state, position) WHERE state NOT IN ('verified', 'skipped')",
    "CREATE INDEX steps_sent ON steps (tenant_id, sent_at) WHERE sent_at IS NOT NULL",
    "CREATE INDEX steps_applied ON steps (tenant_id, applied_at) WHERE applied_at IS NOT NULL",
    """
    CREATE TABLE attempts (
        attempt_id     text PRIMARY KEY,
        step_id        bigint NOT NULL REFERENCES steps,
        number         smallint NOT NULL,
        fence          bigint NOT NULL,
        begun_at       timestamptz NOT NULL,
        outcome        text,
        status         smallint,
        reason         text,
        request_id     text,
        error_code     text,
        detail         text,
        resource_units integer,
        sent_at        timestamptz,
        finished_at    timestamptz
    )""",
    "CREATE INDEX attempts_by_step ON attempts (step_id)",
    """
    CREATE TABLE reservations (
        tenant_id    text NOT NULL,
        sku_id       text NOT NULL,
        subject_id   text NOT NULL,
        operation_id text NOT NULL REFERENCES operations,
        PRIMARY KEY (tenant_id, sku_id, subject_id)
    )""",
    "CREATE INDEX reservations_by_operation ON reservations (operation_id, subject_id)",
    """
    CREATE TABLE waiting_list (
        place        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant_id    text NOT NULL,
        sku_id       text NOT NULL,
        subject_id   text NOT NULL,
        operation_id text NOT NULL REFERENCES operations,
        since        timestamptz NOT NULL,
        listed_at    timestamptz NOT NULL,
        served_at    timestamptz
    )""",
    """
    CREATE UNIQUE INDEX waiting_once ON waiting_list (tenant_id, sku_id, subject_id) WHERE served_at IS NULL""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "operations", "attempts", "waiting_list")
    grant("SELECT, INSERT, UPDATE, DELETE", "operation_subjects", "steps")
    grant("SELECT, INSERT, DELETE", "reservations")
    grant("SELECT, INSERT", "plans")
    # The requester, the authors, the digest and the envelope of a plan stay as they were written.
    grant(
        "UPDATE (approved_by, approved_at, rejected_by, rejected_at, rejected_because, void_reason, voided_at)", "plans"
    )


def downgrade() -> None:
    op.execute("DROP TABLE waiting_list, reservations, attempts, steps, operation_subjects, plans, operations")
