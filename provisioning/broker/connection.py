"""One URL for everything on Redis or Valkey: our client and Celery's transport."""

from urllib.parse import parse_qs, urlencode, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as LostConnectionError
from redis.retry import Retry

_ANSWER_SECONDS = 2.0  # the longest script takes a tenth of a millisecond


def connect(url: str) -> Redis:
    """A client that fails soon instead of waiting; it connects when first used."""
    # One repetition: the first command after a restart of the server finds a dead connection.
    return Redis.from_url(
        url,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(LostConnectionError,)),
    )


def transport_url(url: str) -> str:
    """The same place in Celery's words, which differ for Unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    asked = parse_qs(parts.query)
    words = {"virtual_host": asked.pop("db", ["0"])[0], **{name: values[0] for name, values in asked.items()}}
    return f"redis+socket://{parts.path}?{urlencode(words)}"
