"""What waits for a person about mailboxes that have moved: what it says, whose it is, and when it becomes another's."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from config.limits import default_limits
from provisioning.domain.migration import EvidenceSource, GateEvidence
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner, WorkItem
from provisioning.services.show_worklist import ShowWorklist
from tests.unit.services.fakes_access import NOW, OPERATOR, FakeClock, World
from tests.unit.services.migration_scene import DAY, MIGRATION, NEW_BOARD, TARGET, a_merger, a_traveller

LIMITS = default_limits()
M = MigrationState


@pytest.fixture
def world() -> World:
    """In which nobody's mailbox waits yet."""
    world = World()
    a_merger(world)
    a_traveller(world, "finn", state=PersonState.PREPARED, wave=2)
    return world


def moved(world: World, *ages: timedelta, **changes: Any) -> None:
    """Mailboxes of people who are prepared, so long ago."""
    for number, age in enumerate(ages):
        given = {"given_by": OPERATOR.actor, "given_at": NOW, "completed_at": NOW - age}
        evidence = GateEvidence(source=EvidenceSource.LIST, reference="list", **given)
        fields = {"state": PersonState.PREPARED, "wave": 2, "evidence": evidence}
        a_traveller(world, f"moved{number}", **fields | changes)


def shown(world: World, owner: Owner | None = None) -> Sequence[WorkItem]:
    return ShowWorklist(open_uow=world.open, clock=FakeClock(), limits=LIMITS)(owner)


class TestMailboxesWithoutExchange:
    def test_for_minutes_are_nobodys_work(self, world: World) -> None:
        moved(world, timedelta(minutes=5), LIMITS.exchange_overdue - timedelta(seconds=1))
        assert shown(world) == []

    def test_for_days_are_one_item_as_old_as_the_first(self, world: World) -> None:
        moved(world, LIMITS.exchange_overdue, 5 * DAY, timedelta(hours=1))
        (item,) = shown(world)
        assert item == WorkItem(
            subject=f"mailboxes of migration {MIGRATION}",
            reason=Reason.EXCHANGE_OVERDUE,
            owner=Owner.OPERATOR,
            since=NOW - 5 * DAY,
            organisation_id=NEW_BOARD,
            tenant_id=TARGET,
            count=2,
        )

    def test_become_another_persons_as_the_thirty_days_come_near(self, world: World) -> None:
        moved(world, LIMITS.mailbox_at_risk, LIMITS.mailbox_at_risk - timedelta(seconds=1))
        urgent, overdue = shown(world)
        assert (urgent.reason, urgent.owner, urgent.count) == (Reason.MAILBOX_AT_RISK, Owner.ADMIN, 1)
        assert (overdue.reason, overdue.owner, overdue.count) == (Reason.EXCHANGE_OVERDUE, Owner.OPERATOR, 1)
        assert shown(world, Owner.ADMIN) == [urgent]

    @pytest.mark.parametrize("state", [M.RUNNING, M.PAUSED, M.ABORTED, M.COMPLETED])
    def test_are_told_of_however_the_migration_stands(self, state: MigrationState) -> None:
        world = World()
        a_merger(world, state=state)
        (item,) = shown(world)
        assert (item.reason, item.since) == (Reason.MAILBOX_AT_RISK, NOW - 35 * DAY)

    @pytest.mark.parametrize("state", [PersonState.ENABLED, PersonState.RELEASED, PersonState.ROLLED_BACK])
    def test_are_none_once_it_is_on_or_they_went_back(self, world: World, state: PersonState) -> None:
        moved(world, 9 * DAY, state=state, enabled_at=NOW)
        assert shown(world) == []

    def test_that_are_not_there_miss_nothing(self, world: World) -> None:
        moved(world, 9 * DAY, has_mailbox=False)
        assert shown(world) == []
