import os
import signal
import threading

import pytest

from provisioning.local.interrupts import noted_signals, stopped_by_signals, undisturbed

REQUESTS = [signal.SIGINT, signal.SIGTERM]


def handlers() -> list[object]:
    return [signal.getsignal(request) for request in REQUESTS]


class TestStoppedBySignals:
    @pytest.mark.parametrize("request_to_end", REQUESTS)
    def test_either_is_as_good_as_ctrl_c(self, request_to_end: signal.Signals) -> None:
        before = handlers()
        with pytest.raises(KeyboardInterrupt), stopped_by_signals():
            os.kill(os.getpid(), request_to_end)
        assert handlers() == before


class TestNotedSignals:
    @pytest.mark.parametrize("request_to_end", REQUESTS)
    def test_work_ends_where_it_asks_whether_it_may_go_on(self, request_to_end: signal.Signals) -> None:
        done: list[str] = []

        def work() -> None:
            with noted_signals() as may_go_on:
                may_go_on()
                os.kill(os.getpid(), request_to_end)
                done.append("not in the middle")
                may_go_on()
                done.append("never")

        with pytest.raises(KeyboardInterrupt):
            work()
        assert done == ["not in the middle"]

    def test_work_that_never_asks_ends_at_its_end(self) -> None:
        with pytest.raises(KeyboardInterrupt), noted_signals():
            os.kill(os.getpid(), signal.SIGTERM)

    def test_who_insists_is_heard_at_once(self) -> None:
        done: list[str] = []

        def work() -> None:
            with noted_signals():
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
                done.append("never")

        with pytest.raises(KeyboardInterrupt):
            work()
        assert done == []

    def test_undisturbed_nothing_happens_and_handlers_are_as_before(self) -> None:
        before = handlers()
        with noted_signals() as may_go_on:
            may_go_on()
        assert handlers() == before


class TestUndisturbed:
    @pytest.mark.parametrize("request_to_end", REQUESTS)
    def test_what_is_being_ended_is_ended_to_its_end(self, request_to_end: signal.Signals) -> None:
        ended = []
        with stopped_by_signals(), undisturbed():
            os.kill(os.getpid(), request_to_end)
            ended.append(True)
        assert ended == [True]

    def test_afterwards_requests_are_heard_again(self) -> None:
        before = handlers()
        with undisturbed():
            pass
        assert handlers() == before

    def test_also_when_the_ending_fails(self) -> None:
        before = handlers()
        with pytest.raises(OSError, match="full"), undisturbed():
            raise OSError("full")
        assert handlers() == before

    def test_another_thread_may_end_things_too(self) -> None:
        ended = []

        def end() -> None:
            with undisturbed():
                ended.append(True)

        thread = threading.Thread(target=end)
        thread.start()
        thread.join()
        assert ended == [True]
