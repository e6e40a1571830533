"""What stands on mappings, counted by the database."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, text

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.ids import MigrationId, OrganisationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.remap import RemapPart
from provisioning.domain.tenancy import Tenant
from provisioning.planning.mappings_impact import Holders, OpenLines, OpenWork
from tests.factories import NOW, TODAY, orders
from tests.factories import operations as make
from tests.integration.database.conftest import store

BOARD, OTHER = OrganisationId("41000"), OrganisationId("42000")
ARTICLE = make.wish().article_code
MIGRATION = MigrationId("3f0c9a4e-0000-4000-8000-000000000000")
DONE = OperationState.COMPLETED


def operation(uow: SqlUnitOfWork, tenant: Tenant, *, kind: OperationKind = OperationKind.DELIVER, **fields: Any) -> Any:
    state = fields.pop("state", OperationState.PLANNING)
    made = make.operation(tenant.tenant_id, kind=kind, state=state, wish=make.wish(**fields))
    uow.operations.add(made)
    return made


def given(uow: SqlUnitOfWork, of: Operation, people: list[Any], state: str = "verified") -> None:
    """A plan of these people, whose end is as told."""
    store(uow, make.plan(of, people))
    uow._connection.execute(  # the way there is long, and not what is tested
        text("UPDATE operation_subjects SET state = :state WHERE operation_id = :operation"),
        {"state": state, "operation": of.operation_id},
    )


class TestOpenLines:
    def test_counts_lines_that_are_open_and_name_the_article(self, uow: SqlUnitOfWork) -> None:
        for article in (ARTICLE, ARTICLE, "ANOTHER"):
            uow.orders.receive(orders.shop_line(article_code=article), NOW)
        uow._connection.execute(
            text("""UPDATE order_lines SET state = 'held', reason = 'X', held_since = received_at
                    WHERE ctid = (SELECT min(ctid) FROM order_lines WHERE article_code = :article)"""),
            {"article": ARTICLE},
        )
        assert uow.impact.open_lines({ARTICLE}) == [OpenLines(organisation_id=BOARD, accepted=1, held=1)]

    def test_what_is_over_is_not_counted(self, uow: SqlUnitOfWork) -> None:
        uow.orders.receive(orders.shop_line(), NOW)
        uow._connection.execute(text("UPDATE order_lines SET state = 'cancelled'"))
        assert uow.impact.open_lines({ARTICLE}) == []


class TestOpenWork:
    def expected(self, **fields: Any) -> OpenWork:
        wish = make.wish()
        standard = {
            "organisation_id": wish.holder_id,
            "article_code": wish.article_code,
            "sku_id": wish.sku_id,
            "from_sku": None,
            "is_part": False,
            "operations": 1,
            "approved": 0,
        }
        return OpenWork(**standard | fields)

    def test_counts_what_stands_on_the_same_rows_together(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        for state in (OperationState.NEW, OperationState.APPLYING, DONE, OperationState.CANCELLED):
            operation(uow, tenant, state=state)
        operation(uow, tenant, holder_id=OTHER)
        found = sorted(uow.impact.open_work(), key=lambda one: one.organisation_id)
        assert found == [self.expected(operations=2), self.expected(organisation_id=OTHER)]

    def test_knows_which_have_an_approved_plan(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        made = operation(uow, tenant, state=OperationState.AWAITING_APPROVAL)
        plan = store(uow, make.plan(made, make.people(1), guard_breaches=("too many",)))
        assert uow.impact.open_work() == [self.expected()]
        uow.plans.approve(plan.plan_id, "person:second", plan.envelope.digest, NOW + timedelta(hours=1))
        assert uow.impact.open_work() == [self.expected(approved=1)]

    def test_tells_parts_of_a_migration_and_remaps_apart(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        operation(uow, tenant, part=MigrationPart(migration_id=MIGRATION, wave=1, phase=Phase.PREPARE))
        assert uow.impact.open_work() == [self.expected(is_part=True)]
        operation(uow, tenant, kind=OperationKind.REMAP, remap=RemapPart(from_sku=make.A1))
        assert self.expected(from_sku=make.A1) in uow.impact.open_work()


class TestHolders:
    def test_a_person_who_was_given_it_twice_is_one(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        people = make.people(3)
        for _ in range(2):
            given(uow, operation(uow, tenant, state=DONE), people)
        given(uow, operation(uow, tenant, state=DONE, holder_id=OTHER), make.people(2), "already_right")
        found = sorted(uow.impact.holders({make.A3}, TODAY), key=lambda one: one.organisation_id)
        assert found == [Holders(organisation_id=BOARD, people=3), Holders(organisation_id=OTHER, people=2)]
        assert uow.impact.holders({make.A1}, TODAY) == []

    @pytest.mark.parametrize("state", ["refused", "failed", "waiting", "pending"])
    def test_who_did_not_get_it_is_not_counted(self, uow: SqlUnitOfWork, tenant: Tenant, state: str) -> None:
        given(uow, operation(uow, tenant), make.people(1), state)
        assert uow.impact.holders({make.A3}, TODAY) == []

    def test_whom_it_was_taken_from_is_not_counted(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        given(uow, operation(uow, tenant, kind=OperationKind.RELEASE, state=DONE), make.people(1))
        part = MigrationPart(migration_id=MIGRATION, wave=1, phase=Phase.RELEASE)
        given(uow, operation(uow, tenant, kind=OperationKind.MIGRATE, state=DONE, part=part), make.people(1))
        assert uow.impact.holders({make.A3}, TODAY) == []

    def test_seats_are_those_in_force_on_the_day(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        entry = orders.ledger_entry(BOARD, tenant.tenant_id)
        yesterday = TODAY - timedelta(days=1)
        over = msgspec.structs.replace(entry, effective_on=yesterday, ends_on=yesterday, cause_ref="shop/1/1")
        later = msgspec.structs.replace(entry, effective_on=TODAY + timedelta(days=1), cause_ref="shop/2/1")
        uow.ledger.append([entry, over, later])
        assert uow.impact.holders({make.A3}, TODAY) == [Holders(organisation_id=BOARD, seats=10)]


class TestIndex:
    def test_operations_are_found_by_their_product(self, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            lines = connection.execute(
                text("EXPLAIN SELECT 1 FROM operations WHERE wish ->> 'sku_id' = ANY (ARRAY['x'])")
            ).scalars()
            assert "operations_by_product" in " ".join(lines)
