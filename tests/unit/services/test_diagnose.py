from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from provisioning.audit.events import AuditEvent, encode_event
from provisioning.domain.errors import ConflictError, UnavailableError
from provisioning.domain.ids import SYSTEM
from provisioning.domain.lifecycle import OperationState
from provisioning.planning.quota_reading import BucketReading, QuotaReading
from provisioning.services.diagnose import (
    Credential,
    Diagnose,
    Finding,
    Health,
    Instruments,
    in_words,
)
from provisioning.services.measure_quota import MeasureQuota, QuotaMeasure
from provisioning.services.stop_writes import StopWrites
from tests.unit.services.fakes_access import (
    NOW,
    OPERATION,
    OPERATOR,
    TENANT,
    FakeClock,
    FakeGauge,
    World,
    an_operation,
)
from tests.unit.services.test_check_configuration import check, loaded, propose

_NEEDS_OUR_SCHEMA = {
    *("realm", "quota", "clocks", "configuration", "stops"),
    *("queue", "collection", "audit", "sealer"),
}


def away() -> Any:
    raise UnavailableError("It does not answer at localhost; see whether it runs.")


def looked(part: str, world: World | None = None, **instruments: Callable[[], object]) -> list[Finding]:
    diagnose = Diagnose(
        instruments=Instruments(**instruments),
        open_uow=(world or World()).open,
        clock=FakeClock(),
        limits=default_limits(),
    )
    return [finding for finding in diagnose() if finding.part == part]


def measured(reading: QuotaReading = QuotaReading(), work: int = 0) -> QuotaMeasure:  # noqa: B008  frozen
    world = World()
    an_operation(world, OperationState.APPLYING)
    world.writes = {OPERATION: work}
    gauge = FakeGauge(reading)
    return MeasureQuota(open_uow=world.open, gauge=gauge, clock=FakeClock(), limits=default_limits())()


def health(part: str, **instruments: Callable[[], object]) -> Health:
    (finding,) = looked(part, **instruments)
    assert bool(finding.advice) is (finding.health is not Health.OK)
    return finding.health


class TestDiagnose:
    @pytest.mark.parametrize(
        ("skew", "expected"),
        [(0, Health.OK), (2, Health.OK), (-2, Health.OK), (2.1, Health.BAD), (-2.1, Health.BAD)],
    )
    def test_clocks_may_differ_by_two_seconds(self, skew: float, expected: Health) -> None:
        assert health("database", database_time=lambda: NOW + timedelta(seconds=skew)) is expected

    @pytest.mark.parametrize(("pending", "expected"), [([], Health.OK), (["0002"], Health.BAD)])
    def test_the_schema_is_the_newest(self, pending: list[str], expected: Health) -> None:
        assert health("schema", pending_migrations=lambda: pending) is expected

    @pytest.mark.parametrize(
        ("days", "expected"),
        [(31, Health.OK), (30, Health.WARN), (7, Health.WARN), (6.9, Health.BAD), (0, Health.BAD), (-3, Health.BAD)],
    )
    def test_a_certificate_is_renewed_in_time(self, days: float, expected: Health) -> None:
        expiring = Credential("main certificate", NOW + timedelta(days=days))
        assert health("credentials", credentials=lambda: [expiring]) is expected

    @pytest.mark.parametrize(
        ("minutes", "expected"),
        [(None, Health.OK), (-5, Health.OK), (1, Health.OK), (2, Health.WARN), (15, Health.WARN), (16, Health.BAD)],
    )
    def test_the_queue_moves(self, minutes: int | None, expected: Health) -> None:
        world = World()
        due = None if minutes is None else NOW - timedelta(minutes=minutes)
        an_operation(world, OperationState.AWAITING_SEATS, due_at=due)
        assert [finding.health for finding in looked("queue", world)] == [expected]

    @pytest.mark.parametrize("state", [OperationState.HELD, OperationState.COMPLETED])
    def test_what_waits_for_a_person_or_has_ended_is_not_late(self, state: OperationState) -> None:
        world = World()
        an_operation(world, state, due_at=NOW - timedelta(days=9))
        assert [finding.health for finding in looked("queue", world)] == [Health.OK]

    @pytest.mark.parametrize(
        ("minutes", "expected"), [(None, Health.OK), (-5, Health.OK), (15, Health.OK), (16, Health.WARN)]
    )
    def test_orders_are_collected(self, minutes: int | None, expected: Health) -> None:
        oldest: datetime | None = None if minutes is None else NOW - timedelta(minutes=minutes)
        assert health("collection", uncollected_since=lambda: oldest) is expected

    @pytest.mark.parametrize(("minutes", "expected"), [(None, Health.OK), (60, Health.OK), (61, Health.BAD)])
    def test_events_are_sealed_within_the_hour(self, minutes: int | None, expected: Health) -> None:
        world = World()
        if minutes is not None:
            at = NOW - timedelta(minutes=minutes)
            world.unsealed = [(1, encode_event(AuditEvent(id="e", at=at, actor=SYSTEM, kind="order.held")))]
        assert [finding.health for finding in looked("audit", world)] == [expected]

    @pytest.mark.parametrize("part", ["broker", "order_source", "graph", "realm"])
    def test_what_answers_is_well(self, part: str) -> None:
        answer = {"realm": "sandbox"}.get(part)
        names = {"order_source": "order database", "graph": "Microsoft Graph"}
        assert health(names.get(part, part), **{part: lambda: answer}) is Health.OK

    def test_the_quota_is_told_to_people_and_as_figures_to_programs(self) -> None:
        measure = measured()
        (finding,) = looked("quota", measure_quota=lambda: measure)
        assert (finding.health, finding.advice, finding.figures) == (Health.OK, "", measure)
        assert "Nobody wrote yet." in finding.sentence

    @pytest.mark.parametrize(
        ("pace", "expected"), [(None, Health.OK), (19.0, Health.OK), (9.8, Health.OK), (9.7, Health.WARN)]
    )
    def test_a_tenant_that_gets_less_than_half_is_a_warning(self, pace: float | None, expected: Health) -> None:
        seen = BucketReading(left=0.5, pace=pace)
        _, finding = looked(
            "quota", measure_quota=lambda: measured(QuotaReading(app=seen, tenants={TENANT: seen}), 100)
        )
        assert (finding.health, bool(finding.advice)) == (expected, expected is Health.WARN)

    def test_people_get_the_lines_of_eight_tenants_programs_all(self) -> None:
        (tenant,) = measured(work=100).tenants
        many = msgspec.structs.replace(measured(), tenants=(tenant,) * 30)
        found = looked("quota", measure_quota=lambda: many)
        assert len(found) == 9
        assert found[0].figures is many

    def test_each_stop_is_a_warning(self) -> None:
        world = World()
        assert [x.health for x in looked("stops", world)] == [Health.OK]
        StopWrites(open_uow=world.open, clock=FakeClock())(OPERATOR, "all", "r")
        (finding,) = looked("stops", world)
        assert (finding.health, "person:duty" in finding.sentence) == (Health.WARN, True)

    def test_a_machine_whose_clock_is_off_is_bad(self) -> None:
        world = World()
        assert [x.health for x in looked("clocks", world)] == [Health.OK]
        with world.open() as uow:
            uow.leases.take("clock:left", "left", NOW, timedelta(minutes=1))
            uow.commit()
        (finding,) = looked("clocks", world)
        assert (finding.health, "The clock of left" in finding.sentence) == (Health.BAD, True)

    def test_rules_that_are_not_in_force_are_bad_and_a_proposal_is_a_warning(self) -> None:
        world = World()
        old, new = loaded("a"), loaded("b")
        check(world, old)
        assert [x.health for x in looked("configuration", world)] == [Health.OK]
        check(world, new)
        (finding,) = looked("configuration", world)
        assert (finding.health, "mappings bbbbbbbb" in finding.sentence) == (Health.BAD, True)
        assert "provisioning configuration show" in finding.advice
        propose(world, new)
        assert [x.health for x in looked("configuration", world)] == [Health.WARN]

    def test_a_sealer_that_would_refuse_is_bad(self) -> None:
        def refuse() -> None:
            raise ConflictError("The folder of checkpoints knows another log.")

        assert [x.health for x in looked("sealer", sealer=lambda: None)] == [Health.OK]
        (finding,) = looked("sealer", sealer=refuse)
        assert (finding.health, finding.sentence) == (Health.BAD, "The folder of checkpoints knows another log.")

    def test_what_is_away_is_a_line_and_the_rest_is_looked_at(self) -> None:
        (finding,) = looked("database", database_time=away, broker=lambda: None)
        assert (finding.health, finding.sentence) == (
            Health.BAD,
            "It does not answer at localhost; see whether it runs.",
        )
        assert looked("broker", database_time=away, broker=lambda: None)[0].health is Health.OK

    def test_without_a_database_there_is_still_a_diagnosis(self) -> None:
        found = Diagnose(
            instruments=Instruments(database_time=away, broker=lambda: None),
            open_uow=away,
            clock=FakeClock(),
            limits=default_limits(),
        )()
        assert {x.part: x.health for x in found} == {
            "database": Health.BAD,
            "broker": Health.OK,
            "clocks": Health.BAD,
            "configuration": Health.BAD,
            "stops": Health.BAD,
            "queue": Health.BAD,
            "audit": Health.BAD,
        }

    @pytest.mark.parametrize(
        ("instruments", "silent"),
        [
            pytest.param(
                {"database_time": away},
                {
                    "schema",
                    "realm",
                    "quota",
                    "clocks",
                    "configuration",
                    "stops",
                    "queue",
                    "collection",
                    "audit",
                    "sealer",
                },
                id="database",
            ),
            pytest.param(
                {"pending_migrations": lambda: ["0002"]},
                _NEEDS_OUR_SCHEMA,
                id="schema",
            ),
            pytest.param({"order_source": away}, {"collection"}, id="order database"),
            pytest.param({"broker": away}, {"quota"}, id="broker"),
        ],
    )
    def test_what_needs_a_part_that_is_away_is_not_waited_for(
        self, instruments: dict[str, Callable[[], object]], silent: set[str]
    ) -> None:
        well: dict[str, Callable[[], object]] = {
            "database_time": lambda: NOW,
            "pending_migrations": list,
            "realm": lambda: "sandbox",
            "broker": lambda: None,
            "order_source": lambda: None,
            "measure_quota": measured,
            "uncollected_since": lambda: None,
            "sealer": lambda: None,
        }
        diagnose = Diagnose(
            instruments=Instruments(**{**well, **instruments}),  # type: ignore[arg-type]  # by name
            open_uow=World().open,
            clock=FakeClock(),
            limits=default_limits(),
        )
        assert {x.part for x in diagnose() if x.sentence.startswith("It cannot be looked at without")} == silent

    def test_a_part_that_is_not_installed_is_not_mentioned(self) -> None:
        assert looked("Microsoft Graph") == []


class TestInWords:
    @pytest.mark.parametrize(
        ("length", "words"),
        [
            (timedelta(seconds=-3), "0 s"),
            (timedelta(seconds=59), "59 s"),
            (timedelta(seconds=60), "1 min"),
            (timedelta(minutes=119), "1 h"),
            (timedelta(days=3, hours=5), "3 d"),
        ],
    )
    def test_the_largest_whole_unit(self, length: timedelta, words: str) -> None:
        assert in_words(length) == words
