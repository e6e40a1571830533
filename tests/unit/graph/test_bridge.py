import asyncio
import gc
import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from provisioning.graph.bridge import Bridge, PerProcess

SOON = timedelta(seconds=5)


class DiedError(Exception):
    """What `die` raises here instead of ending the process."""


def die(sentence: str) -> None:
    raise DiedError(sentence)


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge(die)
    yield bridge
    bridge.close()


class Writes:
    """Stands for a call that goes on writing: every turn of the loop one more line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def forever(self, name: str) -> None:
        while True:
            self.lines.append(name)
            await asyncio.sleep(0)


async def some_turns_of_the_loop() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def raising(exception: BaseException) -> Callable[[], None]:
    def interrupt() -> None:
        raise exception

    return interrupt


class TestRun:
    def test_returns_what_the_work_returns(self, bridge: Bridge) -> None:
        async def work() -> int:
            await asyncio.sleep(0)
            return 42

        assert bridge.run(work(), SOON) == 42

    def test_two_calls_share_one_loop(self, bridge: Bridge) -> None:
        async def loop() -> asyncio.AbstractEventLoop:
            return asyncio.get_running_loop()

        assert bridge.run(loop(), SOON) is bridge.run(loop(), SOON)

    def test_the_deadline_stops_the_work(self, bridge: Bridge) -> None:
        with pytest.raises(TimeoutError):
            bridge.run(asyncio.Event().wait(), timedelta(milliseconds=1))

    def test_an_error_comes_out_as_itself(self, bridge: Bridge) -> None:
        async def work() -> None:
            raise LookupError("nobody")

        with pytest.raises(LookupError, match="nobody"):
            bridge.run(work(), SOON)


class TestNothingRunsOn:
    """An interrupted call must not go on writing inside the next one."""

    def interrupted(self, bridge: Bridge, writes: Writes, interruption: BaseException) -> None:
        async def work() -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(0, loop.call_soon, raising(interruption))
            async with asyncio.TaskGroup() as group:
                group.create_task(writes.forever("first call"))
                group.create_task(writes.forever("first call"))

        with pytest.raises(type(interruption)):
            bridge.run(work(), SOON)

    @pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(1)])
    def test_an_interrupted_call_writes_nothing_in_the_next(self, bridge: Bridge, interruption: BaseException) -> None:
        writes = Writes()
        self.interrupted(bridge, writes, interruption)
        assert writes.lines
        writes.lines.clear()
        bridge.run(some_turns_of_the_loop(), SOON)
        assert writes.lines == []

    @pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(1)])
    def test_an_interruption_inside_one_of_many_tasks_stops_the_others(
        self, bridge: Bridge, interruption: BaseException
    ) -> None:
        writes = Writes()

        async def interrupted() -> None:
            await asyncio.sleep(0)
            raise interruption

        async def work() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(writes.forever("first call"))
                group.create_task(interrupted())

        with pytest.raises(type(interruption)):
            bridge.run(work(), SOON)
        writes.lines.clear()
        bridge.run(some_turns_of_the_loop(), SOON)
        assert writes.lines == []

    @pytest.mark.parametrize("is_one_of_many", [False, True])
    def test_asyncio_reports_no_interruption_in_the_middle_of_later_work(
        self, bridge: Bridge, is_one_of_many: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It speaks of a task whose error nobody looked at when the collector finds it: whenever that is."""

        async def interrupted() -> None:
            await asyncio.sleep(0)
            raise KeyboardInterrupt

        async def work() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(Writes().forever("first call"))
                group.create_task(interrupted())

        with pytest.raises(KeyboardInterrupt):
            bridge.run(work() if is_one_of_many else interrupted(), SOON)
        gc.collect()
        assert caplog.records == []

    def test_an_interruption_while_draining_is_not_lost(self, bridge: Bridge) -> None:
        async def tidy() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise KeyboardInterrupt

        async def careless() -> None:
            careless.task = asyncio.create_task(tidy())  # type: ignore[attr-defined]  # kept from the collector
            await asyncio.sleep(0)

        with pytest.raises(KeyboardInterrupt):
            bridge.run(careless(), SOON)
        bridge.run(some_turns_of_the_loop(), SOON)

    def test_a_real_signal_in_the_middle_drains_too(self, bridge: Bridge) -> None:
        writes = Writes()

        async def work() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(writes.forever("first call"))
                await asyncio.sleep(0)
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.Event().wait()

        with pytest.raises(KeyboardInterrupt):
            bridge.run(work(), SOON)
        writes.lines.clear()
        bridge.run(some_turns_of_the_loop(), SOON)
        assert writes.lines == []

    def test_a_signal_handler_that_raises_drains_too(self, bridge: Bridge) -> None:
        """As task time limits and worker shutdown do: an exception out of nowhere, between two steps."""
        writes = Writes()
        before = signal.signal(signal.SIGUSR1, lambda *_: raising(LookupError("time is up"))())
        try:

            async def work() -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(writes.forever("first call"))
                    os.kill(os.getpid(), signal.SIGUSR1)
                    await asyncio.Event().wait()

            with pytest.raises((LookupError, BaseExceptionGroup)):
                bridge.run(work(), SOON)
        finally:
            signal.signal(signal.SIGUSR1, before)
        writes.lines.clear()
        bridge.run(some_turns_of_the_loop(), SOON)
        assert writes.lines == []

    def test_a_forgotten_task_ends_with_its_call(self, bridge: Bridge) -> None:
        writes = Writes()
        forgotten = []

        async def careless() -> None:
            forgotten.append(asyncio.create_task(writes.forever("first call")))
            await asyncio.sleep(0)

        bridge.run(careless(), SOON)
        assert forgotten[0].cancelled()

    def test_what_is_cancelled_may_still_tidy_up(self, bridge: Bridge) -> None:
        tidied = []

        async def tidy() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                tidied.append("connection closed")

        async def careless() -> None:
            careless.task = asyncio.create_task(tidy())  # type: ignore[attr-defined]  # kept from the collector
            await asyncio.sleep(0)

        bridge.run(careless(), SOON)
        assert tidied == ["connection closed"]

    def test_a_task_that_will_not_stop_ends_the_process(self) -> None:
        bridge = Bridge(die, drain_within=timedelta(milliseconds=1))
        let_go = asyncio.Event()

        async def stubborn() -> None:
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    continue

        async def careless() -> None:
            careless.task = asyncio.create_task(stubborn())  # type: ignore[attr-defined]  # kept from the collector
            await asyncio.sleep(0)

        with pytest.raises(DiedError, match="1 tasks did not stop"):
            bridge.run(careless(), SOON)
        let_go.set()
        bridge.close()


class TestPerProcess:
    def test_one_per_process(self) -> None:
        made = PerProcess(object)
        assert made.get() is made.get()

    def test_what_was_let_go_is_made_anew(self) -> None:
        made = PerProcess(object)
        first = made.get()
        assert made.pop() is first
        assert made.pop() is None
        assert made.get() is not first


def in_child(work: Callable[[], bool]) -> bool:
    """Whether `work` was true in a forked child."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        except BaseException:  # noqa: BLE001  # whatever it was, the parent must hear of it
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class TestFork:
    async def place(self) -> asyncio.AbstractEventLoop:
        await asyncio.sleep(0.001)  # through the selector, which a fork would share
        return asyncio.get_running_loop()

    def test_a_child_has_a_loop_of_its_own(self, bridge: Bridge) -> None:
        parents = bridge.run(self.place(), SOON)
        assert in_child(lambda: bridge.run(self.place(), SOON) is not parents)

    def test_the_parents_loop_survives_its_children(self, bridge: Bridge, tmp_path: Path) -> None:
        parents = bridge.run(self.place(), SOON)

        def use_and_close() -> bool:
            bridge.run(self.place(), SOON)
            bridge.close()
            (tmp_path / "done").touch()
            return True

        assert in_child(use_and_close)
        assert (tmp_path / "done").exists()
        assert bridge.run(self.place(), SOON) is parents

    def test_each_process_makes_its_own_thing(self) -> None:
        made = PerProcess(object)
        parents = made.get()
        assert in_child(lambda: made.get() is not parents)
        assert made.get() is parents
