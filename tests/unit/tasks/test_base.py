from collections.abc import Callable, Iterator

import pytest
import structlog
from celery import Celery
from structlog.testing import capture_logs

from provisioning.domain.errors import ConflictError, UnavailableError
from tasks.base import ProvisioningTask


@pytest.fixture(autouse=True)
def _clean_context() -> Iterator[None]:
    structlog.contextvars.clear_contextvars()
    yield
    structlog.contextvars.clear_contextvars()


def task(work: Callable[[], object]) -> ProvisioningTask:
    def probe() -> object:
        return work()

    return Celery("probe", set_as_current=False).task(base=ProvisioningTask, name="probe", shared=False)(probe)


def raising(error: BaseException) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


class TestProvisioningTask:
    @pytest.mark.parametrize(
        ("error", "level", "event"),
        [
            pytest.param(UnavailableError("The database is away."), "warning", "task.postponed", id="weather"),
            pytest.param(ConflictError("Somebody else did."), "error", "task.refused", id="an error of ours"),
            pytest.param(KeyError("sku"), "error", "task.failed", id="a bug"),
        ],
    )
    def test_a_failure_is_a_line_in_the_log_and_the_worker_goes_on(
        self, error: Exception, level: str, event: str
    ) -> None:
        with capture_logs() as lines:
            assert task(raising(error))() is None
        assert [(line["log_level"], line["event"]) for line in lines] == [(level, event)]

    def test_only_a_bug_brings_its_traceback(self) -> None:
        with capture_logs() as lines:
            task(raising(UnavailableError("away")))()
            task(raising(KeyError("sku")))()
        assert [bool(line.get("exc_info")) for line in lines] == [False, True]

    def test_every_line_says_which_task(self) -> None:
        seen = list[dict[str, object]]()
        task(lambda: seen.append(dict(structlog.contextvars.get_contextvars())))()
        assert seen[0]["task"] == "probe"

    def test_the_next_task_inherits_no_context(self) -> None:
        task(lambda: None)()
        assert structlog.contextvars.get_contextvars() == {}

    def test_what_would_end_the_process_does(self) -> None:
        with pytest.raises(SystemExit):
            task(raising(SystemExit(70)))()
