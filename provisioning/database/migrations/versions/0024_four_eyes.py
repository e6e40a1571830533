"""Who had a hand in something stays on record: no statement takes a name off, so that its bearer could approve."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0024"
down_revision = "0023"

_OPERATIONS = (
    "ALTER TABLE operations ADD COLUMN hands text[] NOT NULL DEFAULT '{}'",
    "ALTER TABLE campaign_members ADD COLUMN hands text[] NOT NULL DEFAULT '{}'",
    """
    CREATE FUNCTION keep_hands_in_operation() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.requested_by <> OLD.requested_by OR NOT NEW.hands @> OLD.hands THEN
            RAISE EXCEPTION 'who asked for an operation, or had it tried again, is taken off it'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'hands_in_operation_stay';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER operation_keeps_hands BEFORE UPDATE OF requested_by, hands ON operations
    FOR EACH ROW WHEN (NEW.requested_by IS DISTINCT FROM OLD.requested_by OR NEW.hands IS DISTINCT FROM OLD.hands)
    EXECUTE FUNCTION keep_hands_in_operation()""",
)

# What a plan says of its authors is written once; these look at the operation as it is when somebody approves.
_PLANS = (
    """
    CREATE FUNCTION refuse_plan_without_hands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.approved_by IS NOT NULL OR NEW.reviewed_by IS NOT NULL THEN
            RAISE EXCEPTION 'a plan is drawn before it is approved'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_drawn_before_approved';
        END IF;
        IF EXISTS (
            SELECT FROM operations WHERE operation_id = NEW.operation_id
              AND (requested_by <> NEW.requested_by OR NOT hands <@ NEW.authors))
        THEN
            RAISE EXCEPTION 'a plan leaves out who asked for its operation, or had it tried again'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_names_hands_in_operation';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER plan_drawn BEFORE INSERT ON plans
    FOR EACH ROW EXECUTE FUNCTION refuse_plan_without_hands()""",
    """
    CREATE FUNCTION keep_approval_of_plan() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.approved_by IS NOT NULL THEN
            RAISE EXCEPTION 'who approved a plan, and whether alone, is written anew'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_approved_once';
        END IF;
        IF NEW.break_glass_reason IS NULL AND EXISTS (
            SELECT FROM operations WHERE operation_id = NEW.operation_id AND NEW.approved_by = ANY (hands))
        THEN
            RAISE EXCEPTION 'who approves had a hand in the operation'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_not_approved_by_author';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER plan_keeps_approval BEFORE UPDATE OF approved_by, break_glass_reason ON plans
    FOR EACH ROW WHEN (NEW.approved_by IS DISTINCT FROM OLD.approved_by
        OR NEW.break_glass_reason IS DISTINCT FROM OLD.break_glass_reason)
    EXECUTE FUNCTION keep_approval_of_plan()""",
)

# Other people's selectors, or another person's, are a new proposal once the last one was confirmed; until then whoever
# wrote some of it is an author of all of it.
_BINDINGS = (
    "ALTER TABLE bindings ADD COLUMN authors text[] NOT NULL DEFAULT '{}'",
    """
    UPDATE bindings SET authors = CASE
        WHEN confirmed_by IS NOT NULL OR selected_by IS NULL THEN ARRAY[coalesce(selected_by, created_by)]
        ELSE ARRAY[created_by, selected_by] END""",
    """
    ALTER TABLE bindings
        DROP CONSTRAINT binding_confirmed_by_second_person,
        ADD CONSTRAINT binding_confirmed_by_second_person CHECK (
            confirmed_by IS NULL OR (confirmed_by <> ALL (authors) AND confirmed_by IS DISTINCT FROM selected_by
                AND starts_with(confirmed_by, 'person:')))""",
    """
    CREATE FUNCTION keep_authors_of_binding() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        author text := coalesce(NEW.selected_by, NEW.created_by);
    BEGIN
        IF TG_OP = 'INSERT' THEN
            NEW.authors := array_remove(NEW.authors, NEW.created_by) || NEW.created_by;
        ELSIF NEW.confirmed_by IS NOT NULL AND (NEW.selectors, NEW.selected_by, NEW.authors)
                IS DISTINCT FROM (OLD.selectors, OLD.selected_by, OLD.authors) THEN
            RAISE EXCEPTION 'a binding is changed and confirmed at once'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'binding_confirmed_as_it_is';
        ELSIF NOT NEW.authors @> OLD.authors AND (OLD.confirmed_by IS NULL OR NEW.selected_by IS NULL) THEN
            RAISE EXCEPTION 'an author of what nobody confirmed yet is taken off the binding'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'authors_of_binding_stay';
        END IF;
        IF author <> ALL (NEW.authors) THEN
            NEW.authors := NEW.authors || author;
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER binding_keeps_authors BEFORE INSERT OR UPDATE OF selectors, selected_by, authors, confirmed_by
    ON bindings FOR EACH ROW EXECUTE FUNCTION keep_authors_of_binding()""",
)

_POLICIES = (
    "ALTER TABLE policies ADD COLUMN authors text[] NOT NULL DEFAULT '{}'",
    "UPDATE policies SET authors = ARRAY[created_by]",
    """
    ALTER TABLE policies ADD CONSTRAINT policy_not_approved_by_author CHECK (
        approved_by IS NULL OR approved_by <> ALL (authors))""",
    """
    CREATE FUNCTION name_author_of_policy() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.authors := array_remove(NEW.authors, NEW.created_by) || NEW.created_by;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER policy_names_author BEFORE INSERT ON policies
    FOR EACH ROW EXECUTE FUNCTION name_author_of_policy()""",
)

# Whoever had a hand in what a ticket rested on once stays beside it: an older process writes only who has one now.
_TICKETS = (
    """
    CREATE FUNCTION keep_hands_in_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT NEW.authors @> OLD.authors THEN
            RAISE EXCEPTION 'an author is taken off the ticket'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'authors_of_ticket_stay';
        END IF;
        IF OLD.requester IS NOT NULL AND NEW.requester IS DISTINCT FROM OLD.requester AND (
            NEW.requester IS NOT NULL OR NEW.approved_by IS DISTINCT FROM OLD.approved_by
            OR OLD.state NOT IN ('completed', 'partially_completed', 'rejected', 'withdrawn'))
        THEN
            RAISE EXCEPTION 'who asks for the ticket at the board is taken off it'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'requester_of_ticket_stays';
        END IF;
        IF OLD.state IN ('completed', 'rejected', 'withdrawn') AND NEW.state <> OLD.state THEN
            RAISE EXCEPTION 'a ticket that has ended is opened again'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ended_ticket_stays_ended';
        END IF;
        NEW.grounded_by := ARRAY(SELECT DISTINCT unnest(OLD.grounded_by || NEW.grounded_by) ORDER BY 1);
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER ticket_keeps_hands BEFORE UPDATE OF authors, requester, grounded_by, approved_by, state ON tickets
    FOR EACH ROW EXECUTE FUNCTION keep_hands_in_ticket()""",
)

# Also who brought the same mappings into force before somebody brought them back; and an approval names its approver.
_CAMPAIGNS = (
    """
    CREATE OR REPLACE FUNCTION refuse_campaign_approved_by_author() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.approval ->> 'approved_by' IS NULL THEN
            RAISE EXCEPTION 'the approval names nobody'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_approved_by_person';
        END IF;
        IF EXISTS (
            SELECT FROM configuration_versions AS author
            JOIN configuration_versions AS now ON (now.kind, now.digest) = (author.kind, author.digest)
            WHERE now.kind = 'mappings' AND now.retired_at IS NULL
              AND (now.approved_by IS NOT NULL OR now.restores IS NOT NULL)
              AND (author.approved_by IS NOT NULL OR author.restores IS NOT NULL)
              AND author.proposed_by = NEW.approval ->> 'approved_by')
        THEN
            RAISE EXCEPTION 'the mappings in force were proposed by who approves'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_not_approved_by_author_of_mappings';
        END IF;
        RETURN NEW;
    END $$""",
)

_EARLIER_CAMPAIGNS = """
    CREATE OR REPLACE FUNCTION refuse_campaign_approved_by_author() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM configuration_versions
            WHERE kind = 'mappings' AND retired_at IS NULL AND (approved_by IS NOT NULL OR restores IS NOT NULL)
              AND proposed_by = NEW.approval ->> 'approved_by')
        THEN
            RAISE EXCEPTION 'the mappings in force were proposed by who approves'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_not_approved_by_author_of_mappings';
        END IF;
        RETURN NEW;
    END $$"""

_FUNCTIONS = (
    "keep_hands_in_operation", "refuse_plan_without_hands", "keep_approval_of_plan", "keep_authors_of_binding",
    "name_author_of_policy", "keep_hands_in_ticket",
)  # fmt: skip


def upgrade() -> None:
    for statement in (*_OPERATIONS, *_PLANS, *_BINDINGS, *_POLICIES, *_TICKETS, *_CAMPAIGNS):
        op.execute(statement)
    grant("UPDATE (hands)", "campaign_members")
    grant("UPDATE (authors)", "bindings")


def downgrade() -> None:
    op.execute(_EARLIER_CAMPAIGNS)
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function} CASCADE")  # its triggers go along
    op.execute("ALTER TABLE policies DROP COLUMN authors")  # and the constraint that looks at it
    op.execute("""
        ALTER TABLE bindings
            DROP COLUMN authors,
            ADD CONSTRAINT binding_confirmed_by_second_person CHECK (
                confirmed_by IS NULL
                OR (confirmed_by <> coalesce(selected_by, created_by) AND starts_with(confirmed_by, 'person:')))""")
    op.execute("ALTER TABLE campaign_members DROP COLUMN hands")
    op.execute("ALTER TABLE operations DROP COLUMN hands")
