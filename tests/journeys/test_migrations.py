"""People who go from one tenant to another: ready there first, released here last, and never without."""

from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from tests.journeys.customers import A3
from tests.journeys.furniture import Town
from tests.journeys.mergers import Merger, names_in


def test_a_wave_arrives_behind_its_gate(town: Town) -> None:
    merger = Merger.prepare(town, 8, pilot=5)
    merger.start(1)
    merger.approve(Phase.PREPARE, 1)
    merger.await_wave(1, WaveState.GATED)
    assert merger.states(1) == {PersonState.PREPARED}
    pilot = merger.travellers(1)
    for one in pilot:
        [held] = town.control.user(merger.target.tenant, one.target_id)["licenseAssignmentStates"]
        assert held["disabledPlans"]  # Exchange is off
    merger.open_gate(names_in(pilot))
    merger.await_wave(1, WaveState.HOLDING)
    assert merger.states(1) == {PersonState.ENABLED}
    assert town.holders(merger.source, A3) == set(merger.source.people)
    assert merger.migration.state is MigrationState.RUNNING
