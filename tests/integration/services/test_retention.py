"""What is kept and for how long, on PostgreSQL: operations that ended, and a person who is to be forgotten."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from config.limits import default_limits
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor, LineKey, SubjectId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.migration import Migration, MigrationDefinition, Traveller, WaveDefinition
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, MigrationState
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import Tenant
from provisioning.services.forget_person import ForgetPerson
from provisioning.services.purge_migrations import PurgeMigrations
from provisioning.services.purge_operations import PurgeOperations
from tests.factories import NOW, migrations, tenancy
from tests.factories import operations as make
from tests.fakes import FakeClock

OpenUow = Callable[[], SqlUnitOfWork]
LIMITS = default_limits()
ADMIN = Identity(actor=Actor("person:admin"), roles=frozenset({Role.ADMIN}))
AUDITOR = Identity(actor=Actor("person:clerk"), roles=frozenset({Role.AUDITOR}))
ROWS = ("operation_subjects", "steps", "attempts", "plans")
EVERYWHERE = (
    *ROWS,
    "migrations",
    "migration_waves",
    "migration_travellers",
    "reservations",
    "waiting_list",
    "subject_references",
    "pseudonyms",
    "operations",
)
WORTH_KEEPING = {"people": "2", "steps": "2", "attempts": "1", "plans": "1"}


class Installation:
    """A tenant, and operations in it with two people each, of whom one was written to."""

    def __init__(self, open_uow: OpenUow, engine: Engine, tenant: Tenant) -> None:
        self.open_uow, self.engine, self.tenant, self.clock = open_uow, engine, tenant, FakeClock(NOW)

    def work(self, state: OperationState, people: list[SubjectId] | None = None) -> Operation:
        people = people or make.people(2)
        is_still = state in OPERATION_ENDS or state is OperationState.HELD
        operation = make.operation(
            self.tenant.tenant_id,
            state=state,
            due_at=None if is_still else NOW,
            reason="POISON" if state is OperationState.HELD else None,
            wish=make.wish(named=tuple(people)),
        )
        plan = make.plan(operation, people)
        with self.open_uow() as uow:
            uow.operations.add(operation)
            known = uow.audit.pseudonyms(self.tenant.tenant_id, people)
            uow.plans.add(plan, known, sku=make.A3, valid_until=NOW + timedelta(days=1))
            lease = uow.leases.take("tenant", "worker", NOW, timedelta(seconds=30))
            assert lease is not None
            first = uow.journal.next_steps(operation.operation_id, NOW, 1)
            uow.journal.begin([make.attempt(step, self.tenant.tenant_id) for step in first], lease, NOW)
            event = Event(at=NOW, actor=SYSTEM, kind="attempt.accepted", operation=operation.operation_id)
            uow.audit.record([event])
            uow.commit()
        return operation

    def purge(self) -> int:
        return PurgeOperations(open_uow=self.open_uow, clock=self.clock, limits=LIMITS)()

    def forget(self, subject: str, identity: Identity = ADMIN, reason: str = "asked on 3 March") -> None:
        ForgetPerson(open_uow=self.open_uow, clock=self.clock)(identity, self.tenant.initial_domain, subject, reason)

    def rows(self, *tables: str) -> int:
        with self.engine.connect() as connection:
            return sum(connection.scalar(text(f"SELECT count(*) FROM {each}")) for each in tables)  # noqa: S608  # ours

    def mentions(self, subject: SubjectId) -> set[str]:
        """Tables in which the object id stands anywhere."""
        with self.engine.connect() as connection:
            return {
                each
                for each in EVERYWHERE
                if connection.scalar(
                    text(f"SELECT count(*) FROM {each} WHERE CAST({each} AS text) LIKE :id"),  # noqa: S608  # ours
                    {"id": f"%{subject}%"},
                )
            }

    def events(self) -> list[Event]:
        with self.open_uow() as uow:
            return uow.audit.list_by()


@pytest.fixture
def installation(open_uow: OpenUow, engine: Engine) -> Installation:
    tenant = tenancy.tenant()
    with open_uow() as uow:
        uow.tenants.save(tenant)
        uow.commit()
    return Installation(open_uow, engine, tenant)


class TestPurgeOperations:
    @pytest.mark.parametrize("state", sorted(OPERATION_ENDS))
    def test_removes_people_and_work_after_400_days(self, installation: Installation, state: OperationState) -> None:
        installation.work(state)
        installation.clock.forward(timedelta(days=400))
        assert (installation.purge(), installation.rows(*ROWS) > 0) == (0, True)
        installation.clock.forward(timedelta(seconds=1))
        assert (installation.purge(), installation.rows(*ROWS), installation.rows("operations")) == (1, 0, 1)

    def test_says_in_the_audit_log_what_went_and_nothing_of_the_log(self, installation: Installation) -> None:
        operation = installation.work(OperationState.COMPLETED)
        installation.clock.forward(timedelta(days=401))
        installation.purge()
        before, purged = installation.events()
        assert before.kind == "attempt.accepted"
        assert (purged.kind, purged.operation, purged.details) == (
            "operation.purged",
            operation.operation_id,
            WORTH_KEEPING,
        )

    def test_leaves_no_object_id_but_in_the_key_of_pseudonyms(self, installation: Installation) -> None:
        person, other = make.people(2)
        installation.work(OperationState.COMPLETED, [person, other])
        installation.clock.forward(timedelta(days=401))
        installation.purge()
        assert installation.mentions(person) == {"pseudonyms"}

    def test_again_changes_nothing(self, installation: Installation) -> None:
        installation.work(OperationState.COMPLETED)
        installation.clock.forward(timedelta(days=401))
        assert (installation.purge(), installation.purge()) == (1, 0)

    @pytest.mark.parametrize("state", sorted(set(OperationState) - OPERATION_ENDS))
    def test_what_has_not_ended_stays_however_old(self, installation: Installation, state: OperationState) -> None:
        installation.work(state)
        installation.clock.forward(timedelta(days=4_000))
        assert (installation.purge(), installation.rows("steps")) == (0, 2)

    def test_what_one_person_approved_alone_stays_until_it_is_reviewed(self, installation: Installation) -> None:
        operation = installation.work(OperationState.COMPLETED)
        installation.clock.forward(timedelta(days=401))
        with installation.open_uow() as uow:
            plan = uow.plans.current(operation.operation_id)
            assert plan is not None
            uow.plans.approve(plan.plan_id, ADMIN.actor, plan.digest, NOW, "exams")
            uow.commit()
        assert installation.purge() == 0
        with installation.open_uow() as uow:
            uow.plans.review(plan.plan_id, AUDITOR.actor, NOW)
            uow.commit()
        assert installation.purge() == 1

    def test_the_store_refuses_what_goes_on(self, installation: Installation) -> None:
        operation = installation.work(OperationState.APPLYING)
        with installation.open_uow() as uow, pytest.raises(ConflictError, match="has not ended"):
            uow.retention.purge(operation.operation_id)


class TestForgetPerson:
    def test_leaves_nothing_of_the_person_and_everything_of_others(self, installation: Installation) -> None:
        person, other = make.people(2)
        installation.work(OperationState.COMPLETED, [person, other])
        with installation.open_uow() as uow:
            uow.references.keep(LineKey("shop", "1", "1"), ["her@school.example"], NOW)
            uow.references.resolve(LineKey("shop", "1", "1"), {"her@school.example": person})
            uow.commit()
        kept = installation.mentions(other)
        installation.forget(person.upper())
        assert installation.mentions(person) == set()
        assert installation.mentions(other) == kept

    def test_is_on_record_as_a_decision_without_the_person(self, installation: Installation) -> None:
        person, other = make.people(2)
        installation.work(OperationState.COMPLETED, [person, other])
        installation.forget(person)
        event = installation.events()[-1]
        assert (event.kind, event.actor, event.reason) == ("person.forgotten", ADMIN.actor, "asked on 3 March")
        assert (event.subject, event.details) == (None, {})

    def test_waits_until_work_for_the_person_has_ended(self, installation: Installation) -> None:
        person, other = make.people(2)
        installation.work(OperationState.HELD, [person, other])
        with pytest.raises(ConflictError, match="goes on"):
            installation.forget(person)

    def test_whoever_is_not_known_is_a_mistake_and_no_event(self, installation: Installation) -> None:
        with pytest.raises(InputError, match="Nobody with this object id"):
            installation.forget(make.people(1)[0])
        assert installation.events() == []

    def test_a_reason_is_needed(self, installation: Installation) -> None:
        with pytest.raises(InputError, match="needs a reason"):
            installation.forget(make.people(1)[0], reason=" ")

    def test_only_an_administrator_may(self, installation: Installation) -> None:
        with pytest.raises(NotAllowedError):
            installation.forget(make.people(1)[0], AUDITOR)


@dataclass
class Merger:
    """A migration out of the installation's tenant with two people; one of them is named in every possible place."""

    installation: Installation
    migration: Migration
    travellers: list[Traveller]

    @property
    def person(self) -> Traveller:
        return self.travellers[0]

    def end(self, state: MigrationState = MigrationState.ABORTED) -> None:
        with self.installation.open_uow() as uow:
            now = uow.migrations.get(self.migration.migration_id)
            if state is MigrationState.COMPLETED:
                for through in (MigrationState.MATCHED, MigrationState.RUNNING):
                    now = uow.migrations.save(replace(now, state=through))
            uow.migrations.save(replace(now, state=state))
            uow.commit()

    def definition(self) -> MigrationDefinition:
        with self.installation.open_uow() as uow:
            return uow.migrations.get(self.migration.migration_id).definition

    def purge(self) -> int:
        installation = self.installation
        return PurgeMigrations(open_uow=installation.open_uow, clock=installation.clock, limits=LIMITS)()

    def forget(self, subject: str, tenant: str) -> None:
        service = ForgetPerson(open_uow=self.installation.open_uow, clock=self.installation.clock)
        service(ADMIN, tenant, subject, "asked on 3 March")


@pytest.fixture
def merger(installation: Installation) -> Merger:
    target = tenancy.tenant()
    source_id, target_id, bystander = make.people(3)
    listed = json.dumps({"any": [{"ids": [source_id.upper(), bystander]}, {"domain": "school.example"}]})
    asked = {
        "identity": ((source_id, target_id),),
        "people": listed,
        "waves": (WaveDefinition(number=1, name="pilot", selector=json.dumps({"ids": [source_id]})),),
    }
    made = migrations.migration(installation.tenant.tenant_id, target.tenant_id, asked=asked)
    people = [migrations.traveller(made, source_id=source_id, target_id=target_id), migrations.traveller(made)]
    with installation.open_uow() as uow:
        uow.tenants.save(target)
        uow.migrations.add(made, migrations.waves(made), people)
        uow.commit()
    return Merger(installation, made, people)


class TestPurgeMigrations:
    @pytest.mark.parametrize("end", sorted(MIGRATION_ENDS))
    def test_removes_the_people_after_400_days(self, merger: Merger, end: MigrationState) -> None:
        merger.end(end)
        merger.installation.clock.forward(timedelta(days=400))
        assert (merger.purge(), merger.installation.rows("migration_travellers")) == (0, 2)
        merger.installation.clock.forward(timedelta(seconds=1))
        assert (merger.purge(), merger.installation.rows("migration_travellers")) == (1, 0)
        assert merger.installation.rows("migrations", "migration_waves") == 2

    def test_leaves_no_object_id_but_in_the_key_of_pseudonyms(self, merger: Merger) -> None:
        merger.end()
        merger.installation.clock.forward(timedelta(days=401))
        merger.purge()
        accounts = [account for each in merger.travellers for account in (each.source_id, each.target_id)]
        found = {table for account in accounts for table in merger.installation.mentions(account)}
        assert found == {"pseudonyms"}
        left = merger.definition()
        assert json.loads(left.people) == {"any": [{"ids": []}, {"domain": "school.example"}]}
        assert (left.identity, left.name, left.products) == ((), merger.migration.definition.name, left.products)

    def test_says_in_the_audit_log_what_went_and_again_changes_nothing(self, merger: Merger) -> None:
        merger.end()
        merger.installation.clock.forward(timedelta(days=401))
        assert (merger.purge(), merger.purge()) == (1, 0)
        [event] = merger.installation.events()
        expected = {"migration": merger.migration.migration_id, "people": "2"}
        assert (event.kind, event.details, event.organisation) == ("migration.purged", expected, "41000")

    def test_what_goes_on_stays_however_old(self, merger: Merger) -> None:
        merger.installation.clock.forward(timedelta(days=4_000))
        assert merger.purge() == 0
        with merger.installation.open_uow() as uow, pytest.raises(ConflictError, match="has not ended"):
            uow.retention.purge_migration(merger.migration.migration_id, NOW)


class TestForgetTraveller:
    @pytest.mark.parametrize("side", ["source", "target"])
    def test_leaves_neither_account_in_the_migration_and_everything_of_others(self, merger: Merger, side: str) -> None:
        merger.end()
        person, other = merger.travellers
        asked = merger.migration.definition
        places = {"source": (person.source_id, asked.source_tenant), "target": (person.target_id, asked.target_tenant)}
        merger.forget(*places[side])
        for each in (person.source_id, person.target_id):
            assert merger.installation.mentions(each) <= {"pseudonyms"}
            assert not merger.installation.mentions(each.upper())
        assert merger.installation.mentions(other.source_id) == {"migration_travellers", "pseudonyms"}
        assert json.loads(merger.definition().people)["any"][1] == {"domain": "school.example"}

    def test_who_was_only_named_is_forgotten_too(self, merger: Merger) -> None:
        merger.end()
        bystander = json.loads(merger.migration.definition.people)["any"][0]["ids"][1]
        merger.forget(bystander, merger.migration.definition.source_tenant)
        assert merger.installation.mentions(bystander) == set()

    def test_waits_until_the_migration_has_ended(self, merger: Merger) -> None:
        bystander = json.loads(merger.migration.definition.people)["any"][0]["ids"][1]
        for account in (merger.person.source_id, bystander):
            with pytest.raises(
                ConflictError, match=f"part of migration {merger.migration.migration_id}, which goes on"
            ):
                merger.forget(account, merger.migration.definition.source_tenant)

    def test_a_migration_of_other_tenants_is_left_alone(self, merger: Merger) -> None:
        elsewhere = tenancy.tenant()
        with merger.installation.open_uow() as uow:
            uow.tenants.save(elsewhere)
            uow.commit()
        with pytest.raises(InputError, match="Nobody with this object id"):
            merger.forget(merger.person.source_id, elsewhere.tenant_id)
