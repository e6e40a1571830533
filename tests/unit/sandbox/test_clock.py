from datetime import UTC, datetime

import pytest

from provisioning.sandbox.clock import SandboxClock, from_moment, to_moment


class Elapsed:
    """Real time, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class TestSandboxClock:
    def test_runs_at_its_factor_from_its_origin(self) -> None:
        elapsed = Elapsed()
        clock = SandboxClock(60, origin=1_000, elapsed=elapsed)
        elapsed.seconds = 2
        assert clock.now() == 1_120

    def test_another_factor_goes_on_from_the_present(self) -> None:
        elapsed = Elapsed()
        clock = SandboxClock(10, origin=0, elapsed=elapsed)
        elapsed.seconds = 5
        clock.set_factor(1)
        elapsed.seconds = 8
        assert clock.now() == 53

    def test_a_request_happens_at_one_moment(self) -> None:
        elapsed = Elapsed()
        clock = SandboxClock(10, origin=0, elapsed=elapsed)
        with clock.held():
            elapsed.seconds = 5
            assert clock.now() == 0
        assert clock.now() == 50

    def test_a_jump_in_a_request_is_seen_by_the_rest_of_it(self) -> None:
        clock = SandboxClock(origin=0, elapsed=Elapsed())
        with clock.held():
            clock.advance(60)
            assert clock.now() == 60
        assert clock.now() == 60

    def test_a_jump_is_time_that_passed(self) -> None:
        clock = SandboxClock(origin=0, elapsed=Elapsed())
        clock.advance(3_600)
        assert clock.now() == 3_600


class TestMoments:
    def test_are_written_in_whole_seconds_of_utc(self) -> None:
        assert to_moment(datetime(2026, 2, 3, 8, 21, 44, 900_000, UTC).timestamp()) == "2026-02-03T08:21:44Z"

    @pytest.mark.parametrize("text", ["2026-02-03T08:21:44Z", "2026-02-03T09:21:44+01:00", "2026-02-03T08:21:44"])
    def test_are_read_in_any_zone(self, text: str) -> None:
        assert to_moment(from_moment(text)) == "2026-02-03T08:21:44Z"

    def test_anything_else_is_refused(self) -> None:
        with pytest.raises(ValueError, match="Invalid isoformat"):
            from_moment("tomorrow")
