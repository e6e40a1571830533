from collections.abc import Iterator

import pytest
from redis import Redis

from provisioning.broker.connection import connect
from provisioning.local.engines import Engines


@pytest.fixture
def redis(engines: Engines) -> Iterator[Redis]:
    """A store that begins empty."""
    with connect(engines.redis_url) as client:
        client.flushdb()
        yield client
