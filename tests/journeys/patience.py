"""Waiting for what must come to pass: always with an end, always saying what was waited for."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

_BETWEEN_LOOKS = 0.05
T = TypeVar("T")


class TooLateError(AssertionError):
    """What was waited for did not come in time."""


def until(
    look: Callable[[], T | None], what: str | Callable[[], str], *, within: float = 45.0, every: float = _BETWEEN_LOOKS
) -> T:
    """The first answer of `look` that is worth something. Raises TooLateError after `within` real seconds.

    `every`: seconds between looks; more where a look is dear.
    """
    deadline, pause = time.monotonic() + within, Event()
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TooLateError(f"not within {within:g} s: {what if isinstance(what, str) else what()}")
        pause.wait(every)
    return found


def let_pass(seconds: float) -> None:
    """Real time in which something must not happen."""
    Event().wait(seconds)
