"""Asynchronous work for synchronous callers: one loop per process, and nothing left running when a call returns.

An interrupted call that leaves a task on the loop would go on writing inside the next call, under somebody else's
lease. So every call cancels and awaits what it started, and a process in which that fails ends.
"""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import timedelta
from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")

EX_SOFTWARE = 70  # sysexits.h: an internal error


class PerProcess(Generic[T]):
    """A thing that belongs to one process: made when first asked for, made anew after a fork.

    The parent's stays referenced: closing it here would close sockets and selectors that the parent still uses.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}

    def get(self) -> T:
        pid = os.getpid()
        if pid not in self._made:
            self._made[pid] = self._make()
        return self._made[pid]

    def pop(self) -> T | None:
        """Let go of this process's own, if it was ever made."""
        return self._made.pop(os.getpid(), None)


def end_process(sentence: str) -> NoReturn:
    """End at once, without handlers that could still write: the lease lapses and another worker takes over."""
    logging.getLogger(__name__).critical("bridge.process_ended: %s", sentence)
    sys.stderr.flush()
    os._exit(EX_SOFTWARE)


class _Loop:
    """A long-lived loop and the lock that lets one thread at a time use it."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.lock = threading.Lock()


class Bridge:
    """Runs a coroutine to its end on this process's loop. `die` is called when tasks refuse to stop."""

    def __init__(
        self,
        die: Callable[[str], object] = end_process,
        drain_within: timedelta = timedelta(seconds=5),
    ) -> None:
        self._loops = PerProcess(_Loop)
        self._die = die
        self._drain_within = drain_within

    def run(self, work: Coroutine[Any, Any, T], deadline: timedelta) -> T:
        """What `work` returns; raises TimeoutError after `deadline`. Nothing it started runs on afterwards."""
        loop = self._loops.get()
        begun: set[asyncio.Task[Any]] = set()
        with loop.lock:
            try:
                return loop.runner.run(_bounded(work, deadline, begun))
            finally:
                self._drain(loop.runner, begun)

    def close(self) -> None:
        """Close this process's loop; a later run makes a new one."""
        if loop := self._loops.pop():
            loop.runner.close()

    def _drain(self, runner: asyncio.Runner, begun: set[asyncio.Task[Any]]) -> None:
        """Cancel and await whatever is left; an interruption meanwhile is raised when everything has stopped."""
        interruption: BaseException | None = None  # a TaskGroup raises the one that broke off the call once more
        until = time.monotonic() + self._drain_within.total_seconds()
        while left := asyncio.all_tasks(runner.get_loop()):
            begun |= left
            if time.monotonic() >= until:
                self._die(f"{len(left)} tasks did not stop within {self._drain_within}")
                return
            try:
                runner.run(_stopped(left, until - time.monotonic()))
            except (KeyboardInterrupt, SystemExit) as again:
                interruption = again
        _look_at(begun)
        if interruption:
            raise interruption


async def _bounded(work: Coroutine[Any, Any, T], deadline: timedelta, begun: set[asyncio.Task[Any]]) -> T:
    if task := asyncio.current_task():
        begun.add(task)
    async with asyncio.timeout(deadline.total_seconds()):
        return await work


async def _stopped(tasks: set[asyncio.Task[Any]], within: float) -> None:
    for task in tasks:
        if not task.cancelling():
            task.cancel()
    await asyncio.wait(tasks, timeout=within)


def _look_at(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """What they raised is known to the caller: asyncio would report it as forgotten, in the middle of later work."""
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
