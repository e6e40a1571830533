"""What the service's own role cannot do, whatever program holds its password."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from provisioning.domain.errors import NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import Organisation
from tests.factories import NOW, orders, tenancy
from tests.factories import migrations as make_migrations
from tests.factories import operations as make
from tests.integration.database.conftest import Open, store


@pytest.fixture(autouse=True)
def _something_in_each_table(open_uow: Open, board: Organisation, operation: Operation) -> None:
    other = tenancy.tenant()
    with open_uow() as uow:
        uow.tenants.save(other)
        uow.audit.record([Event(at=NOW, actor=SYSTEM, kind="order.received")])
        uow.ledger.append([orders.ledger_entry(board.organisation_id, operation.tenant_id)])
        uow.tenants.add_binding(tenancy.binding(board.organisation_id, operation.tenant_id, confirmed=False))
        uow.tenants.add_policy(tenancy.policy(operation.tenant_id, approved_by=None))
        store(uow, make.plan(operation, make.people(1), guard_breaches=("too many",)))
        moving = make_migrations.migration(operation.tenant_id, other.tenant_id, state=MigrationState.COMPLETED)
        uow.migrations.add(moving, make_migrations.waves(moving), make_migrations.travellers(moving, 1))
        uow.operations.save(operation.with_hands(Actor("person:a"), Actor("person:b")))
        uow.commit()


def run(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


class TestForGood:
    @pytest.mark.parametrize(
        "table", ["audit_events", "audit_seals", "audit_checkpoints", "entitlement_ledger", "realm"]
    )
    @pytest.mark.parametrize("deed", ["DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
    def test_what_is_on_record_cannot_be_removed(self, engine: Engine, table: str, deed: str) -> None:
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            run(engine, deed.format(table))

    @pytest.mark.parametrize(
        "change",
        [
            "audit_events SET body = ''",
            "audit_seals SET leaf = '\\x00'",
            "audit_checkpoints SET note = ''",
            "entitlement_ledger SET delta = 1000",
            "realm SET name = 'live'",
        ],
    )
    def test_what_is_on_record_cannot_be_changed(self, engine: Engine, change: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(engine, f"UPDATE {change}")


class TestMigrations:
    @pytest.mark.parametrize(
        "change",
        [
            "migrations SET definition = '{}'",
            "migrations SET source_tenant_id = target_tenant_id",
            "migrations SET digest = 'another'",
            "migrations SET requested_by = 'person:somebody-else'",
            "migration_waves SET number = 7",
            "migration_travellers SET target_id = source_id",
            "migration_travellers SET target_sku = source_sku",
            "migration_travellers SET situation = 'matched'",
            "migration_travellers SET pseudonym = 'p_another'",
        ],
    )
    def test_what_was_asked_for_and_who_was_matched_stay_as_they_were(self, engine: Engine, change: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(engine, f"UPDATE {change}")

    @pytest.mark.parametrize(
        "change",
        [
            "campaigns SET definition = '{}'",
            "campaigns SET digest = 'another'",
            "campaigns SET requested_by = 'person:somebody-else'",
            "campaign_members SET wave = 0",
            "campaign_members SET to_sku = from_sku",
        ],
    )
    def test_a_campaign_s_list_stays_as_it_was_approved(self, engine: Engine, change: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(engine, f"UPDATE {change}")

    @pytest.mark.parametrize("table", ["migrations", "migration_waves", "campaigns", "campaign_members"])
    def test_a_migration_and_its_waves_stay_for_good(self, engine: Engine, table: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(engine, f"DELETE FROM {table}")  # noqa: S608  # ours

    def test_people_go_when_their_time_has_come(self, engine: Engine) -> None:
        run(engine, "DELETE FROM migration_travellers")


class TestFourEyes:
    @pytest.mark.parametrize(
        "change",
        [
            "plans SET requested_by = 'person:somebody-else'",
            "plans SET authors = '{}'",
            "plans SET digest = 'another'",
            "plans SET guard_breaches = '{}'",
            "plans SET valid_until = '2100-01-01Z'",
            "bindings SET created_by = 'person:somebody-else'",
            "policies SET created_by = 'person:somebody-else'",
            "policies SET assignment_mode = 'group'",
        ],
    )
    def test_what_was_written_stays_as_its_author_wrote_it(self, engine: Engine, change: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(engine, f"UPDATE {change}")

    @pytest.mark.parametrize(
        "change",
        [
            "plans SET approved_by = requested_by, approved_at = drawn_at",
            "plans SET approved_by = 'person:' || requested_by, approved_at = NULL",
            "plans SET approved_by = 'system', approved_at = drawn_at",
            "bindings SET confirmed_by = created_by, confirmed_at = '2026-01-01Z', evidence = '{a,b}'",
            "bindings SET confirmed_by = 'system', confirmed_at = '2026-01-01Z', evidence = '{a,b}'",
            "bindings SET confirmed_by = 'person:second', confirmed_at = '2026-01-01Z', evidence = '{a}'",
            "policies SET approved_by = created_by",
            "policies SET approved_by = 'system'",
            "operations SET requested_by = 'client:somebody-else'",
            "operations SET hands = '{}'",
            "operations SET hands = '{person:c}'",
        ],
    )
    def test_nobody_approves_their_own_work_by_sql(self, engine: Engine, change: str) -> None:
        with pytest.raises((NotAllowedError, IntegrityError)):
            run(engine, f"UPDATE {change}")

    def test_another_hand_in_an_operation_is_added_to_those_before(self, engine: Engine) -> None:
        run(engine, "UPDATE operations SET hands = hands || '{person:c}'")


class TestSchema:
    def test_the_service_makes_no_tables(self, engine: Engine) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(engine, "CREATE TABLE mine (id int)")
