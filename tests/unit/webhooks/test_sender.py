"""What goes over the wire: signed by every secret, sent once, and whatever comes back is an answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from standardwebhooks import Webhook

from provisioning.domain.ids import OrganisationId
from provisioning.domain.webhook import Answer, Attempted, Endpoint, Message
from provisioning.webhooks.sender import WebhookSender
from tests.unit.webhooks.secrets import secret

BODY = '{"type":"ticket.completed","data":{"organisation_id":"41234"}}'
MESSAGE = Message(
    message_id="msg_1",
    endpoint="desk",
    subject="ticket/t1",
    topic="ticket_completed",
    organisation_id=OrganisationId("41234"),
    body=BODY,
    made_at=datetime(2026, 8, 3, tzinfo=UTC),
    due_at=None,
)


class Receiver(HTTPServer):
    """Keeps what it got and answers as told."""

    def __init__(self) -> None:
        self.status = 204
        self.taken: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                receiver.taken.append((dict(self.headers.items()), self.rfile.read(length)))
                self.send_response(receiver.status)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(name="desk", url=f"http://127.0.0.1:{self.server_port}/hooks", topics=("*",))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sender() -> Iterator[WebhookSender]:
    made = WebhookSender({"desk": (secret("n"), secret("o"))}, timeout=timedelta(seconds=2))
    yield made
    made.close()


class TestSend:
    def test_either_secret_proves_the_message(self, receiver: Receiver, sender: WebhookSender) -> None:
        sender.send(receiver.endpoint, MESSAGE, datetime.now(UTC))
        [(headers, body)] = receiver.taken
        for letter in "no":
            assert Webhook(secret(letter)).verify(body, headers)["type"] == "ticket.completed"

    def test_carries_the_id_that_it_keeps(self, receiver: Receiver, sender: WebhookSender) -> None:
        for _ in range(2):
            sender.send(receiver.endpoint, MESSAGE, datetime.now(UTC))
        assert [headers["webhook-id"] for headers, _ in receiver.taken] == ["msg_1", "msg_1"]

    @pytest.mark.parametrize(
        ("status", "answer"),
        [
            (200, Answer.TAKEN),
            (204, Answer.TAKEN),
            (302, Answer.REFUSED),
            (404, Answer.REFUSED),
            (410, Answer.GONE),
            (429, Answer.REFUSED),
            (500, Answer.REFUSED),
        ],
    )
    def test_reads_the_answer(self, receiver: Receiver, sender: WebhookSender, status: int, answer: Answer) -> None:
        receiver.status = status
        assert sender.send(receiver.endpoint, MESSAGE, datetime.now(UTC)) == Attempted(answer=answer, status=status)

    def test_goes_nowhere_else(self, receiver: Receiver, sender: WebhookSender) -> None:
        receiver.status = 307
        sender.send(receiver.endpoint, MESSAGE, datetime.now(UTC))
        assert len(receiver.taken) == 1

    def test_who_is_away_is_silent(self, receiver: Receiver, sender: WebhookSender) -> None:
        away = Endpoint(name="desk", url="http://127.0.0.1:1/hooks", topics=("*",))
        assert sender.send(away, MESSAGE, datetime.now(UTC)) == Attempted(answer=Answer.SILENT)
