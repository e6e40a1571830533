"""Workers whose rules are not in force: nothing is drawn with these, and nothing gets lost meanwhile."""

from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from tests.simulation.weather import Weather
from tests.simulation.world import BEGINNING, World

MAPPINGS, LIMITS = ConfigurationKind.MAPPINGS, ConfigurationKind.LIMITS
A_WHILE = timedelta(hours=2)


def world_of(until: OperationState | None = None) -> World:
    world = World(3, load_mappings(), Weather())
    if until:
        assert world.run(until=until) is until
    return world


class TestDrawing:
    @pytest.mark.parametrize("kind", ConfigurationKind)
    def test_waits_and_goes_on_by_itself_once_approved(self, kind: ConfigurationKind) -> None:
        world = world_of(until=OperationState.PLANNING)
        world.unapproved = {kind: BEGINNING}
        assert world.run(A_WHILE) is OperationState.PLANNING
        assert world.operation.reason is Reason.CONFIGURATION_UNAPPROVED
        assert world.database.rows.plans == {}
        world.unapproved = {}
        assert world.run() is OperationState.COMPLETED


class TestApplying:
    def test_a_plan_of_the_rules_in_force_goes_on_while_its_rows_say_the_same(self) -> None:
        world = world_of(until=OperationState.APPLYING)
        world.unapproved = {MAPPINGS: BEGINNING}
        assert world.run(A_WHILE) is OperationState.COMPLETED

    def test_a_plan_older_than_the_rules_in_force_waits_for_a_worker_that_has_them(self) -> None:
        world = world_of(until=OperationState.APPLYING)
        world.unapproved = {MAPPINGS: world.clock.moment}
        written = len(world.graph.writes)
        assert world.run(A_WHILE) is OperationState.APPLYING
        assert world.operation.reason is Reason.CONFIGURATION_UNAPPROVED
        assert len(world.graph.writes) == written
        world.unapproved = {}
        assert world.run() is OperationState.COMPLETED

    def test_limits_guard_every_chunk_and_unapproved_ones_guard_none(self) -> None:
        world = world_of(until=OperationState.APPLYING)
        world.unapproved = {LIMITS: BEGINNING}
        assert world.run(A_WHILE) is OperationState.APPLYING

    def test_a_worker_with_other_rows_does_not_void_a_plan_that_stands(self) -> None:
        world = world_of(until=OperationState.APPLYING)
        theirs, plans = world.mappings, dict(world.database.rows.plans)
        ordered = world.operation.wish
        row = msgspec.structs.replace(theirs.articles[0], code=ordered.article_code, sku_id=ordered.sku_id)
        world.mappings = msgspec.structs.replace(theirs, articles=(*theirs.articles, row))
        world.unapproved = {MAPPINGS: BEGINNING}
        assert world.run(A_WHILE) is OperationState.APPLYING
        assert world.database.rows.plans == plans
        world.mappings, world.unapproved = theirs, {}
        assert world.run() is OperationState.COMPLETED
