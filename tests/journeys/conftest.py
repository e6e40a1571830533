"""A whole world per module, shared by its journeys; each journey has customers of its own."""

from collections.abc import Iterator

import pytest

from provisioning.local.world import APP, LocalWorld, WorldOptions
from tests.engines import temporary_folder
from tests.journeys.furniture import Town

FAST = 120.0  # seconds of service and twin per second: five minutes of lag pass in two and a half


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """Engines, the twin and worker processes, in a hurry."""
    with temporary_folder() as folder, LocalWorld(folder, WorldOptions(durable=False, clock_factor=FAST)) as world:
        secret = world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"]
        world.sandbox.control.register_app(APP, secrets=[{"value": secret}])
        town = Town(world)
        world.start_workers()
        yield town
        town.services.close()


@pytest.fixture(params=[0.0, 15.0, 300.0], ids=["at once", "15 s behind", "5 min behind"])
def lag(request: pytest.FixtureRequest) -> float:
    """How far replicas may be behind, in seconds of the twin."""
    return float(request.param)
