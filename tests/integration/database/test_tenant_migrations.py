"""Migrations, waves and people on PostgreSQL: what comes back, what is refused, and two who come at once."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError, TransitionError
from provisioning.domain.ids import Actor, MigrationId, OperationId, SubjectId
from provisioning.domain.migration import (
    MatchRule,
    Migration,
    MigrationDefinition,
    Outset,
    Phase,
    Situation,
    Traveller,
    Treatment,
    WaveDefinition,
    Window,
)
from provisioning.domain.migration_lifecycle import ARRIVED, MIGRATION_ENDS, MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation, OperationKind, Wish
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Tenant
from tests.factories import NOW, guid, tenancy
from tests.factories import migrations as make
from tests.factories import operations as work
from tests.integration.database.conftest import Open

A_SECOND = timedelta(seconds=1)
LATER = NOW + timedelta(minutes=1)
change = msgspec.structs.replace


@pytest.fixture
def target(open_uow: Open) -> Tenant:
    made = tenancy.tenant()
    with open_uow() as uow:
        uow.tenants.save(made)
        uow.commit()
    return made


@pytest.fixture
def migration(open_uow: Open, tenant: Tenant, target: Tenant) -> Migration:
    """Of two waves, with nobody in them yet."""
    made = make.migration(tenant.tenant_id, target.tenant_id)
    with open_uow() as uow:
        uow.migrations.add(made, make.waves(made))
        uow.commit()
    return made


@pytest.fixture
def people(open_uow: Open, migration: Migration) -> list[Traveller]:
    with open_uow() as uow:
        uow.migrations.replace_travellers(migration.migration_id, make.travellers(migration, 3))
        uow.commit()
        return uow.migrations.travellers(migration.migration_id)


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    """What the database is told, as it is told."""
    told: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield told
    event.remove(engine, "before_cursor_execute", note)


def added(uow: SqlUnitOfWork, like: Migration, asked: dict[str, Any] | None = None, **fields: Any) -> Migration:
    definition = change(like.definition, **asked or {})
    made = make.migration(definition.source_tenant, definition.target_tenant, definition=definition, **fields)
    uow.migrations.add(made, make.waves(made))
    return made


def moved(uow: SqlUnitOfWork, people: list[Traveller], state: PersonState, **fields: Any) -> list[Traveller]:
    news = [change(each, state=state, **fields) for each in people]
    uow.migrations.save_travellers(people[0].migration_id, news)
    return news


class TestAMigration:
    def test_comes_back_as_it_was_asked_for(self, uow: SqlUnitOfWork, tenant: Tenant, target: Tenant) -> None:
        first, second = work.people(2)
        full = make.definition(
            tenant.tenant_id,
            target.tenant_id,
            people=f'{{"ids": ["{first}", "{second}"]}}',
            identity=((first, second),),
            rules=(MatchRule.EMPLOYEE_ID, MatchRule.MAIL_NICKNAME),
            treatments={Situation.GUEST: Treatment.LEAVE_OUT, Situation.DISABLED: Treatment.TAKE_ALONG},
            plan_mapping={"a": "b"},
            hold_period=timedelta(days=45, hours=12),
            failure_threshold=0.1,
            window=Window(region="noord", from_hour=18, until_hour=24),
            moves_mailboxes=False,
            waves=(WaveDefinition(number=1, name="pilot", selector='{"everyone": true}', limit=5, not_before=LATER),),
        )
        made = make.migration(
            tenant.tenant_id,
            target.tenant_id,
            definition=full,
            state=MigrationState.PAUSED,
            reason=Reason.THRESHOLD_REACHED,
            matched_at=NOW,
            due_at=LATER,
        )
        uow.migrations.add(made, make.waves(made))
        assert uow.migrations.get(made.migration_id) == made
        assert uow.migrations.waves(made.migration_id) == make.waves(made)

    def test_that_is_missing_is_none_or_an_error(self, uow: SqlUnitOfWork) -> None:
        assert uow.migrations.find(MigrationId("none")) is None
        with pytest.raises(InputError, match="There is no migration none"):
            uow.migrations.get(MigrationId("none"))

    def test_is_added_once(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        with pytest.raises(ConflictError, match="exists already"):
            uow.migrations.add(migration, [])

    @pytest.mark.parametrize("unknown", ["source_tenant", "target_tenant"])
    def test_in_an_unknown_tenant_is_refused(self, uow: SqlUnitOfWork, migration: Migration, unknown: str) -> None:
        side = unknown.partition("_")[0]
        with pytest.raises(InputError, match=f"The {side} tenant of the migration is not known"):
            added(uow, migration, {unknown: guid()})

    def test_goes_from_one_tenant_to_another(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        with pytest.raises(InputError, match="these are the same"):
            added(uow, migration, {"target_tenant": migration.definition.source_tenant})

    @pytest.mark.parametrize(("period", "is_enough"), [(timedelta(days=30), True), (timedelta(days=29.99), False)])
    def test_holds_the_source_for_thirty_days(
        self, uow: SqlUnitOfWork, migration: Migration, period: timedelta, is_enough: bool
    ) -> None:
        if is_enough:
            assert added(uow, migration, {"hold_period": period})
        else:
            with pytest.raises(InputError, match="give a longer hold period"):
                added(uow, migration, {"hold_period": period})

    def test_whose_selector_cannot_be_read_is_refused(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        with pytest.raises(InputError, match="selector"):
            added(uow, migration, {"people": "everybody"})

    def test_that_is_paused_says_why(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        with pytest.raises(IntegrityError, match="paused_migration_has_reason"):
            added(uow, migration, state=MigrationState.PAUSED)

    def test_is_found_by_who_asked_for_it(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        asked = added(uow, migration, {"asked_by": "ticket 0041"})
        assert uow.migrations.asked_by("ticket 0041") == [asked]
        assert uow.migrations.asked_by("ticket 00") == []

    def test_is_listed_by_state_oldest_first(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        older = added(uow, migration, created_at=NOW - A_SECOND)
        matched = added(uow, migration, created_at=LATER, state=MigrationState.MATCHED)
        ids = [each.migration_id for each in (older, migration, matched)]
        assert [each.migration_id for each in uow.migrations.list_by()] == ids
        assert [each.migration_id for each in uow.migrations.list_by(limit=2)] == ids[:2]
        assert uow.migrations.list_by({MigrationState.MATCHED, MigrationState.RUNNING}) == [matched]

    def test_is_named_by_its_first_characters(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        for ending in ("c", "a", "b"):
            added(uow, migration, migration_id=MigrationId(f"same%{ending}"))
        assert uow.migrations.starting_with("same%", 2) == ["same%a", "same%b"]
        assert uow.migrations.starting_with("sam_") == []
        assert uow.migrations.starting_with(migration.migration_id) == [migration.migration_id]


class TestSavingAMigration:
    def test_raises_the_version(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        saved = uow.migrations.save(change(migration, state=MigrationState.MATCHED, matched_at=NOW, due_at=LATER))
        assert (saved.version, saved.state) == (1, MigrationState.MATCHED)
        assert uow.migrations.get(migration.migration_id) == saved

    def test_leaves_its_definition_as_it_was_asked_for(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        other = change(migration.definition, hold_period=timedelta(days=400))
        uow.migrations.save(change(migration, definition=other, requested_by=Actor("person:other")))
        assert uow.migrations.get(migration.migration_id) == change(migration, version=1)

    def test_over_a_newer_version_is_a_conflict(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        uow.migrations.save(migration)
        with pytest.raises(ConflictError, match="Read it again"):
            uow.migrations.save(change(migration, state=MigrationState.COMPLETED))

    def test_along_another_way_than_the_tables_is_a_bug(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        with pytest.raises(TransitionError, match="may not go from new to completed"):
            uow.migrations.save(change(migration, state=MigrationState.COMPLETED))
        assert uow.migrations.get(migration.migration_id) == migration

    def test_of_two_writers_at_once_one_is_told(self, open_uow: Open, migration: Migration) -> None:
        with open_uow() as first, open_uow() as second:
            mine, theirs = (uow.migrations.get(migration.migration_id) for uow in (first, second))
            first.migrations.save(change(mine, state=MigrationState.MATCHED))
            first.commit()
            with pytest.raises(ConflictError):
                second.migrations.save(change(theirs, state=MigrationState.ABORTED))


class TestClaimingWhatIsDue:
    def test_moves_it_so_that_the_next_sweep_leaves_it(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        due = added(uow, migration, state=MigrationState.RUNNING, due_at=NOW)
        assert uow.migrations.claim_due(NOW, LATER, 10) == [due.migration_id]
        assert uow.migrations.claim_due(NOW, LATER, 10) == []
        assert uow.migrations.claim_due(LATER, LATER + A_SECOND, 10) == [due.migration_id]

    def test_takes_the_longest_due_first(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        running = {"state": MigrationState.RUNNING}
        late, early = (added(uow, migration, due_at=NOW - after * A_SECOND, **running) for after in (1, 2))
        assert uow.migrations.claim_due(NOW, LATER, 1) == [early.migration_id]
        assert uow.migrations.claim_due(NOW, LATER, 1) == [late.migration_id]

    def test_leaves_what_is_not_due_or_waits_for_a_person(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        added(uow, migration, due_at=LATER)
        added(uow, migration, due_at=None)
        assert uow.migrations.claim_due(NOW, LATER, 10) == []

    @pytest.mark.parametrize("end", sorted(MIGRATION_ENDS))
    def test_takes_one_that_was_called_off_until_its_people_are_accounted_for(
        self, uow: SqlUnitOfWork, migration: Migration, end: MigrationState
    ) -> None:
        ending = added(uow, migration, state=end, due_at=NOW)
        assert uow.migrations.claim_due(NOW, LATER, 10) == [ending.migration_id]

    def test_two_sweeps_at_once_never_claim_the_same(self, open_uow: Open, migration: Migration) -> None:
        with open_uow() as uow:
            mine = {added(uow, migration, due_at=NOW).migration_id for _ in range(4)}
            uow.commit()
        with open_uow() as first, open_uow() as second:
            one, other = (uow.migrations.claim_due(NOW, LATER, 2) for uow in (first, second))
        assert len(one) == len(other) == 2
        assert {*one, *other} == mine

    def test_does_not_wait_for_whoever_works_on_it(
        self, open_uow: Open, migration: Migration, people: list[Traveller]
    ) -> None:
        with open_uow() as uow:
            uow.migrations.save(change(migration, due_at=NOW))
            uow.commit()
        with open_uow() as worker, open_uow() as sweep:
            worker.migrations.give_evidence(migration.migration_id, {people[0].source_id: make.evidence()})
            assert sweep.migrations.claim_due(NOW, LATER, 10) == []

    def test_postponing_makes_no_version_and_wakes_nothing_that_waits_for_a_person(
        self, uow: SqlUnitOfWork, migration: Migration
    ) -> None:
        due = added(uow, migration, due_at=NOW)
        for each in (due, migration):
            uow.migrations.postpone(each.migration_id, LATER)
        assert uow.migrations.get(due.migration_id) == change(due, due_at=LATER)
        assert uow.migrations.get(migration.migration_id) == migration


class TestWaves:
    def test_go_along_their_table(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        pilot, rest = uow.migrations.waves(migration.migration_id)
        begun = make.started(pilot)
        uow.migrations.save_wave(begun)
        shut = change(begun, reason=Reason.OUTSIDE_WINDOW, failures_seen=3)
        uow.migrations.save_wave(shut)
        assert uow.migrations.waves(migration.migration_id) == [shut, rest]
        with pytest.raises(TransitionError, match="may not go from preparing to done"):
            uow.migrations.save_wave(change(begun, state=WaveState.DONE))

    def test_that_are_not_there_are_refused(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        pilot, _ = uow.migrations.waves(migration.migration_id)
        with pytest.raises(InputError, match="has no wave 3"):
            uow.migrations.save_wave(change(pilot, number=3))
        with pytest.raises(InputError, match="There is no migration none"):
            uow.migrations.save_wave(change(pilot, migration_id="none"))

    def test_are_numbered_from_one(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        made = make.migration(migration.definition.source_tenant, migration.definition.target_tenant)
        with pytest.raises(IntegrityError, match="wave_numbered_from_one"):
            uow.migrations.add(made, [change(make.waves(made)[0], number=0)])

    @pytest.mark.parametrize("starter", [None, "system", "client:desk"])
    def test_are_started_by_a_person(self, uow: SqlUnitOfWork, migration: Migration, starter: str | None) -> None:
        pilot, _ = uow.migrations.waves(migration.migration_id)
        with pytest.raises(NotAllowedError, match="started by a person"):
            uow.migrations.save_wave(make.started(pilot, started_by=starter))

    @pytest.mark.parametrize(("place", "is_refused"), [(0, False), (1, True)])
    def test_after_the_pilot_start_for_a_reason(
        self, uow: SqlUnitOfWork, migration: Migration, place: int, is_refused: bool
    ) -> None:
        wave = make.started(uow.migrations.waves(migration.migration_id)[place], go_reason=" ")
        if is_refused:
            with pytest.raises(InputError, match="needs a reason to go on"):
                uow.migrations.save_wave(wave)
        else:
            uow.migrations.save_wave(wave)

    def test_keep_who_started_them_when_two_do_at_once(self, open_uow: Open, migration: Migration) -> None:
        with open_uow() as first, open_uow() as second:
            pilot, _ = first.migrations.waves(migration.migration_id)
            second.migrations.waves(migration.migration_id)
            first.migrations.save_wave(make.started(pilot))
            first.commit()
            with pytest.raises(ConflictError, match="started by person:duty already"):
                second.migrations.save_wave(make.started(pilot, started_by=Actor("person:second")))


class TestMatching:
    def test_keeps_everybody_with_a_pseudonym_that_the_log_knows(
        self, uow: SqlUnitOfWork, migration: Migration
    ) -> None:
        given = make.travellers(migration, 2)
        uow.migrations.replace_travellers(migration.migration_id, given)
        known = uow.audit.pseudonyms(migration.definition.source_tenant, [each.source_id for each in given])
        expected = [change(each, pseudonym=known[each.source_id]) for each in given]
        assert uow.migrations.travellers(migration.migration_id) == expected

    def test_comes_back_with_everything_it_said(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        left_out = make.traveller(
            migration,
            wave=0,
            target_id=None,
            situation=Situation.MISSING_IN_TARGET,
            state=PersonState.LEFT_OUT,
            reason=Reason.LEFT_OUT,
            pseudonym="p_known",
            evidence=make.evidence(),
            outset=Outset(has_location=False, is_licensed=True, removals=2),
        )
        uow.migrations.replace_travellers(migration.migration_id, [left_out])
        assert uow.migrations.travellers(migration.migration_id) == [left_out]

    def test_again_replaces_everybody(self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]) -> None:
        first, second, _ = people
        swapped = [change(first, target_id=second.target_id), change(second, target_id=first.target_id)]
        uow.migrations.replace_travellers(migration.migration_id, swapped)
        assert uow.migrations.travellers(migration.migration_id) == swapped

    def test_again_keeps_evidence_of_the_same_pair_only(
        self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        same, other, _ = people
        given = dict.fromkeys((same.source_id, other.source_id), make.evidence())
        uow.migrations.give_evidence(migration.migration_id, given)
        again = [same, change(other, target_id=SubjectId(guid()))]
        uow.migrations.replace_travellers(migration.migration_id, again)
        assert uow.migrations.travellers(migration.migration_id) == [change(same, evidence=make.evidence()), again[1]]

    def test_again_is_refused_once_somebody_began(
        self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        moved(uow, people[:1], PersonState.PREPARING)
        with pytest.raises(ConflictError, match="nobody is matched anew"):
            uow.migrations.replace_travellers(migration.migration_id, people)

    def test_gives_an_account_to_one_person(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        one = make.traveller(migration)
        other = make.traveller(migration, target_id=one.target_id)
        with pytest.raises(InputError, match="lead to the same account"):
            uow.migrations.replace_travellers(migration.migration_id, [one, other])

    @pytest.mark.parametrize(
        "fields", [{"situation": Situation.MATCHED_TWICE}, {"situation": Situation.DISPUTED}, {"state": "left_out"}]
    )
    def test_may_say_that_an_account_is_disputed_or_left_out(
        self, uow: SqlUnitOfWork, migration: Migration, fields: dict[str, Any]
    ) -> None:
        one = make.traveller(migration, **fields)
        other = make.traveller(migration, target_id=one.target_id, **fields)
        uow.migrations.replace_travellers(migration.migration_id, [one, other])
        assert len(uow.migrations.travellers(migration.migration_id)) == 2

    def test_puts_nobody_in_a_wave_that_is_not_there(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        with pytest.raises(InputError, match="no such wave"):
            uow.migrations.replace_travellers(migration.migration_id, [make.traveller(migration, wave=3)])

    def test_of_what_is_not_there_is_refused(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(InputError, match="There is no migration none"):
            uow.migrations.replace_travellers(MigrationId("none"), [])


class TestReadingPeople:
    @pytest.fixture
    def three(self, uow: SqlUnitOfWork, migration: Migration) -> list[Traveller]:
        """One in no wave, and one in each."""
        made = [
            make.traveller(migration, wave=0, situation=Situation.GUEST, state=PersonState.LEFT_OUT),
            make.traveller(migration, wave=1),
            make.traveller(migration, wave=2),
        ]
        uow.migrations.replace_travellers(migration.migration_id, made)
        return uow.migrations.travellers(migration.migration_id)

    def test_by_wave_and_state(self, uow: SqlUnitOfWork, migration: Migration, three: list[Traveller]) -> None:
        of = migration.migration_id
        assert [each.wave for each in three] == [0, 1, 2]
        assert uow.migrations.travellers(of, wave=0) == three[:1]
        assert uow.migrations.travellers(of, states={PersonState.WAITING}) == three[1:]
        assert uow.migrations.travellers(of, wave=2, states={PersonState.LEFT_OUT}) == []

    def test_as_numbers(self, uow: SqlUnitOfWork, migration: Migration, three: list[Traveller]) -> None:
        moved(uow, three[1:2], PersonState.PREPARING)
        assert uow.migrations.counts(migration.migration_id) == {
            0: Counter({PersonState.LEFT_OUT: 1}),
            1: Counter({PersonState.PREPARING: 1}),
            2: Counter({PersonState.WAITING: 1}),
        }
        assert uow.migrations.situations(migration.migration_id) == {Situation.MATCHED: 2, Situation.GUEST: 1}


class TestMovingPeople:
    def test_writes_where_they_stand(self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]) -> None:
        operation = make.operation_for(migration)
        uow.operations.add(operation)
        begun = moved(uow, people, PersonState.PREPARING, operation_id=operation.operation_id)
        moved(uow, begun[:1], PersonState.FAILED, reason=Reason.COUNT_VIOLATION, failed_in=Phase.PREPARE)
        arrived = moved(uow, begun[1:], PersonState.ENABLED, enabled_at=LATER)
        failed, *rest = uow.migrations.travellers(migration.migration_id)
        assert (failed.reason, failed.failed_in) == (Reason.COUNT_VIOLATION, Phase.PREPARE)
        assert (rest, failed.operation_id) == (arrived, operation.operation_id)

    def test_all_or_none_along_the_table(
        self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        wrong = [change(people[0], state=PersonState.PREPARING), change(people[1], state=PersonState.RELEASED)]
        wrong[1] = change(wrong[1], enabled_at=NOW)
        with pytest.raises(TransitionError, match="may not go from waiting to released"):
            uow.migrations.save_travellers(migration.migration_id, wrong)

    def test_leaves_who_they_are_as_matched(
        self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        other = {"target_id": SubjectId(guid()), "target_sku": None, "situation": Situation.GUEST, "pseudonym": "p_x"}
        moved(uow, people, PersonState.PREPARING, **other)
        expected = [change(each, state=PersonState.PREPARING) for each in people]
        assert uow.migrations.travellers(migration.migration_id) == expected

    def test_who_has_not_begun_may_change_waves(
        self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        later = moved(uow, people[:1], PersonState.WAITING, wave=2)
        begun = moved(uow, later, PersonState.PREPARING)
        assert uow.migrations.travellers(migration.migration_id, wave=2) == begun
        with pytest.raises(ConflictError, match="stay in their wave"):
            moved(uow, begun, PersonState.PREPARING, wave=1)

    def test_whoever_is_not_in_the_migration_is_a_conflict_that_names_nobody(
        self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        stranger = make.traveller(migration)
        with pytest.raises(ConflictError, match=r"^1 people are not in migration") as refused:
            uow.migrations.save_travellers(migration.migration_id, [people[0], stranger])
        assert stranger.source_id not in str(refused.value)

    def test_with_an_operation_that_is_not_there_is_refused(self, uow: SqlUnitOfWork, people: list[Traveller]) -> None:
        with pytest.raises(InputError, match="operation of these people does not exist"):
            moved(uow, people, PersonState.PREPARING, operation_id=OperationId("none"))

    @pytest.mark.parametrize(
        ("fields", "broken"),
        [
            ({"state": "preparing", "wave": 0}, "traveller_has_all_it_takes"),
            ({"state": "enabled"}, "hold_period_has_a_beginning"),
            ({"state": "enabling"}, "exchange_goes_on_with_evidence"),
            ({"state": "failed", "reason": "THROTTLED"}, "failed_traveller_has_reason"),
            ({"state": "failed", "failed_in": "prepare"}, "failed_traveller_has_reason"),
        ],
    )
    def test_what_a_person_in_a_state_must_have(
        self, uow: SqlUnitOfWork, migration: Migration, fields: dict[str, Any], broken: str
    ) -> None:
        with pytest.raises(IntegrityError, match=broken):
            uow.migrations.replace_travellers(migration.migration_id, [make.traveller(migration, **fields)])

    @pytest.mark.parametrize(
        "fields", [{"target_id": None}, {"target_sku": None}, {"situation": Situation.GUEST}, {"wave": 0}]
    )
    def test_nobody_begins_without_an_account_a_product_and_a_wave(
        self, uow: SqlUnitOfWork, migration: Migration, fields: dict[str, Any]
    ) -> None:
        uow.migrations.replace_travellers(migration.migration_id, [make.traveller(migration, **fields)])
        waiting = uow.migrations.travellers(migration.migration_id)
        with pytest.raises(IntegrityError, match="traveller_has_all_it_takes"):
            moved(uow, waiting, PersonState.PREPARING)

    def test_2500_people_are_moved_in_one_statement(
        self, uow: SqlUnitOfWork, migration: Migration, statements: list[str]
    ) -> None:
        many = make.travellers(migration, 2_500)
        uow.migrations.replace_travellers(migration.migration_id, many)
        statements.clear()
        moved(uow, many, PersonState.PREPARING)
        assert [each for each in statements if "UPDATE migration_travellers" in each] == [statements[-1]]
        assert len(statements) == 2  # the other takes the migration's row
        assert uow.migrations.counts(migration.migration_id) == {1: Counter({PersonState.PREPARING: 2_500})}


class TestEvidence:
    def test_is_told_for_whom_it_is_the_first_and_stays(
        self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        of, (first, second, third) = migration.migration_id, people
        assert uow.migrations.give_evidence(of, {first.source_id: make.evidence()}) == {first.source_id}
        later = dict.fromkeys((first.source_id, second.source_id), make.evidence(reference="another", given_at=LATER))
        assert uow.migrations.give_evidence(of, later) == {second.source_id}
        assert uow.migrations.give_evidence(of, later) == set()
        assert uow.migrations.travellers(of) == [
            change(first, evidence=make.evidence()),
            change(second, evidence=later[second.source_id]),
            third,
        ]

    def test_is_for_people_of_the_migration_who_go(
        self, uow: SqlUnitOfWork, migration: Migration, people: list[Traveller]
    ) -> None:
        [left_out] = moved(uow, people[:1], PersonState.LEFT_OUT)
        given = dict.fromkeys((left_out.source_id, SubjectId(guid())), make.evidence())
        assert uow.migrations.give_evidence(migration.migration_id, given) == set()
        assert uow.migrations.give_evidence(migration.migration_id, {}) == set()

    @pytest.mark.parametrize("state", list(PersonState))
    def test_is_taken_back_before_exchange_is_on_its_way(
        self, uow: SqlUnitOfWork, migration: Migration, state: PersonState
    ) -> None:
        failed = {"reason": Reason.NOT_FOUND, "failed_in": Phase.PREPARE} if state is PersonState.FAILED else {}
        one = make.traveller(migration, state=state, evidence=make.evidence(), enabled_at=NOW, **failed)
        uow.migrations.replace_travellers(migration.migration_id, [one])
        if state in {PersonState.WAITING, PersonState.PREPARING, PersonState.PREPARED, PersonState.FAILED}:
            uow.migrations.withdraw_evidence(migration.migration_id, [one.source_id])
            assert uow.migrations.travellers(migration.migration_id)[0].evidence is None
        else:
            with pytest.raises(ConflictError, match="changed since they were read"):
                uow.migrations.withdraw_evidence(migration.migration_id, [one.source_id])

    def test_that_is_taken_back_does_not_come_back_by_who_read_it_before(
        self, open_uow: Open, migration: Migration, people: list[Traveller]
    ) -> None:
        of, first = migration.migration_id, people[0].source_id
        with open_uow() as clerk:
            clerk.migrations.give_evidence(of, {first: make.evidence()})
            clerk.commit()
        with open_uow() as worker, open_uow() as clerk:
            read, known = worker.migrations.travellers(of), worker.migrations.get(of)
            clerk.migrations.withdraw_evidence(of, [first])
            clerk.migrations.save(clerk.migrations.get(of))
            clerk.commit()
            moved(worker, read[:1], PersonState.PREPARING)
            with pytest.raises(ConflictError):
                worker.migrations.save(known)

    def test_survives_whoever_read_the_people_before_it_came(
        self, open_uow: Open, migration: Migration, people: list[Traveller]
    ) -> None:
        with open_uow() as worker, open_uow() as clerk:
            read = worker.migrations.travellers(migration.migration_id)
            clerk.migrations.give_evidence(migration.migration_id, {people[0].source_id: make.evidence()})
            clerk.commit()
            moved(worker, read, PersonState.PREPARING)
            worker.commit()
            proven = [each.evidence for each in clerk.migrations.travellers(migration.migration_id)]
        assert proven == [make.evidence(), None, None]


class TestOperations:
    def test_of_a_migration_are_found_by_its_part(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        second = make.operation_for(migration, created_at=LATER)
        first = make.operation_for(migration)
        for each in (second, first, work.operation(migration.definition.target_tenant)):
            uow.operations.add(each)
        uow.operations.add(make.operation_for(added(uow, migration)))
        assert uow.migrations.operations_of(migration.migration_id) == [first, second]

    def test_that_follow_it_in_the_target_are_found_by_what_they_follow(
        self, uow: SqlUnitOfWork, migration: Migration
    ) -> None:
        def following(of: Migration, **fields: Any) -> Operation:
            wish = work.wish(replaces=frozenset(), follows=make.part(of, Phase.ENABLE))
            return make.operation_for(of, **{"kind": OperationKind.CHANGE, "wish": wish, **fields})

        second, first = following(migration, created_at=LATER), following(migration)
        part, other = make.operation_for(migration), following(added(uow, migration))
        for each in (second, first, part, other, work.operation(migration.definition.target_tenant)):
            uow.operations.add(each)
        assert uow.migrations.followers_of(migration) == [first, second]
        assert uow.migrations.operations_of(migration.migration_id) == [part]

    def test_carry_their_part_through_the_database(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        made = make.operation_for(migration, work.people(2))
        uow.operations.add(made)
        wish: Wish = uow.operations.get(made.operation_id).wish
        assert wish.part == make.part(migration)


def test_a_definition_has_no_other_place_for_people() -> None:
    """Whoever adds a field that names people sets it apart in `named_people`, or they are never forgotten."""
    places = {"identity", "people", "waves"}
    harmless = {
        "name", "source_tenant", "target_tenant", "source_holder", "target_holder", "asked_by", "products", "rules",
        "treatments", "plan_mapping", "hold_period", "failure_threshold", "window", "approvers", "moves_mailboxes",
    }  # fmt: skip
    assert set(MigrationDefinition.__struct_fields__) == places | harmless


class TestWhoAwaitsExchange:
    @pytest.mark.parametrize("state", list(PersonState))
    def test_is_whoever_has_not_arrived(self, uow: SqlUnitOfWork, migration: Migration, state: PersonState) -> None:
        failed = {"reason": Reason.NOT_FOUND, "failed_in": Phase.ENABLE} if state is PersonState.FAILED else {}
        one = make.traveller(migration, state=state, evidence=make.evidence(), enabled_at=NOW, **failed)
        uow.migrations.replace_travellers(migration.migration_id, [one])
        has_arrived = state in ARRIVED | {PersonState.ROLLED_BACK, PersonState.LEFT_OUT}
        expected = set() if has_arrived else {one.target_id}
        assert uow.migrations.awaiting_exchange(migration.definition.target_tenant) == expected
        assert uow.migrations.awaiting_exchange(migration.definition.source_tenant) == set()

    def test_is_not_who_failed_to_leave(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        failed = {"state": PersonState.FAILED, "reason": Reason.NOT_FOUND, "failed_in": Phase.RELEASE}
        uow.migrations.replace_travellers(migration.migration_id, [make.traveller(migration, **failed)])
        assert uow.migrations.awaiting_exchange(migration.definition.target_tenant) == set()

    def test_is_nobody_once_the_migration_has_ended(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        ended = added(uow, migration, state=MigrationState.ABORTED)
        uow.migrations.replace_travellers(ended.migration_id, make.travellers(ended, 2))
        assert uow.migrations.awaiting_exchange(ended.definition.target_tenant) == set()


HERE = ("target_tenant", "target_holder")


class TestWhoMissesExchange:
    @pytest.mark.parametrize("has_mailbox", [True, False])
    @pytest.mark.parametrize("enabled_at", [None, NOW])
    @pytest.mark.parametrize("reason", [Reason.NOT_FOUND, Reason.MIGRATION_ABORTED])
    def test_is_who_the_domain_says(
        self, uow: SqlUnitOfWork, migration: Migration, reason: Reason, enabled_at: Any, has_mailbox: bool
    ) -> None:
        """In each state, failed in each phase, with and without evidence."""
        ways = [(state, None) for state in PersonState if state is not PersonState.FAILED]
        many = [
            make.traveller(
                migration,
                state=state,
                failed_in=phase,
                reason=reason if phase else None,
                has_mailbox=has_mailbox,
                enabled_at=NOW if state in ARRIVED else enabled_at,
                evidence=given,
            )
            for state, phase in [*ways, *((PersonState.FAILED, phase) for phase in Phase)]
            for given in (make.evidence(), None)
            if given or state is not PersonState.ENABLING
        ]
        uow.migrations.replace_travellers(migration.migration_id, many)
        expected = sum(one.misses_exchange for one in many)
        assert len(uow.migrations.missing_exchange(NOW)) == expected

    def test_is_told_with_whom_it_concerns_longest_first(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        moments = {"long": NOW - timedelta(days=9), "short": NOW - timedelta(days=4)}
        given = [
            make.evidence(given_at=NOW, completed_at=moments["long"]),
            make.evidence(given_at=moments["short"]),
            make.evidence(given_at=NOW),
        ]
        paused = added(uow, migration, state=MigrationState.PAUSED, reason=Reason.MIGRATION_PAUSED)
        people = [make.traveller(paused, state=PersonState.PREPARED, evidence=one) for one in given]
        uow.migrations.replace_travellers(paused.migration_id, people)
        found = uow.migrations.missing_exchange(NOW - timedelta(days=3))
        concerned = (paused.migration_id, *(getattr(paused.definition, name) for name in HERE))
        assert [tuple(one) for one in found] == [(*concerned, at) for at in moments.values()]

    @pytest.mark.parametrize(("later", "found"), [(timedelta(0), 1), (-A_SECOND, 0)])
    def test_for_as_long_as_is_asked(
        self, uow: SqlUnitOfWork, migration: Migration, later: timedelta, found: int
    ) -> None:
        one = make.traveller(migration, state=PersonState.PREPARED, evidence=make.evidence())
        uow.migrations.replace_travellers(migration.migration_id, [one])
        assert len(uow.migrations.missing_exchange(NOW + later)) == found


class TestWhoIsInTwoMigrations:
    def test_is_counted_by_either_account(self, uow: SqlUnitOfWork, migration: Migration) -> None:
        back = {
            "source_tenant": migration.definition.target_tenant,
            "target_tenant": migration.definition.source_tenant,
        }
        same, other = added(uow, migration), added(uow, migration, back)
        mine = make.travellers(migration, 3)
        uow.migrations.replace_travellers(migration.migration_id, mine)
        theirs = [change(mine[0], migration_id=same.migration_id), *make.travellers(same, 1)]
        uow.migrations.replace_travellers(same.migration_id, theirs)
        on = make.traveller(other, source_id=mine[1].target_id)
        uow.migrations.replace_travellers(other.migration_id, [on])
        shared = {same.migration_id: 1, other.migration_id: 1}
        assert uow.migrations.sharing_people(migration.migration_id) == shared
        assert uow.migrations.sharing_people(same.migration_id) == {migration.migration_id: 1}

    def test_is_nobody_when_one_of_them_has_ended_or_leaves_them_out(
        self, uow: SqlUnitOfWork, migration: Migration
    ) -> None:
        ended, without = added(uow, migration, state=MigrationState.ABORTED), added(uow, migration)
        mine = make.travellers(migration, 1)
        uow.migrations.replace_travellers(migration.migration_id, mine)
        for one, state in ((ended, PersonState.WAITING), (without, PersonState.LEFT_OUT)):
            same = change(mine[0], migration_id=one.migration_id, state=state)
            uow.migrations.replace_travellers(one.migration_id, [same])
        assert uow.migrations.sharing_people(migration.migration_id) == {}

    def test_is_nobody_who_only_has_the_same_id_in_another_tenant(
        self, uow: SqlUnitOfWork, migration: Migration
    ) -> None:
        other = added(uow, migration)
        mine = make.traveller(migration)
        uow.migrations.replace_travellers(migration.migration_id, [mine])
        turned = make.traveller(other, source_id=mine.target_id, target_id=mine.source_id)
        uow.migrations.replace_travellers(other.migration_id, [turned])
        assert uow.migrations.sharing_people(migration.migration_id) == {}
