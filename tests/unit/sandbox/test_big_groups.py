"""A group of thousands in a tenant of more: nobody looks through the tenant for it, and twenty more are twenty more."""

from collections.abc import Iterator
from typing import Any, Never

import msgspec
import pytest

from provisioning.sandbox.graph import Graph
from provisioning.sandbox.identity import Caller, TokenIssuer
from provisioning.sandbox.model import User
from provisioning.sandbox.seed import Seed, plant
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import Settings, World

TENANT, GROUP = "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001", "7e2a4d90-13c5-4b6f-a8e1-9d5f0b6c3001"
A1 = "94763226-9b3c-4e75-a931-5c89701abe66"
MEMBERS, PEOPLE = 5_000, 6_000
SCHOOL = {
    "id": TENANT,
    "subscriptions": [{"skuId": A1, "totalLicenses": PEOPLE}],
    "population": [{"count": PEOPLE, "prefix": "leerling", "domain": "school.example"}],
    "groups": [{"id": GROUP, "displayName": "Leerlingen"}],
}


class Unwalked(dict[str, User | None]):
    """The people of a tenant, to be asked for by name only."""

    def __iter__(self) -> Iterator[str]:
        raise self._walked()

    def values(self) -> Never:
        raise self._walked()

    def items(self) -> Never:
        raise self._walked()

    def _walked(self) -> AssertionError:
        return AssertionError("A request about a group looked through all people of the tenant.")


class App:
    """Asks without HTTP around it."""

    def __init__(self, world: World) -> None:
        roles = frozenset({"Group.ReadWrite.All", "User.ReadWrite.All", "LicenseAssignment.ReadWrite.All"})
        self._caller = Caller(TENANT, "app", roles, 4e9)
        self._graph = Graph(world, TokenIssuer())

    def ask(self, method: str, path: str, body: Any = None, query: str = "") -> Any:
        content = b"" if body is None else msgspec.json.encode(body)
        response = self._graph.answer(Request(method, path, query, {}, content), self._caller)
        assert response.status < 300, response.body
        return msgspec.json.decode(response.body) if response.body else None

    def join(self, people: list[str]) -> None:
        root = "https://graph.microsoft.com/v1.0/directoryObjects"
        self.ask("PATCH", f"/groups/{GROUP}", {"members@odata.bind": [f"{root}/{person}" for person in people]})


@pytest.fixture
def world() -> World:
    """5,000 members, licensed and seen to, of 6,000 people."""
    world = World(Settings())
    plant(world, msgspec.convert({"tenants": [SCHOOL]}, Seed))
    tenant = world.tenants[TENANT]
    tenant.directory.users = Unwalked(tenant.directory.users)
    app = App(world)
    for start in range(0, MEMBERS, 20):
        app.join(tenant.directory.order[start : start + 20])
    app.ask("POST", f"/groups/{GROUP}/assignLicense", {"addLicenses": [{"skuId": A1}], "removeLicenses": []})
    settle(world, app)
    return world


def settle(world: World, app: App) -> None:
    """Until the tenant has seen to everybody."""
    world.clock.advance(600)
    app.ask("GET", f"/groups/{GROUP}")


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenants[TENANT]


def test_all_members_are_licensed_and_nobody_else(tenant: Tenant) -> None:
    assert len(tenant.groups.members(GROUP)) == MEMBERS
    assert tenant.directory.consumed[A1] == MEMBERS


def test_twenty_more_are_twenty_pieces_of_work(world: World, tenant: Tenant) -> None:
    app, before, entries = App(world), tenant.directory.consumed[A1], len(world.ledger)
    twenty = tenant.directory.order[MEMBERS : MEMBERS + 20]
    app.join(twenty)
    assert [job.user for job in tenant.queue.jobs] == twenty
    assert len(world.ledger) == entries + 1
    settle(world, app)
    assert tenant.directory.consumed[A1] - before == 20
    assert len(world.ledger) == entries + 21


def test_reading_it_and_leaving_it_looks_at_its_members_alone(world: World, tenant: Tenant) -> None:
    app, gone = App(world), tenant.directory.order[7]
    page = app.ask("GET", f"/groups/{GROUP}/members", query="$top=999&$select=id")
    assert len(page["value"]) == 999
    assert app.ask("GET", f"/groups/{GROUP}/membersWithLicenseErrors")["value"] == []
    assert app.ask("GET", "/groups", query="$filter=hasMembersWithLicenseErrors eq true")["value"] == []
    app.ask("DELETE", f"/groups/{GROUP}/members/{gone}/$ref")
    assert [job.user for job in tenant.queue.jobs] == [gone]
    settle(world, app)
    assert [one["id"] for one in app.ask("GET", f"/users/{gone}/memberOf")["value"]] == []
