"""The gateway as it runs in a worker, against the sandbox over TLS: no fakes but quota and time's owner."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.domain.ids import TenantId
from provisioning.domain.worklist import Lease
from provisioning.graph.bridge import Bridge
from provisioning.graph.gateway import GraphGateway
from provisioning.graph.settings import Application, GraphSettings
from tests.conformance.school import APP, SECRET, TENANT
from tests.sandbox_fixtures import process, sandbox
from tests.sandbox_process import SandboxProcess
from tests.unit.graph.fakes import ListeningQuota

__all__ = ["process", "sandbox"]

Connect = Callable[..., GraphGateway]


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def wall(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def settings(sandbox: SandboxProcess) -> GraphSettings:
    return GraphSettings(
        application=Application(client_id=APP, client_secret=SECRET),
        base_url=sandbox.graph_url,
        authority=f"https://{sandbox.authority}",
        ca_file=str(sandbox.ca_file),
    )


@pytest.fixture
def quota() -> ListeningQuota:
    return ListeningQuota()


@pytest.fixture
def connect(quota: ListeningQuota) -> Iterator[Connect]:
    """Makes gateways and closes them afterwards."""
    made: list[tuple[GraphGateway, Bridge]] = []

    def gateway(settings: GraphSettings) -> GraphGateway:
        bridge = Bridge()
        made.append((GraphGateway(settings, quota, RealClock(), bridge), bridge))
        return made[-1][0]

    yield gateway
    for gateway_made, bridge in made:
        gateway_made.close()
        bridge.close()


@pytest.fixture
def gateway(connect: Connect, settings: GraphSettings) -> GraphGateway:
    return connect(settings)


@pytest.fixture
def tenant() -> TenantId:
    return TenantId(TENANT)


@pytest.fixture
def lease() -> Lease:
    expires_at = datetime.now(UTC) + timedelta(seconds=60)
    return Lease(name=f"tenant:{TENANT}", holder="test", fence=1, expires_at=expires_at)


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
