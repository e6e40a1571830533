"""Group mode can be tried in the generated worlds as they are: their app may make, fill and license groups (G2.4)."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from provisioning.sandbox.board import A1_FACULTY, BOARD_APP, BOARD_SECRET
from tests.conformance.actions import change_body, states
from tests.sandbox_process import SandboxControl, SandboxProcess

PUBLIC = "https://graph.microsoft.com/v1.0/directoryObjects"
PLAIN = {"displayName": "Licenties", "mailEnabled": False, "mailNickname": "licenties", "securityEnabled": True}
WORLDS = {"board": {}, "sector": {"tenants": 2, "users": 300}}


@pytest.fixture(params=WORLDS)
def app(
    request: pytest.FixtureRequest,
    sandbox: SandboxProcess,
    control: SandboxControl,
    authorize: Callable[..., dict[str, str]],
) -> Iterator[httpx.Client]:
    """The app of a generated world, in a tenant that has consented."""
    control.seed_profile(request.param, **WORLDS[request.param])
    *_, tenant = control.read_seed()["tenants"]  # the first of a sector has not consented
    headers = authorize(tenant=tenant["id"], client_id=BOARD_APP, client_secret=BOARD_SECRET)
    with httpx.Client(base_url=sandbox.graph_url, headers=headers, verify=sandbox.tls(), timeout=30) as client:
        yield client


def test_g4_8_a_group_is_made_filled_and_licensed(app: httpx.Client, control: SandboxControl) -> None:
    listed = app.get("/users", params={"$top": 999, "$select": "id,assignedLicenses"}).json()["value"]
    staff = [one["id"] for one in listed if A1_FACULTY in {held["skuId"] for held in one["assignedLicenses"]}][:20]
    bind = {"members@odata.bind": [f"{PUBLIC}/{person}" for person in staff]}
    group = app.post("/groups", json=PLAIN).json()["id"]
    assert app.post(f"/groups/{group}/assignLicense", json=change_body([A1_FACULTY])).status_code == 202
    assert app.patch(f"/groups/{group}", json=bind).status_code == 204
    control.set_clock(advance=60)
    for person in staff:
        givers = {held["assignedByGroup"] for held in states(app, person) if held["state"] == "Active"}
        assert givers == {None, group}
