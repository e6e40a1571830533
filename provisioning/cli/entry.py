"""Where the installed command begins: it imports almost nothing, so that Ctrl-C is quiet from the first moment on."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

_INTERRUPTED = 130  # 128 + SIGINT, as shells expect it


def main() -> None:
    """Load the command, then run it; the exit code is its own."""
    is_listening = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not with nohup or in the background
    _on_interrupt(_leave, is_listening=is_listening)
    from provisioning.cli.app import main as begin

    _on_interrupt(signal.default_int_handler, is_listening=is_listening)  # what is begun is ended in order
    try:
        code = begin()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    finally:
        _on_interrupt(signal.SIG_IGN, is_listening=is_listening)  # it is over: only the interpreter still clears up
    sys.exit(code)


def _on_interrupt(act: Callable[[int, FrameType | None], object] | signal.Handlers, *, is_listening: bool) -> None:
    if is_listening:
        signal.signal(signal.SIGINT, act)


def _leave(_number: int, _frame: FrameType | None) -> None:
    """An exception would come out of whatever is being imported; nothing was begun, so nothing needs an end."""
    os.write(sys.stderr.fileno(), b"Stopped by you, before anything was begun.\n")
    os._exit(_INTERRUPTED)
