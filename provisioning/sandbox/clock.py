"""Sandbox time, in Unix seconds: `origin + factor × elapsed`. Tokens alone live in real time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


class SandboxClock:
    def __init__(
        self, factor: float = 1.0, origin: float | None = None, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._elapsed = elapsed
        self._origin = time.time() if origin is None else origin
        self._started = elapsed()
        self.factor = factor

    def now(self) -> float:
        return self._origin + self.factor * (self._elapsed() - self._started)

    def set_factor(self, factor: float) -> None:
        """Go on from the present moment at another speed."""
        self._rebase(self.now())
        self.factor = factor

    def advance(self, seconds: float) -> None:
        """Jump ahead, as if `seconds` had passed."""
        self._rebase(self.now() + seconds)

    def _rebase(self, origin: float) -> None:
        self._origin, self._started = origin, self._elapsed()


def to_moment(seconds: float) -> str:
    """The way Graph writes a moment: whole seconds, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_moment(moment: str) -> float:
    """Unix seconds of an ISO 8601 moment; one without a zone is UTC. Raises ValueError on anything else."""
    parsed = datetime.fromisoformat(moment)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
