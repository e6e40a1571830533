"""Sends one message, once, signed by every secret that is valid."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import structlog
from standardwebhooks import Webhook

from provisioning.domain.webhook import Answer, Attempted, Endpoint, Message

_log = structlog.get_logger(__name__)
_TIMEOUT = timedelta(seconds=10)
_GONE = 410


class WebhookSender:
    """One connection pool for all endpoints of this process."""

    def __init__(self, secrets: Mapping[str, tuple[str, ...]], *, timeout: timedelta = _TIMEOUT) -> None:
        self._signers = {name: [Webhook(secret) for secret in known] for name, known in secrets.items()}
        self._client = httpx.Client(timeout=timeout.total_seconds(), follow_redirects=False, trust_env=False)

    def send(self, endpoint: Endpoint, message: Message, at: datetime) -> Attempted:
        """Never raises for what the other side does: that is an answer, too. `at` is real time."""
        headers = {
            "content-type": "application/json",
            "user-agent": "licence-provisioning",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signatures(endpoint.name, message, at),
        }
        try:
            with self._client.stream("POST", endpoint.url, content=message.body, headers=headers) as response:
                return _read(response.status_code)
        except httpx.HTTPError as error:
            _log.info("webhook.silent", endpoint=endpoint.name, error_type=type(error).__name__)
            return Attempted(answer=Answer.SILENT)

    def _signatures(self, endpoint: str, message: Message, at: datetime) -> str:
        moment = at.astimezone(UTC)  # the library takes any moment for UTC
        return " ".join(signer.sign(message.message_id, moment, message.body) for signer in self._signers[endpoint])

    def close(self) -> None:
        self._client.close()


def _read(status: int) -> Attempted:
    if httpx.codes.is_success(status):
        return Attempted(answer=Answer.TAKEN, status=status)
    return Attempted(answer=Answer.GONE if status == _GONE else Answer.REFUSED, status=status)
