"""Evidence that mailboxes have moved: whom it names, what it changes, and what it does not."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.migration import KEPT_UNLICENSED, EvidenceSource, Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.reasons import Reason
from provisioning.services.open_gate import GateOpened, OpenGate
from tests.unit.services.fakes_access import NOW, OPERATOR, FakeClock, FakeGateway, World
from tests.unit.services.migration_scene import MIGRATION, TARGET, TOLD, a_merger, a_traveller


class Directory(FakeGateway):
    """Knows people by name, each tenant its own."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[tuple[TenantId, str], SubjectId] = {(TARGET, "emma@zuid.nl"): SubjectId("emma2")}

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        return {one: self.names.get((tenant, one)) for one in references}


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world, due_at=NOW)
    return world


def open_gate(world: World, *people: str) -> GateOpened:
    gate = OpenGate(open_uow=world.open, gateway=Directory(), clock=FakeClock())  # type: ignore[arg-type]  # a part
    return gate(OPERATOR, "5f0c", people, EvidenceSource.LIST, "list.csv sha256:9c1f")


class TestWhomItNames:
    @pytest.mark.parametrize("reference", ["emma", "emma2", "EMMA2", "emma@zuid.nl"])
    def test_by_either_account_or_by_name(self, world: World, reference: str) -> None:
        assert open_gate(world, reference).ready == 1
        evidence = world.travellers[MIGRATION, SubjectId("emma")].evidence
        assert evidence is not None
        assert (evidence.given_by, evidence.given_at, evidence.source) == (OPERATOR.actor, NOW, EvidenceSource.LIST)

    def test_who_is_not_of_this_migration_is_named_back(self, world: World) -> None:
        opened = open_gate(world, "emma", "nobody", "who@else.nl")
        assert (opened.ready, opened.unknown) == (1, ("nobody", "who@else.nl"))

    def test_the_first_evidence_stays(self, world: World) -> None:
        opened = open_gate(world, "finn", "emma")
        assert (opened.ready, opened.known_before) == (1, 1)
        assert world.travellers[MIGRATION, SubjectId("finn")].evidence == TOLD


class TestWhatFollows:
    def test_it_is_on_record_without_names_and_the_migration_is_looked_at(self, world: World) -> None:
        open_gate(world, "emma@zuid.nl")
        (event,) = world.events
        assert event.kind == "gate.opened"
        assert event.details["people"] == "1"
        assert "emma" not in str(event)
        assert world.migrations[MIGRATION].due_at == NOW

    def test_it_changes_no_state(self, world: World) -> None:
        before = {key: one.state for key, one in world.travellers.items()}
        open_gate(world, "emma", "hugo")
        assert {key: one.state for key, one in world.travellers.items()} == before


SECOND = timedelta(seconds=1)


class TestWhenItMoved:
    @staticmethod
    def said(world: World, **moments: datetime) -> GateOpened:
        gate = OpenGate(open_uow=world.open, gateway=Directory(), clock=FakeClock())  # type: ignore[arg-type]  # a part
        return gate(OPERATOR, "5f0c", list(moments), EvidenceSource.LIST, "list.csv", moments)

    @pytest.mark.parametrize("moment", [NOW, NOW - KEPT_UNLICENSED])
    def test_is_kept_with_the_evidence_and_microsofts_days_run_from_there(self, world: World, moment: datetime) -> None:
        assert self.said(world, emma=moment).ready == 1
        evidence = world.travellers[MIGRATION, SubjectId("emma")].evidence
        assert evidence is not None
        assert (evidence.completed_at, evidence.moved_at, evidence.given_at) == (moment, moment, NOW)

    def test_unsaid_it_is_when_somebody_said_that_it_had(self, world: World) -> None:
        open_gate(world, "emma")
        evidence = world.travellers[MIGRATION, SubjectId("emma")].evidence
        assert evidence is not None
        assert (evidence.completed_at, evidence.moved_at) == (None, NOW)

    def test_still_to_come_nobody_is_ready(self, world: World) -> None:
        """Exchange would come on before the mailbox, and make an empty one."""
        opened = self.said(world, emma=NOW + SECOND, hugo=NOW)
        assert (opened.ready, opened.known_before, opened.not_yet) == (1, 0, ("emma",))
        assert world.travellers[MIGRATION, SubjectId("emma")].evidence is None

    def test_longer_ago_than_microsoft_keeps_it_somebody_looks_first(self, world: World) -> None:
        opened = self.said(world, emma=NOW - KEPT_UNLICENSED - SECOND)
        assert (opened.ready, opened.long_ago) == (0, ("emma",))
        assert world.travellers[MIGRATION, SubjectId("emma")].evidence is None

    def test_under_two_names_the_later_moment_counts_and_a_doubt_about_one_is_a_doubt(self, world: World) -> None:
        opened = self.said(world, hugo=NOW, hugo2=NOW - SECOND, emma=NOW, emma2=NOW + SECOND)
        assert (opened.ready, opened.not_yet) == (1, ("emma2",))
        evidence = world.travellers[MIGRATION, SubjectId("hugo")].evidence
        assert evidence is not None
        assert evidence.completed_at == NOW


class TestAfterItWasCalledOff:
    @pytest.fixture
    def world(self) -> World:
        world = World()
        a_merger(world, state=MigrationState.ABORTED, due_at=None)
        return world

    @pytest.mark.parametrize("person", ["emma", "guus"])
    def test_who_has_the_licence_or_is_about_to_still_becomes_ready(self, world: World, person: str) -> None:
        version = world.migrations[MIGRATION].version
        opened = open_gate(world, person)
        assert (opened.ready, opened.unlicensed) == (1, ())
        assert world.travellers[MIGRATION, SubjectId(person)].evidence is not None
        assert world.migrations[MIGRATION].due_at == NOW
        assert world.migrations[MIGRATION].version > version  # whoever looked a moment ago has to look again

    def test_who_never_got_one_is_named_and_stays_as_they_are(self, world: World) -> None:
        failed = {"state": PersonState.FAILED, "failed_in": Phase.PREPARE, "reason": Reason.NOT_FOUND, "wave": 2}
        a_traveller(world, "kim", **failed)
        opened = open_gate(world, "hugo2", "emma", "kim")
        assert (opened.ready, opened.unlicensed) == (1, ("hugo2", "kim"))
        assert world.travellers[MIGRATION, SubjectId("hugo")].evidence is None

    def test_somebody_who_failed_on_the_way_back_has_it(self, world: World) -> None:
        failed = {"failed_in": Phase.UNDO_TARGET, "reason": Reason.MIGRATION_ABORTED, "wave": 2}
        a_traveller(world, "kim", state=PersonState.FAILED, **failed)
        assert open_gate(world, "kim").ready == 1


class TestRefused:
    def test_for_nobody(self, world: World) -> None:
        with pytest.raises(InputError, match="names nobody"):
            open_gate(world)

    def test_after_the_end(self, world: World) -> None:
        world.migrations[MIGRATION] = msgspec.structs.replace(
            world.migrations[MIGRATION], state=MigrationState.COMPLETED
        )
        with pytest.raises(InputError, match="its gates are closed"):
            open_gate(world, "emma")
