"""A request to end is as good as Ctrl-C: what runs is ended in order, and a second one does not disturb that."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_REQUESTS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as SIGINT does. Only in the main thread."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def noted_signals() -> Iterator[Callable[[], None]]:
    """Call what it gives wherever work may end: it raises KeyboardInterrupt once somebody asked; who insists is heard.

    Raised just anywhere, the exception is lost where Python calls back into us, as in a finalizer, and nothing ends.
    Only in the main thread.
    """
    asked = threading.Event()

    def note(request: int, frame: FrameType | None) -> None:
        if asked.is_set():
            signal.default_int_handler(request, frame)
        asked.set()

    def check() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    before = {request: signal.signal(request, note) for request in _REQUESTS}
    try:
        yield check
        check()
    finally:
        for request, act in before.items():
            signal.signal(request, act)


@contextmanager
def undisturbed() -> Iterator[None]:
    """For what has to be ended in order: its own time limits bound it, not somebody's impatience."""
    if threading.current_thread() is not threading.main_thread():  # others hear no signals
        yield
        return
    before = {request: signal.signal(request, signal.SIG_IGN) for request in _REQUESTS}
    try:
        yield
    finally:
        for request, act in before.items():
            signal.signal(request, act)
