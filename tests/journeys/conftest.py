"""A whole world for the journeys of each test process; each journey has customers of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from provisioning.local.world import APP, LocalWorld, WorldOptions
from tests.engines import temporary_folder
from tests.journeys.callers import Api
from tests.journeys.desk import Desk
from tests.journeys.furniture import Town
from tests.journeys.misfortune import Engineer
from tests.journeys.worlds import is_shared

FAST = 120.0  # seconds of service and twin per second: five minutes of lag pass in two and a half


@pytest.fixture(scope="package", autouse=True)
def _logged_apart() -> Iterator[None]:
    """What a command logs goes to standard error, as it does where people type it: what it prints is read here."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    yield
    structlog.reset_defaults()


@contextmanager
def _hurried() -> Iterator[LocalWorld]:
    """Engines, the twin and worker processes, in a hurry. Nobody looks at how the workers end: that they end is all."""
    with temporary_folder() as folder, LocalWorld(folder, WorldOptions(durable=False, clock_factor=FAST)) as world:
        secret = world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"]
        world.sandbox.control.register_app(APP, secrets=[{"value": secret}])
        world.start_workers()
        yield world
        for name in [name for name, child in world.children.items() if child.poll() is None]:
            world.kill(name)


def _shares(request: pytest.FixtureRequest) -> bool:
    return is_shared(request.module.__name__.rpartition(".")[2])


@pytest.fixture(scope="package")
def shared_town() -> Iterator[Town]:
    """Where most journeys of this process take place: what it takes to begin a world is spent once."""
    with _hurried() as world:
        town = Town(world)
        yield town
        town.services.close()


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, _mended: list[Engineer]) -> Iterator[LocalWorld]:
    """Ends, if it is this module's own, before the mended engines are collected."""
    if not _shares(request):
        with _hurried() as world:
            yield world
        return
    world = request.getfixturevalue("shared_town").world
    believed = world.sandbox.control.request("GET", "/switches")
    yield world
    world.sandbox.control.set_switches(**believed)
    world.sandbox.control.clear_faults()


@pytest.fixture(scope="module")
def town(request: pytest.FixtureRequest, world: LocalWorld) -> Iterator[Town]:
    if _shares(request):
        yield request.getfixturevalue("shared_town")
        return
    town = Town(world)
    yield town
    town.services.close()


@pytest.fixture(scope="module")
def desk(world: LocalWorld, town: Town) -> Desk:
    return Desk(world, town.services)


@pytest.fixture(scope="module")
def api(town: Town) -> Api:
    return Api(town)


@pytest.fixture(scope="module")
def _mended() -> Iterator[list[Engineer]]:
    """Engines that were started again are collected once the world has ended."""
    engineers: list[Engineer] = []
    yield engineers
    for engineer in engineers:
        engineer.collect()


@pytest.fixture(scope="module")
def engineer(_mended: list[Engineer], world: LocalWorld) -> Engineer:
    _mended.append(Engineer(world))
    return _mended[-1]


@pytest.fixture(
    params=[0.0, *(pytest.param(behind, marks=pytest.mark.slow) for behind in (15.0, 300.0))],
    ids=["at once", "15 s behind", "5 min behind"],
)
def later_lag(request: pytest.FixtureRequest) -> float:
    """As `lag`, for journeys in which replicas play a small part: with lag they are journeys of `make scenarios`."""
    return float(request.param)


@pytest.fixture(
    params=[0.0, pytest.param(15.0, marks=pytest.mark.slow), 300.0], ids=["at once", "15 s behind", "5 min behind"]
)
def lag(request: pytest.FixtureRequest) -> float:
    """How far replicas may be behind, in seconds of the twin."""
    return float(request.param)
