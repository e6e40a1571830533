"""One sandbox process for all conformance tests; a fresh, known world for each."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.credentials import ASSERTION_TYPE, Certificate
from tests.conformance.school import (
    A3,
    APP,
    GROUP,
    OUTER,
    PUPIL,
    PUPILS_GROUPS,
    ROLES,
    SECRET,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    world_seed,
)
from tests.sandbox_fixtures import process
from tests.sandbox_process import SandboxControl, SandboxProcess

__all__ = ["process"]

TokenRequest = Callable[..., httpx.Response]


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    """The running sandbox, its world made anew."""
    process.control.seed(world_seed())
    return process


@pytest.fixture
def control(sandbox: SandboxProcess) -> SandboxControl:
    return sandbox.control


@pytest.fixture
def http(sandbox: SandboxProcess) -> Iterator[httpx.Client]:
    with httpx.Client(verify=sandbox.tls(), timeout=30) as client:
        yield client


@pytest.fixture
def request_token(sandbox: SandboxProcess, http: httpx.Client) -> TokenRequest:
    def request(tenant: str = TENANT, **changes: str | None) -> httpx.Response:
        form = {
            "client_id": APP,
            "client_secret": SECRET,
            "grant_type": "client_credentials",
            "scope": "https://graph.microsoft.com/.default",
        }
        fields = {name: value for name, value in (form | changes).items() if value is not None}
        return http.post(f"https://{sandbox.authority}/{tenant}/oauth2/v2.0/token", data=fields)

    return request


@pytest.fixture
def authorize(request_token: TokenRequest) -> Callable[..., dict[str, str]]:
    """Headers with a fresh token."""

    def headers(**changes: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {request_token(**changes).json()['access_token']}"}

    return headers


@pytest.fixture
def graph(sandbox: SandboxProcess, authorize: Callable[..., dict[str, str]]) -> Iterator[httpx.Client]:
    """A plain HTTP client below /v1.0 with all permissions."""
    with httpx.Client(base_url=sandbox.graph_url, headers=authorize(), verify=sandbox.tls(), timeout=30) as client:
        yield client


@pytest.fixture
def limited_graph(
    sandbox: SandboxProcess, control: SandboxControl, authorize: Callable[..., dict[str, str]]
) -> Iterator[Callable[..., httpx.Client]]:
    """Makes a client whose token carries only the named permissions."""
    clients = []

    def limited(*roles: str) -> httpx.Client:
        control.withdraw_consent(TENANT, APP, ROLES)
        control.grant_consent(TENANT, APP, list(roles))
        clients.append(httpx.Client(base_url=sandbox.graph_url, headers=authorize(), verify=sandbox.tls()))
        return clients[-1]

    yield limited
    for client in clients:
        client.close()


@pytest.fixture
def nested(control: SandboxControl) -> None:
    """A group with a group in it and three people for whom it fails; a pupil who is in four groups."""
    people = [WITH_A1, WITH_NOTHING, PUPIL]
    failed = {"skuId": A3, "assignedByGroup": OUTER, "state": "Error", "error": "CountViolation"}
    control.put_group(TENANT, id=OUTER, displayName="Outer", members=[GROUP, *people])
    for person in people:
        control.change_user(TENANT, person, assignments=[failed])
    for number, team in enumerate(PUPILS_GROUPS):
        control.put_group(TENANT, id=team, displayName=f"Team {number}", members=[PUPIL])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "twin"


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    return Certificate()


@pytest.fixture
def registered(control: SandboxControl, certificate: Certificate) -> Certificate:
    control.register_app(APP, certificates=[certificate.pem])
    return certificate


@pytest.fixture
def assertion_request(request_token: TokenRequest) -> Callable[[str], httpx.Response]:
    def request(assertion: str) -> httpx.Response:
        return request_token(client_secret=None, client_assertion_type=ASSERTION_TYPE, client_assertion=assertion)

    return request


@pytest.fixture
def audience(sandbox: SandboxProcess) -> str:
    return f"https://{sandbox.authority}/{TENANT}/oauth2/v2.0/token"


@pytest.fixture
def azure_options(sandbox: SandboxProcess) -> dict[str, Any]:
    """What azure-identity needs to find the twin under its own address."""
    return {
        "authority": f"https://{sandbox.authority}",
        "disable_instance_discovery": True,
        "connection_verify": str(sandbox.ca_file),
    }
