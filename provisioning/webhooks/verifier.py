"""Whether a webhook is from whom it says, whole and fresh."""

from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError

from provisioning.domain.errors import NotAllowedError


class WebhookVerifier:
    """Any of the secrets of its sender will do, so that one can be changed without a message being lost."""

    def __init__(self, secrets: Mapping[str, tuple[str, ...]]) -> None:
        self._known = {name: [Webhook(secret) for secret in known] for name, known in secrets.items()}

    def __call__(self, sender: str, headers: Mapping[str, str], body: bytes) -> str:
        """The message's id. Raises NotAllowedError, one sentence for whatever is wrong: a forger learns nothing."""
        given = {name.lower(): value for name, value in headers.items()}
        if not any(_is_genuine(known, given, body) for known in self._known.get(sender, ())):
            raise NotAllowedError(
                "The webhook is not signed by a secret that we share, its signature is of another body, or it is older "
                "than five minutes."
            )
        return given["webhook-id"]


def _is_genuine(known: Webhook, headers: dict[str, str], body: bytes) -> bool:
    try:
        known.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # the library reads a malformed header as far as it can
        return False
    return True
