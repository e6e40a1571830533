"""Evidence is withdrawn while Exchange is not on its way, and not after."""

import pytest

from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import GateEvidence, Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.reasons import Reason
from provisioning.services.withdraw_evidence import GateClosed, WithdrawEvidence
from tests.unit.services.fakes_access import APPROVER, NOW, OPERATOR, FakeClock, World
from tests.unit.services.migration_scene import MIGRATION, TOLD, a_merger, a_traveller
from tests.unit.services.test_open_gate import Directory

P = PersonState


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world, due_at=NOW)
    return world


def withdraw(world: World, *people: str, reason: str = "report of another batch") -> GateClosed:
    gate = WithdrawEvidence(open_uow=world.open, gateway=Directory(), clock=FakeClock())  # type: ignore[arg-type]
    return gate(OPERATOR, "5f0c", people, reason)


def evidence_of(world: World, name: str) -> GateEvidence | None:
    return world.travellers[MIGRATION, SubjectId(name)].evidence


class TestInTime:
    @pytest.mark.parametrize("state", [P.WAITING, P.PREPARING, P.PREPARED])
    @pytest.mark.parametrize("reference", ["emma", "emma2", "emma@zuid.nl"])
    def test_it_is_gone_and_on_record_without_names(self, world: World, state: PersonState, reference: str) -> None:
        a_traveller(world, "emma", state=state, wave=2, evidence=TOLD)
        closed = withdraw(world, reference)
        assert (closed.withdrawn, closed.too_late, closed.unknown) == (1, (), ())
        assert evidence_of(world, "emma") is None
        (event,) = world.events
        assert (event.kind, event.reason, event.details["people"]) == ("gate.withdrawn", "report of another batch", "1")
        assert "emma" not in str(event)

    def test_who_failed_before_the_gate_is_in_time_too(self, world: World) -> None:
        failed = {"state": P.FAILED, "failed_in": Phase.PREPARE, "reason": Reason.NOT_FOUND}
        a_traveller(world, "emma", wave=2, evidence=TOLD, **failed)
        assert withdraw(world, "emma").withdrawn == 1

    def test_whoever_read_it_a_moment_ago_has_to_look_again(self, world: World) -> None:
        a_traveller(world, "emma", state=P.PREPARED, wave=2, evidence=TOLD)
        version = world.migrations[MIGRATION].version
        withdraw(world, "emma")
        assert world.migrations[MIGRATION].version == version + 1


class TestTooLate:
    @pytest.mark.parametrize("state", [P.ENABLING, P.ENABLED, P.RELEASING, P.RELEASED, P.ROLLING_BACK])
    def test_it_stays_and_that_is_said(self, world: World, state: PersonState) -> None:
        a_traveller(world, "emma", state=state, wave=2, evidence=TOLD, enabled_at=NOW)
        closed = withdraw(world, "emma@zuid.nl")
        assert (closed.withdrawn, closed.too_late) == (0, ("emma@zuid.nl",))
        assert evidence_of(world, "emma") == TOLD
        assert world.events == []

    def test_of_one_does_not_keep_the_others(self, world: World) -> None:
        closed = withdraw(world, "finn", "anne", "emma", "who")
        assert (closed.withdrawn, closed.without) == (1, 1)
        assert (closed.too_late, closed.unknown) == (("anne",), ("who",))
        assert evidence_of(world, "finn") is None


class TestRefused:
    def test_without_a_reason(self, world: World) -> None:
        with pytest.raises(InputError, match="Withdrawing evidence needs a reason"):
            withdraw(world, "finn", reason=" ")

    def test_after_the_end(self, world: World) -> None:
        a_merger(world, state=MigrationState.COMPLETED)
        with pytest.raises(InputError, match="its gates are closed"):
            withdraw(world, "finn")

    def test_for_who_may_not(self, world: World) -> None:
        gate = WithdrawEvidence(open_uow=world.open, gateway=Directory(), clock=FakeClock())  # type: ignore[arg-type]
        with pytest.raises(NotAllowedError):
            gate(APPROVER, "5f0c", ["finn"], "r")
