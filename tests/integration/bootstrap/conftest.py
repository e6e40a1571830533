"""Services over the test database, as many processes as a test asks for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Engine

from config.settings import Realm as Wanted
from config.settings import Settings
from provisioning.bootstrap import Services
from provisioning.local.engines import Engines


@pytest.fixture
def installation(engines: Engines, engine: Engine) -> Iterator[Callable[..., Services]]:
    known = {
        "database_url": engine.url.render_as_string(hide_password=False),
        "redis_url": engines.redis_url,
        "realm": Wanted.SANDBOX,
        "graph_base_url": "https://localhost:1/v1.0",
        "graph_client_id": "9d0a2b0e-0000-4000-8000-000000000001",
        "graph_client_secret": "opens-nothing",
    }
    with ExitStack() as opened:

        def services(**changed: object) -> Services:
            made = Services(Settings.model_validate(known | changed))
            opened.callback(made.close)
            return made

        yield services
