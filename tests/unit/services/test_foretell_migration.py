"""A migration's forecast knows its window, what others write, and the pace that tenants show."""

from datetime import date, timedelta

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.calendar import SchoolHoliday
from provisioning.domain.ids import Actor, OperationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Outset, Phase, Window
from provisioning.domain.tenancy import Policy
from provisioning.planning.migration_forecast import Prospect
from provisioning.planning.quota_reading import BucketReading, QuotaReading
from provisioning.services.foretell_migration import ForetellMigration
from tests.unit.services.fakes_access import NOW, OPERATOR, FakeClock, FakeGauge, World, an_operation
from tests.unit.services.migration_scene import MIGRATION, OPEN, TARGET, a_merger, a_traveller, worked

ORDER = OperationId("order")


@pytest.fixture
def world() -> World:
    world = World()
    a_merger(world)
    world.travellers = {}
    for number in range(196):
        a_traveller(world, f"p{number}", wave=2)
    return world


def foretell(
    world: World,
    reading: QuotaReading | None = QuotaReading(),  # noqa: B008  frozen
    *holidays: SchoolHoliday,
) -> list[Prospect]:
    service = ForetellMigration(
        open_uow=world.open,
        gauge=FakeGauge(reading),
        clock=FakeClock(),
        limits=default_limits(),
        holidays=lambda: holidays,
    )
    return list(service(world.migrations[MIGRATION], list(world.travellers.values())))


def in_window(world: World, window: Window) -> None:
    migration = world.migrations[MIGRATION]
    definition = msgspec.structs.replace(migration.definition, window=window)
    world.migrations[MIGRATION] = msgspec.structs.replace(migration, definition=definition)


def test_tells_each_phase_with_its_writes_and_its_end(world: World) -> None:
    prepare, enable, release = foretell(world)
    assert [one.phase for one in (prepare, enable, release)] == [Phase.PREPARE, Phase.ENABLE, Phase.RELEASE]
    assert (prepare.writes, prepare.calls, prepare.writing) == (196, 10, timedelta(seconds=10))
    assert prepare.done_at == NOW + timedelta(seconds=10)
    assert release.done_at is not None
    assert release.done_at > NOW + timedelta(days=30)


@pytest.mark.parametrize(("location", "writes"), [("NL", 196 + 10), (None, 196)])
def test_counts_a_usage_location_where_the_school_wants_it_set(world: World, location: str | None, writes: int) -> None:
    for number in range(10):
        a_traveller(world, f"p{number}", wave=2, outset=Outset(has_location=False))
    wanted = Policy(
        tenant_id=TARGET,
        valid_from=NOW.date(),
        usage_location=location,
        created_by=OPERATOR.actor,
        approved_by=Actor("person:second"),
    )
    world.policies.append(wanted)
    assert foretell(world)[0].writes == writes


def test_waits_for_the_window(world: World) -> None:
    in_window(world, Window(region="noord"))
    summer = SchoolHoliday(
        name="Zomer", region="noord", school_year="x", first_day=date(2027, 7, 10), last_day=date(2027, 8, 22)
    )
    prepare = foretell(world, QuotaReading(), summer)[0]
    assert prepare.done_at is not None
    assert prepare.done_at.date() == date(2027, 7, 9)  # at ten in the evening, in UTC


def test_is_silent_when_nobody_knows_when_that_opens(world: World) -> None:
    in_window(world, Window(region="noord"))
    assert foretell(world) == []


def test_counts_what_others_write_there_and_nothing_twice(world: World) -> None:
    worked(world, OPEN, Phase.PREPARE, ["p1"], state=OperationState.APPLYING)
    order = an_operation(world, OperationState.APPLYING, operation_id=ORDER)
    world.operations[ORDER] = msgspec.structs.replace(order, tenant_id=TARGET)
    world.writes = {OPEN: 1_000, ORDER: 196}
    assert foretell(world)[0].done_at == NOW + timedelta(seconds=20)


@pytest.mark.parametrize(
    ("reading", "seconds"), [(QuotaReading(tenants={TARGET: BucketReading(left=0.0, pace=4.9)}), 40), (None, 10)]
)
def test_goes_at_the_pace_that_is_seen(world: World, reading: QuotaReading | None, seconds: int) -> None:
    assert foretell(world, reading)[0].done_at == NOW + timedelta(seconds=seconds)
