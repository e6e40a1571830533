"""Whose webhooks are believed."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from provisioning.domain.errors import NotAllowedError
from provisioning.webhooks.verifier import WebhookVerifier
from tests.unit.webhooks.secrets import secret

BODY = b'{"number":"D-1"}'


def signed(letter: str = "n", *, at: datetime | None = None, body: bytes = BODY) -> dict[str, str]:
    moment = at or datetime.now(UTC)
    return {
        "Webhook-Id": "msg_9",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": Webhook(secret(letter)).sign("msg_9", moment, body.decode()),
    }


@pytest.fixture
def verify() -> WebhookVerifier:
    return WebhookVerifier({"desk": (secret("n"), secret("o"))})


class TestVerifier:
    @pytest.mark.parametrize("letter", ["n", "o"])
    def test_either_secret_will_do(self, verify: WebhookVerifier, letter: str) -> None:
        assert verify("desk", signed(letter), BODY) == "msg_9"

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_an_old_message_or_one_of_tomorrow_is_refused(self, verify: WebhookVerifier, minutes: int) -> None:
        with pytest.raises(NotAllowedError, match="older than five minutes"):
            verify("desk", signed(at=datetime.now(UTC) + timedelta(minutes=minutes)), BODY)

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            pytest.param(signed("x"), BODY, id="another secret"),
            pytest.param(signed(), BODY + b" ", id="another body"),
            pytest.param({}, BODY, id="no headers"),
            pytest.param(signed() | {"Webhook-Id": "msg_8"}, BODY, id="another id"),
            pytest.param(signed() | {"Webhook-Signature": "v1"}, BODY, id="half a signature"),
            pytest.param(signed() | {"Webhook-Signature": "v1,%%%"}, BODY, id="no base64"),
            pytest.param(signed() | {"Webhook-Signature": "v1,é"}, BODY, id="no ASCII"),
            pytest.param(signed() | {"Webhook-Timestamp": "soon"}, BODY, id="no moment"),
            pytest.param(signed() | {"Webhook-Timestamp": "1e400"}, BODY, id="no finite moment"),
            pytest.param(signed(), b"\xff", id="no text"),
        ],
    )
    def test_whatever_is_wrong_is_refused_in_the_same_words(
        self, verify: WebhookVerifier, headers: dict[str, str], body: bytes
    ) -> None:
        with pytest.raises(NotAllowedError, match="not signed by a secret that we share"):
            verify("desk", headers, body)

    def test_a_sender_without_a_secret_is_nobody(self, verify: WebhookVerifier) -> None:
        with pytest.raises(NotAllowedError):
            verify("stranger", signed(), BODY)
