"""The API in this process, on a real database and broker; Microsoft and the workers are not there."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from provisioning.audit.note import SignerKey
from provisioning.bootstrap import Services
from provisioning.broker.connection import connect
from provisioning.database import order_database
from provisioning.domain.actors import Role
from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.reasons import Reason
from provisioning.local.engines import Engines
from provisioning.web.app import create_app
from tests.factories import NOW
from tests.integration.conftest import Database
from tests.integration.web.landscape import token_for
from tests.unit.bootstrap.test_services import settings
from tests.unit.services.fakes_access import FakeClock, FakeDispatcher, FakeGateway

MakeServices = Callable[..., Services]
AN_HOUR = timedelta(hours=1)  # plans of then can still be approved


class ClosedGateway(FakeGateway):
    """Finds a tenant by its domain; into none of them has anybody let us."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_given: object, **_options: object) -> Any:
            raise ActionRequiredError(f"Nobody has let us in ({name}).", Reason.CONSENT_REVOKED)

        return refuse


class Asker:
    """Somebody with a token, and what they ask."""

    def __init__(self, client: TestClient, token: str | None) -> None:
        self._client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **options: Any) -> Any:
        return self._client.get(path, headers=self.headers | options.pop("headers", {}), **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self._client.post(path, json=body, headers=self.headers | options.pop("headers", {}), **options)

    def send(self, method: str, path: str, **options: Any) -> Any:
        return self._client.request(method, path, headers=self.headers, **options)


@pytest.fixture(scope="session")
def empty_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An order database as a shop begins with it; copied, for SQLite waits for the disk whenever it makes a table."""
    file = tmp_path_factory.mktemp("shop") / "orders.db"
    order_database.create(f"sqlite:///{file}")
    return file


@pytest.fixture
def make_services(
    engines: Engines,
    engine: Engine,  # noqa: ARG001  # asked for what it does afterwards
    database: Database,
    empty_shop: Path,
    tmp_path: Path,
) -> Iterator[MakeServices]:
    made: list[Services] = []
    key = tmp_path / "checkpoint-key"
    key.write_text(SignerKey("log.test", bytes(range(32))).reveal())
    orders_url = f"sqlite:///{copyfile(empty_shop, tmp_path / 'orders.db')}"
    with connect(engines.redis_url) as redis:
        redis.flushdb()

    def make(**fields: Any) -> Services:
        known = {
            "database_url": database.url,
            "redis_url": engines.redis_url,
            "order_database_url": orders_url,
            "order_desk_database_url": orders_url,
            "checkpoint_folder": str(tmp_path / "checkpoints"),
            "checkpoint_key_file": str(key),
            "api_requests_per_minute": 100_000,
        }
        services = Services(settings(**known | fields), pool_size=5)
        vars(services).update(clock=FakeClock(NOW + AN_HOUR), gateway=ClosedGateway(), dispatcher=FakeDispatcher())
        made.append(services)
        return services

    yield make
    for services in made:
        services.close()


@pytest.fixture
def services(make_services: MakeServices) -> Services:
    return make_services()


@pytest.fixture
def client(services: Services) -> TestClient:
    return TestClient(create_app(services))


@pytest.fixture
def token_of(services: Services) -> Callable[..., str]:
    """The token of a new actor."""
    return partial(token_for, services)


@pytest.fixture
def asker(client: TestClient, token_of: Callable[..., str]) -> Callable[..., Asker]:
    """Somebody new with these roles; without a name, nobody."""

    def make(actor: str | None = None, *roles: Role, board: str | None = None) -> Asker:
        return Asker(client, token_of(actor, *roles, board=board) if actor else None)

    return make


@pytest.fixture
def operator(asker: Callable[..., Asker]) -> Asker:
    return asker("person:duty", Role.OPERATOR)


@pytest.fixture
def shop(asker: Callable[..., Asker]) -> Asker:
    return asker("client:webshop", Role.SHOP)
