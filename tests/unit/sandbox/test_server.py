"""The ASGI application where no real client gets: half a request, and a mistake of the twin's own."""

import asyncio
import logging
from collections.abc import Iterator, MutableMapping
from typing import Any

import msgspec
import pytest

from provisioning.sandbox.server import Application
from provisioning.sandbox.world import Settings, World

Message = MutableMapping[str, Any]


class Connection:
    """One request as an ASGI server hands it over, and what was sent back."""

    def __init__(self, *messages: Message, path: str = "/_sandbox/health") -> None:
        self._messages: Iterator[Message] = iter(messages)
        self.sent: list[Message] = []
        authorization = (b"authorization", b"Bearer token")
        self.scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [authorization],
            "state": {},
        }

    async def receive(self) -> Message:
        return next(self._messages)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def run(self, application: Application) -> "Connection":
        asyncio.run(application(self.scope, self.receive, self.send))
        return self

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.sent[1]["body"])


@pytest.fixture(scope="module")
def application() -> Application:
    return Application(World(Settings()), "token")


def request(more: bool = False) -> Message:
    return {"type": "http.request", "body": b"", "more_body": more}


class TestApplication:
    def test_a_body_in_pieces_is_one_body(self, application: Application) -> None:
        answered = Connection(request(more=True), request()).run(application)
        assert (answered.sent[0]["status"], answered.body["status"]) == (200, "ok")

    def test_half_a_request_is_never_carried_out(self, application: Application) -> None:
        assert Connection(request(more=True), {"type": "http.disconnect"}).run(application).sent == []

    def test_a_path_of_nobody_is_refused_in_graphs_words(self, application: Application) -> None:
        answered = Connection(request(), path="/nowhere").run(application)
        assert answered.sent[0]["status"] == 400
        assert answered.body["error"]["message"] == "Resource not found for the segment 'nowhere'."

    def test_its_own_mistake_is_a_500_and_a_line_in_the_log(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        application = Application(World(Settings()), "token")
        monkeypatch.delattr(application.world, "ledger")
        with caplog.at_level(logging.ERROR):
            answered = Connection(request()).run(application)
        assert (answered.sent[0]["status"], answered.body["error"]["code"]) == (500, "UnknownError")
        assert [record.message for record in caplog.records] == ["request failed"]
