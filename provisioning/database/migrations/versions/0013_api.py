"""What the API keeps: answers for a day, and which client an order line came from; and how fast people are verified."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    CREATE TABLE kept_answers (
        actor      text NOT NULL,
        key        text NOT NULL,
        digest     text NOT NULL,
        claimed_at timestamptz NOT NULL,
        status     smallint,
        body       bytea NOT NULL,
        PRIMARY KEY (actor, key)
    )""",
    "CREATE INDEX kept_answers_by_age ON kept_answers (claimed_at)",
    """
    CREATE TABLE order_lines_brought_in (
        source       text NOT NULL,
        order_number text NOT NULL,
        line_number  text NOT NULL,
        client       text NOT NULL CONSTRAINT orders_are_brought_in_by_clients CHECK (starts_with(client, 'client:')),
        PRIMARY KEY (source, order_number, line_number)
    )""",
    # the order of the pages, and what a board looks for
    "CREATE INDEX order_lines_in_pages ON order_lines (received_at, source, order_number, line_number)",
    "CREATE INDEX operations_in_pages ON operations (created_at, operation_id)",
    "CREATE INDEX operations_by_holder ON operations ((wish ->> 'holder_id'))",
    # small, and no obstacle to updates in place (PostgreSQL 16): people are counted by the minute they were verified in
    "CREATE INDEX steps_verified ON steps USING brin (verified_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, DELETE, UPDATE (status, body)", "kept_answers")
    grant("SELECT, INSERT", "order_lines_brought_in")


def downgrade() -> None:
    op.execute("DROP INDEX steps_verified")
    op.execute("DROP INDEX operations_by_holder")
    op.execute("DROP INDEX operations_in_pages")
    op.execute("DROP INDEX order_lines_in_pages")
    op.execute("DROP TABLE order_lines_brought_in, kept_answers")
