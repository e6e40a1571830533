"""Logs for machines: one JSON line per event, a constant name, keyword fields, ids only."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

# Libraries that tell too much, or print addresses and tokens when they do.
_QUIET = (
    *("azure", "msal", "httpx", "httpcore", "urllib3", "kombu", "alembic", "asyncio"),
    *("celery.beat", "celery.worker.strategy", "celery.app.trace"),  # a line for every message there is
)

REDACTED = "[redacted]"
_SECRET_NAME = re.compile(r"secret|password|passwd|token|authorization|api_?key|private_?key|upn|mail", re.IGNORECASE)
# The last net: nobody should log these. An address, a bearer token, a JWT, a password inside a URL.
_SECRET_TEXT = re.compile(
    r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<=Bearer )\S+"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?<=://)[^\s/@]*:[^\s/@]+(?=@)"
)


def configure_logging(level: str = "info") -> None:
    """Send structlog and the standard library's loggers alike to standard error, as JSON lines."""
    shared = _shared_processors()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            structlog.processors.JSONRenderer(),
        ],
    )
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(formatter)
    logging.basicConfig(handlers=[output], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Blacken what looks like a secret or a person's address, by the name of its field or by its look."""
    return {name: REDACTED if _SECRET_NAME.search(name) else _clean(value) for name, value in event.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return redact(None, "", dict(value))
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(part) for part in value]
    return value if isinstance(value, (int, float, bool)) or value is None else _clean(str(value))
