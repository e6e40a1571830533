"""Whatever happens between and during the pages, a client that applies them all knows the truth in the end."""

import uuid
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.identity import Caller
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.model import User
from provisioning.sandbox.replicas import CURRENT
from provisioning.sandbox.switches import Switches
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.users import users_delta
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import Settings, World

TENANT = str(uuid.UUID(int=1))
NAMES = [f"person-{number}" for number in range(6)]
FIRST = "$select=id,usageLocation"


class Client:
    """Keeps what it was told, and never looks anywhere else."""

    def __init__(self, world: World, tenant: Tenant) -> None:
        self._world = world
        self._tenant = tenant
        self._query = FIRST
        self.known: dict[str, str | None] = {}

    def read_page(self) -> bool:
        """One page; says whether the round is over."""
        body = msgspec.json.decode(users_delta(self._call()).body)
        for row in body["value"]:
            if "@removed" in row:
                self.known.pop(row["id"], None)
            else:
                self.known[row["id"]] = row["usageLocation"]
        is_over = "@odata.deltaLink" in body
        self._query = urlsplit(body["@odata.deltaLink" if is_over else "@odata.nextLink"]).query
        return is_over

    def read_round(self) -> None:
        while not self.read_page():
            pass

    def _call(self) -> Call:
        request = Request("GET", "/users/delta", self._query, {}, b"")
        caller = Caller(TENANT, "app", frozenset(), 0)
        return Call(self._world, request, self._tenant, caller, (), CURRENT, Author(), self._world.clock.now())


def truth(tenant: Tenant) -> dict[str, str | None]:
    return {user.id: user.usageLocation for user in tenant.directory.users.values() if user}


def act(world: World, tenant: Tenant, name: str, place: str | None) -> None:
    """Somebody moves, comes, comes back, or leaves (no place)."""
    if place is None:
        world.remove_user(tenant, name, Author())
    else:
        world.put_user(tenant, User(id=name, userPrincipalName=f"{name}@x", usageLocation=place), Author())


@pytest.fixture
def world() -> World:
    return World(Settings())


class TestConvergence:
    @settings(max_examples=60, deadline=None)
    @given(
        st.builds(
            Switches,
            delta_page_size=st.integers(1, 4),
            delta_repeats=st.integers(0, 3),
            delta_replays=st.integers(0, 5),
            delta_delay_seconds=st.sampled_from([0.0, 50.0]),
            empty_page_every=st.sampled_from([None, 2, 3]),
        ),
        st.sampled_from([0.0, 30.0]),
        st.lists(
            st.one_of(
                st.tuples(st.just("act"), st.sampled_from(NAMES), st.sampled_from(["NL", "BE", None])),
                st.tuples(st.just("page"), st.none(), st.none()),
                st.tuples(st.just("pass"), st.floats(1, 60), st.none()),
            ),
            max_size=40,
        ),
    )
    def test_the_client_ends_up_with_the_truth(
        self, switches: Switches, lag: float, story: list[tuple[str, Any, Any]]
    ) -> None:
        world = World(Settings(switches=switches, lag=lag))
        tenant = world.add_tenant(TENANT, "School", ["school.example"])
        for name in NAMES[:3]:
            act(world, tenant, name, "NL")
        client = Client(world, tenant)
        for event, what, place in story:
            if event == "act":
                act(world, tenant, what, place)
            elif event == "page":
                client.read_page()
            else:
                world.clock.advance(what)
        world.clock.advance(100)  # longer than any delay
        client.read_round()  # what was under way may have begun before the last change
        client.read_round()
        assert client.known == truth(tenant)


class TestLimits:
    def test_a_page_costs_what_it_holds_not_what_the_tenant_holds(self, world: World) -> None:
        tenant = world.add_tenant(TENANT, "School", ["school.example"])
        for number in range(500):
            act(world, tenant, f"u{number}", "NL")
        client = Client(world, tenant)
        assert client.read_page() is False
        assert len(client.known) == world.switches.delta_page_size

    def test_repeats_as_long_as_the_page_still_come_to_an_end(self) -> None:
        world = World(Settings(switches=Switches(delta_page_size=1, delta_repeats=5)))
        tenant = world.add_tenant(TENANT, "School", ["school.example"])
        for name in NAMES:
            act(world, tenant, name, "NL")
        client = Client(world, tenant)
        client.read_round()
        client.read_round()
        assert client.known == truth(tenant)

    def test_a_token_of_another_log_is_refused(self, world: World) -> None:
        tenants = [world.add_tenant(str(uuid.UUID(int=number)), "x", [f"{number}.example"]) for number in (1, 2)]
        first, second = (Client(world, tenant) for tenant in tenants)
        first.read_round()
        second._query = first._query
        with pytest.raises(GraphError) as refused:
            second.read_page()
        assert (refused.value.status, refused.value.code) == (410, "syncStateNotFound")
