"""A merger is played on copies of both tenants first; the real ones see nothing of it."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import MetaData, create_engine, func, select

from provisioning.bootstrap import check_installation
from provisioning.domain.calendar import AMSTERDAM
from provisioning.domain.errors import NotAllowedError
from provisioning.domain.ids import SkuId, SubjectId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import MatchRule, Phase, ProductPair, WaveDefinition, Window
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side
from provisioning.domain.migration_lifecycle import PersonState, WaveState
from provisioning.local.world import APP, LocalWorld, WorldOptions
from provisioning.planning.rehearsal import Chore, Rehearsal
from tests.engines import temporary_folder
from tests.factories import operations as make
from tests.journeys.conftest import FAST
from tests.journeys.customers import A3, Customer
from tests.journeys.furniture import Town
from tests.journeys.mergers import APPROVER, EVERYONE, OPERATOR, Merger
from tests.journeys.patience import until

PATIENCE = 150.0  # seconds for a whole rehearsal on a busy machine
HASTE = ("--clock-factor", str(FAST))


@pytest.fixture(scope="module")
def world() -> Iterator[LocalWorld]:
    """The installation that is not to be touched. No workers: whatever changes in it, the rehearsal did."""
    with temporary_folder() as folder, LocalWorld(folder, WorldOptions(durable=False, clock_factor=FAST)) as world:
        secret = world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"]
        world.sandbox.control.register_app(APP, secrets=[{"value": secret}])
        check_installation(world.services())
        yield world


class Played:
    """One rehearsal that somebody typed, and what was there before it."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town, self.folder = town, folder
        numbered = {"traits": lambda _customer, _school, number: {"employeeId": f"P-{number}"}}
        self.merger = Merger.prepare(
            town, 6, pilot=2, source=numbered, target=numbered, identity=(), rules=(MatchRule.EMPLOYEE_ID,)
        )
        town.command("tenants", "list")  # there is an operator by now
        self.before = _rows(town)
        self.run = _typed(town, self.merger.migration_id, "--folder", str(folder), "--seats-short", "1", *HASTE)
        self.after = _rows(town)
        self.written = list(town.control.ledger(0))
        with town.services.open_uow() as uow:
            self.on_record = [line.kind for line in uow.audit.list_by(limit=4)]

    @property
    def report(self) -> Rehearsal:
        [file] = self.folder.glob("rehearsal-*.json")
        return msgspec.json.decode(file.read_bytes(), type=Rehearsal)


@pytest.fixture(scope="module")
def played(town: Town) -> Iterator[Played]:
    with temporary_folder() as folder:
        yield Played(town, folder)


class TestAMergerIsRehearsed:
    def test_it_goes_through_to_the_release(self, played: Played) -> None:
        assert played.run.returncode == 0, played.run.stderr
        assert [wave.state for wave in played.report.waves] == [WaveState.DONE, WaveState.DONE]
        assert played.report.waves[0].people == {PersonState.RELEASED: 2}

    def test_a_wave_that_lacks_a_seat_says_so_and_goes_on_once_it_came(self, played: Played) -> None:
        pilot, rest = played.report.waves
        [sentence] = rest.overcome
        assert "Wave 2 cannot begin" in sentence
        assert "seats" in sentence
        assert pilot.overcome == ()
        assert rest.people == {PersonState.RELEASED: 4}
        assert rest.stragglers == ()

    def test_what_people_have_to_do_is_counted(self, played: Played) -> None:
        chores = [deed.chore for deed in played.report.deeds]
        assert chores.count(Chore.START) == 2
        assert chores.count(Chore.GIVE_EVIDENCE) == 2
        assert chores.count(Chore.RELEASE) == 2
        assert chores.count(Chore.EXPLAIN) == 1
        assert played.report.approvals == 4

    def test_each_deed_is_the_command_that_people_will_type(self, played: Played) -> None:
        typed = {deed.chore: deed.typed.split() for deed in played.report.deeds if deed.typed}
        assert {chore: words[1:3] for chore, words in typed.items()} == {
            Chore.START: ["migrations", "start"],
            Chore.APPROVE: ["plans", "approve"],
            Chore.GIVE_EVIDENCE: ["migrations", "gate"],
            Chore.RELEASE: ["migrations", "release"],
        }
        assert typed[Chore.GIVE_EVIDENCE][-2:] == ["--source", "tool_report"]

    def test_the_hold_period_passed_in_it(self, played: Played) -> None:
        moments = {deed.chore: deed.at for deed in played.report.deeds}
        assert (moments[Chore.RELEASE] - moments[Chore.START]).days == 30

    def test_its_report_is_for_its_owner_alone_and_its_world_is_gone(self, played: Played) -> None:
        files = {file.suffix: file for file in played.folder.iterdir() if file.name != "lock"}
        assert set(files) == {".json", ".txt"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o600}
        assert files[".txt"].read_text() in played.run.stdout
        assert all(len(line) <= 80 for line in files[".txt"].read_text().splitlines())

    def test_the_real_database_has_the_snapshots_on_record_and_nothing_else(self, played: Played) -> None:
        changed = {
            name: played.after[name] - rows for name, rows in played.before.items() if played.after[name] != rows
        }
        assert changed == {"audit_events": 4, "audit_unsealed": 4, "pseudonyms": 2}  # these two are the keys of masks
        assert sorted(played.on_record) == ["tenant.snapshot_begun"] * 2 + ["tenant.snapshot_taken"] * 2

    def test_the_real_tenants_saw_no_write(self, played: Played) -> None:
        assert played.written == []

    def test_the_real_plan_is_held_against_it(self, played: Played) -> None:
        operation = _planned(played.merger)
        [report] = played.folder.glob("*.json")
        compared = _typed(played.town, "--compare", operation, "--with", str(report))
        assert compared.returncode == 0, compared.stderr
        assert "as it was rehearsed" in compared.stdout


def _planned(merger: Merger) -> str:
    """The real operation that prepares the pilot, its plan drawn in this process."""
    merger.start(1)
    services = merger.town.services
    services.advance_migration(merger.migration_id)

    def look() -> bool:
        [operation] = merger.operations(Phase.PREPARE, 1)
        services.advance_operation(operation.operation_id)
        return operation.state is OperationState.AWAITING_APPROVAL

    until(look, "a plan to prepare the pilot")
    [operation] = merger.operations(Phase.PREPARE, 1)
    return operation.operation_id


@pytest.mark.slow
def test_what_would_keep_it_from_beginning_is_told_in_the_words_of_the_real_command(town: Town) -> None:
    one_missing = [IdentityPair("0c9e7b52-6a3d-4f18-9b77-51c2ad3f2001", "0c9e7b52-6a3d-4f18-9b77-51c2ad3f2002")]
    merger = Merger.prepare(town, 2, identity=tuple(one_missing))
    with temporary_folder() as folder:
        run = _typed(town, merger.migration_id, "--folder", str(folder), "--json", *HASTE)
        [text] = folder.glob("*.txt")
        told = " ".join(text.read_text().split())
    assert run.returncode == 1
    assert run.stderr == ""
    report = msgspec.json.decode(run.stdout, type=Rehearsal)
    assert not report.went_through
    assert report.situations == {"missing_in_source": 1, "missing_in_target": 2}
    assert "In the way: 1 missing in source, 2 missing in target: nobody said what happens with them." in told
    assert {deed.chore for deed in report.deeds} == {Chore.EXPLAIN}


@pytest.mark.slow
def test_its_days_and_hours_are_those_of_the_real_one(town: Town) -> None:
    """A wave that may begin in ten days, and writes at night only: time passes at once until then, as it will."""
    night = Window(from_hour=2, until_hour=5)
    late = datetime.now(UTC) + timedelta(days=10)
    numbered = {"traits": lambda _customer, _school, number: {"employeeId": f"P-{number}"}}
    waves = (
        WaveDefinition(number=1, name="proef", selector=EVERYONE, limit=1),
        WaveDefinition(number=2, name="de rest", selector=EVERYONE, not_before=late),
    )
    wishes = {"identity": (), "rules": (MatchRule.EMPLOYEE_ID,), "waves": waves, "window": night}
    merger = Merger.prepare(town, 3, source=numbered, target=numbered, **wishes)
    with temporary_folder() as folder:
        run = _typed(town, merger.migration_id, "--folder", str(folder), "--until", "enable", "--json", *HASTE)
    assert run.returncode == 0, run.stderr
    starts = [deed.at for deed in msgspec.json.decode(run.stdout, type=Rehearsal).deeds if deed.chore is Chore.START]
    assert [start.astimezone(AMSTERDAM).hour in range(2, 5) for start in starts] == [True, True]
    assert starts[1] >= late


@pytest.mark.slow
class TestWhatItIsPlayedFrom:
    def test_nobody_is_named_in_it_but_for_whom_the_report_is(self, town: Town) -> None:
        merger = Merger.prepare(town, 3)
        people = {*merger.source.people, *merger.target.people}
        script = town.services.prepare_rehearsal(OPERATOR, merger.migration_id)
        assert set(script.names.values()) == people
        told = msgspec.json.encode(msgspec.structs.replace(script, names={})).decode()
        seeds = (script.source.seed + script.target.seed).decode()
        assert [person for person in people if person in told or person in seeds] == []
        assert "medewerker" not in seeds  # how their sign-in names begin

    def test_a_file_need_not_be_a_migration_yet(self, town: Town) -> None:
        merger = Merger.prepare(town, 2)
        here, there = merger.source, merger.target
        ids = f'{{"ids":["{here.people[0]}"]}}'
        asked = MigrationFile(
            name="nog niets",
            source=Side(tenant=here.tenant, holder=here.code),
            target=Side(tenant=there.tenant, holder=there.code),
            asked_by="brief 2027-14",
            people=EVERYONE,
            products=(ProductPair(source_sku=SkuId(A3), target_sku=SkuId(A3)),),
            waves=(WaveDefinition(number=1, name="proef", selector=ids),),
            identity=(IdentityPair(f"medewerker-0000.{here.code.lower()}@{here.domain}", there.people[0]),),
        )
        before = _rows(town)
        script = town.services.prepare_rehearsal(OPERATOR, asked)
        [pair] = script.asked.identity
        assert script.names[SubjectId(pair.source)] == here.people[0]
        assert script.names[SubjectId(pair.target)] == there.people[0]
        assert pair.source in script.asked.waves[0].selector
        assert _rows(town)["migrations"] == before["migrations"]

    def test_seats_that_an_order_took_are_not_free_in_it(self, town: Town) -> None:
        merger = Merger.prepare(town, 2)
        _reserve(town, merger.target, merger.target.people[:1])
        script = town.services.prepare_rehearsal(OPERATOR, merger.migration_id)
        [masked] = script.target.promised[SkuId(A3)]
        assert script.names[masked] == merger.target.people[0]

    def test_seats_that_it_has_reserved_itself_by_now_are_those_of_the_rehearsed(self, town: Town) -> None:
        merger = Merger.prepare(town, 2)
        _planned(merger)
        script = town.services.prepare_rehearsal(OPERATOR, merger.migration_id)
        assert script.target.promised[SkuId(A3)] == frozenset()

    def test_an_approver_may_not_carry_people_out_of_the_house(self, town: Town) -> None:
        with pytest.raises(NotAllowedError):
            town.services.prepare_rehearsal(APPROVER, "5f0c9a4e")


def _reserve(town: Town, customer: Customer, people: Sequence[str]) -> None:
    """As a delivery does whose plan has been drawn."""
    named = [SubjectId(person) for person in people]
    wish = make.wish(holder_id=customer.code, organisations=(customer.code,))
    operation = make.operation(customer.tenant, due_at=None, wish=wish)
    subjects = tuple(make.subject(person, organisation_id=customer.code) for person in named)
    plan = make.plan(operation, named, subjects=subjects)
    with town.services.open_uow() as uow:
        uow.operations.add(operation)
        pseudonyms = uow.audit.pseudonyms(customer.tenant, named)
        uow.plans.add(plan, pseudonyms, sku=SkuId(A3), valid_until=plan.drawn_at)
        uow.commit()


@pytest.mark.slow
def test_interrupted_it_leaves_nothing_and_killed_the_next_one_clears_up(town: Town) -> None:
    merger = Merger.prepare(town, 2, pilot=2)
    with temporary_folder() as folder:
        words = (merger.migration_id, "--folder", str(folder), "--until", "prepare", *HASTE)
        for request, code in ((signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)):
            with _process(town, *words) as process:
                until((folder / "world" / "logs").exists, "workers", within=PATIENCE)
                process.send_signal(request)
                _, told = process.communicate(timeout=PATIENCE)
            assert process.returncode == code, told
            assert (folder / "world").exists() is (request is signal.SIGKILL)
        done = _typed(town, *words)
        assert done.returncode == 0, done.stderr
        assert not (folder / "world").exists()


def _process(town: Town, *words: str) -> "subprocess.Popen[str]":
    environment = {"PROVISIONING_TOKEN": town._token, "PROVISIONING_LANGUAGE": "en"}
    return subprocess.Popen(
        [Path(sys.executable).with_name("provisioning"), "migrations", "rehearse", *words],
        env={**os.environ, **town.world.environment, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _typed(town: Town, *words: str) -> "subprocess.CompletedProcess[str]":
    with _process(town, *words) as process:
        said, told = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(words, process.returncode, said, told)


def _rows(town: Town) -> dict[str, int]:
    """How many there are in each table of our database."""
    engine, tables = create_engine(town.world.engines.owner_url), MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        counts = {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in tables.tables.items()
        }
    engine.dispose()
    return counts
