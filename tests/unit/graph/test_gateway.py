import asyncio
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from provisioning.domain.errors import PermanentError
from provisioning.domain.operation import Outcome
from provisioning.graph.bridge import Bridge
from provisioning.graph.client import GraphClient
from provisioning.graph.gateway import GraphGateway
from provisioning.ports import LicenceGateway
from tests.unit.graph import fakes
from tests.unit.graph.fakes import SETTINGS, TENANT, FakeGraph, ListeningQuota


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


def gateway(graph: FakeGraph, bridge: Bridge) -> GraphGateway:
    return GraphGateway(SETTINGS, ListeningQuota(), graph.clock, bridge, connect=lambda *_: graph.client)


class TestGateway:
    def test_is_the_port(self, bridge: Bridge) -> None:
        port: LicenceGateway = gateway(FakeGraph(fakes.in_sequence(httpx.Response(404))), bridge)
        with pytest.raises(PermanentError):
            port.observe_census(TENANT)

    def test_one_client_serves_all_calls(self, bridge: Bridge) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 404}))
        made: list[GraphClient] = []

        def connect(*_: object) -> GraphClient:
            made.append(graph.client)
            return graph.client

        gateway = GraphGateway(SETTINGS, ListeningQuota(), graph.clock, bridge, connect=connect)
        for _ in range(3):
            assert gateway.observe_people(TENANT, [fakes.subject(1)]) == {fakes.subject(1): None}
        assert len(made) == 1
        gateway.close()
        assert gateway.resolve_subjects(TENANT, []) == {}
        assert len(made) == 2

    def test_apply_returns_receipts(self, bridge: Bridge) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 204}))
        [receipt] = gateway(graph, bridge).apply(TENANT, [fakes.attempt(1)], fakes.lease())
        assert receipt.outcome is Outcome.ACCEPTED

    def test_groups_come_with_their_members_unless_it_must_be_cheap(self, bridge: Bridge) -> None:
        group = {"id": fakes.GROUP, "mailNickname": "lic-a3", "securityEnabled": True}
        batch = fakes.batch_of(lambda _: {"status": 200, "body": group})
        page = httpx.Response(200, json={"value": [{"id": "u1"}]})
        graph = FakeGraph(lambda request: batch(request) if request.url.path.endswith("$batch") else page)
        port: LicenceGateway = gateway(graph, bridge)
        whole = port.observe_groups(TENANT, [fakes.GROUP])[fakes.GROUP]
        cheap = port.observe_groups(TENANT, [fakes.GROUP], with_members=False)[fakes.GROUP]
        assert whole
        assert cheap
        assert (whole.members, whole.is_complete) == ({"u1"}, True)
        assert (cheap.members, cheap.is_complete) == (frozenset(), False)
        assert len(graph.requests) == 3

    def test_a_group_is_found_by_its_name(self, bridge: Bridge) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(200, json={"value": []})))
        assert gateway(graph, bridge).find_group(TENANT, "lic-a3") is None

    def test_a_lapsed_lease_sends_nothing(self, bridge: Bridge) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 204}))
        lapsed = fakes.lease(timedelta(seconds=-60))
        [receipt] = gateway(graph, bridge).apply(TENANT, [fakes.attempt(1)], lapsed)
        assert receipt.outcome is Outcome.NOT_SENT
        assert graph.requests == []


class TestInterruption:
    def test_an_interrupted_apply_writes_nothing_inside_the_next_call(self, bridge: Bridge) -> None:
        """Four batches are under way when the task is interrupted; none of them goes on afterwards."""
        is_interrupted = False

        async def answer(request: httpx.Request) -> httpx.Response:
            nonlocal is_interrupted
            if not is_interrupted:
                is_interrupted = True
                loop = asyncio.get_running_loop()
                loop.call_soon(interrupt)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            graph.requests.append(request)
            return httpx.Response(200, json={"responses": []})

        def interrupt() -> None:
            raise KeyboardInterrupt

        graph = FakeGraph(fakes.in_sequence(httpx.Response(500)))
        graph.client = graph.connected_to(httpx.MockTransport(answer))
        under_test = gateway(graph, bridge)
        with pytest.raises(KeyboardInterrupt):
            under_test.apply(TENANT, fakes.attempts(200), fakes.lease())
        graph.requests.clear()
        under_test.apply(TENANT, [fakes.attempt(999)], fakes.lease())
        assert len(graph.requests) == 1
        assert b"000000000999" in graph.requests[0].content
