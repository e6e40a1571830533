"""Sandbox time, in Unix seconds: `origin + factor × elapsed`. Tokens alone live in real time."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime


class SandboxClock:
    def __init__(
        self, factor: float = 1.0, origin: float | None = None, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._elapsed = elapsed
        self._origin = time.time() if origin is None else origin
        self._started = elapsed()
        self._held: float | None = None
        self.factor = factor

    def now(self) -> float:
        return self._running() if self._held is None else self._held

    def _running(self) -> float:
        return self._origin + self.factor * (self._elapsed() - self._started)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """One moment for all that is done within: nothing becomes due in the middle of a request."""
        self._held = self._running()
        try:
            yield
        finally:
            self._held = None

    def set_factor(self, factor: float) -> None:
        """Go on from the present moment at another speed."""
        self._rebase(self.now())
        self.factor = factor

    def advance(self, seconds: float) -> None:
        """Jump ahead, as if `seconds` had passed."""
        self._rebase(self.now() + seconds)

    def _rebase(self, origin: float) -> None:
        self._origin, self._started = origin, self._elapsed()
        if self._held is not None:
            self._held = origin


def to_moment(seconds: float) -> str:
    """The way Graph writes a moment: whole seconds, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_moment(moment: str) -> float:
    """Unix seconds of an ISO 8601 moment; one without a zone is UTC. Raises ValueError on anything else."""
    parsed = datetime.fromisoformat(moment)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
