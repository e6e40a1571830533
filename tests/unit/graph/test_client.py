import asyncio
import logging
import sys
from datetime import timedelta

import httpx
import msgspec
import pytest
from httpcore._synchronization import current_async_library

from provisioning.domain.errors import ActionRequiredError, AmbiguousOutcomeError, PermanentError, RetryableError
from provisioning.domain.reasons import Reason
from provisioning.graph import requests
from tests.unit.graph import fakes
from tests.unit.graph.fakes import SETTINGS, TENANT, FakeGraph

UPN = "p.shah@northfield.example"


def read(graph: FakeGraph) -> bytes:
    return asyncio.run(graph.client.read(TENANT, graph.client.requests.users()))


class TestRead:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
    def test_three_tries_when_time_helps(self, status: int) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(status)))
        with pytest.raises(RetryableError):
            read(graph)
        assert len(graph.requests) == 3

    @pytest.mark.parametrize(
        "failure", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")]
    )
    def test_of_a_read_nothing_is_ambiguous(self, failure: Exception) -> None:
        graph = FakeGraph(fakes.in_sequence(failure))
        with pytest.raises(RetryableError):
            read(graph)
        assert len(graph.requests) == 3

    @pytest.mark.parametrize("status", [400, 404, 405, 410])
    def test_one_try_when_nothing_helps(self, status: int) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(status)))
        with pytest.raises(PermanentError):
            read(graph)
        assert len(graph.requests) == 1

    def test_a_short_retry_after_is_honoured(self) -> None:
        waits: list[float] = []
        graph = FakeGraph(fakes.in_sequence(httpx.Response(429, headers={"Retry-After": "1.5"}), httpx.Response(200)))

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        graph.client.sleep = sleep
        read(graph)
        assert waits == [1.5]

    def test_a_long_retry_after_is_handed_on(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(429, headers={"Retry-After": "9"})))
        with pytest.raises(RetryableError) as caught:
            read(graph)
        assert caught.value.after == timedelta(seconds=9)
        assert len(graph.requests) == 1

    def test_a_rejected_token_is_renewed_once(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(401), httpx.Response(200)))
        read(graph)
        assert [request.headers["authorization"] for request in graph.requests] == ["Bearer token-1", "Bearer token-2"]

    def test_a_token_that_stays_rejected_needs_a_person(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(401)))
        with pytest.raises(ActionRequiredError) as caught:
            read(graph)
        assert (caught.value.reason, caught.value.credential) == (Reason.TOKEN_REJECTED, True)
        assert len(graph.requests) == 2


class TestSend:
    def test_error_bodies_and_all_headers_stay_readable(self) -> None:
        answer = httpx.Response(400, json=fakes.error("Request_BadRequest", "no"), headers={"X-Ms-Resource-Unit": "1"})
        graph = FakeGraph(fakes.in_sequence(answer))
        received = asyncio.run(graph.client.send(TENANT, graph.client.requests.users(), timedelta(seconds=5)))
        assert received.status == 400
        assert b"Request_BadRequest" in received.body
        assert received.headers["x-ms-resource-unit"] == "1"

    @pytest.mark.parametrize("status", [429, 503, 504])
    def test_the_sdk_repeats_nothing(self, status: int) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(status, headers={"Retry-After": "1"})))
        asyncio.run(graph.client.send(TENANT, graph.client.requests.users(), timedelta(seconds=5)))
        assert len(graph.requests) == 1

    def test_no_redirect_carries_our_token_away(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(302, headers={"Location": "https://evil.test/"})))
        asyncio.run(graph.client.send(TENANT, graph.client.requests.users(), timedelta(seconds=5)))
        assert [request.url.host for request in graph.requests] == ["graph.test"]

    def test_an_answer_that_does_not_come_in_time_is_lost(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(200)))

        async def never(_: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

        graph.client = graph.connected_to(httpx.MockTransport(never))
        with pytest.raises(AmbiguousOutcomeError):
            asyncio.run(graph.client.send(TENANT, graph.client.requests.users(), timedelta(milliseconds=10)))


class TestHosts:
    def test_another_host_gets_no_token(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(200)))
        forged = requests.next_page("https://evil.test/v1.0/users?$skiptoken=x")
        asyncio.run(graph.client.send(TENANT, forged, timedelta(seconds=5)))
        assert "authorization" not in graph.requests[0].headers

    @pytest.mark.parametrize(
        "link",
        [
            "https://evil.test/v1.0/users",
            "https://graph.test.evil.test/v1.0/users",
            "https://graph.test@evil.test/v1.0/users",
            "/v1.0/users",
        ],
    )
    def test_a_link_that_leads_elsewhere_is_not_followed(self, link: str) -> None:
        with pytest.raises(PermanentError, match="another host"):
            FakeGraph(fakes.in_sequence(httpx.Response(200))).client.follow(link)

    def test_allowed_hosts_may_be_named(self) -> None:
        settings = msgspec.structs.replace(SETTINGS, allowed_hosts=("graph.test", "dod-graph.test"))
        graph = FakeGraph(fakes.in_sequence(httpx.Response(200)), settings)
        assert graph.client.follow("https://dod-graph.test/v1.0/users").url == "https://dod-graph.test/v1.0/users"


class TestSecrecy:
    def test_no_log_names_a_person_or_carries_a_token(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        body = fakes.error("Request_ResourceNotFound", f"Resource '{UPN}' does not exist.")
        graph = FakeGraph(fakes.in_sequence(httpx.Response(404, json=body)))
        with pytest.raises(PermanentError) as caught:
            asyncio.run(graph.client.read(TENANT, requests.next_page(f"https://graph.test/v1.0/users/{UPN}")))
        told = str(caught.value) + repr(caught.value) + caplog.text
        assert "shah" not in told
        assert "token-1" not in told


class TestSearches:
    def test_httpcore_searches_for_nothing_at_each_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        searched: list[str] = []

        class Witness:
            def find_spec(self, name: str, *_: object) -> None:
                searched.append(name)

        monkeypatch.delitem(sys.modules, "sniffio", raising=False)
        FakeGraph(fakes.in_sequence(httpx.Response(200)))
        monkeypatch.setattr(sys, "meta_path", [Witness(), *sys.meta_path])
        assert current_async_library() == "asyncio"
        assert searched == []
