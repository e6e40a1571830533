from datetime import timedelta

from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.local.rehearsal_report import minutes_in, straggler_of
from tests.factories import NOW, guid
from tests.factories.migrations import migration, started, traveller, waves

OF = migration(guid(), guid())


class TestStragglerOf:
    def test_has_the_ids_of_the_real_tenants_and_why(self) -> None:
        one = traveller(OF, state=PersonState.FAILED, reason=Reason.SEATS_INSUFFICIENT, failed_in=Phase.PREPARE)
        here, there = SubjectId(guid()), SubjectId(guid())
        found = straggler_of(one, {one.source_id: here, SubjectId(str(one.target_id)): there})
        assert (found.source_id, found.target_id) == (here, there)
        assert (found.state, found.reason, found.phase) == (one.state, one.reason, one.failed_in)

    def test_who_is_in_neither_keeps_the_pseudonym(self) -> None:
        one = traveller(OF, target_id=None)
        found = straggler_of(one, {})
        assert (found.source_id, found.target_id) == (one.source_id, None)


class TestMinutesIn:
    def test_of_each_state_that_was_left_in_turn(self) -> None:
        [wave, _] = waves(OF)
        entered = {
            WaveState.HOLDING: NOW + timedelta(minutes=15),
            WaveState.WAITING: NOW - timedelta(days=1),
            WaveState.PREPARING: NOW,
            WaveState.GATED: NOW + timedelta(minutes=3),
        }
        found = minutes_in(entered, started(wave, WaveState.HOLDING))
        assert found == {WaveState.PREPARING: 3.0, WaveState.GATED: 12.0}

    def test_a_wave_that_never_began_took_no_time(self) -> None:
        [wave, _] = waves(OF)
        assert minutes_in({WaveState.WAITING: NOW}, wave) == {}
