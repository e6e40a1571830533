import os
import signal
import threading

import pytest

from provisioning.local.interrupts import stopped_by_signals, undisturbed

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
