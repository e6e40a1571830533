"""A request to end is as good as Ctrl-C: what runs is ended in order, and a second one does not disturb that."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
