"""While a machine's clock is off its workers do nothing, whatever they are asked."""

import pytest
from structlog.testing import capture_logs

from provisioning import bootstrap
from provisioning.domain.errors import UnavailableError
from tasks.app import app

app.loader.import_default_modules()
OURS = sorted(name for name in app.tasks if not name.startswith("celery."))


class ServicesWithAWrongClock:
    """Whatever else is asked of them is a fault of the program."""

    def watch_clock(self) -> None:
        raise UnavailableError("The clock of left and the database's differ.")


@pytest.mark.parametrize("name", OURS)
def test_no_task_touches_anything(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(bootstrap, "services", ServicesWithAWrongClock)
    arguments = ("an operation",) if name == "operations.advance" else ()
    with capture_logs() as lines:
        app.tasks[name](*arguments)
    assert [(line["event"], line["error"]) for line in lines] == [
        ("task.postponed", "The clock of left and the database's differ.")
    ]
